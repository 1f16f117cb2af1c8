"""Secrets stay out of everything that is shown: errors, their causes, logs, and other origins."""

import logging
import socket
import threading
import traceback
from contextlib import closing

import pytest

from reconciler.api.session import SiteSession
from reconciler.errors import ExtcalError, TransportError, UsageError
from tests.api.conftest import OpenSession
from tests.support.builders.api import (
    API_KEY,
    APP_SECRET,
    PASSWORD,
    PASSWORD_REF,
    FakeClock,
    app_site,
    key_site,
    run,
    secrets,
)
from tests.support.servers.scripted import Fate, Reply, Scripted


@pytest.mark.parametrize(
    "reply",
    [
        Reply(fate=Fate.RESET),
        Reply({"connection": {}}, fate=Fate.CUT),
        Reply({"message": f"{API_KEY} {PASSWORD}"}, 400),
        Reply({"connection": [API_KEY, PASSWORD]}),
        Reply(f"{API_KEY} {PASSWORD}".encode()),
        Reply(None, 302, {"Location": f"https://evil.example/{API_KEY}"}),
        Reply(None, 302, {"Location": f"https://[{API_KEY}"}),
    ],
)
def test_no_error_shows_a_secret(
    reply: Reply, server: Scripted, opened: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither text, repr, causes nor traceback of an error holds a secret, nor does any log at any level."""
    caplog.set_level(logging.DEBUG)
    server.script(reply)

    async def story() -> ExtcalError:
        async with opened() as session:
            with pytest.raises(ExtcalError) as caught:
                await session.writer().connect_by_credentials("p", "s", "lee@harbor-dental.example", PASSWORD_REF)
            return caught.value

    error = run(story())
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error)) + caplog.text
    assert API_KEY not in shown
    assert PASSWORD not in shown


def test_no_log_shows_what_an_app_is_let_in_with(
    server: Scripted, opened: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the app's secret nor its token is logged, and an echo of the token is redacted."""
    caplog.set_level(logging.DEBUG)
    server.script(Reply({"access_token": "tok-5150-abc"}), Reply({"message": "for tok-5150-abc"}, 400))

    async def story() -> ExtcalError:
        async with opened(app_site()) as session:
            with pytest.raises(ExtcalError) as caught:
                await session.reader().list_providers()
            return caught.value

    shown = str(run(story())) + caplog.text
    assert "for [secret]" in shown
    assert "tok-5150-abc" not in shown
    assert APP_SECRET not in shown


def test_redirects_take_nothing_along(server: Scripted, opened: OpenSession) -> None:
    """The place that a redirect names is never visited."""
    server.script(Reply(None, 307, {"Location": f"{server.url}/stolen"}))

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(ExtcalError):
                await session.writer().disconnect("c1")

    run(story())
    assert [asked.path for asked in server.asked] == ["/bookings/v2/external-calendars/connections/c1/disconnect"]


def test_the_environment_is_not_read(server: Scripted, opened: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies that the environment names are not used: what counts is handed in."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.script(Reply({"providers": []}))

    async def story() -> None:
        async with opened() as session:
            assert await session.reader().list_providers() == ()

    run(story())


def test_a_proxy_sees_no_credentials(server: Scripted, clock: FakeClock) -> None:
    """A proxy is asked for a tunnel and told nothing else; its refusal sent nothing to the service."""
    server.otherwise = lambda: Reply(None, 403)
    proxy = server.url.replace("://", "://user:pr0xyword@")

    async def story() -> None:
        session = SiteSession(
            key_site(), endpoint="https://api.example", secrets=secrets(), proxy=proxy, clock=clock, chance=lambda: 0
        )
        async with session:
            with pytest.raises(TransportError, match=r"connecting to https://api\.example failed") as caught:
                await session.writer().disconnect("c1")
            assert not caught.value.doubtful
            assert "pr0xyword" not in str(caught.value)

    run(story())
    (asked,) = server.asked
    assert asked.verb == "CONNECT"
    assert "authorization" not in asked.headers


def test_this_machine_is_reached_without_the_proxy(server: Scripted) -> None:
    """A key never goes in the clear through a proxy: an http endpoint is this machine, and reached directly."""
    server.script(Reply({"providers": []}))

    async def story() -> None:
        session = SiteSession(key_site(), endpoint=server.url, secrets=secrets(), proxy="http://127.0.0.1:9")
        async with session:
            assert await session.reader().list_providers() == ()

    run(story())
    assert server.asked[0].verb == "GET"


@pytest.mark.parametrize(
    "proxy", ["nonsense", "ftp://user:pr0xyword@proxy.example", "socks5://proxy.example", "http://"]
)
def test_a_proxy_that_is_none(proxy: str) -> None:
    """A proxy that can't be used is wrong usage, and its password is not shown."""
    with pytest.raises(UsageError, match="proxy: expected the URL of an HTTP proxy") as caught:
        SiteSession(key_site(), endpoint="https://api.example", secrets=secrets(), proxy=proxy)
    assert "pr0xyword" not in str(caught.value)


def test_what_does_not_speak_tls_gets_no_key(clock: FakeClock) -> None:
    """An https endpoint that is no TLS server is an error, and receives nothing readable."""
    received: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def listen() -> None:
            connection, _ = listener.accept()
            with connection:
                received.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=listen)
        thread.start()

        async def story() -> None:
            endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}"
            async with SiteSession(key_site(), endpoint=endpoint, secrets=secrets(), clock=clock) as session:
                with pytest.raises(TransportError) as caught:
                    await session.writer().disconnect("c1")
                assert not caught.value.sent

        run(story())
        thread.join()
    assert API_KEY.encode() not in b"".join(received)
