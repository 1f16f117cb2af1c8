"""The time zones that the times of one calendar are in: its own, those that everybody knows, and the default one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.importing.own_zones import own_zone
from reconciler.sandbox.calendars.importing.properties import parse_property, unescape
from reconciler.sandbox.calendars.importing.zones import UTC, ZoneError, known_zone

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.ics_lines import IcsCalendar
    from reconciler.sandbox.calendars.importing.zones import Zone

_MAX_SHOWN = 200


@dataclass(slots=True)
class CalendarZones:
    """`own` are a calendar's VTIMEZONEs by id; `faults` say which can't be read, or are known to nobody.

    `of_days` is the zone of whoever wrote the calendar, as far as can be told: some write days as their midnight in
    UTC.
    """

    default: Zone
    own: dict[str, Zone] = field(default_factory=dict)
    faults: dict[str, None] = field(default_factory=dict)
    utc: Zone = UTC
    of_days: Zone = UTC

    @classmethod
    def of(cls, content: bytes, calendar: IcsCalendar, default: Zone) -> CalendarZones:
        """The zones of a calendar in the stream `content`; floating times are in `default`, or in X-WR-TIMEZONE."""
        zones = cls(default)
        for component in calendar.components:
            if component.kind != "VTIMEZONE":
                continue
            stated = (component.value("TZID") or b"").decode("utf-8", "replace").strip()
            try:
                zone = own_zone(stated, content[component.start : component.end])
            except ZoneError as error:
                zones._note(f"the VTIMEZONE {stated[:_MAX_SHOWN]!r} can't be read ({str(error)[:_MAX_SHOWN]})")
                continue
            for name in (stated, unescape(stated)):
                zones.own.setdefault(name.strip('"'), zone)
        for line in calendar.lines:
            found = parse_property(line)
            if found.name == "X-WR-TIMEZONE" and found.value:
                name = unescape(found.value)
                zones.default = zones._named(name, "its X-WR-TIMEZONE")
                break
        distinct = set(zones.own.values())
        zones.of_days = distinct.pop() if len(distinct) == 1 else zones.default
        return zones

    def named(self, name: str) -> Zone:
        """The zone with this id (RFC 5545, 3.2.19): the calendar's own wins over any other of its name (3.6.5)."""
        return self._named(name, "the time zone")

    def _named(self, name: str, what: str) -> Zone:
        zone = self.own.get(name) or known_zone(name)
        if zone is None:
            self._note(f"{what} {name[:_MAX_SHOWN]!r} is unknown; its times are taken as {self.default.name}")
            return self.default
        return zone

    def _note(self, fault: str) -> None:
        self.faults[fault] = None
