"""What an action rests on, and when it has come about otherwise."""

from dataclasses import replace

import pytest

from reconciler.model.desired import State
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Action, ActionKind
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.ground import already_done, fingerprint
from tests.planning.build import (
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
    the_action,
)

WORK = CalendarRef("w1", "Work")


def update() -> Action:
    """An update of the export alone."""
    return the_action(planned(declared(sync=SyncConfig(PRIMARY, DEDICATED)), on=site_with(live())))


def connect() -> Action:
    """A connect with a config."""
    return the_action(planned(declared(sync=SyncConfig(chosen("Work")))))


def disconnect() -> Action:
    """A disconnect by tombstone."""
    return the_action(planned(declared(state=State.ABSENT), on=site_with(live())))


def replacing() -> Action:
    """A replace of kim by lee."""
    old = live("old", account="kim@harbor.example")
    return the_action(planned(declared(), on=site_with(old), site=PRUNING))


@pytest.mark.parametrize(
    "drift",
    [
        {"sync": SyncConfig(OFF, OFF)},
        {"status": "SYNC_IN_PROGRESS"},
        {"user_id": "someone"},
        {"sync": SyncConfig(PRIMARY, Direction(enabled=False, arm=Arm.DEDICATED))},
        {"account": "LEE@harbor.example"},
    ],
)
def test_unrelated_drift_does_not_void_an_action(drift: dict[str, object]) -> None:
    """What an update does not touch may change without a word."""
    action = update()
    moved = replace(live(), **drift)  # type: ignore[arg-type] # fields of the value, given by name
    assert fingerprint(action, [moved, live("other", account="x@harbor.example")]) == action.ground


@pytest.mark.parametrize(
    "drift",
    [
        {"sync": SyncConfig(PRIMARY, Direction(enabled=True, arm=Arm.PRIMARY))},
        {"status": "ERROR", "error_reason": "TOKEN_REVOKED"},
        {"status": "DISCONNECTED"},
        {"account": "kim@harbor.example"},
        {"schedule_id": OTHER_SCHEDULE},
    ],
)
def test_related_drift_voids_an_action(drift: dict[str, object]) -> None:
    """What an update rests on must be as it was."""
    action = update()
    assert fingerprint(action, [replace(live(), **drift)]) != action.ground  # type: ignore[arg-type] # fields by name
    assert fingerprint(action, []) != action.ground


def test_calendars_are_compared_as_a_set() -> None:
    """Another order of calendars, or a name that the service left out, is no drift."""
    have = live(sync=SyncConfig(chosen(WORK, CalendarRef("h1", "Home")), OFF))
    action = the_action(planned(declared(sync=SyncConfig(chosen(WORK))), on=site_with(have)))
    again = live(sync=SyncConfig(chosen(CalendarRef("h1"), CalendarRef("w1")), OFF))
    assert fingerprint(action, [again]) == action.ground
    fewer = live(sync=SyncConfig(chosen(CalendarRef("h1")), OFF))
    assert fingerprint(action, [fewer]) != action.ground


def test_a_connect_rests_on_nobody_being_there() -> None:
    """A connection of the same account that appeared meanwhile voids a connect; others do not."""
    action = connect()
    strangers = [live("a", account="kim@harbor.example"), live("b", GOOGLE), live("c", status="DISCONNECTED")]
    assert fingerprint(action, strangers) == action.ground
    assert fingerprint(action, [live("rival")]) != action.ground


def test_a_replace_rests_on_both_sides() -> None:
    """A replace is void when the old one has gone or the new one has come."""
    action = replacing()
    assert action.kind is ActionKind.REPLACE
    old = live("old", account="kim@harbor.example")
    assert fingerprint(action, [old]) == action.ground
    assert fingerprint(action, []) != action.ground
    assert fingerprint(action, [old, live("new")]) != action.ground


@pytest.mark.parametrize(
    ("action", "connections", "done"),
    [
        (update(), [live(sync=SyncConfig(OFF, DEDICATED))], True),
        (update(), [live()], False),
        (update(), [live(status="ERROR", sync=SyncConfig(OFF, DEDICATED))], False),
        (update(), [], False),
        (disconnect(), [], True),
        (disconnect(), [live(status="DISCONNECTED")], True),
        (disconnect(), [live()], False),
        (connect(), [], False),
        (connect(), [live(sync=SyncConfig(chosen(WORK)))], True),
        (connect(), [live(sync=SyncConfig(chosen(CalendarRef("w1"))))], False),
        (connect(), [live(sync=SyncConfig(PRIMARY))], False),
        (replacing(), [live("new")], True),
        (replacing(), [live("new"), live("old", account="kim@harbor.example")], False),
    ],
)
def test_what_came_about_otherwise_is_done(action: Action, connections: list[LiveConnection], *, done: bool) -> None:
    """An action whose effect is there already is done, and nothing else is."""
    assert already_done(action, connections) is done


def test_what_is_only_shown_is_always_done() -> None:
    """There is nothing to bring about for a noop or an unmanaged connection."""
    assert already_done(the_action(planned(declared(), on=site_with(live()))), [])
