"""A command whose requests are counted, against a service that shows calendars by their ids alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.sandbox.behaviour import Behaviour, CalendarNames
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import Calendar, World
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, KEY, PASSWORD_ENV, connected, harbor, world
from tests.support.cli.worlds import connection as by_id
from tests.support.folders import in_memory

WORK = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}"
PLAN = ("plan", "manifests", "--format", "json")
APPLY = ("apply", "manifests", "--auto-approve", "--format", "json")
FOR_PEOPLE = (
    ("plan", "manifests"),
    ("plan", "manifests", "--format", "markdown"),
    ("plan", "manifests", "--format", "html"),
    ("status", "manifests"),
    ("status", "manifests", "--format", "html"),
)
TWO = {"ListProviders": 1, "ListConnections": 1}
THREE = TWO | {"QuerySchedules": 1}


@pytest.fixture(scope="session")
def nameless() -> Iterator[RunningSandbox]:
    """A sandbox whose sync configs have the ids of calendars alone."""
    behaviour = Behaviour(calendar_names=CalendarNames.HIDDEN)
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY, behaviour=behaviour) as served:
        yield served


@pytest.fixture
def asking(extcal: Extcal, nameless: RunningSandbox) -> Extcal:
    """The command against that sandbox, with a state folder whose files a test can look at."""
    state = {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    env = {**extcal.env, **PASSWORD_ENV, **state, "EXTCAL_ENDPOINT": nameless.endpoint}
    return replace(extcal, served=nameless, env=env)


def by_name(number: int, *, calendars: str = "Work") -> str:
    """A connection that names its schedule and a calendar."""
    text = by_id(number, more=WORK.replace("Work", calendars))
    return text.replace(f"id: {connected(number).schedule_id}", f"name: Staff {number}")


def working(*numbers: int) -> World:
    """Harbor Dental with these connections, which import from the calendar Work alone."""
    config = SyncConfig(Import(enabled=True, calendars=("work",)))
    return world(replace(harbor(), connections=tuple(replace(connected(n), sync_config=config) for n in numbers)))


def with_calendars(told: World, *calendars: Calendar) -> World:
    """The world in which every account has these calendars."""
    return replace(told, accounts=tuple(replace(each, calendars=calendars) for each in told.accounts))


def asked(extcal: Extcal) -> dict[str, int]:
    """How often each method was called since this was asked last."""
    counts = Counter(_method(each.method, each.path) for each in extcal.sandbox.requests)
    extcal.sandbox.requests.clear()
    return dict(counts)


def _method(verb: str, path: str) -> str:
    named = {"calendars": "ListCalendars", "providers": "ListProviders", "query": "QuerySchedules"}
    named |= {"disconnect": "Disconnect", "sync-config": "UpdateSyncConfig", "connections": "ListConnections"}
    last = path.rpartition("/")[2]
    return "Connect" if ":" in last else named.get(last, f"{verb} connection")


def remembered(extcal: Extcal) -> Path:
    """The file with the calendars that are remembered."""
    (file,) = (extcal.folder / "state").glob(f"*/{HARBOR}/calendars")
    return file
