"""Every method against a running External Calendars API."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from reconciler.api.client import EventQuery
from reconciler.api.secrets import Secrets
from reconciler.api.session import SiteSession
from reconciler.errors import (
    ApiError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    UnauthenticatedError,
)
from reconciler.model.desired import ApiKeyAuth, AppAuth, SecretKind, SecretRef
from reconciler.model.live import ConnectMethod, LiveConnection, Provider, Status, Support
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.sandbox.server import RunningSandbox, running
from tests.support.builders.api import SITE_ID, FakeClock, key_site, run

LEE = "3e47ec65-2975-447c-a7ed-75041e850d5e"
EMAIL = "lee@harbor-dental.example"
PASSWORD = SecretRef(SecretKind.ENV, "EXTCAL_LEE_APP_PASSWORD")
WRONG = SecretRef(SecretKind.ENV, "EXTCAL_WRONG")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A freshly seeded API."""
    with running(tmp_path / "data") as started:
        yield started


@pytest.fixture
def opened(sandbox: RunningSandbox) -> Callable[..., SiteSession]:
    """Makes sessions with the API, as a key or as an app."""
    ready = sandbox.ready()
    app, sites = ready["app"], ready["sites"]
    assert isinstance(app, Mapping)
    assert isinstance(sites, list)
    (password,) = (
        account["password"]
        for account in sites[0]["accounts"]
        if account["email"] == EMAIL and account["provider"] == "apple"
    )
    environ = {
        "EXTCAL_API_KEY": sandbox.api_key,
        "EXTCAL_APP_SECRET": app["app_secret"],
        PASSWORD.name: password,
        WRONG.name: "not-the-password",
    }
    as_app = AppAuth(app["app_id"], SecretRef(SecretKind.ENV, "EXTCAL_APP_SECRET"), app["instance_id"])

    def make(*, app: bool = False, site_id: str = SITE_ID, key: str = "EXTCAL_API_KEY") -> SiteSession:
        as_key = ApiKeyAuth(SecretRef(SecretKind.ENV, key))
        site = replace(key_site(), auth=as_app if app else as_key, site_id=site_id)
        return SiteSession(site, endpoint=sandbox.endpoint, secrets=Secrets(environ, None), clock=FakeClock())

    return make


async def provider(session: SiteSession, name: str) -> Provider:
    """The site's provider called `name`."""
    (found,) = [each for each in await session.reader().list_providers() if each.name == name]
    return found


async def connected(session: SiteSession) -> LiveConnection:
    """Dr. Lee's Apple account, connected."""
    apple = await provider(session, "Apple")
    return await session.writer().connect_by_credentials(apple.id, LEE, EMAIL, PASSWORD)


@pytest.mark.parametrize("app", [False, True])
def test_a_connection_from_beginning_to_end(opened: Callable[..., SiteSession], *, app: bool) -> None:
    """Connect, look, choose calendars, look at events, disconnect: with a key and as an app."""

    async def story() -> None:
        async with opened(app=app) as session:
            reader, writer = session.reader(), session.writer()
            apple = await provider(session, "Apple")
            assert apple.features.connect_methods == (ConnectMethod.CREDENTIALS,)
            assert apple.features.exports == Support.DEDICATED
            live = await connected(session)
            assert (live.schedule_id, str(live.account), live.provider_id) == (LEE, EMAIL, apple.id)
            calendars = {each.name: each.id for each in await reader.list_calendars(live.id)}
            wanted = SyncConfig(
                imports=Direction(True, Arm.CALENDARS, (CalendarRef(id=calendars["Work"]),)),  # noqa: FBT003
                exports=Direction(True, Arm.DEDICATED),  # noqa: FBT003
            )
            updated = await writer.update_sync_config(live.id, wanted)
            assert updated.sync.exports == wanted.exports
            assert updated.sync.imports is not None
            assert updated.sync.imports.calendars == (CalendarRef(calendars["Work"], "Work"),)
            assert (await reader.get_connection(live.id)).sync == updated.sync
            assert [each.id for each in (await reader.list_connections([LEE])).connections] == [live.id]
            now = datetime.now(UTC)
            query = EventQuery(
                (now - timedelta(days=7)).isoformat(), (now + timedelta(days=7)).isoformat(), (LEE,), private=True
            )
            events = (await reader.list_events(query)).events
            assert {event.calendar_name for event in events} == {"Work"}
            assert (await writer.disconnect(live.id)).status == Status.DISCONNECTED
            assert (await reader.list_connections()).connections[0].status == Status.DISCONNECTED

    run(story())


def test_consent_is_a_link(opened: Callable[..., SiteSession]) -> None:
    """ConnectByOAuth gives a page to open, and connects nothing by itself."""

    async def story() -> None:
        async with opened() as session:
            google = await provider(session, "Google")
            link = await session.writer().connect_by_oauth(google.id, LEE, "https://harbor-dental.example/done")
            async with httpx.AsyncClient(trust_env=False) as browser:
                assert (await browser.get(link)).status_code == 200
            assert (await session.reader().list_connections()).connections == ()

    run(story())


def test_schedules_are_found(opened: Callable[..., SiteSession]) -> None:
    """All schedules, and by an external id those of one app, or of all."""

    async def story() -> None:
        async with opened() as session:
            every = await session.reader().query_schedules()
            (lee,) = [each for each in every if each.id == LEE]
            assert lee.name == "Dr. Lee"
            assert lee.external_id is not None
            assert await session.reader().query_schedules([lee.external_id], app_ids=[lee.app_id or ""]) == (lee,)
            both = await session.reader().query_schedules([lee.external_id])
            assert lee in both
            assert {each.name for each in both} == {"Dr. Lee"}

    run(story())


def test_errors_are_ours(opened: Callable[..., SiteSession]) -> None:
    """Each error of the API comes as its class, with its code and a request id."""

    async def story() -> None:
        async with opened() as session:
            apple, google = await provider(session, "Apple"), await provider(session, "Google")
            writer = session.writer()
            live = await connected(session)
            gone = (await writer.disconnect(live.id)).id
            done = "https://harbor-dental.example/done"
            for work, kind, code in (
                (writer.connect_by_credentials(apple.id, LEE, EMAIL, WRONG), UnauthenticatedError, "BAD_CREDENTIALS"),
                (writer.connect_by_oauth(apple.id, LEE, done), PreconditionFailedError, "NOT_SUPPORTED_BY_PROVIDER"),
                (writer.disconnect(gone), PreconditionFailedError, "CONNECTION_ALREADY_DISCONNECTED"),
                (writer.list_calendars(gone), PreconditionFailedError, "CONNECTION_NOT_CONNECTED"),
                (writer.connect_by_oauth(google.id, "no-guid", done), InvalidRequestError, None),
                (writer.get_connection("a/../b"), NotFoundError, None),
            ):
                with pytest.raises(ApiError) as caught:
                    await work
                error = caught.value
                assert isinstance(error, kind)
                assert getattr(error, "code", None) == code
                assert error.request_id
                assert not error.doubtful
                assert "not-the-password" not in str(error)

    run(story())


def test_wrong_keys_and_foreign_sites(opened: Callable[..., SiteSession]) -> None:
    """A wrong key is 401 and a site that is not the key's is 403, each with what to check."""

    async def story() -> None:
        async with opened(key=WRONG.name) as session:
            with pytest.raises(UnauthenticatedError, match=re.escape("check the API key (env:EXTCAL_WRONG)")):
                await session.reader().list_providers()
        async with opened(site_id="00000000-0000-4000-8000-000000000000") as session:
            with pytest.raises(PermissionDeniedError, match="Manage External Calendars"):
                await session.reader().list_connections()

    run(story())


def test_a_provider_that_is_down_is_named(sandbox: RunningSandbox, opened: Callable[..., SiteSession]) -> None:
    """Connections of a provider out of reach are missing from the list, which says so."""

    async def story() -> None:
        async with opened() as session:
            live = await connected(session)
            sandbox.set_provider_down(live.provider_id, down=True)
            partial = await session.reader().list_connections()
            assert partial.connections == ()
            assert partial.failed_provider_ids == (live.provider_id,)

    run(story())


def test_reading_much_at_once_counts_every_request(sandbox: RunningSandbox, opened: Callable[..., SiteSession]) -> None:
    """What the session counts is what the API was asked."""

    async def story() -> None:
        async with opened(app=True) as session:
            await asyncio.gather(*(session.reader().list_connections() for _ in range(30)))
            assert session.requests == len(sandbox.requests) == 31

    run(story())
