"""Parses the text of an RRULE (RFC 5545, 3.3.10) into a `RecurrenceRule`.

Case, blanks, a `;` or `,` too many, X-parts and a part that is stated twice alike don't matter. What has a clear
meaning is taken, although the RFC forbids it: COUNT beside UNTIL (both limit); BYWEEKNO, BYYEARDAY and BYMONTHDAY
beside any FREQ (they limit); an ordinal of a BYDAY in a week or less, or beside BYWEEKNO (each such weekday counts, as
where dateutil reads `FREQ=WEEKLY;BYDAY=1MO`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_RULE = 4000
"""How many characters a rule may have: more than any that lists each day of a year, fewer than `int` refuses."""

_WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_POSITIVE = re.compile(r"\+?0*[1-9][0-9]*")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,9})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_RANGES = {
    "BYSECOND": (0, 60),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_ONLY_VALUE = {"RSCALE": "GREGORIAN", "SKIP": "OMIT"}
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"} | _RANGES.keys() | _ONLY_VALUE.keys()
_MAX_ORDINAL = 53
_MAX_SHOWN = 40


class RuleError(Exception):
    """A rule that can't be read; the message says what is wrong with it."""


class RecurrenceFrequency(IntEnum):
    """The FREQ of a rule, the longest first."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """An RRULE as it is written; a part that is not there is empty or None.

    `until` is inclusive and in the wall-clock time of the series. Weekdays count from 0, a Monday; one of `weekdays` is
    a weekday and its ordinal, 0 where each counts.
    """

    frequency: RecurrenceFrequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0
    weekdays: frozenset[tuple[int, int]] = frozenset()
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    week_numbers: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    minutes: frozenset[int] = frozenset()
    seconds: frozenset[int] = frozenset()
    positions: frozenset[int] = frozenset()


def parse_rule(value: str, *, all_day: bool, wall_clock: Callable[[datetime], datetime]) -> RecurrenceRule:
    """Read what stands after `RRULE:`; raises `RuleError` for what has no clear meaning.

    `wall_clock` turns a time in UTC into the wall-clock time of the series.
    """
    parts = _parts(value)
    if all_day:  # such parts must be ignored
        parts = {name: text for name, text in parts.items() if name not in _TIMES}
    frequency = _frequency(parts, all_day=all_day)
    numbers = {name: _numbers(name, parts[name]) if name in parts else frozenset[int]() for name in _RANGES}
    weekdays = _weekdays(parts["BYDAY"]) if "BYDAY" in parts else frozenset[tuple[int, int]]()
    if frequency > RecurrenceFrequency.MONTHLY or numbers["BYWEEKNO"]:
        weekdays = frozenset((weekday, 0) for weekday, _ in weekdays)
    chosen_from = {"BYDAY", *_RANGES} - {"BYSETPOS"}
    if numbers["BYSETPOS"] and not numbers["BYSETPOS"] & {1, -1} and not parts.keys() & chosen_from:
        raise RuleError("the BYSETPOS of its RRULE has no set to choose from")
    if parts.get("WKST", "MO") not in _WEEKDAYS:
        raise RuleError("the WKST of its RRULE is not a weekday")
    return RecurrenceRule(
        frequency=frequency,
        interval=_positive("INTERVAL", parts["INTERVAL"]) if "INTERVAL" in parts else 1,
        # Some programs write -1 for no COUNT.
        count=_positive("COUNT", parts["COUNT"]) if parts.get("COUNT", "-1") != "-1" else None,
        until=_until(parts["UNTIL"], all_day=all_day, wall_clock=wall_clock) if "UNTIL" in parts else None,
        week_start=_WEEKDAYS[parts.get("WKST", "MO")],
        weekdays=weekdays,
        months=numbers["BYMONTH"],
        month_days=numbers["BYMONTHDAY"],
        year_days=numbers["BYYEARDAY"],
        week_numbers=numbers["BYWEEKNO"],
        hours=numbers["BYHOUR"],
        minutes=numbers["BYMINUTE"],
        # Who knows no leap seconds takes second 60 as 59 (3.3.12).
        seconds=frozenset(min(second, 59) for second in numbers["BYSECOND"]),
        positions=numbers["BYSETPOS"],
    )


def _parts(value: str) -> dict[str, str]:
    """The parts of a rule by their names."""
    if len(value) > MAX_RULE:
        raise RuleError(f"its RRULE is longer than {MAX_RULE} characters")
    parts: dict[str, str] = {}
    for part in "".join(value.split()).upper().split(";"):
        name, equals, text = part.partition("=")
        if not part or name.startswith("X-"):
            continue
        if not equals:
            raise RuleError(f"its RRULE has a part without a value, {name[:_MAX_SHOWN]!r}")
        if name not in _KNOWN:
            raise RuleError(f"its RRULE has an unknown part, {name[:_MAX_SHOWN]!r}")
        if parts.setdefault(name, text) != text:
            raise RuleError(f"its RRULE has more than one {name}")
    for name, known in _ONLY_VALUE.items():
        if parts.get(name, known) != known:
            raise RuleError(f"the {name} of its RRULE is not {known}")
    return parts


def _frequency(parts: dict[str, str], *, all_day: bool) -> RecurrenceFrequency:
    if "FREQ" not in parts:
        raise RuleError("its RRULE has no FREQ")
    if parts["FREQ"] not in RecurrenceFrequency.__members__:
        raise RuleError(f"the FREQ of its RRULE is unknown, {parts['FREQ'][:_MAX_SHOWN]!r}")
    frequency = RecurrenceFrequency[parts["FREQ"]]
    if all_day and frequency > RecurrenceFrequency.DAILY:
        raise RuleError(f"the FREQ of its RRULE is {frequency.name}, but it is an all-day event")
    return frequency


def _positive(name: str, text: str) -> int:
    if _POSITIVE.fullmatch(text) is None:
        raise RuleError(f"the {name} of its RRULE is not a positive number")
    return int(text)


def _items(name: str, text: str) -> list[str]:
    items = [item for item in text.split(",") if item]
    if not items:
        raise RuleError(f"the {name} of its RRULE is empty")
    return items


def _numbers(name: str, text: str) -> frozenset[int]:
    low, high = _RANGES[name]
    found = set()
    for item in _items(name, text):
        number = int(item) if _NUMBER.fullmatch(item) else None
        if number is None or not low <= number <= high or (number == 0 and low < 0):
            raise RuleError(f"the {name} of its RRULE can't be {item[:_MAX_SHOWN]!r}")
        found.add(number)
    return frozenset(found)


def _weekdays(text: str) -> frozenset[tuple[int, int]]:
    found = set()
    for item in _items("BYDAY", text):
        match = _WEEKDAY.fullmatch(item)
        ordinal = int(match[1] or 0) if match else 0
        if match is None or (match[1] and ordinal == 0) or abs(ordinal) > _MAX_ORDINAL:
            raise RuleError(f"the BYDAY of its RRULE can't be {item[:_MAX_SHOWN]!r}")
        found.add((_WEEKDAYS[match[2]], ordinal))
    return frozenset(found)


def _until(text: str, *, all_day: bool, wall_clock: Callable[[datetime], datetime]) -> datetime:
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise RuleError("the UNTIL of its RRULE is not a time")
    day, time, utc = match.groups()
    if all_day and utc and time != "000000":  # some write the day's midnight, or its end, in UTC
        return _until(
            f"{_until(text, all_day=False, wall_clock=wall_clock):%Y%m%d}", all_day=True, wall_clock=wall_clock
        )
    if time is None or all_day:
        time, utc = "235959", ""
    try:
        until = datetime.strptime(day + time[:4] + ("59" if time[4:] == "60" else time[4:]), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise RuleError("the UNTIL of its RRULE is not a time") from error
    if not utc:
        return until
    try:
        return wall_clock(until.replace(tzinfo=UTC))
    except (OverflowError, ValueError):  # some write `99991231T235959Z` for no end
        return until
