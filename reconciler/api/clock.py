"""Time is handed in, so that limits and waits can be tested without waiting."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

OnWait = Callable[[float, str], None]
"""Told before each wait: how many seconds, and why."""


class Clock(Protocol):
    """What the client needs to know of time; all durations are seconds."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        ...

    def now(self) -> datetime:
        """The time of day, with its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass for this task."""
        await asyncio.sleep(seconds)


def nobody(seconds: float, why: str) -> None:
    """An `OnWait` that tells nobody."""
