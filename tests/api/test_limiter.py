"""The rate limit: never too many, in order, and nothing lost by who gives up."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.clock import nobody
from reconciler.api.rate_limit import RateLimiter
from reconciler.errors import StaleError
from reconciler.model.traffic import Rate, SiteTraffic
from tests.support.builders.api import FakeClock, run
from tests.support.profiles import examples


class _HeldClock(FakeClock):
    """One by which nobody's sleep passes until `go`; `asked` tells that somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until it goes, and let `seconds` pass at once."""
        self.asked.set()
        await self.go.wait()
        await super().sleep(seconds)


@examples(50, profile="tests")
@given(st.integers(1, 8), st.lists(st.floats(0, 30), max_size=40))
def test_no_window_holds_too_many(most: int, pauses: list[float]) -> None:
    """However requests come, at most so many go in any window of time."""
    clock = FakeClock()
    limiter = RateLimiter(Rate(most, 60), clock, nobody)
    went: list[float] = []

    async def story() -> None:
        for pause in pauses:
            await clock.sleep(pause)
            await limiter.turn()
            went.append(clock.monotonic())

    run(story())
    for first, after in zip(went, went[most:], strict=False):
        assert after - first >= 60 - 1e-6


def test_a_burst_goes_at_once_and_the_rest_is_told_why_it_waits() -> None:
    """As many as allowed go without waiting; the next is told how long and why."""
    clock = FakeClock()
    told: list[tuple[float, str]] = []
    limiter = RateLimiter(Rate(), clock, lambda seconds, why: told.append((seconds, why)))

    async def story() -> None:
        for _ in range(190):
            await limiter.turn()
        assert clock.slept == []
        await clock.sleep(10)
        await limiter.turn()

    run(story())
    assert told == [(50.0, "at most 190 requests in 60 s")]
    assert clock.monotonic() == 60


def test_turns_come_in_the_order_of_asking() -> None:
    """Nobody overtakes, and who is cancelled while waiting takes no turn away."""
    clock = _HeldClock()
    limiter = RateLimiter(Rate(1, 60), clock, nobody)
    order: list[int] = []

    async def ask(number: int) -> None:
        await limiter.turn()
        order.append(number)

    async def story() -> None:
        tasks = [asyncio.create_task(ask(number)) for number in range(5)]
        await clock.asked.wait()
        tasks[1].cancel()
        tasks[3].cancel()
        clock.go.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Two turns were left, so two windows passed, and not four.
        assert clock.elapsed == 120

    run(story())
    assert order == [0, 2, 4]


def test_a_rest_that_the_service_asks_for_holds_everyone() -> None:
    """While held, nobody goes, though the window has room."""
    clock = FakeClock()
    limiter = RateLimiter(Rate(), clock, nobody)

    async def story() -> None:
        limiter.hold(7)
        limiter.hold(3)
        await limiter.turn()

    run(story())
    assert clock.monotonic() == 7


@examples(50, profile="tests")
@given(st.integers(1, 8), st.lists(st.floats(0, 30), max_size=30), st.floats(0, 90), st.integers(1, 40))
def test_what_it_has_counted_tells_when_more_will_have_gone(
    most: int, pauses: list[float], rest: float, more: int
) -> None:
    """Whatever was sent before, and whatever rest the service asks for, the moment of a later turn is known."""
    clock = FakeClock()
    rate = Rate(most, 60)
    limiter = RateLimiter(rate, clock, nobody)

    async def story() -> float:
        for pause in pauses:
            await clock.sleep(pause)
            await limiter.turn()
        limiter.hold(rest)
        held_until, recent = limiter.counted()
        foreseen = SiteTraffic(len(pauses), recent, held_until, rate).sent_by(clock.monotonic(), more)
        for _ in range(more):
            await limiter.turn()
        return foreseen - clock.monotonic()

    assert abs(run(story())) < 1e-6


def test_what_is_not_fresh_any_more_when_its_turn_comes_does_not_go() -> None:
    """It is told so, counts for nothing, and the next one in the queue has its turn."""
    clock = FakeClock()
    limiter = RateLimiter(Rate(2, 60), clock, nobody)
    went: list[str] = []

    async def ask(name: str, good_until: float) -> None:
        await limiter.turn(fresh=lambda: clock.monotonic() <= good_until)
        went.append(name)

    async def story() -> None:
        await ask("first", 0)
        await ask("second", 0)
        stale, third = asyncio.create_task(ask("stale", 59)), asyncio.create_task(ask("third", 60))
        await asyncio.wait((stale, third))
        with pytest.raises(StaleError, match="read too long ago"):
            stale.result()
        third.result()
        with pytest.raises(StaleError):
            await ask("never", 59)

    run(story())
    assert went == ["first", "second", "third"]
    # Nobody has waited for a window on behalf of the stale ones.
    assert (clock.monotonic(), len(limiter.counted()[1])) == (60, 1)


@examples(50, profile="tests")
@given(st.integers(2, 30), st.integers(0, 12), st.lists(st.floats(0, 10), max_size=40))
def test_what_has_followers_goes_when_they_can_follow_at_once(most: int, followers: int, pauses: list[float]) -> None:
    """Whatever went before, those that rest on its answer wait for nothing, as far as the limit lets so many go."""
    clock = FakeClock()
    limiter = RateLimiter(Rate(most, 60), clock, nobody)

    async def story() -> float:
        for pause in pauses:
            await clock.sleep(pause)
            await limiter.turn()
        await limiter.turn(followers=followers)
        asked = clock.monotonic()
        for _ in range(min(followers, most - 1)):
            await limiter.turn()
        return clock.monotonic() - asked

    assert run(story()) == 0
