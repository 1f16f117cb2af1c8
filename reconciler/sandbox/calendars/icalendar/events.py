"""Reads one event (RFC 5545, 3.6.1): when, how often, and whether it keeps its owner busy."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.properties import (
    parse_duration,
    parse_property,
    parse_stamp,
    parse_times,
    unescape,
)
from reconciler.sandbox.calendars.icalendar.rules import RuleError, parse_rule
from reconciler.sandbox.calendars.icalendar.times import DAY, Length, Time, exact_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.sandbox.calendars.icalendar.calendar_zones import CalendarZones
    from reconciler.sandbox.calendars.icalendar.properties import Property
    from reconciler.sandbox.calendars.icalendar.rules import RecurrenceRule

EXPORT_MARK = "X-EXTCAL-EXPORT"
"""The property of an event that a sandbox exported."""

MAX_DATES = 10_000
"""How many dates the RDATE and EXDATE lines of one event may list."""

_TEXTS = frozenset(
    {"UID", "SUMMARY", "STATUS", "TRANSP", "SEQUENCE", "DURATION", "X-MICROSOFT-CDO-BUSYSTATUS", EXPORT_MARK}
)
_TIMES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"})
_RULES = frozenset({"RRULE", "EXRULE"})
_READ = re.compile(
    rb"\s*(%s)\s*[;:]" % b"|".join(name.encode() for name in (*_TEXTS, *_TIMES, *_RULES, "ATTENDEE")), re.IGNORECASE
)
_MIDNIGHT = datetime.min.time()
_MAX_SEQUENCE_DIGITS = 9
_CALLED_OFF = frozenset({"CANCELLED", "CANCELED"})
"""The STATUS of what doesn't take place (RFC 5545, 3.8.1.11), and how some programs spell it."""


class UnusableError(Exception):
    """An event that can't be imported; the message says why."""


@dataclass(frozen=True, slots=True)
class Addition:
    """An RDATE; `length` where it is a period with one of its own."""

    time: Time
    length: Length | None = None


@dataclass(slots=True)
class Event:
    """A VEVENT.

    `identity` tells apart what shares a UID: None for the event itself, the time that one replaces.

    `end` is when the first instance ends, in seconds since the epoch; `onward` changes all instances from there on.
    `faults` say what of it could not be read, though it is imported.
    """

    uid: str
    title: str
    mark: str
    sequence: int
    place: int
    busy: bool
    start: Time
    length: Length
    end: int
    rules: tuple[RecurrenceRule, ...] = ()
    additions: tuple[Addition, ...] = ()
    exceptions: tuple[Time, ...] = ()
    identity: Time | None = None
    onward: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def timing(self) -> tuple[object, ...]:
        """What two events have in common that happen at the same times."""
        return (self.start.seconds, self.start.is_day, self.length, self.rules, self.additions, self.exceptions)

    @property
    def recurs(self) -> bool:
        """Whether there may be more than one instance."""
        return bool(self.rules or self.additions)


@dataclass(slots=True)
class _Lines:
    """The properties of an event that matter.

    Those that stand once by name, the others in lists.
    """

    texts: dict[str, str] = field(default_factory=dict)
    times: dict[str, list[Property]] = field(default_factory=dict)
    rules: list[Property] = field(default_factory=list)
    attendees: list[Property] = field(default_factory=list)

    @classmethod
    def of(cls, lines: Iterable[bytes], *, attendees: bool) -> _Lines:
        found = cls()
        for line in lines:
            read = _READ.match(line)
            if read is None:
                continue
            name = read[1].decode().upper()
            if name in _TEXTS:
                found.texts.setdefault(name, parse_property(line).value)
            elif name in _TIMES:
                stated = found.times.setdefault(name, [])
                if len(stated) == MAX_DATES:
                    raise UnusableError(f"it has more than {MAX_DATES} lines {name}")
                stated.append(parse_times(line))
            elif name in _RULES:
                found.rules.append(parse_property(line))
            elif attendees:
                found.attendees.append(parse_property(line))
        return found

    def once(self, name: str) -> Property | None:
        """The property that may stand once; raises `UnusableError` where it says two things."""
        every = self.times.get(name, [])
        if any(each != every[0] for each in every):
            raise UnusableError(f"it has more than one {name}")
        return every[0] if every else None


def read_event(lines: Iterable[bytes], place: int, zones: CalendarZones, owner: str) -> Event:
    """The event on these lines, which stand at byte `place`.

    Raises `UnusableError` and `ZoneError`.

    `owner` is the address of the account, in lower case: what its owner has declined keeps nobody busy.
    """
    found = _Lines.of(lines, attendees=bool(owner))
    busy = _is_busy(found, owner)
    identity = found.once("RECURRENCE-ID")
    # What calls an instance off needn't say when it would have been (RFC 5546, 3.2.5).
    stated = found.once("DTSTART") or (None if busy else identity)
    if stated is None:
        raise UnusableError("it has no DTSTART")
    start = _time(stated, zones)
    length = _length(found, start, zones)
    event = Event(
        uid=unescape(found.texts.get("UID", "")),
        title=unescape(found.texts.get("SUMMARY", "")),
        mark=unescape(found.texts.get(EXPORT_MARK, "")),
        sequence=_sequence(found.texts.get("SEQUENCE", "")),
        place=place,
        busy=busy,
        start=start,
        length=length,
        end=length.end(start.wall_clock, start.zone, start.seconds),
        identity=None if identity is None else _matching(_time(identity, zones), start, zones),
    )
    if identity is not None:
        reach = identity.parameters.get("RANGE", "").upper()
        event.onward = reach == "THISANDFUTURE"
        if reach not in {"", "THISANDFUTURE"}:
            event.faults.append(f"its RANGE {reach[:40]!r} is not supported; it changes one instance")
    event.rules = tuple(_rules(found, start, zones, event.faults))
    event.additions = tuple(_additions(found, start, zones, event.faults))
    excepted = (_listed_time(text, each, zones, event.faults) for text, each in _listed(found, "EXDATE"))
    event.exceptions = tuple(_matching(time, start, zones) for time in excepted if time is not None)
    return event


def _time(stated: Property, zones: CalendarZones) -> Time:
    """The time that a property states once; raises `UnusableError`."""
    try:
        return _stamped(stated.value, stated, zones)
    except ValueError as error:
        raise UnusableError(f"its {stated.name} can't be read ({error})") from error


def _stamped(value: str, stated: Property, zones: CalendarZones) -> Time:
    stamp = parse_stamp(value)
    if stamp.is_day:
        return Time.on(stamp.wall_clock)
    if stamp.is_utc:
        return Time.at(stamp.wall_clock, zones.utc)
    name = stated.parameters.get("TZID", "")
    return Time.at(stamp.wall_clock, zones.named(name) if name else zones.default, floating=not name)


def _length(found: _Lines, start: Time, zones: CalendarZones) -> Length:
    stated = found.once("DTEND")
    if stated is not None:
        end = _time(stated, zones)
        length = exact_length(start, end.beside(start))
        if length is None:
            raise UnusableError("its DTEND is before its DTSTART")
        return length
    if "DURATION" not in found.texts:
        return Length(0, DAY if start.is_day else 0)
    try:
        duration = parse_duration(found.texts["DURATION"])
    except ValueError as error:
        raise UnusableError(f"its DURATION can't be read ({error})") from error
    if start.is_day:
        return Length(0, max(1, duration.days + math.ceil(duration.seconds / DAY)) * DAY)
    return Length(duration.days, duration.seconds)


def _rules(found: _Lines, start: Time, zones: CalendarZones, faults: list[str]) -> Iterator[RecurrenceRule]:
    def wall_clock(moment: datetime) -> datetime:
        zone = zones.of_days if start.is_day else start.zone
        return zone.wall_clock(round(moment.timestamp()))

    for stated in found.rules:
        if not stated.value:
            continue
        if stated.name == "EXRULE":
            faults.append("its EXRULE is not supported; what it excludes is imported")
            continue
        try:
            yield parse_rule(stated.value, all_day=start.is_day, wall_clock=wall_clock)
        except RuleError as error:
            raise UnusableError(str(error)) from error


def _additions(found: _Lines, start: Time, zones: CalendarZones, faults: list[str]) -> Iterator[Addition]:
    for text, stated in _listed(found, "RDATE"):
        begins, _, ends = text.partition("/")
        time = _listed_time(begins, stated, zones, faults)
        if time is None:
            continue
        time = time.beside(start)
        if time.is_day and not start.is_day:
            midnight = time.wall_clock
            time = Time.at(datetime.combine(midnight, start.wall_clock.time()), start.zone)
        elif start.is_day and not time.is_day:
            time = _matching(time, start, zones)
        try:
            yield Addition(time, _period_length(time, ends, stated, zones) if ends else None)
        except ValueError as error:
            faults.append(f"its {stated.name} {text[:60]!r} can't be read ({error}); it is left out")


def _period_length(start: Time, ends: str, stated: Property, zones: CalendarZones) -> Length:
    if ends.strip()[:1].upper() in {"P", "+", "-"}:
        duration = parse_duration(ends)
        return Length(duration.days, duration.seconds)
    length = exact_length(start, _stamped(ends, stated, zones))
    if length is None:
        raise ValueError("it ends before it starts")
    return length


def _matching(time: Time, start: Time, zones: CalendarZones) -> Time:
    """The time of an instance.

    Of an all-day event it is a day, also where its midnight is written in UTC.
    """
    if time.is_day or not start.is_day:
        return time
    clock = time.wall_clock
    if time.zone is zones.utc and clock.time() != _MIDNIGHT:
        clock = zones.of_days.wall_clock(time.seconds)
    return Time.on(datetime.combine(clock, _MIDNIGHT))


def _listed(found: _Lines, name: str) -> list[tuple[str, Property]]:
    """The values that properties of a name list.

    Raises `UnusableError` where they are too many.
    """
    every = found.times.get(name, ())
    if sum(stated.value.count(",") + 1 for stated in every) > MAX_DATES:
        raise UnusableError(f"it lists more than {MAX_DATES} dates")
    return [(text, stated) for stated in every for text in stated.value.split(",") if text.strip()]


def _listed_time(text: str, stated: Property, zones: CalendarZones, faults: list[str]) -> Time | None:
    try:
        return _stamped(text, stated, zones)
    except ValueError as error:
        faults.append(f"its {stated.name} {text[:60]!r} can't be read ({error}); it is left out")
        return None


def _is_busy(found: _Lines, owner: str) -> bool:
    texts = found.texts
    if texts.get("STATUS", "").upper() in _CALLED_OFF or texts.get("TRANSP", "").upper() == "TRANSPARENT":
        return False
    if texts.get("X-MICROSOFT-CDO-BUSYSTATUS", "").upper() == "FREE":
        return False
    return not any(
        each.parameters.get("PARTSTAT", "").upper() == "DECLINED" and owner in _addresses(each)
        for each in found.attendees
    )


def _addresses(attendee: Property) -> set[str]:
    """The addresses of an attendee: its own, and its EMAIL parameter (RFC 7986, 6.2)."""
    address = attendee.value.lower().strip()
    return {address.removeprefix("mailto:").strip(), attendee.parameters.get("EMAIL", "").lower()}


def _sequence(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_SEQUENCE_DIGITS else -1
