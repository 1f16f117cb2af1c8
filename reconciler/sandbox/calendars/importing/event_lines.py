"""The lines of an event that say when it happens, made ready for the calendar library.

What the library would guess is settled here: floating times (RFC 5545, 3.3.5) get the schedule's time zone, so do times
of a zone that nobody knows, and an UNTIL in local time becomes one in UTC (3.3.10).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.ics_lines import line_name, line_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EXPORT_MARK = "X-EXTCAL-EXPORT"
"""The property of an event that a sandbox exported."""

MAX_DATES = 10_000
"""How many dates the RDATE and EXDATE lines of one event may list."""

MAX_TEXT = 1000
"""How many characters of a text are kept."""

_TIMES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"})
_TEXTS = frozenset({"UID", "SUMMARY", "STATUS", "TRANSP", "SEQUENCE", EXPORT_MARK})
_TZID = re.compile(r';TZID=("?)([^":;]*)\1(?=[:;])', re.IGNORECASE)
_LOCAL_UNTIL = re.compile(r"\bUNTIL=(\d{8}T\d{6})(?=;|\Z)", re.IGNORECASE)
_NO_INTERVAL = re.compile(r"\bINTERVAL=(?:-|\+?0*(?:;|\Z))", re.IGNORECASE)
_NO_COUNT = re.compile(r"\bCOUNT=(?:-|\+?0*(?:;|\Z))", re.IGNORECASE)
_PLAIN_ZONE = re.compile(r"[\w/+-]+")
_ESCAPED = re.compile(r"\\([nN,;\\])")


class UnusableError(Exception):
    """An event that can't be imported; the message says why."""


@dataclass(slots=True)
class Zones:
    """Time zones by their ids. `default` is the one for times that have none, or one that `find` doesn't know.

    `learnt` are the VTIMEZONEs that `find` knows from the stream itself, as they are written there.
    """

    default: str
    find: Callable[[str], tzinfo | None]
    unknown: set[str] = field(default_factory=set)
    learnt: dict[str, bytes] = field(default_factory=dict)

    def settled(self, zone_id: str) -> str:
        """The id itself where it is known, else the default; what is unknown is noted."""
        if self.find(zone_id) is not None:
            return zone_id
        self.unknown.add(zone_id)
        return self.default


@dataclass(frozen=True, slots=True)
class EventText:
    """`timing` is a VEVENT of the lines that say when; `texts` are the values of the others that matter, by name."""

    timing: bytes
    texts: dict[str, str]


def event_text(lines: Iterable[bytes], zones: Zones) -> EventText:
    """What matters of an event; raises `UnusableError` for what no library should be given."""
    texts: dict[str, str] = {}
    timing: list[str] = []
    rules: list[str] = []
    start: str | None = None
    dates = 0
    for line in lines:
        name = line_name(line)
        if name in _TEXTS:
            texts.setdefault(name, unescaped(line_value(line)))
        elif name in {"RDATE", "EXDATE"} and not line_value(line).strip():
            continue
        elif name in _TIMES:
            settled = _settled(line.decode("utf-8", "replace"), zones)
            dates += settled.count(",")
            start = settled if name == "DTSTART" else start
            timing.append(settled)
        elif name == "DURATION":
            timing.append(line.decode("utf-8", "replace"))
        elif name == "RRULE":
            rules.append(line.decode("utf-8", "replace"))
    if start is None:
        raise UnusableError("it has no DTSTART")
    if dates > MAX_DATES:
        raise UnusableError(f"it lists more than {MAX_DATES} dates")
    timing += [_checked_rule(rule, start, zones) for rule in rules]
    return EventText("\r\n".join(["BEGIN:VEVENT", *timing, "END:VEVENT", ""]).encode(), texts)


def unescaped(value: bytes) -> str:
    """A TEXT (RFC 5545, 3.3.11), cut at `MAX_TEXT` characters."""
    text = value[: 4 * MAX_TEXT].decode("utf-8", "replace").strip()[:MAX_TEXT]
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text) if "\\" in text else text


def _settled(text: str, zones: Zones) -> str:
    """A line of a time, or of several, with a zone that is known."""
    named = _TZID.search(text)
    if named is not None:
        zone = zones.settled(named[2].strip())
        return text if zone == named[2] else f"{text[: named.start()]};TZID={_quoted(zone)}{text[named.end() :]}"
    value = line_value(text.encode()).decode()
    times = value.upper().split(",")
    if any("T" in time for time in times) and not any(time.rstrip().endswith("Z") or "Z/" in time for time in times):
        return f"{text[: len(text) - len(value) - 1]};TZID={_quoted(zones.default)}:{value}"
    return text


def _quoted(zone: str) -> str:
    return zone if _PLAIN_ZONE.fullmatch(zone) else f'"{zone}"'


def _checked_rule(text: str, start: str, zones: Zones) -> str:
    if _NO_INTERVAL.search(text):
        raise UnusableError("the INTERVAL of its RRULE is not a positive number")
    if _NO_COUNT.search(text):
        raise UnusableError("the COUNT of its RRULE is not a positive number")
    until = _LOCAL_UNTIL.search(text)
    if until is None or "T" not in start.rpartition(":")[2].upper():
        return text
    named = _TZID.search(start)
    zone = None if named is None else zones.find(named[2])
    try:
        local = datetime.strptime(until[1].upper(), "%Y%m%dT%H%M%S").replace(tzinfo=zone or UTC)
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnusableError("the UNTIL of its RRULE is no time") from error
    # strftime leaves the zeros of early years out.
    return f"{text[: until.start(1)]}{instant.year:04d}{instant:%m%dT%H%M%SZ}{text[until.end(1) :]}"
