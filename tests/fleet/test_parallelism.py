"""How many sites are read or written at once is what was asked for."""

import asyncio
from collections.abc import Iterator

import pytest

from reconciler.execution.slots import Slots
from reconciler.workflow.service import run_bounded
from tests.fleet.counting_proxy import Traffic, proxy
from tests.support.cli.command import Extcal


@pytest.fixture
def traffic(sites: Extcal) -> Iterator[Traffic]:
    """What passes between the command and its sandbox of six sites."""
    with proxy(sites.sandbox.endpoint) as counted:
        sites.env["EXTCAL_ENDPOINT"] = counted.endpoint
        yield counted


@pytest.mark.parametrize(
    "words", [("plan",), ("status",), ("pull", "--check", "--output", "pulled")], ids=lambda w: w[0]
)
def test_reading_keeps_to_it(sites: Extcal, traffic: Traffic, words: tuple[str, ...]) -> None:
    """As many sites at once as said and never more; more than a few where nothing is said."""
    for said, least, most in (("1", 1, 1), ("2", 2, 2), (None, 3, 6)):
        traffic.forget(least)
        sites(*words, "manifests", *(() if said is None else ("--parallelism", said)))
        assert least <= traffic.most <= most


def test_writing_keeps_to_it(sites: Extcal, traffic: Traffic) -> None:
    """Apply reads, writes and verifies no more sites at once than said, and gets everything done."""
    ran = sites("apply", "manifests", "--auto-approve", "--parallelism", "2")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Applied: 12 done.")
    assert 1 <= traffic.most_writing <= traffic.most <= 2


@pytest.mark.parametrize("said", ["0", "65", "-1", "many", ""])
def test_what_can_not_be_meant_is_wrong_usage(bare: Extcal, said: str) -> None:
    """Less than one and more than 64 are refused by every command that has it."""
    for words in (("plan", "x"), ("apply", "x"), ("status", "x"), ("pull", "x", "--output", "y")):
        ran = bare(*words, f"--parallelism={said}")
        assert (ran.code, ran.out) == (64, "")
        assert "--parallelism" in ran.err


def test_order_is_kept_and_the_bound_too() -> None:
    """What comes of each stands in its place, whichever is done first."""
    under_way: list[int] = []
    counts: list[int] = []

    async def work(number: int) -> int:
        under_way.append(number)
        counts.append(len(under_way))
        await asyncio.sleep(0.01 * (5 - number))
        under_way.remove(number)
        return number * 10

    assert asyncio.run(run_bounded(work, range(5), 3)) == [0, 10, 20, 30, 40]
    assert max(counts) == 3


def test_a_site_that_is_at_work_stays_at_it() -> None:
    """The other actions of a site that has begun don't wait for a turn; another site does, until it rests."""

    async def story() -> None:
        at_work = asyncio.Semaphore(1)
        one, other = Slots(at_work), Slots(at_work)
        async with one:
            waiting = asyncio.create_task(other.__aenter__())
            async with one, one, one:
                await asyncio.sleep(0)
                assert not waiting.done()
        await asyncio.wait_for(waiting, 120)
        await other.__aexit__(None, None, None)
        assert not at_work.locked()

    asyncio.run(story())


def test_who_gives_up_waiting_takes_no_turn_along() -> None:
    """A wait that is cancelled, for a turn or for a slot, leaves both to others."""

    async def story() -> None:
        at_work = asyncio.Semaphore(1)
        one, other = Slots(at_work), Slots(at_work)
        async with one:
            waiting = [asyncio.create_task(other.__aenter__()) for _ in range(6)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
        for slots in (one, other, one):
            async with slots, slots, slots, slots:
                assert at_work.locked()
        assert not at_work.locked()

    asyncio.run(story())
