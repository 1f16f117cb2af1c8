"""What an action rests on, as text that a saved plan carries: the same for the same ground, in every release."""

from dataclasses import replace

import pytest

from reconciler.model.action import Action
from reconciler.model.desired import ProviderKey, ProviderRef, State
from reconciler.model.encoding import Json, digest
from reconciler.model.live import LiveConnection
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.preconditions import already_done, disconnecting, fingerprint, holds
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OFF,
    OTHER_SCHEDULE,
    PASSWORD,
    PRIMARY,
    PRUNING,
    SCHEDULE,
    TIDE,
    chosen,
    declared,
    live,
    planned,
    site_with,
    the_action,
)

KIM, LEE = "kim@harbor.example", "lee@harbor.example"
WORK, HOME = CalendarRef("w1", "Work"), CalendarRef("h1", "Home")
WHO: dict[str, Json] = {"schedule": SCHEDULE, "provider": "p-apple", "account": LEE, "failing": []}


def update(sync: SyncConfig, have: SyncConfig) -> Action:
    """An update to `sync`."""
    return the_action(planned(declared(sync=sync), on=site_with(live(sync=have))))


def connect(**fields: object) -> Action:
    """A connect."""
    return the_action(planned(replace(declared(), **fields)))  # type: ignore[arg-type] # fields of the value, by name


@pytest.mark.parametrize(
    ("have", "sync", "ground"),
    [
        (SyncConfig(PRIMARY, OFF), SyncConfig(None, DEDICATED), [None, "off"]),
        (SyncConfig(PRIMARY), SyncConfig(None, DEDICATED), [None, "off"]),
        (SyncConfig(PRIMARY, DEDICATED), SyncConfig(OFF, OFF), [
            {"arm": "primaryCalendar", "calendars": []}, {"arm": "dedicatedCalendar", "calendars": []}
        ]),
        (SyncConfig(Direction(enabled=True)), SyncConfig(PRIMARY), [{"arm": None, "calendars": []}, None]),
        (SyncConfig(chosen(WORK, HOME, WORK)), SyncConfig(PRIMARY), [
            {"arm": "calendars", "calendars": ["h1", "w1"]}, None
        ]),
        (SyncConfig(replace(PRIMARY, calendars=(WORK,))), SyncConfig(OFF), [
            {"arm": "primaryCalendar", "calendars": []}, None
        ]),
        (SyncConfig(Direction(arm=Arm.PRIMARY)), SyncConfig(PRIMARY), ["off", None]),
    ],
)  # fmt: skip
def test_an_update_rests_on_its_connection_and_the_directions_that_it_changes(
    have: SyncConfig, sync: SyncConfig, ground: list[Json]
) -> None:
    """Who it is, that it works, and what stood in each direction that is sent: a plan saved before holds after."""
    expected = digest({"target": {**WHO, "sync": ground}})
    assert update(sync, have).precondition == expected


def test_other_actions_rest_on_who_it_is() -> None:
    """A disconnect on its connection; a reconnect also on how it fails; what connects on nobody being there."""
    gone = the_action(planned(declared(state=State.ABSENT), on=site_with(live(account=" LEE@harbor.example"))))
    assert gone.precondition == digest({"target": {**WHO}})
    broken = live(status="ERROR", error_reason="TOKEN_REVOKED", schedule_id=SCHEDULE.upper())
    reconnect = the_action(planned(declared(), on=site_with(broken)))
    assert reconnect.precondition == digest({"target": {**WHO, "failing": ["ERROR", "TOKEN_REVOKED"]}})
    assert reconnect.standing == ("c1",)
    healed = the_action(planned(declared(), on=site_with(replace(broken, error_reason="EXTERNAL_CALENDAR_DELETED"))))
    assert healed.precondition == digest({"target": {**WHO, "failing": ["ERROR", "EXTERNAL_CALENDAR_DELETED"]}})
    assert connect().precondition == digest({})
    old = live("old", account=KIM)
    replace_ = the_action(planned(declared(), on=site_with(old), site=PRUNING))
    assert replace_.precondition == digest({"target": {**WHO, "account": KIM}})
    assert fingerprint(replace_, [live("b"), live("a")]) == digest({"target": None})


def test_an_account_that_is_not_shown_is_no_account() -> None:
    """It is no other one's; but it may be what is to be connected."""
    stray = planned(declared(), on=site_with(live(), live("stray", TIDE, account=None)), site=PRUNING)
    (pruned,) = [action for action in stray.actions if action.connection_id == "stray"]
    ground: dict[str, Json] = {**WHO, "provider": "p-tide", "account": ""}
    assert pruned.precondition == digest({"target": ground})
    assert not holds(connect(), [live(account=None)])


@pytest.mark.parametrize(
    ("rival", "there"),
    [
        (live("x"), True),
        (live("x", account=" Lee@Harbor.example"), True),
        (live("x", schedule_id=SCHEDULE.upper()), True),
        (replace(live("x"), provider_id="p-apple-of-old"), True),
        (replace(live("x"), calendar_type="OTHER"), True),
        (live("x", TIDE), False),
        (live("x", account=KIM), False),
        (live("x", schedule_id=OTHER_SCHEDULE), False),
        (live("x", status="ERROR"), True),
    ],
)
def test_who_is_taken_for_the_same(rival: LiveConnection, *, there: bool) -> None:
    """Schedule, account and either the provider or its type: such a one voids a connect."""
    assert holds(connect(), [rival]) is not there
    assert holds(replace(connect(), standing=("x",)), [rival])
    assert already_done(connect(), [rival]) is (there and rival.status != "ERROR")


def test_what_has_no_word_is_told_by_its_provider() -> None:
    """Two providers of unknown types are not one, though neither type has a word."""
    tide = connect(provider=ProviderRef(ProviderKey.NAME, "Tide"), password=PASSWORD)
    assert not holds(tide, [live("x", TIDE)])
    assert holds(tide, [replace(live("x", TIDE), provider_id="p-other")])


def named(*calendars: CalendarRef) -> Action:
    """A connect whose config imports these calendars, and exports."""
    return connect(sync=SyncConfig(chosen(*calendars), DEDICATED))


@pytest.mark.parametrize(
    ("action", "have", "done"),
    [
        (named(CalendarRef(name="Work"), HOME), SyncConfig(chosen(HOME, WORK), DEDICATED), True),
        (named(CalendarRef(name="Work"), CalendarRef("h1")), SyncConfig(chosen(HOME, WORK), DEDICATED), True),
        (named(CalendarRef(name="Work"), CalendarRef("x9")), SyncConfig(chosen(HOME, WORK), DEDICATED), False),
        (named(CalendarRef(name="Work")), SyncConfig(chosen(HOME, WORK), DEDICATED), False),
        (named(CalendarRef(name="Work")), SyncConfig(chosen(WORK), OFF), False),
        (named(CalendarRef(name="Work")), SyncConfig(replace(chosen(WORK), enabled=False), DEDICATED), False),
        (named(CalendarRef(name="Work")), SyncConfig(replace(chosen(WORK), arm=Arm.PRIMARY), DEDICATED), False),
        (named(CalendarRef(name="Work")), SyncConfig(PRIMARY, DEDICATED), False),
        (named(CalendarRef(name="Work")), SyncConfig(None, DEDICATED), False),
        (named(WORK), SyncConfig(chosen(CalendarRef("w1")), DEDICATED), True),
        (connect(), SyncConfig(OFF), True),
    ],
)
def test_a_connect_has_come_about_with_its_whole_config(action: Action, have: SyncConfig, *, done: bool) -> None:
    """Calendars by name count where the live config names them; one that it does not name can't be told."""
    assert already_done(action, [live(sync=have)]) is done


def test_one_of_several_is_enough() -> None:
    """A connect has come about where any connection of its account is as it should be."""
    wanted = named(WORK)
    other, right = live("a", sync=SyncConfig(OFF)), live("b", sync=SyncConfig(chosen(WORK), DEDICATED))
    assert already_done(wanted, [other, right])
    assert not already_done(wanted, [other])


def test_a_reconnect_has_come_about_when_it_works_again() -> None:
    """And has its config; while it is in error, or is gone, it has not."""
    wanted = declared(provider="google", sync=SyncConfig(OFF))
    broken = live(provider=GOOGLE, status="ERROR")
    action = the_action(planned(wanted, on=site_with(broken)))
    assert not already_done(action, [replace(broken, sync=SyncConfig(OFF))])
    assert not already_done(action, [replace(broken, status="CONNECTED")])
    assert not already_done(action, [replace(broken, status="DISCONNECTED", sync=SyncConfig(OFF))])
    assert already_done(action, [live("other"), replace(broken, status="CONNECTED", sync=SyncConfig(OFF))])


def test_a_connection_that_is_listed_twice_is_there_while_one_of_them_is() -> None:
    """Its former self, DISCONNECTED under the same id, does not hide it."""
    action = the_action(planned(declared(state=State.ABSENT), on=site_with(live())))
    assert not already_done(action, [live(status="DISCONNECTED"), live()])
    assert fingerprint(action, [live(status="DISCONNECTED"), live()]) == action.precondition


def test_what_a_plan_takes_away() -> None:
    """What is disconnected and what is replaced, by id; nothing else."""
    on = site_with(live("old", account=KIM), live("c2", schedule_id=OTHER_SCHEDULE))
    plan = planned(declared(), on=on, site=PRUNING)
    stray = planned(declared(), on=site_with(live(), live("stray", account=KIM)), site=PRUNING)
    noop = planned(declared(), on=site_with(live()))
    assert disconnecting(plan.actions) == {"old"}
    assert disconnecting([*stray.actions, *noop.actions, connect()]) == {"stray"}
