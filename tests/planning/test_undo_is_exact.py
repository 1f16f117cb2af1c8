"""Undo is exact or says that it is not: what is sent, what is said to change, what stays otherwise, what is counted."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from reconciler.model.action import Action, ActionKind, Change, Chosen
from reconciler.model.desired import Site, State
from reconciler.model.live import ConnectMethod, LiveConnection
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.undo import Undo, undo
from tests.support.actions import altered
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OFF,
    OTHER_SCHEDULE,
    PASSWORD,
    PRIMARY,
    PRUNING,
    SITE,
    TIDE,
    chosen,
    declared,
    live,
    planned,
    site_with,
    the_action,
)

KIM = "kim@harbor.example"
IMPORTS, EXPORTS = "syncConfig.listEventFromCalendars", "syncConfig.syncToCalendar"
WORK, HOME = CalendarRef("w", "Work"), CalendarRef("h", "Home")
OFF_FROM_WORK = replace(chosen(WORK), enabled=False)


def undone(
    *outcomes: Outcome, after: Iterable[LiveConnection] = (), site: Site = SITE, beside: Iterable[Action] = ()
) -> Undo:
    """The undo of outcomes on one site with `after` live since, of a plan that holds the actions `beside`, too."""
    plan = Plan((SitePlan(site, (*(outcome.action for outcome in outcomes), *beside)),))
    return undo(Result(plan, outcomes), {site.name: site_with(*after)})


def done(action: Action, connection_id: str | None = "c1") -> Outcome:
    """The outcome of an action that was done."""
    return Outcome(action, OutcomeStatus.DONE, connection_id=connection_id)


def half(action: Action, connection_id: str | None, status: OutcomeStatus = OutcomeStatus.FAILED) -> Outcome:
    """The outcome of an action that came as far as this connection, or nobody knows how far."""
    return Outcome(action, status, error="no", connection_id=connection_id)


def updated(former: SyncConfig, wanted: SyncConfig, now: SyncConfig) -> Undo:
    """The undo of an update from `former`, with `now` in force since."""
    action = the_action(planned(declared(sync=wanted), on=site_with(live(sync=former))))
    return undone(done(action), after=[live(sync=now)])


@pytest.mark.parametrize(
    ("former", "wanted", "now", "sent", "changes", "remarks"),
    [
        pytest.param(
            SyncConfig(Direction(arm=Arm.PRIMARY), OFF),
            SyncConfig(PRIMARY),
            SyncConfig(PRIMARY, OFF),
            SyncConfig(replace(PRIMARY, enabled=False)),
            {f"{IMPORTS}.enabled": (True, False)},
            (f"harbor/lee: {IMPORTS}.enabled was not listed before: it is set to false",),
            id="a direction that did not say whether it is on",
        ),
        pytest.param(
            SyncConfig(PRIMARY),
            SyncConfig(None, DEDICATED),
            SyncConfig(PRIMARY, DEDICATED),
            SyncConfig(PRIMARY, OFF),
            {f"{EXPORTS}.enabled": (True, False)},
            (
                f"harbor/lee: {EXPORTS} was not listed before: it is switched off",
                f"harbor/lee: {EXPORTS}.dedicatedCalendar stays chosen: the API can't take a choice back",
            ),
            id="a direction that was not listed",
        ),
        pytest.param(
            SyncConfig(OFF_FROM_WORK, OFF),
            SyncConfig(PRIMARY),
            SyncConfig(PRIMARY, OFF),
            SyncConfig(OFF_FROM_WORK),
            {
                f"{IMPORTS}.enabled": (True, False),
                f"{IMPORTS}.calendars": (None, (WORK,)),
                f"{IMPORTS}.primaryCalendar": (Chosen.CHOSEN, None),
            },
            (),
            id="an off direction with its calendars",
        ),
        pytest.param(
            SyncConfig(chosen(WORK, HOME), OFF),
            SyncConfig(OFF),
            SyncConfig(OFF, OFF),
            SyncConfig(chosen(WORK, HOME)),
            {f"{IMPORTS}.enabled": (False, True), f"{IMPORTS}.calendars": (None, (WORK, HOME))},
            (),
            id="calendars that a service forgets when it is switched off",
        ),
        pytest.param(
            SyncConfig(chosen(WORK, HOME), OFF),
            SyncConfig(OFF),
            SyncConfig(replace(chosen(CalendarRef("h"), CalendarRef("w")), enabled=False), OFF),
            SyncConfig(chosen(WORK, HOME)),
            {f"{IMPORTS}.enabled": (False, True)},
            (),
            id="calendars are a set by id",
        ),
        pytest.param(
            SyncConfig(PRIMARY, OFF),
            SyncConfig(OFF),
            SyncConfig(OFF, DEDICATED),
            SyncConfig(PRIMARY, DEDICATED),
            {f"{IMPORTS}.enabled": (False, True), f"{IMPORTS}.primaryCalendar": (None, Chosen.CHOSEN)},
            (f"harbor/lee: {EXPORTS} has changed since this was planned: it stays as it is",),
            id="what somebody else has changed meanwhile",
        ),
    ],
)
def test_what_goes_back_is_what_is_said(
    former: SyncConfig,
    wanted: SyncConfig,
    now: SyncConfig,
    sent: SyncConfig,
    changes: dict[str, tuple[object, object]],
    remarks: tuple[str, ...],
) -> None:
    """The changes of an undo are those that sending it brings about, and a remark tells of every other difference."""
    found = updated(former, wanted, now)
    (action,) = found.plan.actions
    assert action.sync == sent
    assert {change.path: (change.before, change.after) for change in action.changes} == changes
    assert found.remarks == remarks


def test_what_stands_as_it_was_needs_no_undo() -> None:
    """An update that somebody has taken back already is left out."""
    assert updated(SyncConfig(PRIMARY, OFF), SyncConfig(OFF), SyncConfig(PRIMARY, OFF)) == Undo(Plan(()), ())


def test_an_undo_can_be_undone() -> None:
    """The config that stands is recorded with the way back, so that the way forth again brings it back."""
    there = updated(SyncConfig(PRIMARY, OFF), SyncConfig(OFF), SyncConfig(OFF, OFF))
    (back,) = there.plan.actions
    (forth,) = undone(done(back), after=[live(sync=SyncConfig(PRIMARY, OFF))]).plan.actions
    assert forth.sync == SyncConfig(OFF)
    made = undone(done(the_action(planned(declared(sync=SyncConfig(PRIMARY, OFF)))), "new"), after=[live("new")])
    (again,) = undone(done(made.plan.actions[0], "new")).plan.actions
    assert (again.kind, again.password, again.sync) == (ActionKind.CONNECT, PASSWORD, SyncConfig(PRIMARY, OFF))


def test_what_was_not_recorded_is_not_made_up() -> None:
    """A plan that does not say what was there before gives no reason to switch anything off."""
    action = the_action(planned(declared(sync=SyncConfig(OFF)), on=site_with(live())))
    found = undone(done(replace(action, live_sync=None)), after=[live(sync=SyncConfig(OFF))])
    remark = "harbor/lee: what its sync config was is not recorded, so it is not brought back"
    assert found == Undo(Plan(()), (remark,))


def tombstone(was: LiveConnection | None = None) -> Action:
    """The disconnect of c1 by a tombstone that refers to its password."""
    return the_action(planned(declared(state=State.ABSENT), on=site_with(was or live())))


def test_a_fixed_config_is_not_sent() -> None:
    """Where a provider lets no config be set, the connect sends none, and says what may differ."""
    found = undone(done(altered(tombstone(), provider=TIDE.name, provider_id=TIDE.id)))
    (action,) = found.plan.actions
    assert (action.kind, action.sync, action.changes) == (ActionKind.CONNECT, None, ())
    assert found.remarks == (
        "harbor/lee: its sync config can't be set, so it may differ from what it was (import on, export off)",
    )


def test_a_connection_that_is_made_again_gets_all_that_it_had() -> None:
    """An off direction with its calendars, and off what was not listed: a new connection may start otherwise."""
    found = undone(done(tombstone(live(sync=SyncConfig(OFF_FROM_WORK)))))
    (action,) = found.plan.actions
    assert action.sync == SyncConfig(OFF_FROM_WORK, OFF)
    assert Change(f"{IMPORTS}.calendars", None, (WORK,)) in action.changes
    assert found.remarks == (f"harbor/lee: {EXPORTS} was not listed before: it is switched off",)


def test_a_choice_that_was_not_made_can_not_be_sent() -> None:
    """A new connection may start with a calendar where none was chosen: said, whether the direction is on or off."""
    exports = Direction(enabled=True)
    found = undone(done(tombstone(live(sync=SyncConfig(OFF, exports)))))
    assert found.plan.actions[0].sync == SyncConfig(OFF, exports)
    assert found.remarks == tuple(
        f"harbor/lee: {path} had no calendar chosen: a new connection may start with one" for path in (IMPORTS, EXPORTS)
    )


def test_what_nobody_can_connect_again_is_said() -> None:
    """One whose account was never shown; one whose provider the site does not offer any more."""
    nameless = altered(tombstone(), account=None)
    assert undone(done(nameless)) == Undo(
        Plan(()), ("harbor/lee: its account was not shown, so it can't be connected again",)
    )
    gone = replace(tombstone(), provider_id="p-gone")
    assert undone(done(gone)) == Undo(Plan(()), ("harbor/lee: the site does not offer its provider apple now",))


def test_half_done_connects_are_undone() -> None:
    """Connected, but its config was refused or is not known: the connection that was made goes."""
    action = the_action(planned(declared(sync=SyncConfig(OFF))))
    for status in (OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN):
        (back,) = undone(half(action, "new", status), after=[live("new")]).plan.actions
        assert (back.kind, back.connection_id) == (ActionKind.DISCONNECT, "new")
        assert Change(f"{IMPORTS}.enabled", before=True, after=None) in back.changes


def test_what_is_taken_away_is_named_as_it_stands() -> None:
    """An owner may have consented with another account than was asked for."""
    action = the_action(planned(declared(provider="google")))
    (back,) = undone(half(action, "new"), after=[live("new", provider=GOOGLE, account=KIM)]).plan.actions
    assert (str(back.account), back.connection_id) == (KIM, "new")


def test_half_done_replaces_and_reconnects_are_undone() -> None:
    """While the former connection still stands, the new one goes; when it is gone, what is left is said."""
    replace_ = the_action(planned(declared(), on=site_with(live("old", account=KIM)), site=PRUNING))
    broken = live("old", status="ERROR", error_reason="TOKEN_REVOKED")
    reconnect = the_action(planned(declared(), on=site_with(broken)))
    for action, old in ((replace_, live("old", account=KIM)), (reconnect, broken)):
        found = undone(half(action, "new"), after=[old, live("new")])
        (back,) = found.plan.actions
        assert (back.kind, back.connection_id, str(back.account)) == (
            ActionKind.DISCONNECT,
            "new",
            "lee@harbor.example",
        )
        assert found.remarks == ()
    gone = undone(half(replace_, "new", OutcomeStatus.UNKNOWN), after=[live("new")])
    assert (gone.plan.actions, len(gone.remarks)) == ((), 1)
    assert "declare the former account again" in gone.remarks[0]


def test_a_reconnect_gets_its_config_back() -> None:
    """It stays connected; what its provider's defaults or its manifest have changed goes back."""
    broken = live(status="ERROR", error_reason="TOKEN_REVOKED", sync=SyncConfig(chosen(WORK), OFF))
    reconnect = the_action(planned(declared(sync=SyncConfig(OFF)), on=site_with(broken)))
    # A broken row that is still listed once it was given up is no reason to take the new connection away.
    for made, after in (("c1", [live()]), ("new", [live("new")]), ("new", [live("new"), broken])):
        found = undone(done(reconnect, made), after=after)
        (back,) = found.plan.actions
        assert (back.kind, back.connection_id, back.method) == (ActionKind.UPDATE, made, None)
        assert back.sync is not None
        assert back.sync.imports == chosen(WORK)
        assert found.remarks == ("harbor/lee: it stays connected: a reconnect has nothing to go back to",)


def test_a_connection_healed_by_its_config_gets_it_back() -> None:
    """Where sending the config was the remedy, the former one is sent, as far as the remedy changed it."""
    broken = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED", sync=SyncConfig(PRIMARY, DEDICATED))
    healed = the_action(planned(declared(sync=SyncConfig(None, OFF)), on=site_with(broken)))
    (back,) = undone(done(healed), after=[live(sync=SyncConfig(PRIMARY, OFF))]).plan.actions
    assert (back.kind, back.sync) == (ActionKind.UPDATE, SyncConfig(PRIMARY, DEDICATED))


def test_what_is_not_known_is_looked_at() -> None:
    """An update or a disconnect whose answer was lost is undone where it has come about; a connect is told."""
    update = the_action(planned(declared(sync=SyncConfig(OFF)), on=site_with(live())))
    lost = half(update, None, OutcomeStatus.UNKNOWN)
    assert undone(lost, after=[live()]) == Undo(Plan(()), ())
    assert undone(lost, after=[live(sync=SyncConfig(OFF))]).plan.actions[0].sync == SyncConfig(PRIMARY)
    lost = half(tombstone(), None, OutcomeStatus.UNKNOWN)
    assert undone(lost, after=[live()]) == Undo(Plan(()), ())
    assert undone(lost).plan.actions[0].kind is ActionKind.CONNECT
    unread = undo(
        Result(Plan((SitePlan(SITE, (lost.action,)),)), (lost,)),
        {"harbor": site_with(failed_provider_ids=("p-apple",))},
    )
    assert (unread.plan.actions, len(unread.remarks)) == ((), 1)
    lost = half(the_action(planned(declared())), None, OutcomeStatus.UNKNOWN)
    assert "is not known, so it is not undone" in undone(lost, after=[live()]).remarks[0]


def test_what_is_not_listed_is_left_alone() -> None:
    """A connection that the service does not list can't be planned; one listed as DISCONNECTED needs nothing."""
    connect = half(the_action(planned(declared())), "new")
    assert undone(connect).remarks == (
        "harbor/lee: new is not listed now, so it is left alone: look in the site's dashboard",
    )
    assert undone(connect, after=[live("new", status="DISCONNECTED")]) == Undo(Plan(()), ())


def test_a_link_that_is_out_is_said() -> None:
    """Its owner may consent after the undo."""
    google = the_action(planned(declared(provider="google")))
    asked = Outcome(google, OutcomeStatus.AWAITING_CONSENT, consent_url="https://consent.example/x")
    assert undone(asked).remarks == (
        "harbor/lee: its link is still good: what its owner connects by it later is not undone",
    )
    assert undone(Outcome(google, OutcomeStatus.AWAITING_CONSENT, error="not asked")) == Undo(Plan(()), ())


def test_of_duplicates_one_is_connected_again() -> None:
    """What a tombstone took of one key is brought back once, under the manifest's address, and the others are said."""
    first = tombstone(live(sync=SyncConfig(PRIMARY, DEDICATED)))
    second = altered(first, address="harbor/id:b2", connection_id="b2", password=None)
    found = undone(done(second, "b2"), done(first))
    (back,) = found.plan.actions
    assert (back.address, back.disconnected, back.method) == ("harbor/lee", ("b2", "c1"), ConnectMethod.CREDENTIALS)
    assert found.remarks == ("harbor/id:b2: it is not connected again beside harbor/lee of the same account",)
    standing = undone(done(second, "b2"), after=[live()])
    assert standing == Undo(Plan(()), ("harbor/id:b2: it is not connected again beside c1 of the same account",))


def test_an_account_is_freed_before_it_is_connected_again() -> None:
    """What moved an account to another schedule moves it back in the opposite order."""
    moved = the_action(planned(replace(declared("to"), schedule=replace(declared().schedule, value=OTHER_SCHEDULE))))
    left = replace(tombstone(), address="harbor/from")
    found = undone(done(left), done(moved, "new"), after=[live("new", schedule_id=OTHER_SCHEDULE)])
    after = {action.address: action.depends_on for action in found.plan.actions}
    assert after == {"harbor/from": ("harbor/to",), "harbor/to": ()}


def test_an_owner_is_asked_where_no_password_is_referred_to() -> None:
    """A provider that connects either way takes the one that is possible."""
    both = replace(GOOGLE, features=replace(GOOGLE.features, connect_methods=("CREDENTIALS", "OAUTH")))
    action = altered(tombstone(), provider="google", provider_id=both.id, password=None)
    result = Result(Plan((SitePlan(SITE, (action,)),)), (done(action),))
    (back,) = undo(result, {"harbor": replace(site_with(), providers=(both,))}).plan.actions
    assert back.method is ConnectMethod.OAUTH
