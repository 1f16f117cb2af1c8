"""Which action a declared connection gets, and what it carries."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind, Change, Chosen, ConnectSpec, Reason, Recovery
from reconciler.model.desired import Lifecycle, State
from reconciler.model.live import Calendar, ConnectMethod, Provider
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.support.builders.plans import (
    APPLE,
    DEDICATED,
    GOOGLE,
    MICROSOFT,
    OFF,
    PASSWORD,
    PRIMARY,
    PROVIDERS,
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

IMPORTS = "syncConfig.listEventFromCalendars"
EXPORTS = "syncConfig.syncToCalendar"
WORK = CalendarRef("w1", "Work")


def test_connect_by_credentials_carries_all_that_it_needs() -> None:
    """A connect names its method, the reference to the password, and the config to set afterwards."""
    sync = SyncConfig(chosen("Work"), OFF)
    action = the_action(planned(declared(sync=sync)))
    assert (action.kind, action.reason, action.recovery) == (
        ActionKind.CONNECT,
        Reason.NOT_CONNECTED,
        Recovery.AUTOMATIC,
    )
    assert (action.method, action.password, action.sync) == (ConnectMethod.CREDENTIALS, PASSWORD, sync)
    assert Change(f"{IMPORTS}.calendars", None, (CalendarRef(name="Work"),)) in action.changes


def test_connect_by_oauth_carries_where_the_owner_lands() -> None:
    """An OAuth connect carries the site's redirect URL and no password."""
    action = the_action(planned(declared(provider="google")))
    assert action.connect == ConnectSpec(ConnectMethod.OAUTH, redirect_url=SITE.redirect_url)


def test_credentials_are_missing_or_not_wanted() -> None:
    """A provider's connect method and the manifest's credentials must fit, before anything is written."""
    (fault,) = planned(declared(password=None)).faults
    assert "connects by credentials and the manifest gives none" in fault.message
    (fault,) = planned(declared(provider="google", password=PASSWORD), on=site_with(live(provider=GOOGLE))).faults
    assert "does not connect by credentials" in fault.message
    mute = replace(APPLE, features=replace(APPLE.features, connect_methods=("CARRIER_PIGEON",)))
    (fault,) = planned(declared(password=None), on=site_with(providers=(mute,))).faults
    assert fault.hint == "it offers: CARRIER_PIGEON"


def test_no_password_is_needed_for_what_is_connected() -> None:
    """Credentials are asked for only where something must be connected."""
    assert the_action(planned(declared(password=None), on=site_with(live()))).kind is ActionKind.NOOP


def test_an_update_names_what_differs_and_holds_all_that_is_managed() -> None:
    """The service may replace what stands by what it is sent."""
    action = the_action(planned(declared(sync=SyncConfig(PRIMARY, DEDICATED)), on=site_with(live())))
    assert (action.kind, action.reason) == (ActionKind.UPDATE, Reason.CONFIG_DRIFT)
    assert action.changes == (
        Change(f"{EXPORTS}.dedicatedCalendar", None, Chosen.CHOSEN),
        Change(f"{EXPORTS}.enabled", before=False, after=True),
    )
    assert action.sync == SyncConfig(PRIMARY, DEDICATED)


def test_what_is_left_out_is_not_managed() -> None:
    """A field that no manifest names is neither compared nor sent."""
    sync = SyncConfig(Direction(arm=Arm.CALENDARS, calendars=(WORK,)))
    on = site_with(live(sync=SyncConfig(chosen(CalendarRef("h1", "Home"), WORK), DEDICATED)))
    action = the_action(planned(declared(sync=sync), on=on))
    assert [change.path for change in action.changes] == [f"{IMPORTS}.calendars"]
    assert action.sync == sync


def test_one_of_arms_are_alternatives() -> None:
    """Choosing calendars where the primary is chosen shows both sides of the choice."""
    action = the_action(
        planned(declared(sync=SyncConfig(chosen(WORK))), on=site_with(live(), calendars={"c1": (CAL,)}))
    )
    assert action.changes == (
        Change(f"{IMPORTS}.calendars", None, (WORK,)),
        Change(f"{IMPORTS}.primaryCalendar", Chosen.CHOSEN, None),
    )


CAL = Calendar("w1", "Work")


def test_calendars_are_a_set_by_id() -> None:
    """Order, repetition and missing names are no change."""
    wanted = SyncConfig(chosen(CalendarRef("b"), CalendarRef("a"), CalendarRef("b")))
    have = SyncConfig(chosen(CalendarRef("a", "A"), CalendarRef("b")), OFF)
    assert the_action(planned(declared(sync=wanted), on=site_with(live(sync=have)))).kind is ActionKind.NOOP


def test_calendar_names_that_the_live_config_resolves_cost_no_request() -> None:
    """The account's calendars are asked for only where the live config leaves a name open."""
    have = live(sync=SyncConfig(chosen(WORK), OFF))
    knows, lacks = declared(sync=SyncConfig(chosen("Work"))), declared(sync=SyncConfig(chosen("Home")))
    assert looked_up([knows], site_with(have)) == ()
    assert looked_up([lacks], site_with(have)) == ("c1",)
    assert looked_up([lacks], site_with(replace(have, status="ERROR"))) == ()
    assert looked_up([replace(lacks, state=State.ABSENT)], site_with(have)) == ()
    assert looked_up([lacks], site_with()) == ()
    ignoring = replace(lacks, lifecycle=Lifecycle(ignore_changes=(f"{IMPORTS}.calendars",)))
    assert looked_up([ignoring], site_with(have)) == ()


def test_unknown_calendar_fails_the_plan_with_its_line() -> None:
    """A calendar that the account lacks is a fault with a suggestion."""
    on = site_with(live(), calendars={"c1": (CAL,)})
    (fault,) = planned(declared(sync=SyncConfig(chosen("Wrok"))), on=on).faults
    assert str(fault) == "lee.yaml:9:3: the account has no calendar Wrok, at harbor/lee (did you mean Work?)"


def test_calendar_name_that_two_calendars_have() -> None:
    """A name that is not unique is told apart by id, never guessed."""
    on = site_with(live(), calendars={"c1": (CAL, Calendar("w2", "Work"))})
    (fault,) = planned(declared(sync=SyncConfig(chosen("Work"))), on=on).faults
    assert fault.message.endswith("2 calendars named Work")
    assert fault.hint == "name one by id: {id: w1}, {id: w2}"


def test_calendars_that_could_not_be_listed() -> None:
    """One account's trouble leaves its connection unplanned and the rest of the site planned."""
    other = declared("kim", account="kim@harbor.example")
    on = site_with(live(), unlisted={"c1": "ListCalendars: HTTP 503"})
    plan = planned(declared(sync=SyncConfig(chosen("Work"))), other, on=on)
    assert [fault.where for fault in plan.unread] == ["harbor/lee"]
    assert (plan.applyable, [action.address for action in plan.actions]) == (True, ["harbor/kim"])


def test_what_is_switched_off_has_no_calendars_to_compare() -> None:
    """While a direction is off, which calendars it would use is no difference."""
    wanted = SyncConfig(replace(chosen("Nowhere"), enabled=False), replace(DEDICATED, enabled=False))
    have = SyncConfig(replace(PRIMARY, enabled=False), None)
    assert the_action(planned(declared(sync=wanted), on=site_with(live(sync=have)))).kind is ActionKind.NOOP
    action = the_action(planned(declared(sync=wanted), on=site_with(live())))
    assert action.sync == SyncConfig(OFF, OFF)


def test_ignored_changes_are_neither_compared_nor_sent() -> None:
    """`ignoreChanges` takes a field, a direction or the whole config out of the comparison."""
    sync = SyncConfig(OFF, DEDICATED)
    for ignored in (("syncConfig",), (IMPORTS, EXPORTS), (f"{IMPORTS}.enabled", EXPORTS)):
        lifecycle = Lifecycle(ignore_changes=ignored)
        assert (
            the_action(planned(declared(sync=sync, lifecycle=lifecycle), on=site_with(live()))).kind is ActionKind.NOOP
        )
    lifecycle = Lifecycle(ignore_changes=(f"{EXPORTS}.dedicatedCalendar",))
    action = the_action(planned(declared(sync=SyncConfig(None, DEDICATED), lifecycle=lifecycle), on=site_with(live())))
    assert action.sync == SyncConfig(None, Direction(enabled=True))


def test_ignored_changes_are_still_set_when_connecting() -> None:
    """A connection begins as declared; ignoring begins once it is there."""
    sync = SyncConfig(PRIMARY, OFF)
    action = the_action(planned(declared(sync=sync, lifecycle=Lifecycle(ignore_changes=("syncConfig",)))))
    assert action.sync == sync


def test_tombstone_disconnects_or_is_content() -> None:
    """`state: absent` disconnects what is live, even without prune, and is content where nothing is."""
    absent = declared(state=State.ABSENT)
    action = the_action(planned(absent, on=site_with(live())))
    assert (action.kind, action.reason, action.recovery) == (
        ActionKind.DISCONNECT,
        Reason.TOMBSTONE,
        Recovery.PASSWORD,
    )
    assert the_action(planned(absent)).reason is Reason.ABSENT
    oauth = the_action(planned(declared(provider="google", state=State.ABSENT), on=site_with(live(provider=GOOGLE))))
    assert oauth.recovery is Recovery.CONSENT


@pytest.mark.parametrize(
    ("code", "reason", "word"),
    [
        ("TOKEN_REVOKED", Reason.TOKEN_REVOKED, None),
        ("SOMETHING_NEW", Reason.ERROR, "SOMETHING_NEW"),
        ("UNDEFINED", Reason.ERROR, None),
        ("\u200b", Reason.ERROR, None),
        (None, Reason.ERROR, None),
    ],
)
def test_revoked_access_is_connected_again(code: str | None, reason: Reason, word: str | None) -> None:
    """A connection whose access is gone, or whose error is not known, is connected again."""
    on = site_with(live(status="ERROR", error_reason=code))
    action = the_action(planned(declared(sync=SyncConfig(PRIMARY)), on=on))
    assert (action.kind, action.reason, action.method) == (ActionKind.RECONNECT, reason, ConnectMethod.CREDENTIALS)
    assert (action.connection_id, action.sync) == ("c1", SyncConfig(PRIMARY))
    assert action.error_reason == word


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("EXTERNAL_CALENDAR_CREATION_FAILED", Reason.CALENDAR_CREATION_FAILED),
        ("EXTERNAL_CALENDAR_DELETED", Reason.CALENDAR_DELETED),
    ],
)
def test_lost_dedicated_calendar_is_asked_for_again(code: str, reason: Reason) -> None:
    """A dedicated calendar that is gone may come back by sending the export config again, nobody must sign in."""
    on = site_with(live(status="ERROR", error_reason=code, sync=SyncConfig(PRIMARY, DEDICATED)))
    action = the_action(planned(declared(password=None), on=on))
    assert (action.reason, action.method, action.sync) == (reason, None, SyncConfig())
    off = the_action(planned(declared(sync=SyncConfig(None, OFF)), on=on))
    assert off.sync == SyncConfig(None, OFF)


def test_error_that_a_manifest_can_not_heal() -> None:
    """Without credentials a revoked connection by credentials is a fault, before any write."""
    on = site_with(live(status="ERROR", error_reason="TOKEN_REVOKED"))
    (fault,) = planned(declared(password=None), on=on).faults
    assert "gives none" in fault.message


@pytest.mark.parametrize(
    ("provider", "sync", "message"),
    [
        ("microsoft", SyncConfig(chosen("Work")), "Outlook or Office 365 can't import chosen calendars"),
        ("microsoft", SyncConfig(None, DEDICATED), "Outlook or Office 365 can't export to a dedicated calendar"),
        ("apple", SyncConfig(None, replace(DEDICATED, arm=Arm.PRIMARY)), "Apple can't export to the primary calendar"),
    ],
)
def test_capabilities_fail_the_plan(provider: str, sync: SyncConfig, message: str) -> None:
    """What a provider can't do is a fault at the manifest's line, whatever is live."""
    plan = planned(declared(provider=provider, sync=sync))
    assert [str(fault).split(", at")[0] for fault in plan.faults] == [f"lee.yaml:9:3: provider {message}"]


def test_capabilities_do_not_matter_for_what_is_off() -> None:
    """A direction that is switched off, or that says nothing, asks nothing of the provider."""
    sync = SyncConfig(Direction(), replace(DEDICATED, enabled=False))
    assert planned(declared(provider="microsoft", sync=sync)).faults == ()


def test_provider_without_a_direction() -> None:
    """NOT_SUPPORTED fails an import or export that is asked for."""
    none = replace(APPLE, features=replace(APPLE.features, imports="NOT_SUPPORTED", exports="NOT_SUPPORTED"))
    plan = planned(declared(sync=SyncConfig(PRIMARY, DEDICATED)), on=site_with(providers=(none,)))
    assert [fault.message for fault in plan.faults] == [
        "provider Apple can't export events",
        "provider Apple can't import events",
    ]


def test_fixed_sync_config() -> None:
    """A provider whose sync config can't be changed may only be asked for what it has."""
    tide = declared(provider="apple", sync=SyncConfig(PRIMARY))
    tide = replace(tide, provider=replace(tide.provider, by=tide.provider.by.NAME, value="Tide"))
    assert "can't change a sync config" in planned(tide).faults[0].message
    assert the_action(planned(tide, on=site_with(live(provider=TIDE)))).kind is ActionKind.NOOP
    off = site_with(live(provider=TIDE, sync=SyncConfig(OFF, None)))
    assert "can't change a sync config" in planned(tide, on=off).faults[0].message
    broken = site_with(live(provider=TIDE, status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED"))
    action = the_action(planned(tide, on=broken))
    assert (action.method, action.sync) == (ConnectMethod.CREDENTIALS, None)


def test_calendars_of_an_import_that_stays_off_are_not_asked_for() -> None:
    """Where the manifest does not say whether to import and the live import is off, no calendar is looked up."""
    wanted = declared(sync=SyncConfig(replace(chosen("Nowhere"), enabled=None)))
    on = site_with(live(sync=SyncConfig(OFF, OFF)))
    assert looked_up([wanted], on) == ()
    assert the_action(planned(wanted, on=on)).kind is ActionKind.NOOP
    assert looked_up([wanted], site_with(live())) == ("c1",)


def test_capabilities_are_those_of_the_provider_that_it_stands_at() -> None:
    """A connection at an older installation of the provider is held to what that one can do."""
    features = replace(MICROSOFT.features, exports="NOT_SUPPORTED")
    old = Provider("p-old", "Old Outlook", "OUTLOOK", features)
    wanted = declared(provider="microsoft", sync=SyncConfig(None, Direction(enabled=True, arm=Arm.PRIMARY)))
    on = site_with(live(provider=old), providers=(*PROVIDERS, old))
    assert [fault.message for fault in planned(wanted, on=on).faults] == ["provider Old Outlook can't export events"]


@pytest.mark.parametrize("code", ["TOKEN_REVOKED", "EXTERNAL_CALENDAR_DELETED"])
def test_a_reconnect_leaves_alone_what_is_ignored(code: str) -> None:
    """Healing a connection does not set the fields that `ignoreChanges` names."""
    wanted = declared(sync=SyncConfig(OFF, OFF), lifecycle=Lifecycle(ignore_changes=("syncConfig",)))
    on = site_with(live(status="ERROR", error_reason=code, sync=SyncConfig(PRIMARY, DEDICATED)))
    sync = the_action(planned(wanted, on=on)).sync
    assert sync == (None if code == "TOKEN_REVOKED" else SyncConfig())
