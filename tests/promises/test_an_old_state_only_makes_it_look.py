"""Promise: what a hosted runner gets of earlier runs, however old or forked, leads to no write that none would.

Each machine of a history begins with what some earlier one has kept: the newest, an older one, or nothing. So the
history forks, and what was kept of either branch is restored in any order. At its end one service is met by two more
machines, one with what was kept and one with nothing.
"""

import asyncio
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from reconciler.machine import Machine
from reconciler.sandbox.faults import Answer, Effect, Fault, Faults, Later, Operation, Reset
from reconciler.sandbox.server import RunningSandbox, running
from tests.promises.rehearsal import CONNECTIONS, NO_TLS, Run, duplicates, reconcile, world
from tests.support.builders.plans import PRUNING
from tests.support.folders import in_memory
from tests.support.github.runner import BASH
from tests.support.scenarios.stage import is_read
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT, needs_bash

pytestmark = needs_bash

_KEPT = ROOT / ".github" / "actions" / "restore-state" / "kept.sh"
_SERVICE = "a service"
_QUICK = range(4)


def faults(chance: random.Random) -> Faults | None:
    """What goes wrong in one run: lost answers whose connects have an effect, late or never, and lists that fail."""
    effects: tuple[Effect | Later, ...] = (Effect.NONE, Effect.DONE, Later(0.1))
    lost = Fault(
        Reset(chance.choice(effects)),
        on={Operation.CONNECT_BY_CREDENTIALS},
        skip=chance.randrange(3),
        times=chance.randrange(1, 4),
    )
    # Once a connect was lost, nobody can tell what became of it.
    blind = Fault(Answer(503), on={Operation.LIST_CONNECTIONS}, skip=chance.randrange(2, 8), times=200)
    return chance.choice([None, Faults((lost,)), Faults((lost, blind)), Faults((lost, blind))])


@dataclass
class History:
    """Machines below a folder that meet one service, and what each has kept, the oldest first."""

    folder: Path
    chance: random.Random
    kept: list[Path] = field(default_factory=list)
    machines: int = 0

    def begin(self, kept: Path | None) -> Machine:
        """A fresh machine, with what was kept, or with nothing."""
        self.machines += 1
        state = self.folder / f"machine-{self.machines}"
        if kept is not None:
            self._hand_on(kept, state)
        return Machine(state, _SERVICE)

    def end(self) -> None:
        """Keep what the newest machine hands on."""
        kept = self.folder / f"kept-{self.machines}"
        self._hand_on(self.folder / f"machine-{self.machines}", kept)
        self.kept.append(kept)

    def some_kept(self) -> Path | None:
        """What some machine has kept; of a run now and then nothing."""
        return self.chance.choice([None, *self.kept, *self.kept])

    def some_kept_open(self) -> Path:
        """What some machine has kept, one that has left connects open where there is any."""

        def is_open(kept: Path) -> bool:
            place = Machine(kept, _SERVICE).site(PRUNING.site_id)
            return bool(place.journal.pending())

        return self.chance.choice([kept for kept in self.kept if is_open(kept)] or self.kept)

    @staticmethod
    def _hand_on(origin: Path, to: Path) -> None:
        subprocess.run([BASH, str(_KEPT), str(origin), str(to)], check=True, capture_output=True, timeout=TIMEOUT)


def listed(sandbox: RunningSandbox) -> list[dict[str, str]]:
    """The connections that the service lists."""
    headers = {"Authorization": sandbox.api_key, "wix-site-id": PRUNING.site_id}
    answer = httpx.get(f"{sandbox.endpoint}{CONNECTIONS}", headers=headers, trust_env=False, verify=NO_TLS)
    found: list[dict[str, str]] = answer.raise_for_status().json()["connections"]
    return found


def disconnect_one(sandbox: RunningSandbox, chance: random.Random) -> None:
    """Let somebody take a connection away by hand."""
    standing = sorted(each["id"] for each in listed(sandbox) if each["status"] != "DISCONNECTED")
    if standing:
        headers = {"Authorization": sandbox.api_key, "wix-site-id": PRUNING.site_id}
        url = f"{sandbox.endpoint}{CONNECTIONS}/{chance.choice(standing)}/disconnect"
        httpx.post(url, headers=headers, json={}, trust_env=False, verify=NO_TLS).raise_for_status()


def live_through(history: History, data: Path) -> None:
    """Let machines come and go, each beginning with what some earlier one has kept, while things go wrong."""
    with running(data, world=world()) as sandbox:
        for _ in range(5):
            machine = history.begin(history.some_kept())
            sandbox.inject(faults(history.chance))
            asyncio.run(reconcile(sandbox.endpoint, sandbox.api_key, machine))
            sandbox.inject(None)
            history.end()
            if history.chance.random() < 0.5:
                disconnect_one(sandbox, history.chance)


def reconciled(data: Path, machine: Machine) -> tuple[Run, Counter[tuple[str, str]], list[tuple[str, str]]]:
    """A run on a service whose folder this is, what it wrote, and what exists twice afterwards."""
    with running(data) as sandbox:
        before = {each["id"] for each in listed(sandbox)}
        sandbox.requests.clear()
        run = asyncio.run(reconcile(sandbox.endpoint, sandbox.api_key, machine))
        asked = [request for request in sandbox.requests if not is_read(request)]
        twice = duplicates(sandbox.endpoint, sandbox.api_key)

    def shown(path: str) -> str:
        id_, *rest = path.removeprefix(CONNECTIONS).lstrip("/").split("/")
        return path if id_ in before or not rest else "/".join(("new", *rest))

    return run, Counter((request.method, shown(request.path)) for request in asked), twice


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory."""
    with in_memory() as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "seed", [seed if seed in _QUICK else pytest.param(seed, marks=pytest.mark.soak) for seed in range(300)]
)
def test_whatever_was_kept_leads_to_no_write_that_nothing_would_not(place: Path, seed: int) -> None:
    """Of two machines that meet the same service, the one with what was kept writes no more, and doubles nothing."""
    history = History(place, random.Random(seed))  # noqa: S311 - a seeded history, no secret
    live_through(history, place / "service")
    shutil.copytree(place / "service", place / "same")
    _, expected, twice = reconciled(place / "service", history.begin(None))
    run, wrote, twice_by_it = reconciled(place / "same", history.begin(history.some_kept_open()))
    assert wrote <= expected, [str(fault) for site in run.plan.sites for fault in site.faults]
    assert set(twice_by_it) <= set(twice)
