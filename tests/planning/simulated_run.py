"""A run in simulated time: real limiters and slots, a service that takes its time, and a loop that never waits."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.api.clock import nobody
from reconciler.api.rate_limit import Traffic
from reconciler.execution.slots import Slots
from reconciler.model.traffic import Rate
from reconciler.planning.requests import READ_AGAIN
from reconciler.planning.time_left import TimeLeft
from tests.support.passing_time import PassingClock, now, passing

_SHARED_SECONDS = 2.0


@dataclass(frozen=True)
class Simulation:
    """What a run does: the requests of each action by site; each is answered after about `latency` seconds.

    `own` is what the client itself takes for a request, one after the other, in seconds. `refused` says whether the
    service refuses a site's request by its number, and for how many seconds. `sent_before` requests of each site were
    sent just before. Each site reads what its actions rest on at most every 2 s, which nobody has foreseen.
    """

    actions: Mapping[str, Sequence[int]]
    latency: float = 0.2
    own: float = 0.0
    refused: Callable[[int], float] = lambda _number: 0.0
    sent_before: int = 2
    sites_at_once: int = 16
    estimates: list[tuple[float, float]] = field(default_factory=list)
    """Each moment at which the time left was told, and what was told."""

    def run(self) -> float:
        """Run it; the moment at which all was done."""
        return passing(self._run())

    async def _run(self) -> float:
        at_work, processor = asyncio.Semaphore(self.sites_at_once), asyncio.Lock()
        sites = {name: _Site(self, processor, Slots(at_work)) for name in self.actions}
        for site in sites.values():
            for _ in range(self.sent_before):
                async with site.traffic.slot():
                    site.traffic.requests += 1
        foreseen = {name: READ_AGAIN + sum(actions) for name, actions in self.actions.items()}
        left = TimeLeft(foreseen, self.sites_at_once, now, lambda name: sites[name].traffic.lately())
        began = now()
        self.estimates.append((began, left.seconds()))

        async def one(name: str, requests: int) -> None:
            await sites[name].act(requests)
            left.ended(name, requests)
            self.estimates.append((now(), left.seconds()))

        await asyncio.gather(*(one(name, requests) for name, actions in self.actions.items() for requests in actions))
        limited = asyncio.Semaphore(self.sites_at_once)

        async def read(site: "_Site") -> None:
            async with limited:
                await asyncio.gather(*(site.request() for _ in range(READ_AGAIN)))

        await asyncio.gather(*map(read, sites.values()))
        return now()


class _Site:
    def __init__(self, simulation: Simulation, processor: asyncio.Lock, slots: Slots) -> None:
        self.traffic = Traffic(Rate(), 4, PassingClock(), nobody, None)
        self._simulation = simulation
        self._processor = processor
        self._slots = slots
        self._looked_at = float("-inf")
        self._chance = random.Random(7)  # noqa: S311 - the same each time

    async def act(self, requests: int) -> None:
        """Carry out an action of so many requests."""
        async with self._slots:
            at = now()
            if at - self._looked_at >= _SHARED_SECONDS:
                self._looked_at = at
                await self.request()
            for _ in range(requests):
                await self.request()

    async def request(self) -> None:
        """Send a request until it is not refused."""
        while True:
            async with self.traffic.slot():
                self.traffic.requests += 1
                rest = self._simulation.refused(self.traffic.requests)
                async with self._processor:
                    await asyncio.sleep(self._simulation.own)
                await asyncio.sleep(self._simulation.latency * self._chance.uniform(0.7, 1.3))
            if not rest:
                return
            await self.traffic.rest(rest, "the service asked for it", everyone=True)
