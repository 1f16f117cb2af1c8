"""Live sites with many people, for tests of sets and rosters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.model.account import Account
from reconciler.model.live import LiveConnection, Provider, Schedule
from reconciler.model.sync import SyncConfig
from reconciler.pull.values import PulledSite
from tests.pull.live import BUSY_TIMES, GOOGLE, PROVIDERS, called, live, observed

HOME = Path("harbor-dental")
SET, ROSTER, POLICIES = HOME / "connections.yaml", HOME / "staff.csv", HOME / "policies.yaml"


def schedule_id(number: int) -> str:
    """The id of the schedule of one person."""
    return f"3e47ec65-2975-447c-a7ed-{number:012d}"


def person(number: int, provider: Provider = GOOGLE, sync: SyncConfig = BUSY_TIMES, **fields: object) -> LiveConnection:
    """The connection of one person, which imports from the primary calendar unless `sync` says otherwise."""
    made = live(provider=provider, sync=sync, schedule_id=schedule_id(number), id=f"live-{number}")
    account = Account(f"staff{number}@harbor-dental.example")
    # The type checker can't know that the names in `fields` fit.
    return replace(made, **{"account": account, **fields})  # type: ignore[arg-type]


def staffed(
    connections: Sequence[LiveConnection],
    name: Callable[[int], str] = "Staff {}".format,
    providers: tuple[Provider, ...] = PROVIDERS,
) -> PulledSite:
    """A site with these connections, and a schedule for each person."""
    ids = sorted({one.schedule_id for one in connections})
    schedules = [Schedule(id_, name(int(id_.rpartition("-")[2])), None, "ACTIVE") for id_ in ids]
    return called(observed(*connections, providers=providers), *schedules)


def staff(count: int) -> PulledSite:
    """A site with so many people, whose connections are alike."""
    return staffed([person(number) for number in range(count)])
