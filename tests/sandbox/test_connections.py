"""ListProviders, ConnectByCredentials, ListConnections, GetConnection, ListCalendars and Disconnect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.contract import (
    BOOKINGS_APP_ID,
    ConnectMethod,
    ErrorReason,
    ImportSupport,
    Status,
)
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import ExistingConnection, Provider, World
from tests.support.sandbox.api import APPLE_DEFAULT, APPLE_EMAIL, LEE, PATEL, code_of, connection_of, faults_of
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api
    from tests.support.sandbox.clock import Clock

UNKNOWN = "87aa7673-63a4-47ff-8d97-a6c42c579095"


def world_with(*connections: ExistingConnection, premium: bool = True) -> World:
    """Harbor Dental with connections that stand already."""
    world = harbor_dental(NOON)
    return replace(world, sites=(replace(world.sites[0], connections=connections, premium=premium),))


def apple_connection(**changed: object) -> ExistingConnection:
    """A connection of Dr. Lee's Apple account that stands already."""
    apple = next(provider for provider in harbor_dental(NOON).sites[0].providers if provider.slug == "apple")
    return replace(ExistingConnection(apple.id, LEE, APPLE_EMAIL), **changed)  # type: ignore[arg-type] # by name


def test_the_providers_and_their_features(api: Api) -> None:
    """The three that are built in, as the vendor names them, and one from the marketplace that can do less.

    Google imports from the primary calendar only, as the vendor's recipe has it.
    """
    providers = {each["name"]: each for each in api.get("/providers").json()["providers"]}
    assert {name: (each["calendarType"], *each["features"].values()) for name, each in providers.items()} == {
        "Google": ("GOOGLE", ["OAUTH"], True, "PRIMARY_CALENDAR_ONLY", "DEDICATED_CALENDAR"),
        "Outlook or Office 365": ("MICROSOFT", ["OAUTH"], True, "SPECIFIC_CALENDARS", "DEDICATED_CALENDAR"),
        "Apple": ("I_CAL", ["CREDENTIALS"], True, "SPECIFIC_CALENDARS", "DEDICATED_CALENDAR"),
        "Tidewater Rota": ("OTHER", ["CREDENTIALS"], False, "PRIMARY_CALENDAR_ONLY", "NOT_SUPPORTED"),
    }


def test_connecting_by_credentials(api: Api) -> None:
    """A new connection has every field of the contract, an opaque id and the provider's defaults."""
    connection = api.connect(email=APPLE_EMAIL.upper())
    connection_id = connection.pop("id")
    assert len(connection_id) >= 120
    imported = connection["syncConfig"]["listEventFromCalendars"]
    assert [each["id"] for each in imported.pop("calendars")["calendars"]] == APPLE_DEFAULT
    assert connection == {
        "providerId": api.provider("Apple"),
        "calendarType": "I_CAL",
        "scheduleId": LEE,
        "userId": "1ed6243b-f5e3-49e0-b7d5-5d051c8f20f4",
        "appId": BOOKINGS_APP_ID,
        "externalAccountEmail": APPLE_EMAIL,
        "status": "CONNECTED",
        "syncConfig": {"listEventFromCalendars": {"enabled": True}, "syncToCalendar": {"enabled": False}},
    }
    assert connection_of(api.get(f"/connections/{connection_id}"))["id"] == connection_id


def test_connecting_twice_makes_two(api: Api) -> None:
    """Connecting is not idempotent: a retry makes a second connection."""
    first, second = api.connect(), api.connect()
    assert [each["id"] for each in api.connections()] == [first["id"], second["id"]]


def test_parallel_connects_are_all_kept(api: Api) -> None:
    """Twenty at once make twenty."""
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: api.connect()["id"], range(20)))
    assert {each["id"] for each in api.connections()} == ids
    assert len(ids) == 20


def test_bad_credentials(api: Api) -> None:
    """A wrong password and an unknown account look the same, and make nothing."""
    assert code_of(api.by_credentials(password="wrong")) == (401, "BAD_CREDENTIALS")
    assert code_of(api.by_credentials(email="nobody@harbor-dental.example")) == (401, "BAD_CREDENTIALS")
    assert api.connections() == []


def test_a_provider_without_the_method_says_so(api: Api) -> None:
    """Google takes no password, and Apple has no consent page."""
    by_password = api.by_credentials(providerId=api.provider("Google"))
    assert code_of(by_password) == (428, "NOT_SUPPORTED_BY_PROVIDER")
    body = {"providerId": api.provider("Apple"), "scheduleId": LEE, "redirectUrl": "https://harbor-dental.example/"}
    assert code_of(api.post("/connections:connectByOAuth", body)) == (428, "NOT_SUPPORTED_BY_PROVIDER")


def test_an_account_without_password_cannot_sign_in(sandbox: RunningSandbox, api: Api) -> None:
    """Where a provider offers both methods, an OAuth account's missing password never matches."""
    world = harbor_dental(NOON)
    both = (ConnectMethod.CREDENTIALS, ConnectMethod.OAUTH)
    providers = tuple(replace(each, connect_methods=both) for each in world.sites[0].providers)
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], providers=providers),)))
    google = {"providerId": api.provider("Google"), "email": "patel@harbor-dental.example"}
    assert code_of(api.by_credentials(**google)) == (401, "BAD_CREDENTIALS")


@pytest.mark.parametrize("field", ["providerId", "scheduleId"])
def test_connecting_what_is_not_there(api: Api, field: str) -> None:
    """An unknown provider or schedule is 404, in the standard shape."""
    answer = api.by_credentials(**{field: UNKNOWN})
    assert code_of(answer) == (404, None)
    assert UNKNOWN in answer.json()["message"]


def test_every_field_at_fault_is_named(api: Api) -> None:
    """Missing, empty, ill-typed, too long and ill-formed fields come in one validationError."""
    answer = api.by_credentials(providerId="google", scheduleId=7, email="x" * 321, password="")
    assert faults_of(answer) == {
        "providerId": "FORMAT",
        "scheduleId": "FORMAT",
        "email": "MAX_LENGTH",
        "password": "REQUIRED_FIELD",
    }
    missing = api.post("/connections:connectByOAuth", {"providerId": None})
    assert faults_of(missing) == dict.fromkeys(["providerId", "scheduleId", "redirectUrl"], "REQUIRED_FIELD")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://harbor-dental.example/",
        "/callback",
        "https://",
        "javascript:alert(1)",
        "https://harbor-dental.example/a b",
        "https://harbor-dental.example/\r\nx: y",
        "https://owner@harbor-dental.example/",
        "https://harbor-dental.example:port/",
        "https://[::1/",
        "https://a;b/",
        "https://harbor-dental.example/ä",
    ],
)
def test_a_redirect_url_is_a_web_url(api: Api, url: str) -> None:
    """Anything but a plain http(s) URL is a validation error."""
    body = {"providerId": api.provider("Google"), "scheduleId": LEE, "redirectUrl": url}
    assert faults_of(api.post("/connections:connectByOAuth", body)) == {"redirectUrl": "FORMAT"}


def test_the_status_goes_on_with_time(api: Api, clock: Clock) -> None:
    """CONNECTED, then SYNC_IN_PROGRESS, then SYNCED."""
    api.connect()
    seen = []
    for _ in range(4):
        seen.append(api.connections()[0]["status"])
        clock.now += 1
    assert seen == ["CONNECTED", "SYNC_IN_PROGRESS", "SYNC_IN_PROGRESS", "SYNCED"]


def test_disconnecting(api: Api, clock: Clock) -> None:
    """A disconnected connection stays listed, can't be disconnected again, and never comes back by itself."""
    connection_id = api.connect()["id"]
    assert connection_of(api.disconnect(connection_id))["status"] == "DISCONNECTED"
    assert code_of(api.disconnect(connection_id)) == (428, "CONNECTION_ALREADY_DISCONNECTED")
    clock.now += 100
    assert [each["status"] for each in api.connections()] == ["DISCONNECTED"]
    assert code_of(api.get(f"/connections/{connection_id}/calendars")) == (428, "CONNECTION_NOT_CONNECTED")


def test_connecting_after_a_disconnect_makes_a_new_connection(api: Api) -> None:
    """The old one stays listed as it is."""
    old = api.connect()["id"]
    api.disconnect(old)
    new = api.connect()["id"]
    assert {each["id"]: each["status"] for each in api.connections()} == {old: "DISCONNECTED", new: "CONNECTED"}


def test_connecting_heals_a_broken_connection_in_place(sandbox: RunningSandbox, api: Api) -> None:
    """The same schedule, provider and account: the id and the sync config stay, the error goes, the email shows."""
    config = SyncConfig(imports=Import(enabled=False, calendars=("a68yu6",)))
    sandbox.replace_world(
        world_with(
            apple_connection(
                id="broken",
                status=Status.ERROR,
                error_reason=ErrorReason.TOKEN_REVOKED,
                sync_config=config,
                email_shown=False,
            )
        )
    )
    (before,) = api.connections()
    assert (before["status"], before["errorReason"]) == ("ERROR", "TOKEN_REVOKED")
    assert "externalAccountEmail" not in before
    after = api.connect()
    assert after["id"] == "broken"
    assert after["status"] == "CONNECTED"
    assert "errorReason" not in after
    assert after["externalAccountEmail"] == APPLE_EMAIL
    assert after["syncConfig"] == before["syncConfig"]
    assert len(api.connections()) == 1
    assert api.connect(scheduleId=PATEL)["id"] != "broken"


def test_a_broken_connection_can_be_disconnected(sandbox: RunningSandbox, api: Api) -> None:
    """Its error reason goes with its status."""
    sandbox.replace_world(
        world_with(
            apple_connection(id="broken", status=Status.ERROR, error_reason=ErrorReason.EXTERNAL_CALENDAR_DELETED)
        )
    )
    connection = connection_of(api.disconnect("broken"))
    assert connection["status"] == "DISCONNECTED"
    assert "errorReason" not in connection


def test_an_unknown_connection_is_not_found(api: Api) -> None:
    """By every method that addresses one."""
    answers = [
        api.get("/connections/none"),
        api.get("/connections/none/calendars"),
        api.update("none", {}),
        api.disconnect("none"),
    ]
    assert [code_of(answer) for answer in answers] == [(404, None)] * 4


def test_the_calendars_of_an_account(api: Api) -> None:
    """Ids and names; names may repeat."""
    connection_id = api.connect(email="kim@harbor-dental.example", password="harbor-thimble-87")["id"]
    calendars = api.get(f"/connections/{connection_id}/calendars").json()["calendars"]
    assert [each["name"] for each in calendars] == ["Work", "Family", "Family"]
    assert len({each["id"] for each in calendars}) == 3


def test_a_provider_with_nothing_to_choose_lists_no_calendars(api: Api) -> None:
    """The marketplace provider has its primary calendar only."""
    connection_id = api.connect(
        providerId=api.provider("Tidewater Rota"), email="frontdesk@harbor-dental.example", password="pelican-anchor-12"
    )["id"]
    answer = api.get(f"/connections/{connection_id}/calendars")
    assert code_of(answer) == (428, "NOT_SUPPORTED_BY_PROVIDER")


def test_a_site_without_the_plan(sandbox: RunningSandbox, api: Api) -> None:
    """Connecting by credentials and listing calendars need it."""
    sandbox.replace_world(world_with(apple_connection(id="old"), premium=False))
    assert code_of(api.by_credentials()) == (403, "PREMIUM_FEATURE_NOT_ENABLED")
    assert code_of(api.get("/connections/old/calendars")) == (403, "PREMIUM_FEATURE_NOT_ENABLED")


def test_a_provider_that_is_down(sandbox: RunningSandbox, api: Api) -> None:
    """ListConnections fails as a whole, unless a partial answer is welcome: then the provider is named."""
    apple = api.provider("Apple")
    api.connect()
    sandbox.set_provider_down(apple, down=True)
    assert code_of(api.get("/connections")) == (503, None)
    assert api.get("/connections", {"partialFailure": "true"}).json() == {
        "connections": [],
        "failedProviderIds": [apple],
    }
    sandbox.set_provider_down(apple, down=False)
    assert api.get("/connections").json()["failedProviderIds"] == []
    assert len(api.connections()) == 1
    with pytest.raises(SandboxError, match="no site has the provider"):
        sandbox.set_provider_down(UNKNOWN, down=True)


def test_a_world_may_hold_what_no_reader_knows_yet(sandbox: RunningSandbox, api: Api) -> None:
    """Unknown enum values come through as they are."""
    world = harbor_dental(NOON)
    strange = Provider(UNKNOWN, "strange", "Strange", calendar_type="SUNDIAL", import_support="BY_MOONLIGHT")
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], providers=(strange,)),)))
    (provider,) = api.get("/providers").json()["providers"]
    assert (provider["calendarType"], provider["features"]["listEventFromCalendars"]) == ("SUNDIAL", "BY_MOONLIGHT")


def test_the_defaults_follow_the_provider(sandbox: RunningSandbox, api: Api) -> None:
    """The primary calendar where there is one, nothing where importing isn't supported; given ids are kept."""
    world = harbor_dental(NOON)
    providers = [
        replace(each, import_support=ImportSupport.NOT_SUPPORTED) if each.slug == "apple" else each
        for each in world.sites[0].providers
    ]
    google = next(each for each in providers if each.slug == "google")
    site = replace(
        world.sites[0],
        providers=tuple(providers),
        connections=(
            apple_connection(),
            ExistingConnection(google.id, PATEL, "patel@harbor-dental.example", status="PAUSED", id="g"),
        ),
    )
    sandbox.replace_world(replace(world, sites=(site,)))
    apple, patel = api.connections()
    assert apple["syncConfig"]["listEventFromCalendars"] == {"enabled": False}
    assert patel["syncConfig"]["listEventFromCalendars"] == {"enabled": True, "primaryCalendar": {}}
    assert (patel["id"], patel["status"]) == ("g", "PAUSED")


def test_a_world_that_does_not_hold_together_is_refused(sandbox: RunningSandbox, api: Api) -> None:
    """A connection of an unknown account, or one id twice; the world before stays as it was."""
    api.connect()
    with pytest.raises(SandboxError, match="not all of them are in the world"):
        sandbox.replace_world(world_with(apple_connection(account="nobody@harbor-dental.example")))
    with pytest.raises(SandboxError, match="not all of them are in the world"):
        sandbox.replace_world(world_with(apple_connection(provider_id=UNKNOWN)))
    with pytest.raises(SandboxError, match="duplicate"):
        sandbox.replace_world(world_with(apple_connection(id="same"), apple_connection(id="same")))
    assert len(api.connections()) == 1
