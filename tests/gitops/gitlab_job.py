"""A job of the pipeline on GitLab, its script run by bash as a runner would, and what its commands saw of secrets."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.gitops.fake_gitlab import TOKEN
from tests.gitops.gitlab_script import EXAMPLE
from tests.support.github.runner import BASH
from tests.support.tools import ROOT

Json = dict[str, Any]

PIPELINE: Json = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text())
JOBS = [name for name, job in PIPELINE.items() if isinstance(job, dict) and "stage" in job]
SECRETS = {
    "extcal-plan": {"EXTCAL_API_KEY": "read-only-key", "GITLAB_BOT_TOKEN": TOKEN},
    "extcal-apply": {"EXTCAL_API_KEY": "key", "EXTCAL_APP_PASSWORD": "seagull-lantern-41"},
    "extcal-consents": {"EXTCAL_API_KEY": "key"},
}
"""The variables of the project, by the environment that they are for."""

# Notes its name, its words and the names of the secrets that it sees; then does what the real one would, without pip.
_SHIM = r"""#!/usr/bin/env bash
name=${0##*/}
secrets=$(env | sed -n 's/^\(EXTCAL_[A-Z_]*\|GITLAB_BOT_TOKEN\)=.*/\1/p' | sort | paste -sd,)
echo "$secrets|$name $*" >>"$SEEN"
case "$name $*" in
"python -I -m pip wheel "*) [[ $* =~ --wheel-dir\ ([^ ]+) ]] && touch "${BASH_REMATCH[1]}/extcal.whl" ;;
"python -I -m pip install "*) ;;
"python -I -m venv "*) mkdir -p "$4/bin" && ln -s "$SHIMS"/* "$4/bin/" ;;
"python "*) exec "$PYTHON" "$@" ;;
"extcal "*) PYTHONPATH=$ROOT exec "$PYTHON" -P -m reconciler "$@" ;;
*) exec env PATH="$REAL_PATH" "$name" "$@" ;;
esac
"""


def job(name: str) -> Json:
    """A job with what it extends."""
    own: Json = PIPELINE[name]
    return job(own["extends"]) | own if "extends" in own else own


def jobs_for(**variables: str) -> set[str]:
    """The jobs that a pipeline with these variables has; what it changes is not looked at."""
    return {name for name in JOBS if any(_holds(rule["if"], variables) for rule in job(name)["rules"])}


def _holds(condition: str, variables: dict[str, str]) -> bool:
    # GitLab's conditions are read by bash's [[ ]] just so.
    done = subprocess.run([BASH, "-c", f"[[ {condition.strip()} ]]"], env=variables, check=False, timeout=120)
    assert done.returncode in {0, 1}
    return done.returncode == 0


@dataclass(frozen=True)
class Ran:
    """How a job ended: its exit code, its log, and what its commands saw."""

    code: int
    log: str
    seen: list[tuple[set[str], str]]

    def saw(self, command: str) -> set[str]:
        """The secrets that a command saw, named by how its words begin."""
        found = [secrets for secrets, words in self.seen if words.startswith(command)]
        assert found, (command, self.seen)
        return set().union(*found)


@dataclass
class Runner:
    """What runs the jobs of a pipeline in a checkout; `env` are the variables of the pipeline and the runner's own."""

    checkout: Path
    tools: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the programs that note what they see where the jobs find them."""
        for name in ("python", "extcal", "tar", "git"):
            shim = self.tools / "bin" / name
            shim.parent.mkdir(parents=True, exist_ok=True)
            shim.write_text(_SHIM)
            shim.chmod(0o755)

    def run(self, name: str, variables: dict[str, str], *, real: bool = False) -> Ran:
        """Run a job with the secrets of its environment and more variables; with `real` by the real programs alone."""
        seen = self.tools / "seen"
        seen.write_text("")
        temporary = self.tools / "tmp"
        temporary.mkdir(exist_ok=True)
        lines = [*job(name).get("before_script", []), *job(name)["script"]]
        script = "\n".join(lines)
        place = job(name).get("environment", {}).get("name", "")
        ours = {"SEEN": str(seen), "SHIMS": str(self.tools / "bin"), "PYTHON": sys.executable, "ROOT": str(ROOT)}
        ours |= {"REAL_PATH": os.environ["PATH"]}
        path = f"{Path(sys.executable).parent if real else self.tools / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            [BASH, "-eo", "pipefail", "-c", script],
            cwd=self.checkout,
            env=ours
            | {"PATH": path, "TMPDIR": str(temporary), "HOME": str(self.tools), "LANG": "C.UTF-8"}
            | PIPELINE["variables"]
            | job(name).get("variables", {})
            | SECRETS.get(place, {})
            | self.env
            | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        rows = [line.partition("|") for line in seen.read_text().splitlines()]
        return Ran(done.returncode, done.stdout, [(set(filter(None, row[0].split(","))), row[2]) for row in rows])
