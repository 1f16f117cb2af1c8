"""Defines the range of time that is asked about, and the instances that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.icalendar.events import Event


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` to `end`, in seconds since the epoch: what overlaps it or begins in it.

    `all_day` events only, the others only, or both (None).
    """

    start: float
    end: float
    all_day: bool | None = None

    def holds(self, start: int, end: int) -> bool:
        """Whether an event from `start` to `end` has to do with it."""
        return start < self.end and (end > self.start or start >= self.start)

    def wants(self, event: Event) -> bool:
        """Whether instances of `event` are asked for, and keep somebody busy."""
        return event.busy and self.all_day in {None, event.start.is_day}


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """An event, or one instance of a recurring one.

    `start` and `end` (exclusive) are in seconds since the epoch.

    `key` tells apart what starts at the same moment in one calendar. `mark` is what a sandbox that exported the event
    says of itself in it, or empty.
    """

    start: int
    key: str
    end: int
    all_day: bool
    title: str
    uid: str
    mark: str
