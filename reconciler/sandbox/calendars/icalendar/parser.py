"""Parses the bytes of a calendar into its series, and says what is wrong with it."""

from __future__ import annotations

import codecs
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.calendar_zones import CalendarZones
from reconciler.sandbox.calendars.icalendar.events import UnusableError, read_event
from reconciler.sandbox.calendars.icalendar.properties import parse_property
from reconciler.sandbox.calendars.icalendar.series import group, shown_uid
from reconciler.sandbox.calendars.icalendar.zones import UTC, ZoneError, known_zone
from reconciler.sandbox.calendars.ics_lines import cutting, line_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.calendars.icalendar.events import Event
    from reconciler.sandbox.calendars.icalendar.series import Series
    from reconciler.sandbox.calendars.icalendar.zones import Zone
    from reconciler.sandbox.calendars.ics_lines import IcsCalendar, IcsComponent


@dataclass(slots=True)
class ParsedCalendar:
    """What could be read of a calendar, and what is wrong with it."""

    series: list[Series] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class CalendarParser:
    """Reads a stream, and may leave off and go on; floating times are in `zone`.

    `owner` is the address of the account. `contents` are whole once `go_on` says so.
    """

    def __init__(self, content: bytes, zone: str, owner: str) -> None:
        self.contents = ParsedCalendar()
        self._events = self._read(content, known_zone(zone) or UTC, owner.lower())

    def go_on(self, over_at: float) -> bool:
        """Read until all of it is, or until it is `over_at` (monotonic).

        Answers whether all of it is.
        """
        return all(time.monotonic() <= over_at for _ in self._events)

    def _read(self, content: bytes, zone: Zone, owner: str) -> Iterator[None]:
        stream = yield from cutting(content := _in_utf_8(content))
        faults = self.contents.faults
        faults += stream.faults
        known: Counter[str] = Counter()
        for calendar in stream.calendars:
            if (_scale(calendar) or "GREGORIAN") != "GREGORIAN":
                faults.append("its CALSCALE is not GREGORIAN; all of it is left out")
                continue
            zones = CalendarZones.of(content, calendar, zone)
            yield
            events: list[Event] = []
            for component in calendar.components:
                if component.kind == "VEVENT":
                    events += _read_event(component, zones, owner, faults)
                    yield
            # The calendars of a stream have nothing to do with each other (RFC 5545, 3.4).
            for series in group(events, faults):
                series.number = known[series.uid]
                known[series.uid] += 1
                self.contents.series.append(series)
            faults += zones.faults


def _read_event(component: IcsComponent, zones: CalendarZones, owner: str, faults: list[str]) -> list[Event]:
    """The event, if it can be imported; what can't be read is added to `faults`."""
    try:
        event = read_event(component.lines, component.start, zones, owner)
    except (UnusableError, ZoneError) as error:
        uid = (component.value("UID") or b"").decode("utf-8", "replace").strip()
        faults.append(f"event {shown_uid(uid)} (byte {component.start}) is left out: {error}")
        return []
    faults += [f"event {shown_uid(event.uid)} (byte {event.place}): {fault}" for fault in event.faults]
    return [event]


def _in_utf_8(content: bytes) -> bytes:
    """The stream in UTF-8 with line feeds, also where it is UTF-16 or has old Mac line ends."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    return content if b"\n" in content else content.replace(b"\r", b"\n")


def _scale(calendar: IcsCalendar) -> str | None:
    stated = (parse_property(line) for line in calendar.lines if line_name(line) == "CALSCALE")
    return next((each.value.upper() for each in stated), None)
