"""One account on two schedules, one of which no manifest names: told, since both may use the same calendars."""

from dataclasses import replace

import pytest

from reconciler.model.account import Account
from reconciler.model.desired import ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveConnection
from reconciler.model.sync import CalendarRef, SyncConfig
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OFF,
    OTHER_SCHEDULE,
    PRIMARY,
    PRUNING,
    chosen,
    declared,
    live,
    planned,
    site_with,
)

WORK, HOME = chosen(CalendarRef("w", "Work")), chosen(CalendarRef("h", "Home"))


def elsewhere(**fields: object) -> LiveConnection:
    """The same account on a schedule that no manifest names."""
    return replace(live("c2", schedule_id=OTHER_SCHEDULE), **fields)  # type: ignore[arg-type] # any field of the value


def test_an_account_that_is_live_on_another_schedule_is_told() -> None:
    """Whether it is to be connected or is already: the schedule and the way out are named."""
    for on in (site_with(elsewhere()), site_with(live(sync=SyncConfig(PRIMARY, OFF)), elsewhere())):
        (warning,) = planned(declared(sync=SyncConfig(PRIMARY, OFF)), on=on).warnings
        assert warning.startswith(f"harbor/lee: lee@harbor.example is connected to schedule {OTHER_SCHEDULE}, too")
        assert warning.endswith("declare it under another name, with state: absent")


@pytest.mark.parametrize(
    "other",
    [
        elsewhere(account=Account("kim@harbor.example")),
        elsewhere(account=None),
        elsewhere(status="DISCONNECTED"),
        elsewhere(provider_id=GOOGLE.id, calendar_type=GOOGLE.calendar_type),
        elsewhere(sync=SyncConfig(OFF, OFF)),
        elsewhere(sync=SyncConfig(OFF, DEDICATED)),
        elsewhere(sync=SyncConfig(HOME, OFF)),
    ],
)
def test_what_does_not_clash_is_not_told(other: LiveConnection) -> None:
    """Another account or provider, one that is gone, or one that shares no calendar."""
    assert planned(declared(sync=SyncConfig(WORK, OFF)), on=site_with(other)).warnings == ()


def test_calendars_that_are_shared_or_not_known_by_id_are_told() -> None:
    """Names alone don't tell calendars apart, and two exports write into one account."""
    both_export = SyncConfig(OFF, DEDICATED)
    for wanted, have in (
        (SyncConfig(WORK, OFF), SyncConfig(WORK, OFF)),
        (SyncConfig(chosen("Work"), OFF), SyncConfig(HOME, OFF)),
        (both_export, both_export),
        (SyncConfig(), SyncConfig()),
    ):
        assert planned(declared(sync=wanted), on=site_with(elsewhere(sync=have))).warnings != ()


def test_what_is_declared_or_taken_away_is_not_told() -> None:
    """A tombstone or pruning settles it; a narrowed plan, which may not have seen it, does not tell."""
    there = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
    tombstone = declared("old", schedule=there, state=State.ABSENT)
    assert planned(declared(), tombstone, on=site_with(elsewhere())).warnings == ()
    assert planned(declared(state=State.ABSENT), on=site_with(elsewhere())).warnings == ()
    kim = declared("kim", schedule=there, account="kim@harbor.example")
    pruned = planned(
        declared(), kim, on=site_with(live(), elsewhere(), live("k", schedule_id=OTHER_SCHEDULE)), site=PRUNING
    )
    assert not any("is connected to schedule" in warning for warning in pruned.warnings)
    unasked = planned(declared(), on=site_with(elsewhere()), only=frozenset({"harbor/lee"}))
    assert unasked.warnings == ()
