"""Shows how far a phase of a command has come, and how long it may still take."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from reconciler.cli.console import Console
from reconciler.model.plan import Plan
from reconciler.model.traffic import SiteTraffic
from reconciler.planning.requests import requests_by_site
from reconciler.planning.time_left import TimeLeft

LONG = 60.0
"""Seconds from which on it is said beforehand how long something takes."""
_IN_A_LOG = 15.0
_ON_A_TERMINAL = 0.1
_TICK = 1.0
_TELLING = 3
_DIGITS = 2


class Progress:
    """A phase of `total` steps, named by what it does (`reading sites`); `monotonic` is a clock in seconds.

    A log gets a line every 15 seconds, so a short phase leaves none there. `left` estimates how many seconds the rest
    takes; without it the estimate comes from the pace so far.
    """

    def __init__(
        self,
        console: Console,
        phase: str,
        total: int,
        monotonic: Callable[[], float] = time.monotonic,
        left: Callable[[], float] | None = None,
    ) -> None:
        self._console = console
        self._phase = phase
        self._total = total
        self._monotonic = monotonic
        self._began = monotonic()
        self._shown = self._began if not sys.stderr.isatty() else float("-inf")
        self._estimate = left or self.by_pace
        self._done = 0
        self._latest = ""
        self._ticking = False

    @property
    def over(self) -> bool:
        """Whether every step is done."""
        return self._done >= self._total

    def step(self, latest: str = "") -> None:
        """One more step is done; `latest` says which."""
        self._done += 1
        self._latest = latest
        live, now = sys.stderr.isatty(), self._monotonic()
        # What is not shown now is shown by the next tick.
        passed_over = now - self._shown < _ON_A_TERMINAL and self._ticking and not self.over
        if passed_over if live else now - self._shown < _IN_A_LOG:
            return
        self._shown = now
        if live:
            self._show()
        else:
            self._console.note(self._text())

    @asynccontextmanager
    async def kept_shown(self) -> AsyncIterator[None]:
        """Let a terminal show it until the block ends, the time that is left running, whatever else is told there."""

        async def keep() -> None:
            while not self.over:
                # A terminal that has gone away must not end what is under way.
                with suppress(OSError):
                    self._show()
                await asyncio.sleep(_TICK)

        ticking = asyncio.create_task(keep()) if sys.stderr.isatty() else None
        self._ticking = ticking is not None
        try:
            yield
        finally:
            if ticking is not None:
                ticking.cancel()
                await asyncio.wait((ticking,))

    def _show(self) -> None:
        self._console.progress(f"{self._text()}; {self._latest}" if self._latest else self._text())

    def _text(self) -> str:
        return f"{self._phase}: {self._done} of {self._total}{self._left()}"

    def _left(self) -> str:
        seconds = 0.0 if self.over else self._estimate()
        return f", about {rounded(seconds)} left" if seconds >= 1 else ""

    def by_pace(self) -> float:
        """About how many seconds the rest will take, once there is a pace."""
        if self._done < _TELLING:
            return 0.0
        return (self._monotonic() - self._began) / self._done * (self._total - self._done)


class Reading:
    """Shows how many sites were read, and what reading one takes that has much to look up."""

    def __init__(self, console: Console, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._monotonic = monotonic
        self._progress: Progress | None = None
        self._read_by: dict[str, float] = {}

    def read(self, name: str, total: int) -> None:
        """A site was read, of so many; where all were, the next begins anew."""
        if self._progress is None or self._progress.over:
            self._progress = Progress(self._console, "reading sites", total, self._monotonic, self._left)
        self._read_by.pop(name, None)
        self._progress.step(name)

    def foresee(self, name: str, requests: int, traffic: SiteTraffic) -> None:
        """Reading a site takes so many requests more, after what it was sent of late; say so where that is long."""
        now = self._monotonic()
        self._read_by[name] = traffic.sent_by(now, requests)
        seconds = self._read_by[name] - now
        what = f"reading {name}: {requests} requests more, about {rounded(seconds)}"
        if seconds >= LONG:
            self._console.note(f"{what} at {traffic.rate.requests} requests in {traffic.rate.seconds:g} s")
        elif seconds >= 1:
            self._console.progress(what)

    def _left(self) -> float:
        """Seconds until all are read, by the pace so far, and by what is foreseen of those that take long."""
        by_pace = 0.0 if self._progress is None else self._progress.by_pace()
        return max(by_pace, max(self._read_by.values(), default=0.0) - self._monotonic())


def note_duration(plan: Plan, sites_at_once: int, console: Console) -> None:
    """Say how many requests applying a plan takes, and how long they take, where that is long."""
    requests = requests_by_site(plan)
    traffic = SiteTraffic()
    seconds = TimeLeft(requests, sites_at_once, lambda: 0.0, lambda _name: traffic).seconds()
    if seconds >= LONG:
        count = sum(requests.values())
        count = round(count, _DIGITS - len(str(count)))
        limit = f"at most {traffic.rate.requests} in {traffic.rate.seconds:g} s to a site"
        console.note(f"applying it takes about {rounded(seconds)}: about {count:,} requests, {limit}")


def rounded(seconds: float) -> str:
    """A time for people: in seconds, from two minutes on in minutes."""
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes} min"  # noqa: PLR2004
