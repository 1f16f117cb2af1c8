"""The rate limit of a site: so many requests in any window of time, first come first served (contract: Transport)."""

import asyncio
from collections import deque
from dataclasses import dataclass

from reconciler.api.clock import Clock, OnWait


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in any `seconds`; the service allows 200 a minute, and clocks and networks jitter."""

    requests: int = 190
    seconds: float = 60.0


class RateLimiter:
    """A sliding window: every request waits for its turn, in the order of asking.

    A waiter that is cancelled gives its place to the next and counts for nothing.
    """

    def __init__(self, rate: Rate, clock: Clock, on_wait: OnWait) -> None:
        self._rate = rate
        self._clock = clock
        self._on_wait = on_wait
        self._sent: deque[float] = deque(maxlen=rate.requests)
        self._held_until = float("-inf")
        self._queue = asyncio.Lock()

    def hold(self, seconds: float) -> None:
        """Let nothing go for `seconds`: the service has asked for a rest."""
        self._held_until = max(self._held_until, self._clock.monotonic() + seconds)

    async def turn(self) -> None:
        """Return when one more request may go, and count it."""
        async with self._queue:
            while (wait := self._wait()) > 0:
                self._on_wait(wait, f"at most {self._rate.requests} requests in {self._rate.seconds:g} s")
                await self._clock.sleep(wait)
            self._sent.append(self._clock.monotonic())

    def _wait(self) -> float:
        free = self._sent[0] + self._rate.seconds if len(self._sent) == self._rate.requests else float("-inf")
        return max(free, self._held_until) - self._clock.monotonic()
