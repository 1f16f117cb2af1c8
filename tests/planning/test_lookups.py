"""What must be asked of the service before planning, and how little of it."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind
from reconciler.model.desired import BOOKINGS_APP_ID, DeclaredConnection, Lifecycle, ScheduleKey, ScheduleRef, State
from reconciler.model.live import Calendar, Schedule
from reconciler.model.sync import IMPORTS, SyncConfig
from reconciler.planning.lookup import ScheduleQuery, Schedules, query_beyond, schedule_query
from reconciler.planning.select import narrowable, needs_schedules, schedule_ids
from tests.support.builders.plans import (
    OTHER_SCHEDULE,
    PRUNING,
    SCHEDULE,
    SITE,
    chosen,
    declared,
    live,
    looked_up,
    planned,
    site_with,
)

KIM = "kim@harbor.example"


def on(by: ScheduleKey, value: str, name: str = "lee") -> DeclaredConnection:
    """A connection whose schedule is named so."""
    return declared(name, schedule=ScheduleRef(by, value))


BY_ID = on(ScheduleKey.ID, SCHEDULE)
BY_NAME = on(ScheduleKey.NAME, "Dr. Lee")
BY_EXTERNAL = on(ScheduleKey.EXTERNAL_ID, "ext-b")


def test_schedules_are_asked_for_only_where_one_is_named_otherwise() -> None:
    """By id nothing; by name all of the app; by external id those of the app, in order and each once."""
    another = on(ScheduleKey.EXTERNAL_ID, "ext-a")
    assert schedule_query([BY_ID]) is None
    assert schedule_query([]) is None
    every = ScheduleQuery((), (BOOKINGS_APP_ID,))
    assert schedule_query([BY_ID, BY_NAME]) == schedule_query([BY_EXTERNAL, BY_NAME]) == every
    found = ScheduleQuery(("ext-a", "ext-b"), (BOOKINGS_APP_ID,))
    assert schedule_query([BY_EXTERNAL, another, BY_ID, BY_EXTERNAL]) == found


def test_schedules_of_every_app_are_asked_for_only_where_a_reference_means_none_of_its_own() -> None:
    """Where the app has them nothing more is asked; else all of a name, and only those of the external ids."""
    there = Schedules(STAFF)
    assert query_beyond([BY_ID, BY_NAME, BY_EXTERNAL], there) is None
    missing = [on(ScheduleKey.EXTERNAL_ID, value) for value in ("ext-z", "ext-y")]
    assert query_beyond([BY_NAME, *missing], there) == ScheduleQuery(("ext-y", "ext-z"), ())
    assert query_beyond([on(ScheduleKey.NAME, "Nobody"), *missing], there) == ScheduleQuery((), ())
    others = Schedules([replace(schedule, app_id="another") for schedule in STAFF])
    assert query_beyond([BY_EXTERNAL], others) == ScheduleQuery(("ext-b",), ())


def test_both_apps_are_asked_for_where_a_change_is_from_one_to_the_other() -> None:
    """What the base says is looked up as the base means it."""
    before = replace(BY_NAME, schedule=replace(BY_NAME.schedule, app_id="another"))
    assert schedule_query([BY_NAME, before]) == ScheduleQuery((), (BOOKINGS_APP_ID, "another"))


def importing(name: str, **fields: object) -> DeclaredConnection:
    """A connection that names a calendar, of an account of its own."""
    wanted = declared(name, account=f"{name}@harbor.example", sync=SyncConfig(chosen("Work")))
    return replace(wanted, **fields)  # type: ignore[arg-type] # fields of the value, given by name


def test_calendars_are_asked_for_of_each_connection_that_leaves_one_open() -> None:
    """One that is absent, broken, not connected or not chosen is passed over, and those after it are not."""
    people = [importing(name) for name in ("absent", "broken", "chosen", "missing", "other", "plain", "zoe")]
    people[0] = replace(people[0], state=State.ABSENT)
    people[5] = replace(people[5], sync=SyncConfig())
    there = [
        live(f"c-{name}", account=f"{name}@harbor.example", status="ERROR" if name == "broken" else "SYNCED")
        for name in ("absent", "broken", "chosen", "other", "plain", "zoe")
    ]
    assert looked_up(people, site_with(*there)) == ("c-chosen", "c-other", "c-zoe")
    only = frozenset({"harbor/chosen", "harbor/zoe"})
    assert looked_up(people, site_with(*there), only=only) == ("c-chosen", "c-zoe")


def test_calendars_of_a_direction_that_is_and_stays_off_are_not_asked_for() -> None:
    """Where a manifest leaves open whether it imports, the live config decides."""
    open_ = importing("lee", sync=SyncConfig(replace(chosen("Work"), enabled=None)))
    for enabled, asked in ((True, ("c1",)), (False, ()), (None, ())):
        have = live(sync=SyncConfig(replace(chosen(), enabled=enabled)))
        assert looked_up([open_], site_with(have)) == asked
    assert looked_up([open_], site_with(live(sync=SyncConfig()))) == ()


def test_calendars_are_asked_for_where_a_direction_is_ignored_and_on() -> None:
    """Whether it is on is the service's affair there, and so the calendars count though the manifest says off."""
    ignoring = Lifecycle(ignore_changes=(f"{IMPORTS}.enabled",))
    off = importing("lee", sync=SyncConfig(replace(chosen("Work"), enabled=False)), lifecycle=ignoring)
    for enabled, asked in ((True, ("c1",)), (False, ())):
        have = live(sync=SyncConfig(replace(chosen(), enabled=enabled)))
        assert looked_up([off], site_with(have)) == asked
        listed = {"c1": (Calendar("work-id", "Work"),)} if asked else {}
        plan = planned(off, on=site_with(have, calendars=listed))
        assert plan.faults == ()
        assert [action.kind for action in plan.actions] == [ActionKind.UPDATE if enabled else ActionKind.NOOP]
    ignored = replace(off, lifecycle=Lifecycle(ignore_changes=(f"{IMPORTS}.calendars",)))
    assert looked_up([ignored], site_with(live(sync=SyncConfig(chosen())))) == ()


STAFF = [Schedule(SCHEDULE, "Dr. Lee", "ext-a", "ACTIVE"), Schedule(OTHER_SCHEDULE, "Dr. Kim", "ext-b", "ACTIVE")]
BURIED = declared("kim", account=KIM, state=State.ABSENT)


def test_a_reading_is_narrowed_to_what_is_chosen() -> None:
    """Without a choice nothing is; with one, those that are chosen and nobody else."""
    people = [declared(), declared("kim", account=KIM)]
    assert narrowable(SITE, people, None) == ()
    assert narrowable(SITE, people, frozenset({"harbor/kim", "harbor/nobody"})) == (people[1],)
    assert narrowable(SITE, people, frozenset({"harbor/kim", "harbor/lee"})) == tuple(people)


def test_a_reading_is_whole_where_shares_count() -> None:
    """One disconnect is always let through; two, or a tombstone's, must be counted against all that the site has."""
    both = frozenset({"harbor/kim", "harbor/lee"})
    assert narrowable(SITE, [BURIED, declared()], both) == ()
    assert narrowable(SITE, [BURIED, declared()], frozenset({"harbor/lee"})) == (declared(),)
    assert narrowable(PRUNING, [declared()], both) == (declared(),)
    assert narrowable(PRUNING, [declared(), declared("kim", account=KIM)], both) == ()


def test_schedules_to_read() -> None:
    """Each once, in order, however it is named; one that is not there has a fault, and nothing is read for it."""
    nobody, kim = on(ScheduleKey.NAME, "Nobody"), on(ScheduleKey.ID, OTHER_SCHEDULE.upper())
    assert schedule_ids([kim, BY_NAME, BY_ID, BY_EXTERNAL, nobody], Schedules(STAFF)) == (SCHEDULE, OTHER_SCHEDULE)
    assert schedule_ids([], Schedules(STAFF)) == schedule_ids([nobody], Schedules(STAFF)) == ()
    assert needs_schedules([BY_ID, BY_NAME])
    assert needs_schedules([BY_EXTERNAL])
    assert not needs_schedules([BY_ID])


@pytest.mark.parametrize(("count", "read"), [(100, 100), (101, 0)])
def test_very_many_schedules_are_read_as_all(count: int, read: int) -> None:
    """More than one request would take are asked for without naming any."""
    many = [on(ScheduleKey.ID, f"schedule-{n}") for n in range(count)]
    assert len(schedule_ids(many, Schedules([]))) == read
