"""Turns a wall clock into a moment and back, in the time zones that have a known name."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from reconciler.sandbox.calendars.icalendar.zone_names import MAX_NAME, meant

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- wall clocks have no zone of their own
FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 -- likewise
"""The first and the last wall clock there is; what would lie before or after them is taken as they are."""

_NO_OFFSET = timedelta()


class ZoneError(Exception):
    """A time zone that can't be reckoned; the message says why."""


class Zone(Protocol):
    """A time zone. Wall clocks are naive; moments are seconds since the epoch."""

    name: str

    def moment(self, wall_clock: datetime) -> tuple[int, int]:
        """The moment of a wall-clock time, and how many seconds the gap has that it lies in, or 0.

        A time in a gap counts by the offset before it, and one that comes twice the first time (RFC 5545, 3.3.5).
        """

    def wall_clock(self, seconds: int) -> datetime:
        """What the clocks show at a moment."""


def seconds_of(wall_clock: datetime) -> int:
    """The seconds since the epoch of a clock that shows UTC."""
    since = wall_clock - EPOCH
    return since.days * 86400 + since.seconds


def clock_of(seconds: int) -> datetime:
    """What a clock that shows UTC shows, within the years that there are."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return FIRST if seconds < 0 else LAST


class FixedZone:
    """A zone that has one offset, in seconds, for ever."""

    def __init__(self, name: str, offset: int) -> None:
        self.name = name
        self._offset = offset

    def moment(self, wall_clock: datetime) -> tuple[int, int]:
        """The moment of a wall-clock time; there are no gaps."""
        return seconds_of(wall_clock) - self._offset, 0

    def wall_clock(self, seconds: int) -> datetime:
        """What the clocks show at a moment."""
        return clock_of(seconds + self._offset)


class IanaZone:
    """A zone of the IANA database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._data = ZoneInfo(name)

    def moment(self, wall_clock: datetime) -> tuple[int, int]:
        """The moment of a wall-clock time.

        It lies in a gap where the offset after the change is the greater one.
        """
        first = self._data.utcoffset(wall_clock.replace(fold=0) if wall_clock.fold else wall_clock) or _NO_OFFSET
        again = self._data.utcoffset(wall_clock.replace(fold=1)) or _NO_OFFSET
        since = wall_clock - EPOCH - first
        gap = 0 if again is first else max(0, int((again - first).total_seconds()))
        return since.days * 86400 + since.seconds, gap

    def wall_clock(self, seconds: int) -> datetime:
        """What the clocks show at a moment."""
        try:
            return datetime.fromtimestamp(seconds, self._data).replace(tzinfo=None, fold=0)
        except (ValueError, OverflowError, OSError):
            return FIRST if seconds < 0 else LAST


UTC: Zone = FixedZone("UTC", 0)


def known_zone(name: str) -> Zone | None:
    """The zone that somebody means by a name, or None."""
    return _known(name) if len(name) <= MAX_NAME else None


@lru_cache(maxsize=1024)
def _known(name: str) -> Zone | None:
    found = meant(name)
    if isinstance(found, int):
        return FixedZone(name, found) if found else UTC
    return None if found is None else _iana(found)


@lru_cache(maxsize=1024)
def _iana(name: str) -> Zone:
    return IanaZone(name)
