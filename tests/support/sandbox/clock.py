"""The sandbox's clock in tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""The moment at which each test begins, a Monday."""


@dataclass(slots=True)
class Clock:
    """A clock that stands still until a test moves it; `now` is in seconds since the epoch."""

    now: float = NOON.timestamp()

    def __call__(self) -> float:
        """The time."""
        return self.now
