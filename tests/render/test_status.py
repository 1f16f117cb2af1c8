"""The health of every connection, what the text says of it, and the JSON document."""

import html
import json
from pathlib import Path
from typing import cast

import pytest
from jsonschema import Draft202012Validator

from reconciler.model.desired import DeclaredConnection, ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveConnection, Provider
from reconciler.model.status import ConnectionStatus, FleetStatus, Health, SiteStatus
from reconciler.model.sync import SyncConfig
from reconciler.planning.planner import plan_site
from reconciler.planning.status import status_of
from reconciler.render.html.status_page import status_html
from reconciler.render.status_data import status_csv, status_failure_json, status_json
from reconciler.render.status_markdown import status_failure_markdown, status_markdown
from reconciler.render.status_text import reason as why
from reconciler.render.status_text import remedy as way_out
from reconciler.render.status_text import status_text
from tests.render.hostile import HOSTILE
from tests.support.builders.plans import (
    APPLE,
    DEDICATED,
    GOOGLE,
    MICROSOFT,
    OFF,
    PRIMARY,
    PRUNING,
    SITE,
    declared,
    live,
    site_with,
)
from tests.support.builders.reports import MADE, fleet, fleet_renamed, large
from tests.support.inert import assert_inert_markdown

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "status.schema.json").read_text(encoding="utf-8"))


def judged(connection: DeclaredConnection, *on: LiveConnection, **fields: object) -> ConnectionStatus:
    """The status of one declared connection against these live ones."""
    seen = site_with(*on, **fields)
    status = status_of(plan_site(SITE, [connection], seen), [connection], seen)
    return next(c for c in status.connections if c.address == connection.address)


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("SYNCED", Health.OK),
        ("UNDEFINED", Health.OK),
        ("SOMETHING_NEW", Health.OK),
        ("CONNECTED", Health.SYNCING),
        ("SYNC_IN_PROGRESS", Health.SYNCING),
        ("DISCONNECTED", Health.MISSING),
        ("ERROR", Health.ERROR),
    ],
)
def test_the_live_status_is_judged(status: str, health: Health) -> None:
    """What is as declared is ok or syncing, what the service gave up is missing, what it can't do is in error."""
    assert judged(declared(), live(status=status)).health is health


def test_what_is_not_connected_is_missing_or_waits_for_its_owner() -> None:
    """By credentials extcal can connect it, by OAuth only its owner can."""
    missing, waiting = judged(declared()), judged(declared(provider="google"))
    assert missing.health is Health.MISSING
    assert way_out(missing) == "extcal apply connects it with the password in env:EXTCAL_PASSWORD"
    assert waiting.health is Health.AWAITING_CONSENT
    assert "its owner must consent" in (way_out(waiting) or "")


@pytest.mark.parametrize(
    ("name", "provider", "remedy"),
    [
        ("apple", APPLE, "password in env:EXTCAL_PASSWORD; put a new one there if access was revoked"),
        ("google", GOOGLE, "extcal apply mails them a link (--consent mail) or shows it (--consent link)"),
    ],
)
def test_what_was_disconnected_is_told_from_what_was_never_connected(
    name: str, provider: Provider, remedy: str
) -> None:
    """Why that may be and what to do about it stand in every format."""
    gone = judged(declared(provider=name), live(provider=provider, status="DISCONNECTED"))
    assert gone.health is judged(declared(provider=name)).health
    told = "was disconnected; access may have been revoked, or the schedule's owner changed"
    assert why(gone) == told
    assert why(judged(declared(provider=name))) == "not connected yet"
    assert (way_out(gone) or "").startswith("if the schedule's owner changed, declare their account; else ")
    assert (way_out(gone) or "").endswith(remedy)
    shown = FleetStatus((SiteStatus(SITE, (gone,)),))
    for text in (status_text(shown), status_json(shown), status_csv(shown), status_html(shown, MADE)):
        assert told in html.unescape(text)


def test_an_owner_who_took_another_account_is_told_of() -> None:
    """Where another account is connected while an owner's consent is awaited, both are named, with the way out."""
    waiting = judged(declared(provider="google"), live("k", GOOGLE, account="kim@harbor.example"))
    assert waiting.health is Health.AWAITING_CONSENT
    reason, remedy = why(waiting), way_out(waiting)
    assert reason == "kim@harbor.example is connected, but its manifest says lee@harbor.example: not adopted"
    assert (remedy or "").startswith("declare account: kim@harbor.example if that is right, else disconnect ")
    shown = FleetStatus((SiteStatus(SITE, (waiting,)),))
    for text in (status_text(shown), status_json(shown), status_csv(shown), status_html(shown, MADE)):
        found = html.unescape(text)
        assert (str(reason) in found, str(remedy) in found) == (True, True)


def test_what_differs_has_drifted() -> None:
    """Another sync config, or a tombstone that is still connected."""
    asked = declared(sync=SyncConfig(imports=PRIMARY, exports=DEDICATED))
    drifted = judged(asked, live(sync=SyncConfig(PRIMARY, OFF)))
    assert drifted.health is Health.DRIFTED
    assert why(drifted) == ("sync config differs in syncToCalendar.dedicatedCalendar, syncToCalendar.enabled")
    buried = judged(declared(state=State.ABSENT), live())
    assert buried.health is Health.DRIFTED
    assert why(buried) == "still connected, though its manifest says state: absent"


def test_what_is_as_declared_needs_no_words() -> None:
    """Neither a reason nor a remedy is made up for what is well, absent ones included."""
    for status in (judged(declared(), live()), judged(declared(state=State.ABSENT))):
        assert why(status) is None
        assert way_out(status) is None
    assert judged(declared(state=State.ABSENT)).health is Health.ABSENT


@pytest.mark.parametrize(
    ("provider", "error", "reason", "remedy"),
    [
        (APPLE, "TOKEN_REVOKED", "access was revoked", "put a new password in env:EXTCAL_PASSWORD"),
        (GOOGLE, "TOKEN_REVOKED", "access was revoked", "its owner must consent"),
        (APPLE, "EXTERNAL_CALENDAR_DELETED", "a calendar that it uses was deleted", "change the manifest"),
        (
            APPLE,
            "EXTERNAL_CALENDAR_CREATION_FAILED",
            "its dedicated calendar could not be created",
            "may bring the calendar back",
        ),
        (APPLE, None, "the service reports an error", "connects it with the password"),
        (APPLE, "UNDEFINED", "the service reports an error", "connects it with the password"),
        (APPLE, "QUOTA\x1b[2J\nUSED", "the service reports an error: QUOTA [2J USED", "connects it with the password"),
        (APPLE, "X" * 101, "the service reports an error: a reason of 101 characters", "connects it with the password"),
    ],
)
def test_an_error_comes_with_its_remedy(provider: object, error: str | None, reason: str, remedy: str) -> None:
    """The words say why and what to do, by provider and error."""
    name = "apple" if provider is APPLE else "google"
    on = live(provider=APPLE if provider is APPLE else GOOGLE, status="ERROR", error_reason=error)
    status = judged(declared(provider=name), on)
    assert status.health is Health.ERROR
    assert why(status) == reason
    assert remedy in (way_out(status) or "")


def test_what_the_provider_can_not_do_is_an_error() -> None:
    """A manifest that asks for the impossible says so with what would be right."""
    asked = declared(provider="microsoft", sync=SyncConfig(exports=DEDICATED))
    status = judged(asked, live(provider=MICROSOFT))
    assert status.health is Health.ERROR
    assert why(status) == "provider Outlook or Office 365 can't export to a dedicated calendar"
    assert way_out(status) == "use primaryCalendar: {}"


def test_an_unknown_provider_is_an_error_that_keeps_what_the_manifest_says() -> None:
    """Schedule, provider and account are shown as declared where the service knows nothing of them."""
    nobody = declared(
        provider=ProviderRef(ProviderKey.NAME, "Nobody"),
        schedule=ScheduleRef(ScheduleKey.NAME, "Dr. Lee"),
        password=None,
    )
    status = judged(nobody)
    assert status.health is Health.ERROR
    assert (status.schedule_id, status.schedule, status.provider) == (None, "Dr. Lee", "Nobody")
    assert status.account == nobody.account


def test_what_could_not_be_read_is_unknown() -> None:
    """A provider that the service could not read, or an account whose calendars it could not list."""
    status = judged(declared(), failed_provider_ids=(APPLE.id,))
    assert status.health is Health.UNKNOWN
    assert not FleetStatus((SiteStatus(SITE, (status,)),)).whole
    assert "plan again later" in (way_out(status) or "")


def test_a_replaced_account_is_named() -> None:
    """Where prune would replace one account by another, the declared one is missing and the other named."""
    former = live(account="former@harbor.example")
    site = status_of(plan_site(PRUNING, [declared()], site_with(former)), [declared()], site_with(former))
    (status,) = site.connections
    assert status.health is Health.MISSING
    assert status.connection_id is None
    assert why(status) == "not connected; former@harbor.example is connected instead"


def test_undeclared_connections_are_unmanaged_whatever_prune_would_do() -> None:
    """They are listed below, with what would become of them."""
    seen = site_with(live(), live("c2", account="other@harbor.example"), live("c3", account="third@harbor.example"))
    for site, remedy in ((SITE, "declare it"), (PRUNING, "extcal apply disconnects it")):
        status = status_of(plan_site(site, [declared()], seen), [declared()], seen)
        unmanaged = [c for c in status.connections if c.health is Health.UNMANAGED]
        assert [c.connection_id for c in unmanaged] == ["c2", "c3"]
        assert all((way_out(c) or "").startswith(remedy) for c in unmanaged)


def test_the_document_is_as_its_schema_says() -> None:
    """JSON of a telling fleet, of a hostile one, of none and of a failure validates; counts add up."""
    Draft202012Validator.check_schema(SCHEMA)
    shown = (status_json(fleet()), status_json(fleet_renamed(fleet(), HOSTILE)), status_json(FleetStatus()))
    for text in (*shown, status_failure_json(["a.yaml:1:1: wrong"])):
        document = cast("dict[str, dict[str, int]]", json.loads(text))
        Draft202012Validator(SCHEMA).validate(document)
        assert sum(document["summary"].values()) == len(document["connections"])
    assert set(json.loads(shown[0])["summary"]) == {health.value for health in Health}


def test_hostile_names_stay_on_their_line() -> None:
    """No name adds a line to the text, moves a cursor or reorders."""
    plain, hostile = status_text(fleet_renamed(fleet(), ["x"])), status_text(fleet_renamed(fleet(), HOSTILE))
    assert len(plain.split("\n")) == len(hostile.split("\n"))
    assert not set(hostile) & {"\r", "\x1b", "\u202e", "\u2066", "\x00"}


def test_the_summary_says_whether_anything_is_declared() -> None:
    """An empty fleet has a summary too, and a site without a connection adds nothing to it."""
    assert status_text(FleetStatus((SiteStatus(SITE),))) == status_text(FleetStatus())
    assert status_text(FleetStatus()) == "Status: no connection is declared; 0 unmanaged."


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text_in_a_summary(name: str) -> None:
    """Whatever a service or a manifest says, the Markdown renders to its own shapes alone."""
    assert_inert_markdown(status_markdown(fleet_renamed(fleet(), [name])))
    assert_inert_markdown(status_failure_markdown([name]))


def test_a_summary_of_a_large_fleet_fits_and_counts() -> None:
    """Under the limit, whole entries only; what needs attention and the owners each have room."""
    _, found = large(60, 40)
    shown = status_markdown(found, limit=20_000)
    assert len(shown.encode()) <= 20_000
    needing = sum(status.health.needs_attention for status in found.connections)
    attention, owners = shown.split("#### Owners: ")
    named = attention.count("\n- **")
    assert f"*… and {needing - named:,} more that need attention; extcal status shows all.*" in attention
    assert named > 10
    assert owners.count("\n- `") > 1


def test_a_summary_begins_with_the_worst() -> None:
    """Errors first, wherever they are; of what is as declared nothing is said."""
    shown = status_markdown(fleet())
    words = [line.split("**")[1] for line in shown.splitlines() if line.startswith("- **")]
    assert words == sorted(words, key=["in error", "missing", "awaiting consent", "drifted"].index)
    assert "harbor/sato" not in shown
    assert "`quay could not be read" in shown
