"""What all requests of one site share: turns, room on the wire, the consistency token, the count."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from reconciler.api.clock import Clock, OnWait
from reconciler.api.limiter import Ledger, Rate, RateLimiter

CONSISTENT = "x-wix-consistent"
_LONGEST_TOKEN = 4096


class Traffic:
    """The traffic of one site.

    `requests` counts what is sent, tries and tokens included. The consistency token that an answer carried goes
    out with the next requests, so that they read what was written (contract: Transport).
    """

    def __init__(self, rate: Rate, connections: int, clock: Clock, on_wait: OnWait, ledger: Ledger | None) -> None:
        self.requests = 0
        self.clock = clock
        self.on_wait = on_wait
        self._limiter = RateLimiter(rate, clock, on_wait, ledger)
        # The pool would queue, too, but looks through its whole queue for each request.
        self._room = asyncio.Semaphore(connections)
        self._consistent: str | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One request's turn."""
        async with self._room:
            await self._limiter.turn()
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
