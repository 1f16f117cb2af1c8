"""No answer costs this machine its memory or its time: codings, sizes, pages, heads and echoes without end."""

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.promises.leak_stage import let_time_fly
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import HARBOR
from tests.support.servers.scripted import Reply, Scripted, serving

_KEY = "key-of-the-service-41"
_MEBI = 1024 * 1024
_LONGEST_LINE = 1000


@pytest.fixture
def service(bare: Extcal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A service that does what it likes."""
    let_time_fly(monkeypatch)
    with serving() as scripted:
        bare.env |= {"EXTCAL_ENDPOINT": scripted.url, "EXTCAL_API_KEY": _KEY}
        yield scripted


def line_of(ran: Ran) -> str:
    """The last line, in which a command has told why it failed; those before it tell of waits."""
    assert ran.code == 1
    line = ran.err.splitlines()[-1]
    assert line.isprintable()
    assert len(line) < _LONGEST_LINE
    return line


@pytest.mark.parametrize(
    ("coding", "told"),
    [
        ("gzip, gzip", "gzip, gzip"),
        ("gzip,identity, gzip", "gzip, gzip"),
        ("GZIP , Br", "gzip, br"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("deflate", "deflate"),
        ("x-gzip", "x-gzip"),
        ("gzip, " * 999 + "gzip", "gzip, gzip, gzip"),
        (_KEY, "[secret]"),
    ],
)
def test_no_coding_but_one_gzip_is_taken(bare: Extcal, service: Scripted, coding: str, told: str) -> None:
    """What was put into gzip twice, or into what nobody asked for, is refused in words, and not unpacked."""
    body = gzip.compress(gzip.compress(b'{"providers": []}'))
    service.otherwise = lambda: Reply(body, headers={"Content-Encoding": coding})
    assert f"ListProviders: the answer is encoded as {told}" in line_of(bare("providers", "--site-id", HARBOR))
    assert {asked.headers["accept-encoding"] for asked in service.asked} == {"gzip"}


@pytest.mark.parametrize("coding", ["gzip", "identity", "GZip", "identity, gzip", ""])
def test_one_gzip_is_taken(bare: Extcal, service: Scripted, coding: str) -> None:
    """However it is written."""
    body = b'{"providers": []}'
    packed = gzip.compress(body) if "gzip" in coding.lower() else body
    service.otherwise = lambda: Reply(packed, headers={"Content-Encoding": coding})
    assert bare("providers", "--site-id", HARBOR).code == 0


_BODIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a long text": (lambda: b'{"connections": [{"id": "%s"}]}' % (b"x" * 40 * _MEBI), "at most 32 MiB, found more"),
    "empty objects": (lambda: b'{"connections": [%s{}]}' % (b"{}," * 10 * _MEBI), "at most 1000000 values, found more"),
    "numbers": (lambda: b'{"connections": [%s0]}' % (b"0," * 15 * _MEBI), "at most 1000000 values, found more"),
    "one member each": (lambda: b'{"a": [%s{}]}' % (b'{"":0},' * 2 * _MEBI), "at most 1000000 values, found more"),
    "a deep nest": (lambda: b'{"connections": %s' % (b"[" * 900_000), "JSON nested a few levels, found hundreds"),
    "nested names": (lambda: b'{"a":' * 500_000, "JSON nested a few levels, found hundreds"),
    "many digits": (lambda: b'{"connections": %s}' % (b"9" * 30 * _MEBI), "expected JSON, found something else"),
}


@pytest.mark.parametrize("levels", [40, 900])
@pytest.mark.parametrize("output", ["text", "json"])
def test_no_unknown_field_is_too_deep_to_be_shown(bare: Extcal, service: Scripted, levels: int, output: str) -> None:
    """What could be parsed, and not be written again, is refused in words as well."""
    nest = b"[" * levels + b"]" * levels
    service.otherwise = lambda: Reply(b'{"connections": [{"id": "c", "new": %s}]}' % nest)
    ran = bare("connections", "--site-id", HARBOR, "--format", output)
    assert "connections[0]: expected objects nested at most 32 levels, found more" in line_of(ran)


@pytest.mark.parametrize(
    ("field", "told"),
    [("status", "connections[0].status: expected at most 4096 characters"), ("new", "at most 64 KiB of unknown")],
)
def test_no_text_is_as_long_as_an_answer(bare: Extcal, service: Scripted, field: str, told: str) -> None:
    """What is searched for secrets, kept and laid out is bounded, a text at a time."""
    body = gzip.compress(b'{"connections": [{"id": "c", "%s": "%s"}]}' % (field.encode(), b"%41" * 8 * _MEBI), 1)
    service.otherwise = lambda: Reply(body, headers={"Content-Encoding": "gzip"})
    assert told in line_of(bare("connections", "--site-id", HARBOR))


@pytest.mark.parametrize("name", _BODIES)
def test_no_answer_is_made_larger_than_it_may_be(bare: Extcal, service: Scripted, name: str) -> None:
    """A few kilobytes on the wire that hold a mountain of bytes, values or levels are given up, in words."""
    make, told = _BODIES[name]
    body = gzip.compress(make(), 1)
    service.otherwise = lambda: Reply(body, headers={"Content-Encoding": "gzip"})
    assert told in line_of(bare("connections", "--site-id", HARBOR))


def test_an_answer_that_does_not_grow_with_the_site_is_small(bare: Extcal, service: Scripted) -> None:
    """The calendars of one account, say: thousands of such answers are kept at once."""
    service.otherwise = lambda: Reply({"providers": [{"name": "x" * 2 * _MEBI}]})
    assert "expected at most 1 MiB, found more" in line_of(bare("providers", "--site-id", HARBOR))


@pytest.mark.parametrize(
    ("command", "items", "item"),
    [("events", "events", {"title": "x" * 4096}), ("schedules", "schedules", {"name": "x" * 4096})],
)
def test_no_pages_are_read_that_are_too_large_together(
    bare: Extcal, service: Scripted, command: str, items: str, item: dict[str, str]
) -> None:
    """Each page alone would pass: two of them are all that is read."""
    known = {"id": "s", "scheduleId": "s", "start": "x", "end": "y", "calendarType": "GOOGLE"}
    asked = [0]

    def answer() -> Reply:
        asked[0] += 1
        body = json.dumps(
            {items: [known | item] * (30 * _MEBI // 4224), "pagingMetadata": _next(f"c{asked[0]}")}
        ).encode()
        return Reply(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})

    service.otherwise = answer
    assert "expected at most 64 MiB for all its pages, found more" in line_of(bare(command, "--site-id", HARBOR))
    assert len(service.asked) == 3


def _next(cursor: str) -> dict[str, object]:
    return {"hasNext": True, "cursors": {"next": cursor}}


@pytest.mark.parametrize("behind", ["\\", "&#", "%", "\\u00", "&amp"])
def test_no_echo_costs_more_than_its_length(bare: Extcal, service: Scripted, behind: str) -> None:
    """What follows an echoed key is looked at once."""
    service.otherwise = lambda: Reply({"message": f"for {_KEY}{behind * (30_000 // len(behind))}"}, 400)
    assert "for [secret]" in line_of(bare("providers", "--site-id", HARBOR))


@contextmanager
def _pouring(unit: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that answers with bytes until nobody takes them any more; its URL, and how many it could send."""
    sent: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    sent.append(_poured(connection, unit))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", sent
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _poured(connection: socket.socket, unit: bytes) -> int:
    connection.recv(65536)
    count = 0
    try:
        while count < 256 * _MEBI:
            connection.sendall(unit)
            count += len(unit)
    except OSError:
        pass
    return count


@pytest.mark.parametrize(
    "unit",
    [b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 60_000, b"X-B: b\r\n" * 8_000, b"H" * 65_536],
    ids=["one long header", "headers", "a long status line"],
)
def test_no_head_without_end_is_read(bare: Extcal, service: Scripted, unit: bytes) -> None:
    """A head of a hundred kilobytes is no head: what is sent beyond it, but for what lies in buffers, is not taken."""
    del service
    with _pouring(unit) as (url, sent):
        assert "the connection to" in line_of(bare("providers", "--site-id", HARBOR, env={"EXTCAL_ENDPOINT": url}))
    assert max(sent) < 64 * _MEBI
