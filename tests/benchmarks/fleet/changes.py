"""What the service is asked for each kind of change, and what the rate limit makes of it.

A site's changes are counted by the server that it is asked of. Each case has a server of its own, since the requests to
a site count for a minute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.benchmarks.fleet.cases import Key
from tests.benchmarks.fleet.runs import Command, Usage, installed, measured, serving, words
from tests.benchmarks.fleet.worlds import Declared, Fleet, Live, site_name, write_manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
KINDS = (CONNECT, CONNECT_BY_NAME, UPDATE, DISCONNECT)


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """One measurement: a fleet, how its manifests state it, and how the service stands to them before."""

    what: str
    fleet: Fleet
    declared: Declared
    live: Live
    waits: bool = False
    """Whether the rate limit makes it take minutes, so that once is enough."""

    @property
    def key(self) -> Key:
        """What is measured."""
        return Key(self.what, "extcal", self.fleet)

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
    ChangeCase(BY_NAME, PRACTICE, Declared.NAMED, Live.IDS_ALONE, waits=True),
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
        with serving(case.fleet) as server:
            server.begin(case.live)
            manifests = _manifests(folder, case.fleet, case.declared)
            usage = measured(_command(case, manifests, server.endpoint), output)
            yield case.key, replace(usage, requests=server.requests()[0])


def _command(case: ChangeCase, manifests: Path, endpoint: str) -> Command:
    if case.plans:
        return Command(words(installed("extcal"), "plan", manifests, "--endpoint", endpoint))
    allowed = ("--allow", f"max-disconnects:{site_name(0)}") if case.declared is Declared.ABSENT else ()
    return Command(words(installed("extcal"), "apply", manifests, "--auto-approve", *allowed, "--endpoint", endpoint))


def _manifests(folder: Path, fleet: Fleet, declared: Declared) -> Path:
    return folder / f"changes-{fleet.connections}-{declared.name.lower()}"
