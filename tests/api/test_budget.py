"""What answers may cost in bytes, values and seconds: each of them, all pages of a list, and a run of a site."""

import gzip
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from reconciler.api.client import EventQuery
from reconciler.api.exchange import ExchangeLimits
from reconciler.api.response_limits import CodingError, Cost, CostLimit, read_body
from reconciler.api.session import SessionLimits
from reconciler.errors import MalformedAnswerError, OutageError
from tests.api.conftest import OpenSession
from tests.support.builders.api import FakeClock, run
from tests.support.servers.scripted import Reply, Scripted

_MEBI = 1024 * 1024


def response(*chunks: bytes, coding: str = "gzip") -> httpx.Response:
    """An answer whose body arrives in these pieces."""

    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return httpx.Response(200, headers={"content-encoding": coding}, content=stream())


def read(answer: httpx.Response, most: int) -> bytes | None:
    """Its body, of so many bytes at most."""
    return run(read_body(answer, most))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_is_whole_however_it_arrives(size: int) -> None:
    """In pieces of any size, inflated or as it is, up to its limit to the byte."""
    body = bytes(range(256)) * 40
    packed = gzip.compress(body)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert read(response(*pieces), len(body)) == body
    assert read(response(*pieces), len(body) - 1) is None
    assert read(response(*pieces, coding="gzip, identity"), 2 * len(body)) == body
    assert read(response(body, coding=""), len(body)) == body
    assert read(response(body, coding=""), len(body) - 1) is None
    assert read(response(coding="gzip"), 0) == b""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (gzip.compress(b"x" * 999)[:-5], "cut off"),
        (gzip.compress(b"x" * 999)[:3], "cut off"),
        (gzip.compress(b"x") + gzip.compress(b"x"), "goes on after its compressed part"),
        (gzip.compress(b"x") + b"\0", "goes on after its compressed part"),
        (b"no gzip", "not compressed as it says"),
    ],
    ids=["its end is missing", "its beginning alone", "two of them", "a byte behind it", "none"],
)
def test_a_body_that_is_no_gzip_is_refused(body: bytes, told: str) -> None:
    """Cut off, with something behind it, or none at all."""
    with pytest.raises(CodingError, match=told):
        read(response(body), _MEBI)


def test_no_more_is_inflated_than_may_be() -> None:
    """A body of a gigabyte takes no more memory than its limit, with what holds it while it grows."""
    bomb = gzip.compress(bytes(256 * _MEBI), 1)
    tracemalloc.start()
    try:
        assert read(response(bomb), _MEBI) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * _MEBI


def test_what_inflates_to_nothing_counts_as_it_came() -> None:
    """Empty blocks without end hold no byte of a body, and are traffic all the same."""
    head = gzip.compress(b"")[:10]
    assert read(response(head, *[b"\x00\x00\x00\xff\xff" * 1_000] * 100), 100_000) is None


def test_pages_take_no_longer_than_their_list_may(server: Scripted, opened: OpenSession, clock: FakeClock) -> None:
    """Pages that trickle in, each of them in time, are given up together."""

    def slow() -> Reply:
        clock.elapsed += 100
        return Reply({"events": [], "pagingMetadata": {"hasNext": True, "cursors": {"next": f"c{clock.elapsed}"}}})

    server.otherwise = slow

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(
                OutageError, match="not sent: answers have taken more than 325 seconds for all its pages"
            ):
                await session.reader().list_events(EventQuery("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"))

    run(story())
    assert len(server.asked) == 4


def test_quick_pages_may_be_many(server: Scripted, opened: OpenSession, clock: FakeClock) -> None:
    """A list of hundreds of pages that take a second or two each is read."""

    def quick() -> Reply:
        clock.elapsed += 2
        more = len(server.asked) < 300
        return Reply({"events": [], "pagingMetadata": {"hasNext": more, "cursors": {"next": f"c{clock.elapsed}"}}})

    server.otherwise = quick

    async def story() -> None:
        async with opened() as session:
            await session.reader().list_events(EventQuery("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"))

    run(story())
    assert len(server.asked) == 300


def test_a_run_takes_no_longer_than_it_may(server: Scripted, opened: OpenSession, clock: FakeClock) -> None:
    """Calls that are slow one by one are no longer sent, and a write that was not sent has no effect."""

    def slow() -> Reply:
        clock.elapsed += 100
        return Reply({"connection": {"id": "c1"}})

    server.otherwise = slow

    async def story() -> None:
        async with opened() as session:
            for _ in range(11):
                await session.writer().disconnect("c1")
            with pytest.raises(OutageError, match=r"Disconnect: not sent: .* for a run of the site; ask for") as caught:
                await session.writer().disconnect("c1")
            assert not caught.value.doubtful

    run(story())
    assert len(server.asked) == 11


@pytest.mark.parametrize(
    ("most", "told"),
    [
        (Cost(250, 999, 999), "250 bytes for a run of the site"),
        (Cost(9_999, 12, 999), "12 values for a run of the site"),
    ],
)
def test_a_run_reads_no_more_than_it_may(most: Cost, told: str, server: Scripted, opened: OpenSession) -> None:
    """The reader and the writer of a session, and the token that they share, spend one budget."""
    server.otherwise = lambda: Reply({"connection": {"id": "c1", "name": "x" * 50}, "connections": []})

    async def story() -> None:
        async with opened(limits=SessionLimits(run=CostLimit(most))) as session:
            await session.reader().list_connections()
            await session.writer().disconnect("c1")
            with pytest.raises(MalformedAnswerError, match=f"expected at most {told}, found more"):
                await session.reader().list_connections()
            with pytest.raises(MalformedAnswerError, match=f"expected at most {told}, found more") as caught:
                await session.writer().disconnect("c1")
            assert caught.value.doubtful

    run(story())


def test_answers_that_were_given_up_count_too(server: Scripted, opened: OpenSession) -> None:
    """Else a service could send too much again and again."""
    server.otherwise = lambda: Reply(b"x" * 1_000)
    limits = SessionLimits(exchange=ExchangeLimits(largest=100), run=CostLimit(Cost(250, 999, 999)))

    async def story() -> list[str]:
        told = []
        async with opened(limits=limits) as session:
            for _ in range(3):
                with pytest.raises(MalformedAnswerError) as caught:
                    await session.reader().list_connections()
                told.append(str(caught.value))
        return told

    first, second, third = run(story())
    assert "at most 100 bytes, found more" in first
    assert "at most 100 bytes, found more" in second
    assert "at most 250 bytes for a run of the site, found more" in third
