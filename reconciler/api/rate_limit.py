"""Paces the requests of one site: rate limit, how many run at once, consistency token.

The rate limit is a sliding window: so many requests in any stretch of time, first come first served.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import httpx

from reconciler.api.clock import Clock, OnWait
from reconciler.errors import ExtcalError, StaleError
from reconciler.model.traffic import Rate, SiteTraffic


class Ledger(Protocol):
    """Where requests are counted; one that is shared with other processes raises OSError or ExtcalError on trouble."""

    def take(self, clock: Callable[[], float], requests: int, seconds: float) -> float:
        """Count a request if there were fewer than `requests` in the last `seconds`; else how long to wait, in s."""
        ...

    def hold(self, clock: Callable[[], float], pause: float, seconds: float) -> None:
        """Let nothing go for `pause` seconds."""
        ...

    def counted(self, clock: Callable[[], float], seconds: float) -> tuple[float, tuple[float, ...]]:
        """Until when nothing may go, and when the requests of the last `seconds` were sent, the oldest first."""
        ...


class OwnLedger:
    """Counts the requests of this process alone."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._held_until = float("-inf")

    def take(self, clock: Callable[[], float], requests: int, seconds: float) -> float:
        """Count a request, or say how long to wait."""
        now = clock()
        while self._sent and self._sent[0] + seconds <= now:
            self._sent.popleft()
        free = self._sent[-requests] + seconds if len(self._sent) >= requests else float("-inf")
        wait = max(free, self._held_until) - now
        if wait > 0:
            return wait
        self._sent.append(now)
        return 0.0

    def hold(self, clock: Callable[[], float], pause: float, seconds: float) -> None:
        """Let nothing go for `pause` seconds."""
        del seconds
        self._held_until = max(self._held_until, clock() + pause)

    def counted(self, clock: Callable[[], float], seconds: float) -> tuple[float, tuple[float, ...]]:
        """Until when nothing may go, and when the requests of the last `seconds` were sent, the oldest first."""
        since = clock() - seconds
        return self._held_until, tuple(moment for moment in self._sent if moment > since)


_STALE = "not sent: what it rests on was read too long ago; apply again"


class RateLimiter:
    """A sliding window: every request waits for its turn, in the order of asking.

    A waiter that is cancelled gives its place to the next and counts for nothing. What a shared `ledger` does not
    take is counted for this process alone.
    """

    def __init__(self, rate: Rate, clock: Clock, on_wait: OnWait, shared: Ledger | None = None) -> None:
        self._rate = rate
        self._clock = clock
        self._on_wait = on_wait
        self._own = OwnLedger()
        self._shared = shared
        self._queue = asyncio.Lock()

    def hold(self, seconds: float) -> None:
        """Let nothing go for `seconds`: the service has asked for a rest."""
        self._own.hold(self._clock.monotonic, seconds, self._rate.seconds)
        if self._shared is not None:
            try:
                self._shared.hold(self._clock.monotonic, seconds, self._rate.seconds)
            except (OSError, ExtcalError):
                self._shared = None

    def counted(self) -> tuple[float, tuple[float, ...]]:
        """Until when nothing may go, and when the requests that count now were sent, by the limiter's clock."""
        if self._shared is not None:
            try:
                return self._shared.counted(self._clock.monotonic, self._rate.seconds)
            except (OSError, ExtcalError):
                self._shared = None
        return self._own.counted(self._clock.monotonic, self._rate.seconds)

    async def turn(self, *, followers: int = 0, fresh: Callable[[], bool] | None = None) -> None:
        """Return when one more request may go and so many `followers` after it, and count the one.

        Raises StaleError, and counts nothing, where what the request rests on is not `fresh` when its turn has come.
        """
        async with self._queue:
            while fresh is None or fresh():
                if (wait := self._take(followers)) <= 0:
                    return
                self._on_wait(wait, f"at most {self._rate.requests} requests in {self._rate.seconds:g} s")
                await self._clock.sleep(wait)
            raise StaleError(_STALE)

    def _take(self, followers: int) -> float:
        ask = self._clock.monotonic, max(1, self._rate.requests - followers), self._rate.seconds
        if self._shared is not None:
            try:
                wait = self._shared.take(*ask)
            except (OSError, ExtcalError):
                self._shared = None
            else:
                # Counted here too, for when the shared one can't be used any longer.
                return wait or self._own.take(*ask)
        return self._own.take(*ask)


CONSISTENT = "x-wix-consistent"
_LONGEST_TOKEN = 4096


class Traffic:
    """The traffic of one site.

    `requests` counts what is sent, tries and tokens included. The consistency token that an answer carried goes
    out with the next requests, so that they read what was written.
    """

    def __init__(self, rate: Rate, connections: int, clock: Clock, on_wait: OnWait, ledger: Ledger | None) -> None:
        self.requests = 0
        self._rate = rate
        self.clock = clock
        self.on_wait = on_wait
        self._limiter = RateLimiter(rate, clock, on_wait, ledger)
        # The pool would queue, too, but looks through its whole queue for each request.
        self._room = asyncio.Semaphore(connections)
        self._consistent: str | None = None

    def lately(self) -> SiteTraffic:
        """What was sent to the site, as far as its rate limit counts it."""
        held_until, recent = self._limiter.counted()
        return SiteTraffic(self.requests, recent, held_until, self._rate)

    @asynccontextmanager
    async def slot(self, *, followers: int = 0, fresh: Callable[[], bool] | None = None) -> AsyncIterator[None]:
        """One request's turn, as `RateLimiter.turn` gives it."""
        async with self._room:
            await self._limiter.turn(followers=followers, fresh=fresh)
            yield

    async def rest(self, seconds: float, why: str, *, everyone: bool) -> None:
        """Wait before another try; `everyone`: the service asked for it, so all the site's requests wait."""
        if everyone:
            self._limiter.hold(seconds)
        self.on_wait(seconds, why)
        await self.clock.sleep(seconds)

    def headers(self) -> dict[str, str]:
        """The headers that carry the consistency token."""
        return {} if self._consistent is None else {CONSISTENT: self._consistent}

    def note(self, headers: httpx.Headers) -> None:
        """Keep the consistency token of an answer, if it has one that can be sent back."""
        token = headers.get(CONSISTENT, "")
        if 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable():
            self._consistent = token
