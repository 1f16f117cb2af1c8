"""Defines a time as a property states it, in its zone, and the length of an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.zones import FIRST, LAST, UTC

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.icalendar.zones import Zone

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Time:
    """`wall_clock` in `zone`, which is `seconds` since the epoch.

    A day is its midnight in UTC, as the API writes it.

    A `floating` time states no zone of its own (RFC 5545, 3.3.5).
    """

    wall_clock: datetime
    zone: Zone
    seconds: int
    is_day: bool = False
    floating: bool = False
    gap: int = 0

    @classmethod
    def at(cls, wall_clock: datetime, zone: Zone, *, floating: bool = False) -> Time:
        """The time that a clock in `zone` shows."""
        seconds, gap = zone.moment(wall_clock)
        return cls(wall_clock, zone, seconds, floating=floating, gap=gap)

    @classmethod
    def on(cls, midnight: datetime) -> Time:
        """A day."""
        return cls(midnight, UTC, UTC.moment(midnight)[0], is_day=True)

    def beside(self, other: Time) -> Time:
        """The time on the clock of `other`'s recurrences, if it floats; else itself."""
        return Time.at(self.wall_clock, other.zone) if self.floating and not other.is_day else self

    def day_beside(self, other: Time) -> date | None:
        """The day that this time hits as a whole among `other`'s recurrences.

        None where it hits a moment.
        """
        return self.wall_clock.date() if self.is_day or other.is_day else None


@dataclass(frozen=True, slots=True)
class Length:
    """How long an event is: nominal `days` and then exact `seconds` (RFC 5545, 3.8.5.3)."""

    days: int
    seconds: int

    @property
    def at_most(self) -> timedelta:
        """No instance is longer, whatever the clocks do."""
        return timedelta(days=self.days + (1 if self.days else 0), seconds=self.seconds)

    def end(self, wall_clock: datetime, zone: Zone, seconds: int) -> int:
        """When an instance ends that starts at `wall_clock`, which is `seconds` since the epoch."""
        if not self.days:
            return seconds + self.seconds
        return zone.moment(shifted(wall_clock, timedelta(days=self.days)))[0] + self.seconds


def exact_length(start: Time, end: Time) -> Length | None:
    """The length from `start` to `end`; None where it ends before it starts."""
    if start.is_day and not end.is_day:
        midnight = datetime(end.wall_clock.year, end.wall_clock.month, end.wall_clock.day)  # noqa: DTZ001 -- a wall clock
        days = Time.on(midnight if midnight == end.wall_clock else shifted(midnight, timedelta(days=1)))
        return exact_length(start, days)
    if end.is_day and not start.is_day:
        end = Time.at(end.wall_clock, start.zone)
    length = end.seconds - start.seconds
    if start.gap and length <= 0 and end.zone is start.zone:
        # The clock has not shown the start: what lies between the two on it is what was meant.
        length = round((end.wall_clock - start.wall_clock).total_seconds())
    if length < 0:
        return None
    return Length(0, DAY if start.is_day and not length else length)


def shifted(wall_clock: datetime, by: timedelta) -> datetime:
    """Another wall-clock time, within what can be reckoned with."""
    try:
        return wall_clock + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST
