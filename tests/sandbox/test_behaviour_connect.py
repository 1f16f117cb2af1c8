"""Connecting under each reading: which id it answers, what a new connection starts with, and where a consent leads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.behaviour import Behaviour, LoopbackRedirects, Reconnect, StartsWith
from reconciler.sandbox.contract import ExportSupport, ImportSupport
from tests.sandbox.consent_page import allow
from tests.sandbox.features import give_apple
from tests.support.sandbox.api import APPLE_DEFAULT, PATEL, code_of, connection_of, faults_of
from tests.support.sandbox.exports import TO_DEDICATED, add, anywhere, connected_google, exporting
from tests.support.sandbox.states import change_password, state

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.local import LocalSandbox
    from reconciler.sandbox.server import RunningSandbox
    from tests.sandbox.conftest import Behave
    from tests.support.sandbox.api import Api, Json

OFF = {"enabled": False}
PRIMARY = {"enabled": True, "primaryCalendar": {}}
NOTHING, EVERYTHING = Behaviour(starts_with=StartsWith.NOTHING), Behaviour(starts_with=StartsWith.EVERYTHING)
NEW_ID = Behaviour(reconnect=Reconnect.NEW_ID)
ELSEWHERE = "https://harbor-dental.example/done"


def revoked(api: Api, lee: Path) -> str:
    """The id of Dr. Lee's connection, whose password was changed and then changed back."""
    connection_id: str = api.connect()["id"]
    change_password(lee, "another")
    assert [state(each) for each in api.connections()] == [("ERROR", "TOKEN_REVOKED")]
    change_password(lee, "seagull-lantern-41")
    return connection_id


def test_a_reconnect_keeps_the_id(api: Api, lee: Path) -> None:
    """As long as nothing else is asked for."""
    broken = revoked(api, lee)
    assert api.connect()["id"] == broken


def test_a_reconnect_makes_another_connection(api: Api, behave: Behave, lee: Path) -> None:
    """The old one stays as broken as it was, config and all; the new one starts as a new one does."""
    behave(NEW_ID)
    broken = revoked(api, lee)
    old_config = connection_of(api.update(broken, TO_DEDICATED))["syncConfig"]
    made = api.connect()
    assert made["id"] != broken
    assert made["syncConfig"]["syncToCalendar"] == OFF
    listed = {each["id"]: each for each in api.connections()}
    assert {name: state(each) for name, each in listed.items()} == {
        broken: ("ERROR", "TOKEN_REVOKED"),
        made["id"]: ("CONNECTED", None),
    }
    assert listed[broken]["syncConfig"] == old_config
    assert api.disconnect(broken).status_code == 200


def test_a_consent_given_again_makes_another_connection(api: Api, behave: Behave, data: Path) -> None:
    """It is the same where an owner agrees in the browser."""
    first = connected_google(api)
    folder = data / "calendars" / "google" / "patel@harbor-dental.example"
    (away := folder.with_name("away")).parent.mkdir(exist_ok=True)
    folder.rename(away)
    assert [each["status"] for each in api.connections()] == ["ERROR"]
    away.rename(folder)
    assert connected_google(api) == first
    folder.rename(away)
    assert [each["status"] for each in api.connections()] == ["ERROR"]
    away.rename(folder)
    behave(NEW_ID)
    second = connected_google(api)
    assert second != first
    assert {each["id"]: each["status"] for each in api.connections()} == {first: "ERROR", second: "CONNECTED"}


def test_a_new_connection_starts_with_nothing(api: Api, behave: Behave) -> None:
    """Both directions are off, and no calendar is chosen, at every provider."""
    behave(NOTHING)
    assert api.connect()["syncConfig"] == {"listEventFromCalendars": OFF, "syncToCalendar": OFF}
    google = connection_of(api.get(f"/connections/{connected_google(api)}"))
    assert google["syncConfig"] == {"listEventFromCalendars": OFF, "syncToCalendar": OFF}


def test_a_new_connection_starts_with_everything(api: Api, behave: Behave, lee: Path, site: LocalSandbox) -> None:
    """Both directions are on, and what stands on the schedule is exported at once."""
    assert lee.is_dir()
    behave(EVERYTHING)
    add(site)
    config = api.connect()["syncConfig"]
    assert config["listEventFromCalendars"]["enabled"] is True
    assert config["syncToCalendar"] == TO_DEDICATED["syncToCalendar"]
    (event,) = site.events()
    assert len(event.exported_to) == 1
    google = connection_of(api.get(f"/connections/{connected_google(api)}"))
    assert google["syncConfig"] == {"listEventFromCalendars": PRIMARY, **TO_DEDICATED}


@pytest.mark.parametrize(
    ("features", "imports", "exports"),
    [
        ({"import_support": ImportSupport.NOT_SUPPORTED}, OFF, {"enabled": True, "dedicatedCalendar": {}}),
        ({"export_support": ExportSupport.PRIMARY_CALENDAR_ONLY}, None, PRIMARY),
        ({"export_support": ExportSupport.NOT_SUPPORTED}, None, OFF),
        ({"export_support": ExportSupport.SPECIFIC_CALENDAR}, None, {"enabled": True}),
        ({"import_support": ImportSupport.PRIMARY_CALENDAR_ONLY, "export_support": "NEW"}, PRIMARY, OFF),
    ],
)
def test_everything_is_what_the_provider_can(
    sandbox: RunningSandbox,
    api: Api,
    behave: Behave,
    features: dict[str, str | bool],
    imports: dict[str, object] | None,
    exports: dict[str, object],
) -> None:
    """What isn't supported stays off."""
    give_apple(sandbox, features)
    behave(EVERYTHING)
    config = api.connect()["syncConfig"]
    every = {"enabled": True, "calendars": {"calendars": named(config)}}
    assert config == {"listEventFromCalendars": imports or every, "syncToCalendar": exports}


def named(config: Json) -> list[Json]:
    """The calendars that are imported from: all of the account's, where any are named."""
    calendars = config["listEventFromCalendars"].get("calendars", {"calendars": []})["calendars"]
    assert not calendars or [each["id"] for each in calendars] == APPLE_DEFAULT
    return list(calendars)


@pytest.mark.parametrize("direction", ["listEventFromCalendars", "syncToCalendar"])
def test_choosing_a_primary_calendar_that_isnt_there(
    sandbox: RunningSandbox, api: Api, behave: Behave, direction: str
) -> None:
    """428, and nothing changes; the features say the same as ever, and another provider has one."""
    sandbox.replace_world(anywhere())
    google = connected_google(api)
    features = api.get("/providers").json()
    behave(Behaviour(without_primary=frozenset({"apple"})))
    assert api.get("/providers").json() == features
    assert api.update(google, {direction: PRIMARY}).status_code == 200
    behave(Behaviour(without_primary=frozenset({"google"})))
    before = connection_of(api.get(f"/connections/{google}"))["syncConfig"]
    assert code_of(api.update(google, {direction: PRIMARY})) == (428, "NOT_SUPPORTED_BY_PROVIDER")
    assert connection_of(api.get(f"/connections/{google}"))["syncConfig"] == before
    assert api.update(google, {"listEventFromCalendars": OFF, "syncToCalendar": OFF}).status_code == 200


def test_a_new_connection_without_a_primary_calendar(sandbox: RunningSandbox, api: Api, behave: Behave) -> None:
    """It names its calendars instead; where nothing but the primary one could be used, it uses none."""
    sandbox.replace_world(anywhere())
    behave(Behaviour(without_primary=frozenset({"google"})))
    google = connection_of(api.get(f"/connections/{connected_google(api)}"))["syncConfig"]
    imports = google["listEventFromCalendars"]
    assert imports["enabled"] is True
    assert len(imports["calendars"]["calendars"]) == 4
    primary_only: dict[str, str | bool] = {
        "has_primary": True,
        "import_support": ImportSupport.PRIMARY_CALENDAR_ONLY,
        "export_support": ExportSupport.PRIMARY_CALENDAR_ONLY,
    }
    give_apple(sandbox, primary_only)
    behave(replace(EVERYTHING, without_primary=frozenset({"apple"})))
    assert api.connect()["syncConfig"] == {"listEventFromCalendars": OFF, "syncToCalendar": OFF}


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8123", "localhost", "LOCALHOST.:80", "app.localhost:8000", "[::1]:8123", "127.9.9.9"]
)
def test_a_redirect_to_the_owners_machine(api: Api, behave: Behave, host: str) -> None:
    """It is taken, or refused as a field at fault; no link is made then."""
    url = f"http://{host}/callback"
    assert api.consent_url(redirect=url)
    behave(Behaviour(loopback_redirects=LoopbackRedirects.REFUSED))
    body = {"providerId": api.provider("Google"), "scheduleId": PATEL, "redirectUrl": url}
    refused = api.post("/connections:connectByOAuth", body)
    assert faults_of(refused) == {"redirectUrl": "OTHER"}
    assert "oauthUrl" not in refused.json()


@pytest.mark.parametrize(
    "url", [ELSEWHERE, "http://localhost.example/", "https://192.0.2.1/", "https://[2001:db8::1]/"]
)
def test_a_redirect_to_elsewhere_is_never_refused(api: Api, behave: Behave, url: str) -> None:
    """The link works as ever."""
    behave(Behaviour(loopback_redirects=LoopbackRedirects.REFUSED))
    assert allow(api.consent_url(redirect=url)).status_code == 303
    assert len(api.connections()) == 1


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "localhost", "ftp://localhost/", ""])
def test_a_redirect_that_is_no_address_stays_at_fault(api: Api, behave: Behave, url: str) -> None:
    """It is refused once, and for what it is."""
    behave(Behaviour(loopback_redirects=LoopbackRedirects.REFUSED))
    body = {"providerId": api.provider("Google"), "scheduleId": PATEL, "redirectUrl": url}
    assert faults_of(api.post("/connections:connectByOAuth", body)) in (
        {"redirectUrl": "FORMAT"},
        {"redirectUrl": "REQUIRED_FIELD"},
    )


def test_an_export_of_a_broken_connection_stays_where_it_is(
    api: Api, behave: Behave, lee: Path, site: LocalSandbox
) -> None:
    """Under a new id what was exported over the old connection is not lost until that is disconnected."""
    behave(NEW_ID)
    old = exporting(api, lee)
    add(site)
    change_password(lee, "another")
    assert [each["status"] for each in api.connections()] == ["ERROR"]
    change_password(lee, "seagull-lantern-41")
    api.connect()
    ours = [path for path in lee.glob("*.ics") if "Check-up" in path.read_text(encoding="utf-8")]
    assert len(ours) == 1
    api.disconnect(old["id"])
    assert not [path for path in lee.glob("*.ics") if "Check-up" in path.read_text(encoding="utf-8")]
