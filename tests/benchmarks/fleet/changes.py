"""What the service is asked for each kind of change, and what the rate limit makes of it.

The requests are counted by the server that is asked. Each case has a server and a state folder of its own, since
requests to a site count for a minute, and calendars are remembered for a day.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.fleet.cases import Key
from tests.benchmarks.fleet.runs import Command, Usage, installed, measured, serving, words
from tests.benchmarks.fleet.worlds import Declared, Fleet, Live, site_name, write_manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

SOME = Fleet(40, 1, by_credentials=True)
"""Changes that a site may be asked in a minute, whatever each of them costs so far."""
PRACTICE = Fleet(300, 1, by_credentials=True)
"""One practice with many connections: more requests than a site may be asked in a minute."""

NOTHING = "apply, nothing to do"
CONNECT = "apply, new connections"
CONNECT_BY_NAME = "apply, new connections with a calendar by name, live by its id alone"
UPDATE = "apply, updates"
DISCONNECT = "apply, disconnects"
PINNED = "plan, calendars pinned"
BY_NAME = "plan, calendars by name, live by their ids alone"
AGAIN = f"{BY_NAME}, once more within the day"


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """One measurement: a fleet, how its manifests state it, and how the service stands to them before."""

    what: str
    fleet: Fleet
    declared: Declared
    live: Live
    waits: bool = False
    """Whether the rate limit makes it take minutes, so that once is enough."""
    again: str | None = None
    """What doing the same once more is named, where that is measured, too."""

    @property
    def plans(self) -> bool:
        """Whether nothing is applied."""
        return self.what in {PINNED, BY_NAME}


CASES = (
    ChangeCase(NOTHING, SOME, Declared.PINNED, Live.AGREEING),
    ChangeCase(CONNECT, SOME, Declared.PINNED, Live.NEW),
    ChangeCase(CONNECT_BY_NAME, SOME, Declared.NAMED, Live.NEW_IDS_ALONE),
    ChangeCase(UPDATE, SOME, Declared.PINNED, Live.ALL_CHANGED),
    ChangeCase(DISCONNECT, SOME, Declared.ABSENT, Live.AGREEING),
    ChangeCase(PINNED, PRACTICE, Declared.PINNED, Live.IDS_ALONE),
    ChangeCase(BY_NAME, PRACTICE, Declared.NAMED, Live.IDS_ALONE, waits=True, again=AGAIN),
    ChangeCase(CONNECT, PRACTICE, Declared.PINNED, Live.NEW, waits=True),
)


def write_changes(folder: Path) -> None:
    """The manifests of every case."""
    for fleet, declared in {(case.fleet, case.declared) for case in CASES}:
        write_manifests(fleet, _manifests(folder, fleet, declared), declared)


def changes(folder: Path, output: Path, *, waiting: bool) -> Iterator[tuple[Key, Usage]]:
    """What each case took; those that wait for the rate limit, too, where `waiting` is wanted."""
    for case in CASES:
        if case.waits and not waiting:
            continue
        with serving(case.fleet) as server, tempfile.TemporaryDirectory(dir=folder) as state:
            command = _command(case, _manifests(folder, case.fleet, case.declared), server.endpoint)
            for what in filter(None, (case.what, case.again)):
                server.begin(case.live)
                usage = measured(replace(command, state=Path(state)), output)
                yield Key(what, "extcal", case.fleet), replace(usage, requests=server.requests()[0])


def _command(case: ChangeCase, manifests: Path, endpoint: str) -> Command:
    if case.plans:
        return Command(words(installed("extcal"), "plan", manifests, "--endpoint", endpoint))
    allowed = ("--allow", f"max-disconnects:{site_name(0)}") if case.declared is Declared.ABSENT else ()
    return Command(words(installed("extcal"), "apply", manifests, "--auto-approve", *allowed, "--endpoint", endpoint))


def _manifests(folder: Path, fleet: Fleet, declared: Declared) -> Path:
    return folder / f"changes-{fleet.connections}-{declared.name.lower()}"
