"""A name that stands beside an id is never compared with what is live, only told of where it is another one there."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind
from reconciler.model.desired import ScheduleKey, ScheduleRef, State
from reconciler.model.live import Calendar, Schedule
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning.planner import calendar_lookups
from tests.support.builders.plans import (
    OFF,
    OTHER_SCHEDULE,
    SCHEDULE,
    chosen,
    declared,
    live,
    planned,
    site_with,
)

WORK = CalendarRef("w1", "Work")
OFFICE = CalendarRef("w1", "Office")
NAMED = declared(sync=SyncConfig(chosen(WORK)))


def labelled(by: ScheduleKey, value: str) -> ScheduleRef:
    """The schedule by its id, with something beside it."""
    return ScheduleRef(ScheduleKey.ID, SCHEDULE, label=ScheduleRef(by, value))


@pytest.mark.parametrize("have", [WORK, OFFICE, CalendarRef("w1")])
def test_a_pinned_calendar_that_is_live_is_in_sync(have: CalendarRef) -> None:
    """Whatever it is called there; and its account's calendars need not be asked for."""
    site = site_with(live(sync=SyncConfig(chosen(have), OFF)))
    plan = planned(NAMED, on=site)
    assert [action.kind for action in plan.actions] == [ActionKind.NOOP]
    assert calendar_lookups([NAMED], site) == ()
    told = (
        "harbor/lee: the manifest calls its calendar Work, and the service Office [w1]; its id counts, and extcal pin "
        "compares names and writes new ones"
    )
    assert plan.warnings == ((told,) if have == OFFICE else ())


def test_names_that_were_asked_for_are_compared() -> None:
    """Those of the account's list go before those of the sync config, which may be older."""
    site = site_with(live(sync=SyncConfig(chosen(WORK), OFF)))
    site = replace(site, calendars={"c1": (Calendar("w1", "Office"), Calendar("h1", "Home"))})
    told = "harbor/lee: the manifest calls its calendar Work, and the service Office [w1];"
    assert planned(NAMED, on=site).warnings[0].startswith(told)


def test_what_does_not_matter_is_not_told() -> None:
    """Calendars of an import that is off, or of a tombstone."""
    site = site_with(live(sync=SyncConfig(chosen(OFFICE), OFF)))
    off = replace(NAMED, sync=SyncConfig(replace(chosen(WORK), enabled=False)))
    for one in (off, replace(NAMED, state=State.ABSENT)):
        assert planned(one, on=site).warnings == ()


@pytest.mark.parametrize(
    ("ref", "found", "told"),
    [
        (
            labelled(ScheduleKey.NAME, "Dr. Lee"),
            ("Dr. Lee-Ross", None),
            "its schedule Dr. Lee, and the service Dr. Lee-Ross [",
        ),
        (labelled(ScheduleKey.NAME, "Dr. Lee"), ("Dr. Lee", "r1"), ""),
        (labelled(ScheduleKey.EXTERNAL_ID, "r1"), ("Dr. Lee", "r2"), "its schedule r1, and the service r2 ["),
        (labelled(ScheduleKey.EXTERNAL_ID, "r1"), ("Dr. Lee", None), ""),
        (ScheduleRef(ScheduleKey.ID, SCHEDULE), ("Dr. Lee", None), ""),
    ],
)
def test_a_schedules_label(ref: ScheduleRef, found: tuple[str, str | None], told: str) -> None:
    """It is compared where the schedules were read for another connection, and makes no difference to the action."""
    one = declared(schedule=ref)
    unread = site_with(live())
    read = replace(unread, schedules=(Schedule(SCHEDULE, *found, "ACTIVE"), Schedule(OTHER_SCHEDULE, "x", None, "")))
    warnings = planned(one, on=read).warnings
    assert (len(warnings), told in "".join(warnings)) == (bool(told), True)
    for site in (unread, read):
        assert [action.kind for action in planned(one, on=site).actions] == [ActionKind.NOOP]
    assert planned(one, on=unread).warnings == ()
    (action,) = planned(one, on=unread).actions
    assert action.schedule_name == ref.name
