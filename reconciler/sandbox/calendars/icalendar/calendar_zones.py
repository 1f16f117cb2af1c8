"""Finds the time zones that the times of one calendar are in.

They are its own, those that everybody knows, and the default one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.own_zones import own_zone
from reconciler.sandbox.calendars.icalendar.properties import parse_property, unescape
from reconciler.sandbox.calendars.icalendar.zones import UTC, ZoneError, known_zone
from reconciler.sandbox.calendars.ics_lines import line_name

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.icalendar.zones import Zone
    from reconciler.sandbox.calendars.ics_lines import IcsCalendar

_MAX_SHOWN = 200


@dataclass(slots=True)
class CalendarZones:
    """The zones of one calendar.

    `written` are its VTIMEZONEs by id; those that a time is in are read into `own`.

    `faults` say which of those can't be read, or are known to nobody. `only` is the id where there is one alone.
    """

    default: Zone
    written: dict[str, list[bytes]] = field(default_factory=dict)
    own: dict[str, Zone | None] = field(default_factory=dict)
    faults: dict[str, None] = field(default_factory=dict)
    utc: Zone = UTC
    only: str | None = None

    @classmethod
    def of(cls, content: bytes, calendar: IcsCalendar, default: Zone) -> CalendarZones:
        """The zones of a calendar in the stream `content`.

        Floating times are in `default`, or in X-WR-TIMEZONE.
        """
        zones = cls(default)
        for component in calendar.components:
            if component.kind == "VTIMEZONE":
                stated = (component.value("TZID") or b"").decode("utf-8", "replace").strip()
                for name in dict.fromkeys(each.strip('"') for each in (stated, unescape(stated))):
                    zones.written.setdefault(name, []).append(content[component.start : component.end])
        for line in calendar.lines:
            if line_name(line) == "X-WR-TIMEZONE" and (name := parse_property(line).value):
                zones.default = zones._named(unescape(name), "its X-WR-TIMEZONE")
                break
        if len({text for every in zones.written.values() for text in every}) == 1:
            zones.only = next(iter(zones.written))
        return zones

    @property
    def of_days(self) -> Zone:
        """The zone of the calendar's author, as far as known: some write days as midnight in UTC."""
        return (None if self.only is None else self._own(self.only)) or self.default

    def named(self, name: str) -> Zone:
        """The zone with this id (RFC 5545, 3.2.19), the calendar's own before others (3.6.5)."""
        return self._named(name, "the time zone")

    def _named(self, name: str, what: str) -> Zone:
        zone = self._own(name) or known_zone(name)
        if zone is None:
            self._note(f"{what} {name[:_MAX_SHOWN]!r} is unknown; its times are taken as {self.default.name}")
            return self.default
        return zone

    def _own(self, name: str) -> Zone | None:
        """The calendar's own zone; the first of that id that can be read."""
        if name not in self.own:
            self.own[name] = next(filter(None, map(partial(self._read, name), self.written.get(name, ()))), None)
        return self.own[name]

    def _read(self, name: str, component: bytes) -> Zone | None:
        try:
            return own_zone(name, component)
        except ZoneError as error:
            self._note(f"the VTIMEZONE {name[:_MAX_SHOWN]!r} can't be read ({str(error)[:_MAX_SHOWN]})")
            return None

    def _note(self, fault: str) -> None:
        self.faults[fault] = None
