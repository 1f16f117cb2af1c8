"""The events of a calendar by their UIDs: what the library is asked about, one by one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

import icalendar
from icalendar.timezone import tzp

from reconciler.sandbox.calendars.ics_lines import IcsCalendar, IcsComponent, cut
from reconciler.sandbox.calendars.importing.event_lines import UnusableError, Zones, event_text
from reconciler.sandbox.calendars.importing.time_limit import TooLongError, time_limit

_MAX_SHOWN = 200


@dataclass(slots=True)
class Series:
    """The events that share a UID: one with its recurrences, and the instances that were changed.

    `calendar` holds them and what of their calendar they are read by; `all_day` says whether any, and `timed` whether
    any is not, an all-day one; `single` that there is one event, which happens once.
    """

    uid: str
    calendar: icalendar.Calendar
    all_day: bool = False
    timed: bool = False
    single: bool = False

    def add(self, event: icalendar.Event, start: date) -> None:
        """Take one more event in."""
        self.single = not self.calendar.subcomponents and not event.keys() & {"RRULE", "RDATE", "RECURRENCE-ID"}
        self.calendar.add_component(event)
        self.timed |= isinstance(start, datetime)
        self.all_day |= not isinstance(start, datetime)


@dataclass(slots=True)
class Contents:
    """What could be read of a calendar, and what is wrong with it."""

    series: list[Series] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(content: bytes, zone: str, seconds: float) -> Contents:
    """The series of a stream; floating times are in `zone`. What takes longer than `seconds` in all is left out."""
    # The library keeps custom zones by name for ever; another file's zone of that name is another zone.
    tzp.use_default()
    stream = cut(content)
    contents = Contents(faults=list(stream.faults))
    zones = Zones(zone if tzp.timezone(zone) is not None else "UTC", tzp.timezone)
    try:
        with time_limit(seconds):
            for calendar in stream.calendars:
                _read_calendar(content, calendar, zones, contents)
    except TooLongError:
        contents.faults.append(f"reading it takes longer than {seconds:g} s; the events after that are left out")
    contents.faults += [
        f"the time zone {name[:_MAX_SHOWN]!r} is unknown; its times are taken as {zones.default}"
        for name in sorted(zones.unknown)
    ]
    return contents


def _read_calendar(content: bytes, calendar: IcsCalendar, zones: Zones, contents: Contents) -> None:
    scale = _stated(calendar, b"CALSCALE")
    if (scale or "GREGORIAN").upper() != "GREGORIAN":
        contents.faults.append("its CALSCALE is not GREGORIAN; all of it is left out")
        return
    common = icalendar.Calendar()
    name = _stated(calendar, b"X-WR-TIMEZONE")
    if name and zones.find(name) is not None:
        zones = replace(zones, default=name)
        common.add("X-WR-TIMEZONE", name)
    _learn_zones(content, calendar, zones, contents)
    by_uid: dict[str, Series] = {}
    for number, component in enumerate(calendar.components):
        if component.kind != "VEVENT":
            continue
        try:
            series = _read_event(number, component, common, zones, by_uid)
        except UnusableError as error:
            uid = (component.value("UID") or b"").decode("utf-8", "replace").strip()
            contents.faults.append(f"event {shown_uid(uid)} (byte {component.start}) is left out: {error}")
        else:
            if series is not None:
                contents.series.append(series)


def _read_event(
    number: int, component: IcsComponent, common: icalendar.Calendar, zones: Zones, by_uid: dict[str, Series]
) -> Series | None:
    """Read one event; answers its series where it is the first of it."""
    text = event_text(component.lines, zones)
    try:
        event = icalendar.Event.from_ical(text.timing)
    except Exception as error:  # the library raises what it happens upon
        raise UnusableError(str(error)[:_MAX_SHOWN]) from error
    if event.errors:
        name, description = event.errors[0]
        raise UnusableError(f"its {name or 'text'} can't be read ({description[:_MAX_SHOWN]})")
    start = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(start, date) or not isinstance(event, icalendar.Event):
        raise UnusableError("its DTSTART is not one date or time")
    uid = text.texts.get("UID", "")
    key = uid or f"\0{number}"
    # As they are: parsing them would cost more than all the rest.
    event.update(text.texts | {"UID": key})
    event["SEQUENCE"] = _whole_number(text.texts.get("SEQUENCE", ""))
    known = by_uid.get(key)
    if known is not None:
        known.add(event, start)
        return None
    calendar = icalendar.Calendar()
    calendar.update(common)
    by_uid[key] = Series(uid, calendar)
    by_uid[key].add(event, start)
    return by_uid[key]


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004 -- RFC 5545, 3.3.8


def _learn_zones(content: bytes, calendar: IcsCalendar, zones: Zones, contents: Contents) -> None:
    """Let the library know a calendar's own VTIMEZONEs; it keeps the first of each id that it is shown."""
    own = {
        (each.value("TZID") or b"").decode("utf-8", "replace"): content[each.start : each.end]
        for each in calendar.components
        if each.kind == "VTIMEZONE"
    }
    if any(zones.learnt.get(name, text) != text for name, text in own.items()):
        tzp.use_default()
        zones.learnt.clear()
    for name, text in own.items():
        if name in zones.learnt:
            continue
        zones.learnt[name] = text
        try:
            icalendar.Timezone.from_ical(text)
        except Exception as error:  # noqa: BLE001 -- the library raises what it happens upon
            contents.faults.append(f"the VTIMEZONE {name[:_MAX_SHOWN]!r} can't be read ({str(error)[:_MAX_SHOWN]})")


def _stated(calendar: IcsCalendar, name: bytes) -> str | None:
    """The value of one of the calendar's own properties."""
    for line in calendar.lines:
        head, _, value = line.partition(b":")
        if head.strip().upper() == name:
            return value.strip().decode("utf-8", "replace")
    return None


def shown_uid(uid: str) -> str:
    """A UID as a message shows it."""
    return repr(uid[:_MAX_SHOWN]) if uid else "without UID"
