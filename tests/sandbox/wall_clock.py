"""Starts of series in wall-clock time, as the tests of recurrence rules ask for them."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from reconciler.sandbox.calendars.icalendar.rules import Steps, parse_rule, starts

BEGIN = datetime.fromisoformat("00010101")
END = datetime.fromisoformat("99991231T235959.999999")
ENOUGH = 1_000_000
"""More steps than any series of the tests takes."""


def in_new_york(when: datetime) -> datetime:
    """The wall-clock time of the RFC's examples."""
    return when.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)


def time(text: str) -> datetime:
    """A time as iCalendar writes it; a date is its midnight."""
    return datetime.fromisoformat(text)


def found(
    rule: str,
    first: str,
    number: int | None = None,
    *,
    after: datetime = BEGIN,
    before: datetime = END,
    all_day: bool = False,
    steps: int = ENOUGH,
) -> list[datetime]:
    """The starts of a series, at most so many."""
    read = parse_rule(rule, all_day=all_day, wall_clock=in_new_york)
    return list(islice(starts(read, time(first), after, before, Steps(steps)), number))
