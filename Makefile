# Two commands do all the set-up: `make quickstart` and `make test`. They need Python 3.11 or newer.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The sandbox of the quickstart, apart from one that you may be using.
WORLD  := .extcal/quickstart

# One more than there are cores, since tests wait for processes and servers; more than six are not worth their memory.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(6, (os.cpu_count() or 1) + 1))')
# A random order, and the same everywhere; `make test SEED=default` draws another, as `make soak` does.
SEED    ?= 20261128
PYTEST   = pytest --numprocesses $(WORKERS) --dist worksteal --randomly-seed=$(SEED)

# What goes through several rooms, by ways that the tests of each room have gone as well.
ACROSS   = $(addprefix tests/,benchmarks fleet fuzz gitops promises properties readme suite)

# A run starts the same modules hundreds of times; where this is set, each start compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: quickstart test quick check lint format tools caldav-servers vendor-client browser wheel soak fuzz mutants \
	bench clean

$(VENV)/.runtime: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "extcal needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[sandbox]'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --editable '.[sandbox,watch,notify,dask]' --group dev
	@touch $@

## quickstart: set up, then plan and apply the example on the embedded sandbox
quickstart: $(VENV)/.runtime
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/quickstart/run.sh $(WORLD)

## test: set up, then run the tests; with COVERAGE=1 it counts the branches that those of the rooms take, and fails
## below 95 %. The others are run as they are: counting takes a test twice the time, and can only find more.
test: $(VENV)/.dev
ifdef COVERAGE
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m $(PYTEST) $(addprefix --ignore=,$(ACROSS))
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report
	$(BIN)/python -m $(PYTEST) $(ACROSS)
else
	$(BIN)/python -m $(PYTEST)
endif

## quick: the tests of the pure rooms and of the loader, for the everyday edit
quick: $(VENV)/.dev
	$(BIN)/python -m $(PYTEST) tests/planning tests/execution tests/render tests/planfile tests/manifests

## lint: style, types and the layers of the house
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## check: everything that must hold before a change lands
check: lint
	$(MAKE) test COVERAGE=1

## format: put the code into the house's style
format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## tools: what some tests need beside Python, as far as it can be had: CalDAV servers, the vendor's client, a browser
tools: caldav-servers vendor-client browser

caldav-servers: $(VENV)/.dev
	-$(BIN)/python -m tests.support.caldav.environments

vendor-client:
	-command -v npm >/dev/null && npm install --prefix tests/js --no-audit --no-fund --no-package-lock --loglevel=error

browser:
	-command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends chromium >/dev/null; }

## wheel: build it, and see that it is whole: installed elsewhere, the command knows its version and its schemas
wheel: $(VENV)/.runtime
	@place=$$(mktemp -d) && trap 'rm -rf "$$place"' EXIT && \
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir "$$place" . && \
	$(PYTHON) -m venv "$$place/venv" && \
	"$$place/venv/bin/python" -m pip install --quiet "$$(echo "$$place"/extcal-*.whl)[sandbox]" && \
	cd "$$place" && venv/bin/extcal --version && venv/bin/extcal schema Connection >/dev/null

## soak: whole matrices, thousands of examples, another order each time; hours
soak: $(VENV)/.dev
	EXTCAL_SOAK=1 $(BIN)/python -m $(PYTEST) -m soak --timeout 7200 --randomly-seed=default

## fuzz: the loader of manifests, for ten minutes, by atheris
fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet atheris
	$(BIN)/python -m tests.fuzz.loader -max_total_time=600

## mutants: change planning, execution and the redaction in small ways; fails where tests notice less than 85 % of it
mutants: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8'
	$(BIN)/mutmut run --max-children 2
	$(BIN)/mutmut export-cicd-stats
	$(BIN)/python -c "import json, sys; s = json.load(open('mutants/mutmut-cicd-stats.json')); share = (s['killed'] + s['timeout']) / s['total']; print(f'{share:.1%} noticed'); sys.exit(share < 0.85)"

## bench: what fleets cost, against a raw floor and peers, a CalDAV listing, against the raw request, and expanding series
bench: $(VENV)/.dev
	@missed=0; \
	$(BIN)/python -m tests.benchmarks.fleet || missed=1; \
	$(BIN)/python -m tests.benchmarks.dask_workers || missed=1; \
	$(BIN)/python -m tests.benchmarks.caldav_listing || missed=1; \
	$(BIN)/python -m tests.benchmarks.expansion || missed=1; \
	exit $$missed

clean:
	rm -rf $(VENV) .extcal mutants build dist .coverage .coverage.*
