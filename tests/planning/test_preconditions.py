"""What an action rests on, and when it has come about otherwise."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import State
from reconciler.model.live import LiveConnection
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.preconditions import (
    already_done,
    come_since,
    connected,
    disconnected_since,
    fingerprint,
    holds,
)
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
    the_action,
)

WORK = CalendarRef("w1", "Work")
CREATION_FAILED = "EXTERNAL_CALENDAR_CREATION_FAILED"


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
        {"status": "SYNC_IN_PROGRESS"},
        {"user_id": "someone"},
        {"sync": SyncConfig(PRIMARY, Direction(enabled=False, arm=Arm.DEDICATED))},
        {"account": "LEE@harbor.example"},
    ],
)
def test_unrelated_drift_does_not_void_an_action(drift: dict[str, Any]) -> None:
    """What an update does not send may change without a word."""
    action = update()
    moved = live(**drift)
    assert fingerprint(action, [moved, live("other", account="x@harbor.example")]) == action.precondition


@pytest.mark.parametrize(
    "drift",
    [
        {"sync": SyncConfig(PRIMARY, Direction(enabled=True, arm=Arm.PRIMARY))},
        {"sync": SyncConfig(OFF, OFF)},
        {"status": "ERROR", "error_reason": "TOKEN_REVOKED"},
        {"status": "DISCONNECTED"},
        {"account": "kim@harbor.example"},
        {"schedule_id": OTHER_SCHEDULE},
    ],
)
def test_related_drift_voids_an_action(drift: dict[str, Any]) -> None:
    """What an update rests on must be as it was."""
    action = update()
    assert fingerprint(action, [live(**drift)]) != action.precondition
    assert fingerprint(action, []) != action.precondition


def test_calendars_are_compared_as_a_set() -> None:
    """Another order of calendars, or a name that the service left out, is no drift."""
    have = live(sync=SyncConfig(chosen(WORK, CalendarRef("h1", "Home")), OFF))
    action = the_action(planned(declared(sync=SyncConfig(chosen(WORK))), on=site_with(have)))
    again = live(sync=SyncConfig(chosen(CalendarRef("h1"), CalendarRef("w1")), OFF))
    assert fingerprint(action, [again]) == action.precondition
    fewer = live(sync=SyncConfig(chosen(CalendarRef("h1")), OFF))
    assert fingerprint(action, [fewer]) != action.precondition


def test_a_connect_rests_on_nobody_being_there() -> None:
    """A connection of the same account that appeared meanwhile voids a connect; others do not."""
    action = connect()
    strangers = [live("a", account="kim@harbor.example"), live("b", GOOGLE)]
    assert holds(action, strangers)
    for rival in (live("rival"), live("rival", account=None), live("rival", status="ERROR")):
        assert not holds(action, [rival])
        assert come_since(action, [rival]) == ("rival",)
        assert holds(action, [rival], made={"rival"})


def test_a_reconnect_rests_on_nobody_else_being_there() -> None:
    """The broken one may stay listed when somebody has connected its account again."""
    broken = live(status="ERROR")
    action = the_action(planned(declared(), on=site_with(broken)))
    assert holds(action, [broken])
    assert not holds(action, [broken, live("again")])
    assert not holds(action, [broken, live("again", account=None)])


def test_a_replace_rests_on_both_sides() -> None:
    """A replace is void when the old one has gone or the new one has come."""
    action = replacing()
    assert action.kind is ActionKind.REPLACE
    old = live("old", account="kim@harbor.example")
    assert holds(action, [old])
    assert not holds(action, [])
    assert not holds(action, [old, live("new")])


@pytest.mark.parametrize(
    ("action", "connections", "done"),
    [
        (update(), [live(sync=SyncConfig(PRIMARY, DEDICATED))], True),
        (update(), [live(sync=SyncConfig(OFF, DEDICATED))], False),
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


GONE = live("gone", status="DISCONNECTED")


@pytest.mark.parametrize(
    ("since", "moved"),
    [
        ((), ()),
        ((live("new", status="DISCONNECTED"),), ("new",)),
        ((live("b", status="DISCONNECTED"), live("a", status="DISCONNECTED"), GONE), ("a", "b")),
        ((live("new", account=None, status="DISCONNECTED"),), ("new",)),
        ((live("new", account="LEE@harbor.example ", status="DISCONNECTED"),), ("new",)),
        ((live("new", account="kim@harbor.example", status="DISCONNECTED"),), ()),
        ((live("new", GOOGLE, status="DISCONNECTED"),), ()),
        ((live("new", schedule_id=OTHER_SCHEDULE, status="DISCONNECTED"),), ()),
        ((live("leaving", status="DISCONNECTED"),), ()),
    ],
)
def test_a_connect_rests_on_nothing_having_come_and_gone(
    since: tuple[LiveConnection, ...], moved: tuple[str, ...]
) -> None:
    """What is listed as taken away now and was not then; what the plan takes away itself is no news."""
    action = the_action(planned(declared(), on=site_with(GONE)))
    assert action.disconnected == ("gone",)
    assert disconnected_since(action, since, frozenset({"leaving"})) == moved
    assert holds(action, since, frozenset({"leaving"})) is (not moved)


def test_what_connects_nothing_rests_on_no_row_of_what_was_taken_away() -> None:
    """An update, a disconnect, and a reconnect that only sends the config again."""
    healing = the_action(planned(declared(), on=site_with(live(status="ERROR", error_reason=CREATION_FAILED))))
    assert healing.method is None
    for action in (update(), disconnect(), healing):
        assert disconnected_since(action, [live("new", status="DISCONNECTED")]) == ()
        assert not connected(action, [live()])


def test_what_connects_knows_when_it_is_connected() -> None:
    """Whatever its config is; not by what the plan takes away, nor by what is broken."""
    reconnect = the_action(planned(declared(), on=site_with(live(status="ERROR"))))
    for action in (connect(), replacing(), reconnect):
        assert connected(action, [live("new", sync=SyncConfig(OFF, OFF))])
        assert not connected(action, [live("new")], frozenset({"new"}))
        assert not connected(action, [live("new", status="ERROR"), live("kim", account="kim@harbor.example")])


def test_a_reconnect_may_have_made_a_connection_of_its_own() -> None:
    """While the broken one is still listed: it has come about, and is not done a second time."""
    broken = live(status="ERROR")
    action = the_action(planned(declared(sync=SyncConfig(PRIMARY)), on=site_with(broken)))
    made = live("new", sync=SyncConfig(PRIMARY))
    assert holds(action, [broken])
    assert not holds(action, [broken, made])
    assert already_done(action, [broken, made])
    assert already_done(action, [made])
    assert not already_done(action, [broken, replace(made, sync=SyncConfig(OFF))])
