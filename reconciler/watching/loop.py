"""Runs rounds, never two at once, until the watch is stopped."""

import asyncio
from collections.abc import Sequence
from typing import Any

from reconciler.api.clock import Clock
from reconciler.watching.backoff import Chance, Interval, SiteBackoff
from reconciler.watching.changes import Reporter
from reconciler.watching.figures import BEAT_SECONDS, Figures, Readiness
from reconciler.watching.round import Rounds, WatchOptions
from reconciler.workflow import Stop


class Watch:
    """One watch; its `figures` and `readiness` may be read by other threads.

    `stop.gently` ends it: what is being written is finished, a round that only reads is given up. `stop.at_once`
    gives up what is being written, too. `clock` and `chance` (random numbers from 0 to 1) are handed in.
    """

    def __init__(self, options: WatchOptions, reporter: Reporter, stop: Stop, *, clock: Clock, chance: Chance) -> None:
        self.readiness = Readiness(clock.monotonic)
        self._stop = stop
        self._clock = clock
        self._interval = Interval(options.interval, chance)
        self._backoff = SiteBackoff(options.interval, clock.monotonic, chance)
        self._rounds = Rounds(options, reporter, self._backoff, self.readiness, stop=stop, clock=clock)
        self._hurried = asyncio.Event()

    @property
    def figures(self) -> Figures:
        """The figures as they are."""
        return self._rounds.figures

    @property
    def writing(self) -> bool:
        """Whether a round is under way that may change something."""
        return self._rounds.writing

    def hurry(self) -> None:
        """Begin a round now, or after the one that is under way, with all sites."""
        self._backoff.end()
        self._hurried.set()

    async def run(self) -> None:
        """Watch until stopped; raises UsageError where the first round shows wrong options."""
        beating = asyncio.create_task(self._keep_beating())
        try:
            while not self._stop.gently.is_set():
                began = self._clock.monotonic()
                self._hurried.clear()
                await self._round()
                await self._wait(self._interval.pause(self._clock.monotonic() - began))
        finally:
            await self._rounds.end()
            await _end([beating])

    async def _keep_beating(self) -> None:
        while True:
            self.readiness.beat()
            await asyncio.sleep(BEAT_SECONDS)

    async def _round(self) -> None:
        working = asyncio.create_task(self._rounds.round())
        stopping = asyncio.create_task(self._stop.gently.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if working.done() or self._rounds.writing:
                await working
        finally:
            await _end([working, stopping])

    async def _wait(self, seconds: float) -> None:
        waits = (self._clock.sleep(seconds), self._stop.gently.wait(), self._hurried.wait())
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)


async def _end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
