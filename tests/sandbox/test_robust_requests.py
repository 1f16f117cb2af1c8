"""The server against whatever arrives on its socket: no bound is passed, nothing is answered 500, and it goes on."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support import web
from tests.support.sandbox.api import BASE, LEE, Api, client, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.server import RunningSandbox

_CONNECT = f"{BASE}/connections:connectByCredentials"
_SECONDS = 120.0
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@contextmanager
def connected(sandbox: RunningSandbox) -> Iterator[socket.socket]:
    """A socket to the server."""
    port = int(sandbox.endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as plain:
        yield plain


def _head(sandbox: RunningSandbox, *more: str, method: str = "POST", path: str = _CONNECT) -> bytes:
    host = sandbox.endpoint.removeprefix("http://")
    lines = (f"{method} {path} HTTP/1.1", f"host: {host}", f"authorization: {sandbox.api_key}", *more)
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _status(plain: socket.socket) -> int:
    """The status of what is answered in the end, 0 where the connection ends without an answer."""
    answer = b""
    while b"\r\n" not in (answer := answer.removeprefix(_GO_ON)):
        try:
            more = plain.recv(4096)
        except ConnectionResetError:
            return 0
        if not more:
            return 0
        answer += more
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    return int(answer[9:12])


_NOT_HTTP = {
    "garbage": b"\x00\xff\x13\x37" * 200 + b"\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    "http 0.9": b"GET /\r\n\r\n",
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": b"EHLO harbor-dental.example\r\n\r\n",
    "no line end": b"A" * 300_000,
    "a header without end": b"GET / HTTP/1.1\r\nx: " + b"a" * 300_000,
    "headers without end": b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 50_000,
    "a header's name": b"GET / HTTP/1.1\r\nhost: x\r\nx\x00y: 1\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n host: x\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "a negative length": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    "a length of many digits": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n",
    "an unknown coding": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("sent", _NOT_HTTP.values(), ids=_NOT_HTTP)
def test_what_is_not_http_is_refused(server: RunningSandbox, sent: bytes) -> None:
    """400 or another 4xx or 501, or a closed connection; the next request is answered as ever."""
    with connected(server) as plain:
        with suppress(OSError):  # the server may have closed by then
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
        assert _status(plain) in {0, 400, 404, 414, 431, 501}
    assert web.get(f"{server.endpoint}/nowhere").status_code == 404


@pytest.mark.parametrize(
    "target",
    ["*", "//", "/%00", "/%ff%fe", "/../../etc/passwd", f"{BASE}/connections/%2e%2e%2fproviders", "/" + "a" * 20_000],
)
@pytest.mark.parametrize("method", ["GET", "PROPFIND", "CONNECT", "x"])
def test_odd_targets_and_methods(server: RunningSandbox, method: str, target: str) -> None:
    """Whatever is asked for, and however: a client's error."""
    with connected(server) as plain:
        plain.sendall(_head(server, "content-length: 0", method=method, path=target))
        assert _status(plain) in {400, 401, 404, 405, 414}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (["x-pad: y"] * 250, 431),
        (["x-pad: " + "y" * 17_000], 431),
        (["x-pad: y"] * 150, 400),
        (["cookie: " + "a=b; " * 1000, "expect: 100-continue"], 400),
    ],
    ids=["many", "long", "many, within bounds", "cookies"],
)
def test_headers_are_bounded_in_number_and_size(sandbox: RunningSandbox, more: list[str], status: int) -> None:
    """Too many or too long: 431; else the request gets as far as its body, which lacks every field."""
    with connected(sandbox) as plain:
        plain.sendall(_head(sandbox, "wix-site-id: 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b", "content-length: 2", *more))
        plain.sendall(b"{}")
        assert _status(plain) == status


def test_a_path_is_bounded(api: Api) -> None:
    """Ids have hundreds of characters, not thousands: 414."""
    assert api.get("/connections/" + "x" * 9000).status_code == 414
    assert api.get("/connections/" + "x" * 900).status_code == 404


def test_a_body_without_end_is_cut_off(sandbox: RunningSandbox, api: Api) -> None:
    """413 while the client is still sending; others are served meanwhile and afterwards."""
    sent = 0
    stop = threading.Event()
    with connected(sandbox) as plain:
        plain.sendall(_head(sandbox, "transfer-encoding: chunked"))

        def send() -> None:
            nonlocal sent
            try:
                while not stop.is_set():
                    plain.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
                    sent += 4096
            except OSError:
                return

        sender = threading.Thread(target=send)
        sender.start()
        try:
            assert _status(plain) == 413
            assert api.connections() == []
        finally:
            stop.set()
            plain.shutdown(socket.SHUT_RDWR)
            sender.join(_SECONDS)
    assert sent >= 256 * 1024
    assert api.connections() == []


@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nab", b"-1\r\n", b"ffffffffffffffffff\r\n"])
def test_a_broken_chunk(sandbox: RunningSandbox, api: Api, caplog: pytest.LogCaptureFixture, broken: bytes) -> None:
    """400 or a closed connection, also after an answer was given; no traceback in the log, nothing written."""
    for before in (b"", b"1000\r\n" + b" " * 4096 + b"\r\n", b"50000\r\n" + b" " * 0x50000 + b"\r\n"):
        with connected(sandbox) as plain:
            plain.sendall(_head(sandbox, "transfer-encoding: chunked") + before)
            if len(before) > 256 * 1024:
                assert _status(plain) == 413
            plain.sendall(broken)
            plain.shutdown(socket.SHUT_WR)
            assert _status(plain) in {0, 400}
    assert api.connections() == []
    assert [each.getMessage() for each in caplog.records if each.exc_info or each.levelno >= logging.ERROR] == []


def test_a_slow_body_is_not_waited_for(sandbox: RunningSandbox, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 once the time for a body is over; bodies that come in time are unharmed."""
    monkeypatch.setattr("reconciler.sandbox.request_body.BODY_SECONDS", 0.3)
    with connected(sandbox) as plain:
        plain.sendall(_head(sandbox, "content-length: 100") + b"{")
        assert _status(plain) == 408
    assert api.connections() == []


def test_many_idle_connections(sandbox: RunningSandbox) -> None:
    """With 300 connections open, half of them in the middle of a request, the next one is answered at once."""
    with ExitStack() as stack:
        for number in range(300):
            plain = stack.enter_context(connected(sandbox))
            if number % 2:
                plain.sendall(_head(sandbox, "content-length: 100") + b"{")
        with client(sandbox.endpoint, sandbox.api_key) as http:
            assert Api(http).connections() == []


def test_pipelined_requests_are_answered_in_order(sandbox: RunningSandbox) -> None:
    """Several requests in one packet get one answer each; the last asks to close."""
    with connected(sandbox) as plain:
        heads = [_head(sandbox, method="GET", path=f"/{number}") for number in range(5)]
        plain.sendall(b"".join(heads) + _head(sandbox, "connection: close", method="GET", path="/last"))
        answer = b""
        while more := plain.recv(65536):
            answer += more
    assert answer.count(b"HTTP/1.1 404") == 6


def test_a_blank_parameter_is_no_filter_left_out(api: Api) -> None:
    """`scheduleIds=` must not list every schedule's connections; only free text may be blank."""
    api.connect()
    assert faults_of(api.get("/connections", {"scheduleIds": "", "partialFailure": ""})) == {
        "scheduleIds[0]": "FORMAT",
        "partialFailure": "FORMAT",
    }
    day = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    blank = {"cursorPaging.limit": "", "userIds": [LEE, ""], "fieldsets": ""}
    assert faults_of(api.get("/events", day | blank)) == {
        "cursorPaging.limit": "FORMAT",
        "userIds[1]": "FORMAT",
        "fieldsets[0]": "INVALID_ENUM_VALUE",
    }
    assert api.get("/events", day | {"cursorPaging.cursor": ""}).status_code == 200


def test_an_unknown_filter_is_refused_even_if_null(api: Api) -> None:
    """Conditions are a language of their own: a misspelt one must not widen the answer."""
    query = {"filter": {"name": None, "status": {"$ne": None}}}
    answer = api.http.post("/calendar/v3/schedules/query", json={"query": query})
    assert faults_of(answer) == {
        "query.filter.name": "INVALID_ENUM_VALUE",
        "query.filter.status.$ne": "INVALID_ENUM_VALUE",
    }
    known = {"filter": {"status": None, "id": {"$eq": None, "$in": [LEE]}}}
    answer = api.http.post("/calendar/v3/schedules/query", json={"query": known})
    assert [each["id"] for each in answer.json()["schedules"]] == [LEE]


def test_bounds_hold_for_every_path(sandbox: RunningSandbox) -> None:
    """Also for a page that a browser opens, and for what no route answers."""
    for path in ("/consent/x", "/nowhere", "/oauth2/token"):
        answer = web.post(f"{sandbox.endpoint}{path}", params={"pad": "x" * 33_000})
        assert answer.status_code == 414
