"""Reads the observances of a VTIMEZONE (RFC 5545, 3.6.5): its standard and daylight times.

Many are written sloppily: offsets as `+1:00`, a DTSTART with a `Z`, no TZOFFSETFROM. What has one clear meaning is
read; a zone of which any observance has none can't be read at all, since half a zone is another zone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.rules import (
    RecurrenceRule,
    RuleError,
    Steps,
    TooManyStepsError,
    parse_rule,
    starts,
)
from reconciler.sandbox.calendars.icalendar.zones import LAST, ZoneError
from reconciler.sandbox.calendars.ics_lines import cut, line_name, line_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.calendars.ics_lines import IcsComponent

MAX_BYTES = 512 * 1024
"""How long a VTIMEZONE may be."""

MAX_OBSERVANCES = 1000
"""How many observances a VTIMEZONE may have; those that list each change of a century have 200."""

MAX_RULES = 200
"""How many RRULEs a VTIMEZONE may have."""

MAX_DATES = 10_000
"""How many dates the RDATEs of a VTIMEZONE may list."""

_READ = frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RDATE", "RRULE"})
_MAX_STEPS = 20_000
_MAX_SHOWN = 40
_OFFSET = re.compile(r"([+-]?)(\d{1,2}):?(\d{2})?:?(\d{2})?", re.ASCII)
_TIME = re.compile(r"(\d{8})(?:T(\d{4})(\d{2})?)?Z?", re.ASCII)
_ENDS = re.compile(rb"^(BEGIN|END):VTIMEZONE(?=[ \t]*\r?$)", re.IGNORECASE | re.MULTILINE)
_CYCLE = timedelta(days=146_097)
"""The 400 years after which the calendar repeats, weekdays included."""

_CENTURY = timedelta(days=36_525)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Observance:
    """A standard or a daylight time; its onsets are on a clock with the offset before.

    `before` and `after` are TZOFFSETFROM and TZOFFSETTO in seconds; `dates` are the onsets that are listed, and
    `rules` those that recur, each from its own first onset on.
    """

    standard: bool
    start: datetime
    before: int
    after: int
    dates: tuple[datetime, ...]
    rules: tuple[tuple[datetime, RecurrenceRule], ...]


@dataclass(frozen=True, slots=True)
class _Written:
    """An observance as it stands there; None is what is missing."""

    standard: bool
    start: datetime | None
    before: int | None
    after: int
    dates: tuple[str, ...]
    rules: tuple[str, ...]


def read_observances(component: bytes) -> list[Observance]:
    """The observances of a VTIMEZONE, from its BEGIN line to its END line; raises `ZoneError`."""
    if len(component) > MAX_BYTES:
        raise ZoneError(f"it is longer than {MAX_BYTES} bytes")
    # As a calendar of its own, its observances are components that can be cut out.
    stream = cut(_ENDS.sub(rb"\1:VCALENDAR", component))
    written = [
        _written(each)
        for calendar in stream.calendars
        for each in calendar.components
        if each.kind in {"STANDARD", "DAYLIGHT"}
    ]
    if sum(line_name(line) == "TZID" for calendar in stream.calendars for line in calendar.lines) > 1:
        raise ZoneError("it has more than one TZID")
    if not written:
        raise ZoneError("it has neither STANDARD nor DAYLIGHT")
    _check_size(written)
    steps = Steps(_MAX_STEPS)
    try:
        return [_observance(each, written, steps) for each in written]
    except RuleError as error:
        raise ZoneError(str(error)) from error
    except TooManyStepsError as error:
        raise ZoneError("its RRULEs take too many steps") from error


def _check_size(written: list[_Written]) -> None:
    for count, limit, what in (
        (len(written), MAX_OBSERVANCES, "observances"),
        (sum(len(each.rules) for each in written), MAX_RULES, "RRULEs"),
        (sum(len(each.dates) for each in written), MAX_DATES, "dates"),
    ):
        if count > limit:
            raise ZoneError(f"it has more than {limit} {what}")


def _written(component: IcsComponent) -> _Written:
    values: defaultdict[str, list[str]] = defaultdict(list)
    for line in component.lines:
        name = line_name(line)
        if name in _READ:
            values[name].append(_text(line_value(line)))
    if "TZOFFSETTO" not in values:
        raise ZoneError("an observance has no TZOFFSETTO")
    return _Written(
        standard=component.kind == "STANDARD",
        start=_time(values["DTSTART"][0]) if "DTSTART" in values else None,
        before=_offset(values["TZOFFSETFROM"][0]) if "TZOFFSETFROM" in values else None,
        after=_offset(values["TZOFFSETTO"][0]),
        dates=tuple(date.strip() for value in values["RDATE"] for date in value.split(",")),
        rules=tuple(filter(None, values["RRULE"])),
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip().upper()


def _offset(text: str) -> int:
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise ZoneError(f"{text[:_MAX_SHOWN]!r} is not an offset")
    hours, minutes, seconds = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    if hours >= 24 or minutes >= 60 or seconds >= 60:  # noqa: PLR2004 -- of a day, an hour and a minute
        raise ZoneError(f"{text[:_MAX_SHOWN]!r} is not an offset within a day")
    total = hours * 3600 + minutes * 60 + seconds
    return -total if found[1] == "-" else total


def _time(text: str, day_time: str = "000000") -> datetime:
    """A time as it is written: it must be a local one, so that a `Z` says nothing."""
    found = _TIME.fullmatch(text)
    if found is not None:
        time = found[2] + (found[3] or "00") if found[2] else day_time
        try:
            return datetime.strptime(found[1] + time, "%Y%m%d%H%M%S")  # noqa: DTZ007 -- a wall clock
        except ValueError:
            pass
    raise ZoneError(f"{text[:_MAX_SHOWN]!r} is not a time")


def _observance(written: _Written, others: list[_Written], steps: Steps) -> Observance:
    if written.start is None and (len(others) > 1 or written.rules):
        raise ZoneError("an observance has no DTSTART")
    start = datetime.min if written.start is None else written.start  # noqa: DTZ901 -- a wall clock
    before = _before(written, others, start)
    rules = [rule for rule in (_rule(text, before) for text in written.rules) if start <= (rule.until or start)]
    dates = {_time(date.partition("/")[0], f"{start:%H%M%S}") for date in written.dates if date}
    return Observance(
        standard=written.standard,
        start=start,
        before=before,
        after=written.after,
        dates=tuple(sorted(dates if rules else dates | {start})),
        rules=tuple((_first(rule, start, steps), rule) for rule in rules),
    )


def _before(written: _Written, others: list[_Written], start: datetime) -> int:
    """The offset before; where it is missing, that of the other kind of time, or its own."""
    if written.before is not None:
        return written.before
    other = [each for each in others if each.standard != written.standard and each.start is not None]
    return min(other, key=lambda each: abs((each.start or start) - start), default=written).after


def _rule(text: str, before: int) -> RecurrenceRule:
    rule = parse_rule(text, all_day=False, wall_clock=_shifted(before))
    if rule.frequency > rule.frequency.DAILY or max(map(len, (rule.hours, rule.minutes, rule.seconds))) > 1:
        raise ZoneError("its RRULE recurs more than once a day")
    return rule


def _shifted(offset: int) -> Callable[[datetime], datetime]:
    return lambda utc: utc.replace(tzinfo=None) + timedelta(seconds=offset)


def _first(rule: RecurrenceRule, start: datetime, steps: Steps) -> datetime:
    """The first onset of a rule.

    A DTSTART that its own rule doesn't hit says only when the rule begins: else both kinds of time would begin on the
    `20250101T000000` that some programs write for both. Zones of ical.js and dateutil are read so, too.
    """
    if rule.count is not None or start > LAST - _CYCLE - _SECOND:
        return start
    pattern = replace(rule, interval=1, until=None)
    if any(starts(pattern, start, start + _CYCLE, start + _CYCLE + _SECOND, steps)):
        return start
    first = next(iter(starts(rule, start, start + _SECOND, start + _CENTURY, steps)), None)
    if first is None and rule.until is None:
        raise ZoneError("its RRULE never recurs")
    return first or start
