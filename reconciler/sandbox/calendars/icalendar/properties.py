"""Parses properties and their values (RFC 5545, 3.1 to 3.3) as programs mean them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.sandbox.calendars.ics_text import unescaped

_NAME = re.compile(r"\s*([A-Za-z0-9-]+)\s*")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=((?:"[^"]*"|[^";:])*)')
_BARE_ZONE = re.compile(r""";TZID=['"]?(.{0,200}?)['"]?\s{0,9}:([0-9TZPWDHMS,/+-]+)\Z""", re.IGNORECASE)
"""Bounded, since a line may be as long as a file."""

_BEGINS_WITH_DAY = re.compile(r"\d{8}")

MAX_TEXT = 1000
"""How many characters of a text are kept."""

MAX_DAYS = 3_660_000
"""The most days of a duration: more than there are from year 1 to year 9999."""

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?", re.IGNORECASE)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?",
    re.IGNORECASE,
)
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Property:
    """`name` and the names of `parameters` are in upper case.

    Quotes around parameters are taken off.
    """

    name: str
    value: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_property(line: bytes) -> Property:
    """The property on an unfolded line; what can't be told apart is the value's."""
    text = line.decode("utf-8", "replace")
    head, _, value = text.partition(":")
    if ";" not in head:
        return Property(head.strip().upper(), value.strip())
    named = _NAME.match(text)
    if named is None:
        return Property("", text)
    parameters: dict[str, str] = {}
    place = named.end()
    while found := _PARAMETER.match(text, place):
        parameters.setdefault(found[1].upper(), found[2].replace('"', "").strip())
        place = found.end()
    return Property(named[1].upper(), text[place:].partition(":")[2].strip(), parameters)


def parse_times(line: bytes) -> Property:
    """The property on a line whose value are times, also where its TZID isn't quoted.

    `DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20260302T090000` has a colon and commas in its parameter.
    """
    found = parse_property(line)
    if not found.parameters or (found.parameters.get("TZID", "-") and _BEGINS_WITH_DAY.match(found.value)):
        return found
    text = line.decode("utf-8", "replace").rstrip()
    bare = _BARE_ZONE.match(text, text.upper().find(";TZID="))
    return found if bare is None else Property(found.name, bare[2], found.parameters | {"TZID": bare[1]})


def unescape(value: str) -> str:
    """A TEXT (RFC 5545, 3.3.11), cut at `MAX_TEXT` characters."""
    return unescaped(value[:MAX_TEXT])


@dataclass(frozen=True, slots=True)
class Stamp:
    """A day (`wall_clock` is its midnight), or a time in UTC or on the clock of some zone."""

    wall_clock: datetime
    is_day: bool = False
    is_utc: bool = False


@dataclass(frozen=True, slots=True)
class Duration:
    """`days` are nominal, as long as the clocks make them, `seconds` exact (RFC 5545, 3.3.6)."""

    days: int
    seconds: int


def parse_stamp(value: str) -> Stamp:
    """A day or a time, whichever its form shows; raises `ValueError`."""
    found = _TIME.fullmatch(value.strip())
    if found is None:
        raise ValueError(f"{value[:40]!r} is neither a day nor a time")
    day = datetime(int(found[1]), int(found[2]), int(found[3]))  # noqa: DTZ001 -- a wall clock's
    if found[4] is None:
        return Stamp(day, is_day=True)
    hour, minute, second = int(found[4]), int(found[5]), int(found[6] or 0)
    # A day may end at 24:00, and 60 is a leap second (3.3.12), which is counted as the second before.
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):  # noqa: PLR2004 -- as said
        raise ValueError(f"{value[:40]!r} is not a time of day")
    try:
        wall_clock = day + timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
    except OverflowError as error:
        raise ValueError(f"{value[:40]!r} is past the year 9999") from error
    return Stamp(wall_clock, is_utc=found[7] is not None)


def parse_duration(value: str) -> Duration:
    """A duration that is not negative; raises `ValueError`."""
    found = _DURATION.fullmatch(value.strip())
    if found is None or not any(found.groups()[1:]) or any(len(each or "") > _MAX_DIGITS for each in found.groups()):
        raise ValueError(f"{value[:40]!r} is not a duration")
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
    duration = Duration(7 * weeks + days, 3600 * hours + 60 * minutes + seconds)
    if duration.days > MAX_DAYS or duration.seconds > MAX_DAYS * 86_400:
        raise ValueError(f"{value[:40]!r} is longer than the calendar")
    if found[1] == "-" and duration != Duration(0, 0):
        raise ValueError(f"{value[:40]!r} is negative: the event ends before it starts")
    return duration
