"""The loop: when rounds begin, that they never overlap, how they end, and what they leave behind."""

import asyncio
import gc
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from reconciler.api.clock import OnWait
from reconciler.watching.figures import RoundResult
from reconciler.workflow import Service, Stop
from tests.support.cli.worlds import BUSY, connection, harbor, site, world
from tests.support.servers.proxy import Passing, stand_in
from tests.support.timeouts import TIMEOUT
from tests.watching.inside import MINUTE, Inside


@pytest.fixture
def agreeing(inside: Inside) -> Inside:
    """A watch of manifests that the live connections agree with."""
    inside.extcal.on(world(harbor(0)))
    inside.extcal.write(site(), connection(0, more=BUSY))
    return inside


def counting(inside: Inside, seconds: float) -> tuple[Passing, list[int]]:
    """A service each of whose answers takes a while, and how many rounds asked it at once each time."""
    rounds_at_once: list[int] = []
    under_way: list[str] = []

    def passing(method: str, path: str) -> tuple[str, str]:
        if path.endswith("/providers"):
            under_way.append(path)
            rounds_at_once.append(len(under_way))
            inside.clock.seconds += seconds
            inside.loop.call_soon_threadsafe(inside.watch.hurry)
            time.sleep(0.05)
            under_way.pop()
        return method, path

    return passing, rounds_at_once


def test_rounds_begin_at_the_interval(agreeing: Inside) -> None:
    """A wait is what is left of the interval."""
    agreeing.run(lambda: None, lambda: None)
    assert agreeing.pauses == [MINUTE, MINUTE, MINUTE]


def test_a_long_round_is_followed_at_once_and_never_overlapped(agreeing: Inside) -> None:
    """A round that takes longer than the interval, and in which another one is asked for, is followed by one."""
    passing, rounds_at_once = counting(agreeing, 3 * MINUTE)
    with stand_in(agreeing.extcal.sandbox.endpoint, passing) as endpoint:
        agreeing.endpoint = endpoint
        agreeing.run(lambda: None, lambda: None)
    assert agreeing.pauses == [0.0, 0.0, 0.0]
    assert rounds_at_once == [1, 1, 1]
    assert agreeing.reports.rounds == [RoundResult.GOOD] * 3


def test_a_round_that_reads_is_given_up_when_it_is_told_to_stop(agreeing: Inside) -> None:
    """Whoever stops a watch does not wait for answers that nothing depends on."""
    asked, answer = threading.Event(), threading.Event()

    def passing(method: str, path: str) -> tuple[str, str]:
        asked.set()
        assert answer.wait(120)
        return method, path

    async def story() -> None:
        stop = Stop()
        running = asyncio.create_task(agreeing.story(stop, (), applies=True))
        assert await asyncio.to_thread(asked.wait, 120)
        stop.gently.set()
        await asyncio.wait_for(running, 100)

    with stand_in(agreeing.extcal.sandbox.endpoint, passing) as endpoint:
        agreeing.endpoint = endpoint
        try:
            asyncio.run(story())
        finally:
            answer.set()
    assert agreeing.reports.rounds == []
    assert agreeing.figures.last_round is None


def alive() -> Counter[str]:
    """How many objects there are of each class of ours and of the HTTP client's."""
    gc.collect()
    kinds = (type(each) for each in gc.get_objects())
    named = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    return Counter(
        name
        for name in named
        if name.startswith(("reconciler.", "httpx.", "httpcore.", "ssl."))
        and not name.startswith("reconciler.sandbox.")
    )


def test_nothing_is_left_behind_by_a_round(agreeing: Inside) -> None:
    """What is held after many rounds is what was held after a few, though each finds something new to tell."""
    seen: list[Counter[str]] = []
    key = agreeing.extcal.sandbox.api_key

    def change(number: int) -> Callable[[], None]:
        def step() -> None:
            agreeing.environ["EXTCAL_API_KEY"] = f"wrong-{number}" if number % 2 else key
            agreeing.watch.hurry()
            if number in {6, 26}:
                seen.append(alive())

        return step

    agreeing.run(*(change(number) for number in range(27)))
    assert RoundResult.FAILED in agreeing.reports.rounds
    early, late = seen
    # Half of the 20 rounds between failed; what one round holds may be there or not there yet.
    assert max((late - early).values(), default=0) < 10, late - early


class Turning(Inside):
    """A watch whose service, as it looks for the manifests' commit, waits for something else that the loop does."""

    def _service(self, on_wait: OnWait) -> Service:
        turned = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop)
        turned.result(TIMEOUT)
        return super()._service(on_wait)


def test_the_loop_turns_while_the_commit_is_looked_for(agreeing: Inside) -> None:
    """A git that takes its time keeps nobody from stopping the watch."""
    turning = Turning(agreeing.extcal, agreeing.machine)
    turning.run(lambda: None)
    assert turning.figures.rounds[RoundResult.GOOD] == 2
