"""Applying does what the plan says, tells truly what it could not do, and leaves the rest alone."""

from dataclasses import replace

import httpx
import pytest

from reconciler.model.action import ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, ProviderKey, ProviderRef, State
from reconciler.model.plan import Plan
from reconciler.model.result import OutcomeStatus, Result
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, World
from reconciler.sandbox.world import Site as LiveSite
from tests.execution.conftest import Loop, allowing_all
from tests.support.builders.plans import (
    DEDICATED,
    OTHER_SCHEDULE,
    PASSWORD,
    PRIMARY,
    PRUNING,
    SCHEDULE,
    SITE,
    chosen,
    declared,
)
from tests.support.sandbox.site import APPLE, ELSEWHERE, GOOGLE, KIM, LEE

CALENDARS = (Calendar("w1", "Work"), Calendar("h1", "Home"), Calendar("w2", "Twice"), Calendar("w3", "Twice"))


def put(loop: Loop, *connections: ExistingConnection) -> None:
    """Give the sandbox one site with two schedules, Apple and Google, two accounts each, and `connections`."""
    apple = Provider(APPLE, "apple", "Apple", "I_CAL", ("CREDENTIALS",))
    google = Provider(GOOGLE, "google", "Google", "GOOGLE", ("OAUTH",))
    site = LiveSite(
        SITE.site_id,
        "Harbor",
        schedules=(Schedule(SCHEDULE, "Dr. Lee"), Schedule(OTHER_SCHEDULE, "Dr. Kim")),
        providers=(apple, google),
        connections=connections,
    )
    accounts = tuple(
        Account(provider, email, "right-one" if provider == "apple" else None, CALENDARS)
        for provider in ("apple", "google")
        for email in (LEE, KIM)
    )
    loop.sandbox.replace_world(World((site,), accounts))


def standing(account: str = LEE, **fields: str) -> ExistingConnection:
    """A connection at Apple on SCHEDULE that stands from the start."""
    given = {"provider_id": APPLE, "schedule_id": SCHEDULE, "account": account} | fields
    return ExistingConnection(**given)  # type: ignore[arg-type] # the fields given here are texts


def statuses(result: Result) -> dict[str, OutcomeStatus]:
    """How each action ended, by address."""
    return {outcome.action.address: outcome.status for outcome in result.outcomes}


def errors(result: Result) -> list[str]:
    """What went wrong."""
    return [outcome.error or "" for outcome in result.outcomes]


def test_connect_then_configure_with_calendars_by_name(loop: Loop) -> None:
    """A new connection gets its sync config, calendars resolved by name once its account can be asked."""
    put(loop)
    result = loop.apply([SITE], [declared(sync=SyncConfig(chosen("Work", "Home"), DEDICATED))])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.DONE}
    assert result.unsettled == ()
    (connection,) = loop.live(SITE)
    assert connection.sync.imports is not None
    assert {calendar.id for calendar in connection.sync.imports.calendars} == {"w1", "h1"}
    assert connection.sync.exports == DEDICATED


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("Nowhere", "the account has no calendar Nowhere; it has:"), ("Twice", "2 calendars named Twice; name one by id")],
)
def test_calendar_that_turns_out_unknown_once_connected(loop: Loop, wanted: str, message: str) -> None:
    """A calendar that can only be checked after connecting fails the action, and says what was done already."""
    put(loop)
    result = loop.apply([SITE], [declared(sync=SyncConfig(chosen(wanted)))])
    (error,) = errors(result)
    assert error.startswith("connected, but its sync config was not set; change the manifest and apply again: ")
    assert message in error
    assert len(loop.live(SITE)) == 1


def test_wrong_password_fails_alone(loop: Loop) -> None:
    """A connect that is refused is a failure that names the code; the other action is done."""
    put(loop, standing(KIM, schedule_id=OTHER_SCHEDULE))
    loop.environ["EXTCAL_PASSWORD"] = "wrong-canary"
    other = declared("kim", account=KIM, schedule=ELSEWHERE, sync=SyncConfig(chosen("Work")))
    result = loop.apply([SITE], [declared(), other])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.FAILED, "harbor/kim": OutcomeStatus.DONE}
    assert "BAD_CREDENTIALS" in errors(result)[1]
    assert "wrong-canary" not in str(result)
    assert result.unsettled == ()


def test_secret_that_is_not_set_fails_before_anything_is_sent(loop: Loop) -> None:
    """A reference that leads nowhere is named, and nothing was asked of the service."""
    put(loop)
    reference = replace(PASSWORD, name="EXTCAL_NOT_SET")
    result = loop.apply([SITE], [declared(password=reference)])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.FAILED}
    assert "EXTCAL_NOT_SET" in errors(result)[0]
    assert loop.live(SITE) == ()


def test_replace_connects_before_it_gives_up(loop: Loop) -> None:
    """A replaced connection is given up once its successor stands."""
    put(loop, standing(KIM))
    result = loop.apply([PRUNING], [declared(sync=SyncConfig(PRIMARY))])
    assert [outcome.action.kind for outcome in result.outcomes] == [ActionKind.REPLACE]
    assert {(str(c.account), c.status == "DISCONNECTED") for c in loop.live(SITE)} == {(LEE, False), (KIM, True)}
    assert result.unsettled == ()


def test_replace_that_can_not_connect_gives_up_nothing(loop: Loop) -> None:
    """A successor that is refused leaves the old connection as it was."""
    put(loop, standing(KIM))
    loop.environ["EXTCAL_PASSWORD"] = "wrong-one"
    result = loop.apply([PRUNING], [declared()])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.FAILED}
    assert [(str(c.account), c.status) for c in loop.live(SITE)] == [(KIM, "SYNCED")]


def test_replace_by_oauth_waits_for_its_owner_first(loop: Loop) -> None:
    """Nothing is given up for a connection that its owner has yet to agree to; afterwards it is."""
    put(loop, standing(LEE))
    wanted = declared(provider="google")
    result = loop.apply([PRUNING], [wanted])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.AWAITING_CONSENT}
    assert [c.status for c in loop.live(SITE)] == ["SYNCED"]
    agree(result, LEE)
    result = loop.apply([PRUNING], [wanted])
    assert [outcome.action.kind for outcome in result.outcomes] == [ActionKind.DISCONNECT]
    assert {(c.calendar_type, c.status == "DISCONNECTED") for c in loop.live(SITE)} == {
        ("GOOGLE", False),
        ("I_CAL", True),
    }


def agree(result: Result, account: str) -> None:
    """Open the only consent link like the account's owner, and allow."""
    (url,) = [outcome.consent_url for outcome in result.outcomes if outcome.consent_url]
    form = {"account": account, "decision": "allow"}
    answer = httpx.post(url, data=form, headers={"Origin": url.split("/consent")[0]}, timeout=120)
    assert answer.status_code == 303, answer.text


def test_consent_then_a_later_run_finishes(loop: Loop) -> None:
    """An OAuth connect ends as awaiting consent; once given, the next run sets the sync config."""
    put(loop)
    wanted = declared(provider="google", sync=SyncConfig(chosen("Home")))
    result = loop.apply([SITE], [wanted])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.AWAITING_CONSENT}
    agree(result, LEE)
    result = loop.apply([SITE], [wanted])
    assert [(o.action.kind, o.status) for o in result.outcomes] == [(ActionKind.UPDATE, OutcomeStatus.DONE)]
    assert result.unsettled == ()


def test_consent_that_is_not_asked_for(loop: Loop) -> None:
    """With `skip` no link is asked for, and the connection still awaits consent."""
    put(loop)
    loop.consent = ConsentMode.SKIP
    result = loop.apply([SITE], [declared(provider="google")])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.AWAITING_CONSENT}
    assert result.outcomes[0].consent_url is None


def test_oauth_without_a_place_to_land(loop: Loop) -> None:
    """A site without a redirect URL can't ask for consent, and the message says what to add."""
    put(loop)
    result = loop.apply([replace(SITE, redirect_url=None)], [declared(provider="google")])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.FAILED}
    assert "oauth.redirectUrl" in errors(result)[0]


@pytest.mark.parametrize("reason", ["TOKEN_REVOKED", "EXTERNAL_CALENDAR_DELETED"])
def test_reconnect_heals(loop: Loop, reason: str) -> None:
    """A connection in error is healed by what its reason asks for, and is one connection afterwards."""
    put(loop, standing(status="ERROR", error_reason=reason))
    result = loop.apply([SITE], [declared(sync=SyncConfig(PRIMARY, DEDICATED))])
    assert [(o.action.kind, o.status) for o in result.outcomes] == [(ActionKind.RECONNECT, OutcomeStatus.DONE)]
    assert [c.status in {"ERROR", "DISCONNECTED"} for c in loop.live(SITE)] == [False]
    assert result.unsettled == ()


def disconnect_behind(loop: Loop) -> None:
    """Somebody else disconnects everything between the plan and its apply."""

    def act(plan: Plan) -> None:
        headers = {"Authorization": loop.sandbox.api_key, "wix-site-id": SITE.site_id}
        for action in plan.actions:
            if action.connection_id:
                path = f"/bookings/v2/external-calendars/connections/{action.connection_id}/disconnect"
                answer = httpx.post(loop.sandbox.endpoint + path, headers=headers, json={}, timeout=120)
                assert answer.status_code == 200

    loop.before_apply = act


def test_disconnect_of_what_is_gone_already_is_done(loop: Loop) -> None:
    """A connection that somebody else disconnected meanwhile is as absent as was wanted."""
    put(loop, standing())
    disconnect_behind(loop)
    result = loop.apply([allowing_all(SITE)], [declared(state=State.ABSENT)])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.DONE}


def test_update_of_what_is_gone_is_skipped_and_told(loop: Loop) -> None:
    """An update whose connection was taken away meanwhile is not sent, and the report says why."""
    put(loop, standing())
    disconnect_behind(loop)
    result = loop.apply([SITE], [declared(sync=SyncConfig(None, DEDICATED))])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.SKIPPED}
    assert errors(result) == ["the live state that it rests on has changed since it was planned; plan again"]


def test_connected_but_not_configured_is_told_as_such(loop: Loop) -> None:
    """When the sync config is refused after connecting, the report says that the connection stands."""
    put(loop)
    unknown = Direction(enabled=True, arm=Arm.CALENDARS, calendars=(CalendarRef("not-there"),))
    result = loop.apply([SITE], [declared(sync=SyncConfig(unknown))])
    assert statuses(result) == {"harbor/lee": OutcomeStatus.FAILED}
    assert errors(result)[0].startswith("connected, but its sync config was not set; apply again to finish it: ")
    assert result.outcomes[0].connection_id == loop.live(SITE)[0].id


def moving() -> list[DeclaredConnection]:
    """An account that moves from one schedule to the other."""
    return [declared("old", state=State.ABSENT), declared("new", schedule=ELSEWHERE)]


def test_account_is_freed_before_it_is_used(loop: Loop) -> None:
    """The disconnect that frees an account is answered before the connect that uses it is sent."""
    put(loop, standing())
    before = len(loop.sandbox.requests)
    result = loop.apply([allowing_all(SITE)], moving())
    assert set(statuses(result).values()) == {OutcomeStatus.DONE}
    writes = [r.path.rpartition("/")[2] for r in list(loop.sandbox.requests)[before:] if r.method == "POST"]
    assert writes == ["disconnect", "connections:connectByCredentials"]


def test_dependents_of_a_failure_are_skipped_and_said_to_be(loop: Loop) -> None:
    """What must wait for an action that did not succeed is not done."""
    put(loop, standing())
    loop.stop_at_once = True
    result = loop.apply([allowing_all(SITE)], moving())
    assert statuses(result) == {"harbor/old": OutcomeStatus.SKIPPED, "harbor/new": OutcomeStatus.SKIPPED}
    assert errors(result) == ["harbor/old, which must go first, is skipped", "interrupted before it began"]
    assert [c.status for c in loop.live(SITE)] == ["SYNCED"]


def test_fault_of_a_site_or_a_connection_holds_back_no_more_than_that(loop: Loop) -> None:
    """A connection with a fault is left alone, and so is a site that can't be read; all else is carried out."""
    put(loop)
    ghost = replace(SITE, name="ghost", site_id="00000000-0000-4000-8000-000000000000")
    unwanted = replace(declared("kim", account=KIM, password=None), site="harbor")
    result = loop.apply([SITE, ghost], [declared(), unwanted])
    assert [outcome.status for outcome in result.outcomes] == [OutcomeStatus.DONE]
    assert {fault.where for site in result.plan.sites for fault in site.faults} == {"harbor/kim", "ghost"}
    assert [str(connection.account) for connection in loop.live(SITE)] == ["lee@harbor.example"]


def test_replace_within_one_vendor(loop: Loop) -> None:
    """The same account at another installation of a provider takes the place of the old one in one apply."""
    outlook = "a0a0a0a0-0000-4000-8000-00000000000c"
    microsoft = "a0a0a0a0-0000-4000-8000-00000000000d"
    providers = (
        Provider(microsoft, "apple", "New", "MICROSOFT", ("CREDENTIALS",)),
        Provider(outlook, "apple", "Old", "OUTLOOK", ("CREDENTIALS",)),
    )
    site = LiveSite(
        SITE.site_id,
        "Harbor",
        schedules=(Schedule(SCHEDULE, "Dr. Lee"),),
        providers=providers,
        connections=(ExistingConnection(microsoft, SCHEDULE, LEE),),
    )
    loop.sandbox.replace_world(World((site,), (Account("apple", LEE, "right-one", CALENDARS),)))
    wanted = declared(provider=ProviderRef(ProviderKey.ID, outlook), password=PASSWORD)
    result = loop.apply([PRUNING], [wanted])
    assert [(o.action.kind, o.status) for o in result.outcomes] == [(ActionKind.REPLACE, OutcomeStatus.DONE)], errors(
        result
    )
    assert {c.provider_id: c.status == "DISCONNECTED" for c in loop.live(SITE)} == {outlook: False, microsoft: True}
