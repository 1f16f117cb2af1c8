"""Both ways in: an API key, and an app's token with its life."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.api.secrets import Secrets
from reconciler.api.session import SiteSession
from reconciler.errors import MalformedAnswerError, SecretError, ServiceError, UnauthenticatedError, UsageError
from reconciler.model.desired import ApiKeyAuth, AppAuth, SecretKind, SecretRef, Site
from reconciler.model.live import ConnectionList
from tests.api.conftest import OpenSession
from tests.support.builders.api import APP_SECRET, PASSWORD_REF, SITE_ID, FakeClock, app_site, key_site, run
from tests.support.servers.scripted import Asked, Reply, Scripted

FINE = Reply({"connections": []})


def token(value: str, life: object = 14400) -> Reply:
    """The answer that gives a token."""
    return Reply({"access_token": value, "token_type": "Bearer", "expires_in": life})


def with_auth(auth: ApiKeyAuth | AppAuth, site_id: str = SITE_ID) -> Site:
    """The site of these tests with other credentials."""
    return replace(key_site(), auth=auth, site_id=site_id)


def authorizations(server: Scripted) -> list[str | None]:
    """The tokens that the requests carried, None for those without one."""
    return [asked.headers.get("authorization") for asked in server.asked]


def test_an_app_trades_its_secret_for_a_token(server: Scripted, opened: OpenSession) -> None:
    """The token is asked for with the app's credentials and then sent alone."""
    server.script(token("token-1"), FINE, FINE)

    async def story() -> None:
        async with opened(app_site()) as session:
            await session.reader().list_connections()
            await session.writer().list_connections()
            assert session.requests == 3

    run(story())
    first = server.asked[0]
    assert (first.verb, first.path) == ("POST", "/oauth2/token")
    assert first.json() == {
        "grant_type": "client_credentials",
        "client_id": "app-1",
        "client_secret": APP_SECRET,
        "instance_id": "instance-1",
    }
    assert authorizations(server) == [None, "token-1", "token-1"]
    assert not any("wix-site-id" in asked.headers for asked in server.asked)


def test_requests_that_start_together_fetch_one_token(server: Scripted, opened: OpenSession) -> None:
    """Twenty first requests wait for one token."""
    server.script(Reply(token("token-1").body, delay=0.1))
    server.otherwise = lambda: FINE

    async def story() -> None:
        async with opened(app_site()) as session:
            await asyncio.gather(*(session.reader().list_connections() for _ in range(20)))

    run(story())
    assert authorizations(server) == [None, *["token-1"] * 20]


@pytest.mark.parametrize(
    ("life", "kept", "renewed"),
    [(14400, 14099, 14101), (100, 89, 91), (None, 14099, 14101), (1e30, 24 * 3600 - 301, 24 * 3600 - 299)],
)
def test_a_token_is_renewed_before_it_ends(
    life: object, kept: float, renewed: float, server: Scripted, opened: OpenSession, clock: FakeClock
) -> None:
    """A token is used until shortly before its end, and no longer."""
    server.script(token("token-1", life), FINE, FINE, token("token-2", life), FINE)

    async def story() -> None:
        async with opened(app_site()) as session:
            reader = session.reader()
            for moment in (0, kept, renewed):
                clock.elapsed = moment
                await reader.list_connections()

    run(story())
    assert authorizations(server) == [None, "token-1", "token-1", None, "token-2"]


def test_a_refused_token_is_renewed_once_for_all(server: Scripted, opened: OpenSession) -> None:
    """Requests that are refused together fetch one new token and succeed, writes among them."""
    refused: list[Asked] = []

    def answer() -> Reply:
        asked = server.asked[-1]
        if asked.path == "/oauth2/token":
            return token("token-2" if refused else "token-1")
        if asked.headers["authorization"] == "token-1":
            refused.append(asked)
            return Reply(status=401)
        return Reply({"connections": [], "connection": {"id": "c1"}})

    server.otherwise = answer

    async def story() -> None:
        async with opened(app_site()) as session:
            await asyncio.gather(
                session.writer().disconnect("c1"), *(session.reader().list_connections() for _ in range(3))
            )

    run(story())
    assert authorizations(server).count(None) == 2
    assert authorizations(server).count("token-2") == 4


def test_a_token_that_is_refused_again_is_an_error(server: Scripted, opened: OpenSession) -> None:
    """After one renewal the refusal stands."""
    server.script(token("token-1"), Reply(status=401), token("token-2"), Reply(status=401))

    async def story() -> None:
        async with opened(app_site()) as session:
            with pytest.raises(UnauthenticatedError, match="check the app's id, secret"):
                await session.reader().list_connections()

    run(story())
    assert authorizations(server) == [None, "token-1", None, "token-2"]


def test_a_wrong_account_password_does_not_renew_the_token(server: Scripted, opened: OpenSession) -> None:
    """BAD_CREDENTIALS is about the calendar account: the write is not sent again."""
    bad = {"message": "", "details": {"applicationError": {"code": "BAD_CREDENTIALS", "description": "no"}}}
    server.script(token("token-1"), Reply(bad, 401))

    async def story() -> None:
        async with opened(app_site()) as session:
            with pytest.raises(UnauthenticatedError, match="check the account's email"):
                await session.writer().connect_by_credentials("p", "s", "lee@harbor-dental.example", PASSWORD_REF)

    run(story())
    assert len(server.asked) == 2


def test_a_token_is_asked_for_again_where_that_may_help(server: Scripted, opened: OpenSession) -> None:
    """Fetching a token is tried again like a read."""
    server.script(Reply(status=503), token("token-1"), FINE)

    async def story() -> None:
        async with opened(app_site()) as session:
            await session.reader().list_connections()

    run(story())
    assert authorizations(server) == [None, None, "token-1"]


def test_a_failed_fetch_fails_for_all_who_waited(server: Scripted, opened: OpenSession) -> None:
    """Those who waited for a token that can't be had do not each try in turn; those who come later do."""
    server.script(*(Reply(status=503, delay=0.02) for _ in range(4)), token("token-1"), FINE)

    async def story() -> None:
        async with opened(app_site()) as session:
            calls = (session.reader().list_connections() for _ in range(10))
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(error, ServiceError) for error in errors)
            assert await session.reader().list_connections() == ConnectionList(())

    run(story())
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "access_token: expected text"),
        ({"access_token": "a\r\nX: y"}, "access_token: expected printable ASCII text"),
        ({"access_token": "é"}, "access_token: expected printable ASCII text"),
        ({"access_token": "token"}, "access_token: expected at least 6 characters, found fewer"),
        ({"access_token": "token-1", "expires_in": "soon"}, "expires_in: expected a number, found text"),
        ({"access_token": "token-1", "expires_in": True}, "expires_in: expected a number"),
        ({"access_token": "token-1", "expires_in": 0}, "expires_in: expected a number of seconds above 0"),
    ],
)
def test_answers_that_are_no_token(body: object, message: str, server: Scripted, opened: OpenSession) -> None:
    """A token that can't be used is an error that says why, and shows nothing of it."""
    server.script(Reply(body))

    async def story() -> None:
        async with opened(app_site()) as session:
            with pytest.raises(MalformedAnswerError, match=message):
                await session.reader().list_connections()

    run(story())


def test_a_key_that_no_header_can_hold(server: Scripted, tmp_path: Path) -> None:
    """A key with blanks or letters beyond ASCII is an error that names its reference; nothing is sent."""
    (tmp_path / "key").write_text("not a kéy\n")
    site = with_auth(ApiKeyAuth(SecretRef(SecretKind.FILE, "key")))

    async def story() -> None:
        async with SiteSession(site, endpoint=server.url, secrets=Secrets({}, tmp_path)) as session:
            with pytest.raises(SecretError, match="file:key can't be sent") as caught:
                await session.reader().list_connections()
            assert "kéy" not in str(caught.value)

    run(story())
    assert server.asked == []


def test_a_missing_key_is_named(server: Scripted) -> None:
    """A key that is not set is an error before anything is sent."""

    async def story() -> None:
        async with SiteSession(key_site(), endpoint=server.url, secrets=Secrets({}, None)) as session:
            with pytest.raises(SecretError, match="EXTCAL_API_KEY, which holds this secret, is not set"):
                await session.reader().list_connections()

    run(story())
    assert server.asked == []


def test_a_site_id_that_no_header_can_hold(server: Scripted) -> None:
    """An id that could forge a header is wrong usage."""
    site = with_auth(key_site().auth, site_id="x\r\ny: z")
    with pytest.raises(UsageError, match="siteId"):
        SiteSession(site, endpoint=server.url, secrets=Secrets({}, None))
