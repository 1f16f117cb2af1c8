"""The port: what it answers, and that whoever comes can do no harm."""

import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from reconciler.errors import ExtcalError
from reconciler.watching.figures import ProbeResult
from reconciler.watching.server import Address, MonitoringPage, serve_pages


@pytest.fixture
def address() -> Iterator[Address]:
    """Where a page, and one whose result is no, are served."""
    pages = {
        "/metrics": lambda: MonitoringPage(b"extcal_up 1\n"),
        "/readyz": lambda: MonitoringPage.of(ProbeResult(yes=False, why="no round has succeeded yet")),
    }
    with serve_pages(Address("127.0.0.1", 0), pages) as at:
        yield at


def answer(address: Address, request: bytes) -> bytes:
    """All that is answered to these bytes."""
    with socket.create_connection((address.host, address.port), timeout=120) as connection:
        connection.sendall(request)
        found = b""
        try:
            while chunk := connection.recv(65536):
                found += chunk
        except ConnectionResetError:
            # It does not read on what it has refused.
            pass
        return found


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: HERE\r\n\r\n", 200, b"extcal_up 1\n"),
        (b"GET /metrics?name=up HTTP/1.0\r\n\r\n", 200, b"extcal_up 1\n"),
        (b"HEAD /metrics HTTP/1.1\r\nHost: HERE\r\n\r\n", 200, b""),
        (b"GET /readyz HTTP/1.1\r\nHost: HERE\r\n\r\n", 503, b"no round has succeeded yet\n"),
        (b"GET / HTTP/1.1\r\nHost: HERE\r\n\r\n", 404, b"Not Found\n"),
        (b"GET /../etc/passwd HTTP/1.1\r\nHost: HERE\r\n\r\n", 404, b"Not Found\n"),
        (
            b"POST /metrics HTTP/1.1\r\nHost: HERE\r\nContent-Length: 3\r\n\r\nabc",
            405,
            b"Method Not Allowed\n",
        ),
        (b"GET /metrics HTTP/9.9\r\n\r\n", 505, b"HTTP Version Not Supported\n"),
        (b"nonsense\r\n\r\n", 400, b"Bad Request\n"),
    ],
)
def test_every_request_has_its_answer(address: Address, request_: bytes, status: int, body: bytes) -> None:
    """Pages by GET and HEAD; anything else is refused in a line that repeats nothing of it."""
    head, _, found = answer(address, request_.replace(b"HERE", str(address).encode())).partition(b"\r\n\r\n")
    assert head.split()[1:2] == [str(status).encode()]
    assert found == body
    assert b"server:" not in head.lower()
    assert (b"allow: GET, HEAD" in head) == (status == HTTPStatus.METHOD_NOT_ALLOWED)


def test_a_huge_head_is_refused(address: Address) -> None:
    """A head beyond any need is not read to its end, and the next client is served."""
    huge = b"GET /metrics HTTP/1.1\r\n" + b"x: " + b"a" * 30_000 + b"\r\n\r\n"
    assert b" 431 " in answer(address, huge)[:20]
    assert b" 200 " in answer(address, b"GET /metrics HTTP/1.0\r\n\r\n")[:20]


def test_many_clients_that_say_nothing_are_turned_away(address: Address) -> None:
    """More than a few connections at once are closed; when the silent ones are gone, there is room again."""
    silent = [socket.create_connection((address.host, address.port), timeout=120) for _ in range(40)]
    try:
        turned_away = 0
        for connection in silent[-8:]:
            try:
                turned_away += connection.recv(1) == b""
            except ConnectionResetError:
                turned_away += 1
        assert turned_away == 8
    finally:
        for connection in silent:
            connection.close()
    deadline = time.monotonic() + 120
    while b" 200 " not in answer(address, b"GET /metrics HTTP/1.0\r\n\r\n")[:20]:
        assert time.monotonic() < deadline, "there is no room again"
        time.sleep(0.01)


def test_an_address_of_version_six(address: Address) -> None:
    """It listens where it is told to, and is written as URLs are."""
    del address
    with serve_pages(Address("::1", 0), {"/": lambda: MonitoringPage(b"six")}) as six:
        assert str(six) == f"[::1]:{six.port}"
        assert answer(six, b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nsix")


def test_a_host_that_is_not_there_is_told() -> None:
    """A name that leads nowhere is an error that names it."""
    expected = pytest.raises(ExtcalError, match=r"can't listen on nowhere\.invalid:9464: .*--listen HOST:PORT")
    with expected, serve_pages(Address("nowhere.invalid", 9464), {}):
        pass
