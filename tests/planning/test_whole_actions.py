"""Actions as whole values: all that a report shows, a guard weighs, an apply sends and an undo needs."""

from dataclasses import replace

import pytest

from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind, Change, Chosen, Reason, Recovery
from reconciler.model.desired import Lifecycle, ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.model.key import ConnectionKey
from reconciler.model.live import ConnectMethod, Provider, Schedule
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.support.actions import altered
from tests.support.builders.plans import (
    APPLE,
    DEDICATED,
    GOOGLE,
    OFF,
    PASSWORD,
    PRIMARY,
    PRUNING,
    SCHEDULE,
    SITE,
    TIDE,
    chosen,
    declared,
    live,
    looked_up,
    planned,
    site_with,
    the_action,
)

IMPORTS, EXPORTS = "syncConfig.listEventFromCalendars", "syncConfig.syncToCalendar"
LEE, KIM = "lee@harbor.example", "kim@harbor.example"
WORK = CalendarRef("w1", "Work")
BY_NAME = ProviderRef(ProviderKey.NAME, "Tide")


def action(kind: ActionKind, reason: Reason, **fields: object) -> Action:
    """An action on harbor/lee at Apple that needs nothing and carries nothing."""
    plain = Action(
        kind=kind,
        address="harbor/lee",
        site="harbor",
        site_id=SITE.site_id,
        key=ConnectionKey(SCHEDULE, "apple", Account(LEE)),
        provider_id="p-apple",
        connection_id=None,
        reason=reason,
        recovery=Recovery.AUTOMATIC,
        source=declared().sources.root,
    )
    return altered(plain, **fields)


def shown(found: Action) -> Action:
    """The action without its fingerprint, which has tests of its own; what writes has one."""
    assert (found.precondition.startswith("sha256:")) is found.kind.writes
    return replace(found, precondition="")


def test_a_connect_by_credentials() -> None:
    """What comes into being, sent whole; a direction that is switched off says so and nothing more."""
    sync = SyncConfig(chosen(WORK), replace(DEDICATED, enabled=False))
    found = the_action(planned(declared(sync=sync)))
    assert shown(found) == action(
        ActionKind.CONNECT,
        Reason.NOT_CONNECTED,
        method=ConnectMethod.CREDENTIALS,
        password=PASSWORD,
        changes=(
            Change(f"{IMPORTS}.calendars", None, (WORK,)),
            Change(f"{IMPORTS}.enabled", None, after=True),
            Change(f"{EXPORTS}.enabled", None, after=False),
        ),
        sync=SyncConfig(chosen(WORK), OFF),
    )


def test_a_connect_of_what_was_disconnected_and_manages_nothing() -> None:
    """It sends no sync config, and names the schedule where its name is known."""
    schedule = Schedule(SCHEDULE, "Dr. Lee", None, "ACTIVE")
    on = site_with(live(status="DISCONNECTED"), schedules=(schedule,))
    found = the_action(planned(declared(), on=on))
    assert shown(found) == action(
        ActionKind.CONNECT,
        Reason.WAS_DISCONNECTED,
        method=ConnectMethod.CREDENTIALS,
        password=PASSWORD,
        disconnected=("c1",),
        schedule_name="Dr. Lee",
    )


def test_a_noop_and_an_update_name_what_is_live() -> None:
    """Both name the connection and its config; only the update says what it changes and sends."""
    noop = the_action(planned(declared(), on=site_with(live())))
    assert shown(noop) == action(ActionKind.NOOP, Reason.IN_SYNC, connection_id="c1", live_sync=live().sync)
    update = the_action(planned(declared(sync=SyncConfig(OFF)), on=site_with(live())))
    assert shown(update) == action(
        ActionKind.UPDATE,
        Reason.CONFIG_DRIFT,
        connection_id="c1",
        live_sync=live().sync,
        changes=(Change(f"{IMPORTS}.enabled", before=True, after=False),),
        sync=SyncConfig(OFF),
    )


def test_a_tombstone_of_nothing_and_of_something() -> None:
    """A disconnect says what goes, and carries what connecting again would take; a content one carries nothing."""
    absent = declared(state=State.ABSENT)
    assert shown(the_action(planned(absent))) == action(ActionKind.NOOP, Reason.ABSENT)
    have = SyncConfig(None, DEDICATED)
    assert shown(the_action(planned(absent, on=site_with(live(sync=have))))) == action(
        ActionKind.DISCONNECT,
        Reason.TOMBSTONE,
        connection_id="c1",
        recovery=Recovery.PASSWORD,
        password=PASSWORD,
        redirect_url=SITE.redirect_url,
        live_sync=have,
        changes=(
            Change(f"{EXPORTS}.dedicatedCalendar", Chosen.CHOSEN, None),
            Change(f"{EXPORTS}.enabled", before=True, after=None),
        ),
    )


@pytest.mark.parametrize("reason", ["TOKEN_REVOKED", None])
def test_a_reconnect_by_consent(reason: str | None) -> None:
    """It says where its owner lands, what changes, and what is sent afterwards."""
    broken = live(provider=GOOGLE, status="ERROR", error_reason=reason)
    found = the_action(planned(declared(provider="google", sync=SyncConfig(PRIMARY)), on=site_with(broken)))
    assert shown(found) == action(
        ActionKind.RECONNECT,
        Reason.TOKEN_REVOKED if reason else Reason.ERROR,
        provider="google",
        provider_id="p-google",
        connection_id="c1",
        method=ConnectMethod.OAUTH,
        redirect_url=SITE.redirect_url,
        live_sync=broken.sync,
        standing=("c1",),
        changes=(Change("status", "ERROR", "CONNECTED"),),
        sync=SyncConfig(PRIMARY),
    )


def test_a_reconnect_sends_nothing_where_configs_are_fixed() -> None:
    """A provider that lets no sync config be changed is only connected again, whatever is lost."""
    fixed = replace(APPLE, features=replace(APPLE.features, update_sync_config=False))
    for reason in ("TOKEN_REVOKED", "EXTERNAL_CALENDAR_DELETED"):
        on = site_with(live(status="ERROR", error_reason=reason), providers=(fixed,))
        found = the_action(planned(declared(sync=SyncConfig(PRIMARY)), on=on))
        assert (found.method, found.sync) == (ConnectMethod.CREDENTIALS, None)


CHOSEN = Direction(arm=Arm.PRIMARY)


@pytest.mark.parametrize(
    ("managed", "have", "sent"),
    [
        (SyncConfig(), SyncConfig(PRIMARY), SyncConfig()),
        (SyncConfig(), SyncConfig(PRIMARY, DEDICATED), SyncConfig()),
        (SyncConfig(PRIMARY), SyncConfig(None, DEDICATED), SyncConfig(PRIMARY)),
        (SyncConfig(replace(PRIMARY, enabled=False)), SyncConfig(None, DEDICATED), SyncConfig(OFF)),
        (SyncConfig(None, PRIMARY), SyncConfig(None, DEDICATED), SyncConfig(None, PRIMARY)),
        (SyncConfig(None, Direction(enabled=True)), SyncConfig(None, OFF), SyncConfig(None, Direction(enabled=True))),
        (
            SyncConfig(None, Direction(arm=Arm.PRIMARY)),
            SyncConfig(None, DEDICATED),
            SyncConfig(None, Direction(arm=Arm.PRIMARY)),
        ),
    ],
)
def test_what_heals_a_lost_calendar(managed: SyncConfig, have: SyncConfig, sent: SyncConfig) -> None:
    """What is managed as declared; what stands beside that is sent with it, when that is known."""
    broken = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED", sync=have)
    able = replace(APPLE, features=replace(APPLE.features, exports=None))
    found = the_action(planned(declared(sync=managed), on=site_with(broken, providers=(able,))))
    assert shown(found) == action(
        ActionKind.RECONNECT,
        Reason.CALENDAR_DELETED,
        connection_id="c1",
        live_sync=have,
        changes=(Change("status", "ERROR", "CONNECTED"),),
        sync=sent,
    )


def test_what_is_ignored_heals_nothing() -> None:
    """A direction that is not managed is not sent as the manifest has it."""
    broken = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED", sync=SyncConfig(PRIMARY, DEDICATED))
    ignoring = declared(sync=SyncConfig(OFF, OFF), lifecycle=Lifecycle(ignore_changes=("syncConfig",)))
    assert the_action(planned(ignoring, on=site_with(broken))).sync == SyncConfig()


@pytest.mark.parametrize("account", [KIM, None])
def test_a_replace_of_another_providers_connection(account: str | None) -> None:
    """It names the connection that goes, both changes, what goes on connecting, and what undoing takes."""
    old = live("old", TIDE, account=account)
    found = the_action(planned(declared(sync=SyncConfig(None, OFF)), on=site_with(old), site=PRUNING))
    assert shown(found) == action(
        ActionKind.REPLACE,
        Reason.PROVIDER_CHANGED,
        superseded=ConnectionKey(SCHEDULE, "Tide", None if account is None else Account(account)),
        connection_id="old",
        recovery=Recovery.PASSWORD,
        method=ConnectMethod.CREDENTIALS,
        password=PASSWORD,
        live_sync=old.sync,
        changes=(
            Change("provider", "Tide", "apple"),
            Change("account", account, LEE),
            Change(f"{EXPORTS}.enabled", None, after=False),
        ),
        sync=SyncConfig(None, OFF),
    )


def undeclared(kind: ActionKind, reason: Reason, **fields: object) -> Action:
    """An action on a connection of Tide that nobody declares."""
    return action(
        kind,
        reason,
        address="harbor/id:stray",
        provider="Tide",
        provider_id="p-tide",
        account=KIM,
        connection_id="stray",
        redirect_url=SITE.redirect_url,
        live_sync=live().sync,
        source=None,
        **fields,
    )


@pytest.mark.parametrize("prune", [True, False])
def test_what_nobody_declares(*, prune: bool) -> None:
    """Pruned, it says what goes and what it takes to undo; unmanaged, nothing goes. A name of its schedule is told."""
    schedule = Schedule(SCHEDULE, "Dr. Lee", None, "ACTIVE")
    on = site_with(live(), live("stray", TIDE, account=KIM), schedules=(schedule,))
    by_name = declared(schedule=ScheduleRef(ScheduleKey.NAME, "Dr. Lee"))
    plan = planned(by_name, on=on, site=PRUNING if prune else SITE)
    (found,) = [action for action in plan.actions if action.connection_id == "stray"]
    if not prune:
        assert shown(found) == undeclared(ActionKind.UNMANAGED, Reason.NOT_DECLARED, schedule_name="Dr. Lee")
        return
    assert shown(found) == undeclared(
        ActionKind.DISCONNECT,
        Reason.PRUNED,
        schedule_name="Dr. Lee",
        recovery=Recovery.PASSWORD,
        changes=(
            Change(f"{IMPORTS}.enabled", before=True, after=None),
            Change(f"{IMPORTS}.primaryCalendar", Chosen.CHOSEN, None),
            Change(f"{EXPORTS}.enabled", before=False, after=None),
        ),
    )


def test_a_provider_that_is_not_listed_any_more() -> None:
    """Its connection is called by its type, and connecting it again needs its owner, as far as anybody knows."""
    unlisted = Provider("p-gone", "Gone", "SEA_SHANTY", APPLE.features)
    plan = planned(declared(), on=site_with(live(), live("stray", unlisted, account=KIM)), site=PRUNING)
    (found,) = [action for action in plan.actions if action.connection_id == "stray"]
    assert (found.provider, found.recovery) == ("sea_shanty", Recovery.CONSENT)


def test_a_declared_connection_is_called_by_its_providers_name() -> None:
    """Where there is no word for a type, the name that ListProviders gives stands."""
    found = the_action(planned(declared(provider=BY_NAME, password=PASSWORD)))
    assert (found.provider, found.provider_id) == ("Tide", "p-tide")


def test_a_live_config_without_an_import_resolves_no_calendar() -> None:
    """What says nothing of calendars knows none: the account is asked, and without its list it is a fault."""
    wanted, have = declared(sync=SyncConfig(chosen("Work"))), site_with(live(sync=SyncConfig()))
    assert looked_up([wanted], have) == ("c1",)
    (fault,) = planned(wanted, on=have).faults
    assert (fault.message, fault.hint) == ("the account has no calendar Work", "it has: none")


def importing(*names: str) -> SyncConfig:
    """A config that leaves open whether it imports, and says from where."""
    calendars = tuple(CalendarRef(name=name) for name in names)
    return SyncConfig(Direction(arm=Arm.CALENDARS, calendars=calendars))


def test_calendars_by_name_of_a_direction_that_is_left_as_it_stands() -> None:
    """On, they are sent by their ids; off or not there, they say nothing, and none of them has to be known."""
    have = live(sync=SyncConfig(chosen(CalendarRef("h1", "Home"), WORK)))
    update = the_action(planned(declared(sync=importing("Work")), on=site_with(have)))
    assert update.sync == SyncConfig(Direction(arm=Arm.CALENDARS, calendars=(WORK,)))
    for off in (SyncConfig(), SyncConfig(OFF)):
        noop = the_action(planned(declared(sync=importing("Nowhere")), on=site_with(live(sync=off))))
        assert noop.kind is ActionKind.NOOP
