"""Connections that are reset and answers that are cut off, seen from a plain socket."""

from __future__ import annotations

import json
import re
import socket
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox.faults import WRITES, Answer, Cut, Delay, Effect, Fault, Later, Reset, When
from reconciler.sandbox.seed import SITE_ID, harbor_dental
from reconciler.sandbox.world import ExistingConnection
from tests.sandbox.injection import APPLE, injecting, listed_within_patience
from tests.support.sandbox.api import APPLE_EMAIL, APPLE_PASSWORD, BASE, LEE
from tests.support.sandbox.clock import NOON
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api

LISTING = f"GET {BASE}/providers"


def request(sandbox: RunningSandbox, line: str = LISTING, body: object = None, *more: str) -> bytes:
    """A raw request."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = (
        f"host: {sandbox.endpoint.removeprefix('http://')}",
        f"authorization: {sandbox.api_key}",
        f"wix-site-id: {SITE_ID}",
        *more,
    )
    if body is not None:
        headers = (*headers, f"content-length: {len(content)}")
    return "\r\n".join([f"{line} HTTP/1.1", *headers, "", ""]).encode() + content


def opened(sandbox: RunningSandbox, receives: int | None = None) -> socket.socket:
    """A connection; where it is said, the system takes no more than so many bytes ahead of its reader."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT)
    if receives is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    connection.connect(("127.0.0.1", int(sandbox.endpoint.rpartition(":")[2])))
    return connection


def one_answer(connection: socket.socket) -> bytes:
    """The raw answer that comes next, whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    while len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def until_reset(connection: socket.socket) -> bytes:
    """What comes before the connection is reset; that it is closed in good order fails the test."""
    received = b""
    try:
        while True:
            chunk = connection.recv(65536)
            assert chunk, "closed, not reset"
            received += chunk
    except ConnectionResetError:
        return received


def same(answer: bytes, other: bytes) -> bool:
    """Whether one answer is how the other begins, but for what differs each time, always of the same length."""
    changing = {
        at for found in re.finditer(rb"(?:date|x-wix-request-id): ([^\r]*)", other) for at in range(*found.span(1))
    }
    return all(at in changing or byte == other[at] for at, byte in enumerate(answer))


def connecting(sandbox: RunningSandbox, *more: str) -> bytes:
    """A raw ConnectByCredentials."""
    body = {"providerId": APPLE, "scheduleId": LEE, "email": APPLE_EMAIL, "password": APPLE_PASSWORD}
    return request(sandbox, f"POST {BASE}/connections:connectByCredentials", body, *more)


def test_an_answer_is_cut_at_any_byte(sandbox: RunningSandbox) -> None:
    """At its beginning, in its head, at the head's end, in its body, at its end and behind it."""
    with closing(opened(sandbox)) as connection:
        connection.sendall(request(sandbox))
        whole = one_answer(connection)
    head = whole.index(b"\r\n\r\n") + 4
    for length in (0, 1, 2, 12, 17, head - 1, head, head + 1, len(whole) - 1, len(whole), len(whole) + 1, 10**9):
        with injecting(sandbox, Fault(Cut(length))), closing(opened(sandbox)) as connection:
            connection.sendall(request(sandbox))
            received = until_reset(connection)
        assert len(received) == min(length, len(whole))
        assert same(received, whole)
        (logged,) = sandbox.requests
        assert (logged.status, logged.fault) == (200 if length else 0, f"cut {length}")


@pytest.mark.parametrize("length", [0, 1, 10**6])
def test_a_write_that_is_cut_off_is_done(api: Api, sandbox: RunningSandbox, length: int) -> None:
    """The answer needs the effect."""
    sent = connecting(sandbox)
    with injecting(sandbox, Fault(Cut(length), on=WRITES)), closing(opened(sandbox)) as connection:
        connection.sendall(sent)
        until_reset(connection)
    assert len(api.connections()) == 1


def test_bytes_are_counted_for_each_answer(sandbox: RunningSandbox) -> None:
    """Answers before it on the same connection don't count; a connection of its own isn't touched."""
    with injecting(sandbox, Fault(Cut(40), skip=3, times=1)), closing(opened(sandbox)) as connection:
        for _ in range(3):
            connection.sendall(request(sandbox))
            assert one_answer(connection).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(request(sandbox))
        assert len(until_reset(connection)) == 40
        with closing(opened(sandbox)) as other:
            other.sendall(request(sandbox))
            assert one_answer(other).startswith(b"HTTP/1.1 200 OK")


def test_a_connection_goes_on_after_a_fault_that_leaves_it_whole(sandbox: RunningSandbox) -> None:
    """Another answer, or a late one, doesn't disturb keep-alive."""
    statuses = []
    faults = (Fault(Delay(0.05, When.AFTER)), Fault(Answer(503), times=2))
    with injecting(sandbox, *faults), closing(opened(sandbox)) as connection:
        for _ in range(4):
            connection.sendall(request(sandbox))
            statuses.append(one_answer(connection)[9:12])
    assert statuses == [b"503", b"503", b"200", b"200"]


@pytest.mark.parametrize(
    ("length", "more"),
    [
        (100_000, ()),
        pytest.param(700_000, (), marks=pytest.mark.soak),
        (700_000, ("connection: close",)),
    ],
)
def test_a_long_answer_is_cut_where_it_should_be(sandbox: RunningSandbox, length: int, more: tuple[str, ...]) -> None:
    """All of the bytes before arrive, though they are more than the system takes at once and the client is slow."""
    world = harbor_dental(NOON)
    many = (ExistingConnection(APPLE, LEE, APPLE_EMAIL),) * (length // 400)
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], connections=many),)))
    with injecting(sandbox, Fault(Cut(length))), closing(opened(sandbox, receives=4096)) as connection:
        connection.sendall(request(sandbox, f"GET {BASE}/connections", None, *more))
        time.sleep(0.3)
        assert len(until_reset(connection)) == length


@pytest.mark.parametrize("more", [(), ("connection: close",)])
@pytest.mark.parametrize("fault", [Reset(), Reset(Effect.DONE), Reset(Later(0.3)), Cut(60)])
def test_the_client_sees_a_reset(api: Api, sandbox: RunningSandbox, fault: Reset | Cut, more: tuple[str, ...]) -> None:
    """Not a close in good order, also where the client asked for one; the effect is none, done, or comes."""
    sent = connecting(sandbox, *more)
    with injecting(sandbox, Fault(fault, on=WRITES)):
        with closing(opened(sandbox)) as connection:
            connection.sendall(sent)
            assert len(until_reset(connection)) == (60 if isinstance(fault, Cut) else 0)
        assert next(iter(sandbox.requests)).status == (200 if isinstance(fault, Cut) else 0)
        if fault == Reset():
            assert api.connections() == []
        else:
            assert listed_within_patience(api) == 1


@pytest.mark.parametrize("fault", [Cut(50), Cut(10**6), Reset()])
def test_what_waits_behind_a_broken_answer_is_lost(api: Api, sandbox: RunningSandbox, fault: Reset | Cut) -> None:
    """A request that was sent on the same connection before the reset came is neither answered nor done."""
    sent = connecting(sandbox)
    with injecting(sandbox, Fault(fault, times=1)), closing(opened(sandbox)) as connection:
        connection.sendall(request(sandbox) + sent)
        received = until_reset(connection)
        assert received.count(b"HTTP/1.1") == (0 if isinstance(fault, Reset) else 1)
        assert len(sandbox.requests) == 1
    assert api.connections() == []


def test_a_client_that_sends_its_body_when_told_to(sandbox: RunningSandbox) -> None:
    """`100 Continue` is no part of the answer, and not counted."""
    sent = connecting(sandbox, "expect: 100-continue")
    head, _, body = sent.partition(b"\r\n\r\n")
    with injecting(sandbox, Fault(Cut(9), on=WRITES)), closing(opened(sandbox)) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert until_reset(connection).removeprefix(b"\r\n") == b"HTTP/1.1 "


def test_a_client_that_has_left_already(api: Api, sandbox: RunningSandbox) -> None:
    """A reset of a connection that is gone is no trouble, and the effect is as it would be."""
    sent = connecting(sandbox)
    with injecting(sandbox, Fault(Delay(0.3), on=WRITES), Fault(Reset(Later(0.1)), on=WRITES)):
        with closing(opened(sandbox)) as connection:
            connection.sendall(sent)
        assert listed_within_patience(api) == 1


def test_faults_leave_nothing_in_the_server_s_log(
    api: Api, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Broken connections are no errors of the server."""
    for fault in (Reset(), Reset(Effect.DONE), Cut(0), Cut(20), Cut(10**6)):
        with injecting(sandbox, Fault(fault)):
            try:
                api.get("/providers")
            except httpx.TransportError:
                continue
    assert {record.name for record in caplog.records if record.levelname in {"WARNING", "ERROR"}} == {
        "reconciler.sandbox.faults.layer"
    }
