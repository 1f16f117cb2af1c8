"""What is tried again, what is sent once, and what is said of its effect."""

import asyncio
import socket
import threading
import time

import pytest

from reconciler.api.exchange import ExchangeLimits
from reconciler.api.retry import Backoff
from reconciler.api.session import SessionLimits, SiteSession
from reconciler.errors import ApiError, RateLimitedError, ServiceError, TransportError
from reconciler.model.live import ConnectionList
from reconciler.model.traffic import Rate
from tests.api.conftest import OpenSession
from tests.support.builders.api import FakeClock, app_site, key_site, run, secrets
from tests.support.servers.scripted import Fate, Reply, Scripted

FINE = Reply({"connection": {"id": "c1"}, "connections": []})
LOST = [Reply(fate=Fate.RESET), Reply({"connections": []}, fate=Fate.CUT)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("failure", [*LOST, *(Reply(status=status) for status in (429, 500, 502, 503, 504))])
def test_reads_are_tried_again(
    failure: Reply, server: Scripted, opened: OpenSession, clock: FakeClock, waits: list[tuple[float, str]]
) -> None:
    """Lost connections, 429 and 5xx are tried again after growing waits, which are told."""
    server.script(failure, failure, failure, FINE)

    async def story() -> None:
        async with opened() as session:
            assert await session.reader().list_connections() == ConnectionList(())
            assert session.requests == 4

    run(story())
    assert clock.slept == [0.25, 0.5, 1.0]
    assert [seconds for seconds, _ in waits] == clock.slept
    assert all(why.startswith("ListConnections: ") for _, why in waits)


def test_reads_end_after_four_tries(server: Scripted, opened: OpenSession) -> None:
    """The last error stands."""
    server.otherwise = lambda: Reply(status=503)

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(ServiceError):
                await session.reader().list_connections()

    run(story())
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 428])
def test_refusals_are_not_tried_again(status: int, server: Scripted, opened: OpenSession) -> None:
    """What will be refused again is asked once."""
    server.otherwise = lambda: Reply(status=status)

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(ApiError):
                await session.reader().list_connections()

    run(story())
    assert len(server.asked) == 1


@pytest.mark.parametrize("failure", [*LOST, *(Reply(status=status) for status in (500, 502, 503, 504))])
def test_writes_are_sent_once_and_their_effect_is_in_doubt(
    failure: Reply, server: Scripted, opened: OpenSession
) -> None:
    """A write whose answer is lost or an error of the service is not repeated, and says that it may have worked."""
    server.script(failure)

    async def story() -> None:
        async with opened() as session:
            with pytest.raises((TransportError, ServiceError)) as caught:
                await session.writer().disconnect("c1")
            assert caught.value.doubtful

    run(story())
    assert len(server.asked) == 1


def test_a_write_that_was_refused_for_its_rate_is_sent_again(
    server: Scripted, opened: OpenSession, clock: FakeClock
) -> None:
    """429 means that it was not carried out: after the wait it goes again."""
    server.script(Reply(status=429, headers={"Retry-After": "3"}), FINE)

    async def story() -> None:
        async with opened() as session:
            assert (await session.writer().disconnect("c1")).id == "c1"

    run(story())
    assert clock.slept == [3.25]


def test_a_wait_that_is_too_long_is_not_waited(server: Scripted, opened: OpenSession, clock: FakeClock) -> None:
    """Beyond a minute the error stands and says when to come back."""
    server.script(Reply(status=429, headers={"Retry-After": "3600"}))

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(RateLimitedError, match="try again in 3600 s") as caught:
                await session.reader().list_connections()
            assert caught.value.retry_after == 3600
            assert not caught.value.doubtful

    run(story())
    assert clock.slept == []


def test_a_rest_that_one_is_asked_for_holds_the_others(server: Scripted) -> None:
    """After Retry-After no other request of the site goes before the time."""
    moments: list[float] = []
    resting = threading.Event()

    def answer() -> Reply:
        moments.append(time.monotonic())
        return Reply(status=429, headers={"Retry-After": "1"}) if len(moments) == 1 else Reply(FINE.body, held=resting)

    server.otherwise = answer

    async def story() -> None:
        async with SiteSession(
            key_site(),
            endpoint=server.url,
            secrets=secrets(),
            chance=lambda: 0,
            on_wait=lambda _seconds, _why: resting.set(),
        ) as session:
            await asyncio.gather(*(session.reader().list_connections() for _ in range(20)))

    run(story())
    assert len(moments) == 21
    # Those that were under way already are past holding; there is room for four, and none was answered before the rest.
    assert sum(moment - moments[0] < 0.9 for moment in moments) <= 4


def test_the_time_for_tries_is_bounded(server: Scripted, opened: OpenSession, clock: FakeClock) -> None:
    """However many tries are left, an error stands when the budget of time is used up."""
    server.otherwise = lambda: Reply(status=503)

    async def story() -> None:
        async with opened(
            limits=SessionLimits(exchange=ExchangeLimits(backoff=Backoff(tries=99, budget=10)))
        ) as session:
            with pytest.raises(ServiceError):
                await session.reader().list_connections()

    run(story())
    assert clock.slept == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_waiting_for_room_is_no_failure(server: Scripted, opened: OpenSession) -> None:
    """Calls that wait for a connection of their own wait as long as it takes, longer than for an answer."""
    server.otherwise = lambda: Reply(FINE.body, delay=0.15)

    async def story() -> None:
        async with opened(limits=SessionLimits(read=2)) as session:
            await asyncio.gather(*(session.writer().disconnect("c1") for _ in range(60)))

    run(story())
    assert len(server.asked) == 60


def test_the_rate_of_a_site_is_kept(
    server: Scripted, opened: OpenSession, clock: FakeClock, waits: list[tuple[float, str]]
) -> None:
    """Reads and writes, tries and tokens count against one limit, and the wait is told."""
    server.script(Reply({"access_token": "token-1"}), Reply(status=503), FINE, FINE)

    async def story() -> None:
        async with opened(app_site(), limits=SessionLimits(rate=Rate(3, 60))) as session:
            await session.reader().list_connections()
            assert clock.elapsed < 1
            await session.writer().disconnect("c1")

    run(story())
    assert clock.elapsed == 60
    assert waits[-1] == (59.75, "at most 3 requests in 60 s")


def test_writes_that_could_not_be_sent_are_not_in_doubt(clock: FakeClock) -> None:
    """Where nobody listens nothing was sent: the error and each wait say so, and what to check."""
    waits: list[str] = []

    async def story() -> None:
        endpoint = f"http://127.0.0.1:{free_port()}"
        async with SiteSession(
            key_site(), endpoint=endpoint, secrets=secrets(), clock=clock, on_wait=lambda _, why: waits.append(why)
        ) as session:
            with pytest.raises(TransportError, match="refused the connection; check the endpoint") as caught:
                await session.writer().disconnect("c1")
            assert not caught.value.sent
            assert not caught.value.doubtful
            assert endpoint in str(caught.value)
            assert session.requests == 1
            with pytest.raises(TransportError):
                await session.reader().list_connections()
            assert session.requests == 5

    run(story())
    assert waits == ["ListConnections: the connection was refused; trying again"] * 3


def test_silence_ends(server: Scripted, opened: OpenSession) -> None:
    """A service that does not answer in time is a lost answer, for a write one in doubt."""
    over = threading.Event()
    server.script(Reply(held=over))

    async def story() -> None:
        async with opened(limits=SessionLimits(read=0.05)) as session:
            with pytest.raises(TransportError, match="timed out") as caught:
                await session.writer().disconnect("c1")
            assert caught.value.sent

    try:
        run(story())
    finally:
        over.set()


def test_an_answer_that_drips_ends(server: Scripted, opened: OpenSession) -> None:
    """However the time is spent, the whole of an answer has its limit."""
    over = threading.Event()
    server.script(Reply(held=over))

    async def story() -> None:
        # Time enough to send it on a busy machine.
        async with opened(limits=SessionLimits(exchange=ExchangeLimits(total=1))) as session:
            with pytest.raises(TransportError, match=r"no complete answer within 1 s") as caught:
                await session.writer().disconnect("c1")
            assert caught.value.sent

    try:
        run(story())
    finally:
        over.set()


def test_an_error_whose_explanation_is_cut_off_is_still_that_error(server: Scripted, opened: OpenSession) -> None:
    """The status decides, even where the body breaks off."""
    server.script(Reply({"message": "half of this"}, 403, fate=Fate.CUT))

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(ApiError, match="HTTP 403: the service gave no explanation"):
                await session.writer().disconnect("c1")

    run(story())


def test_many_at_once_share_few_connections(server: Scripted, opened: OpenSession) -> None:
    """A hundred calls at once all succeed, at most four of them under way."""
    under_way, most = set[int](), [0]

    def watch() -> Reply:
        me = threading.get_ident()
        under_way.add(me)
        most[0] = max(most[0], len(under_way))
        time.sleep(0.002)
        under_way.discard(me)
        return FINE

    server.otherwise = watch

    async def story() -> None:
        async with opened() as session:
            await asyncio.gather(*(session.reader().list_connections() for _ in range(100)))
            assert session.requests == 100

    run(story())
    assert most[0] <= 4


def test_a_cancelled_call_leaves_the_session_usable(server: Scripted, opened: OpenSession) -> None:
    """Interrupting calls gives back their turns and connections."""
    over = threading.Event()
    server.script(*(Reply(held=over) for _ in range(4)))
    server.otherwise = lambda: FINE

    async def story() -> None:
        async with opened() as session:
            tasks = [asyncio.create_task(session.reader().list_connections()) for _ in range(8)]
            await asyncio.to_thread(server.wait_until_asked, 4)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert await asyncio.wait_for(session.reader().list_connections(), 120) == ConnectionList(())

    try:
        run(story())
    finally:
        over.set()
