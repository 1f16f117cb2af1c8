"""Tells an exported event from the owner's own events.

It bears three marks: its UID, a property of ours, and a row in our table. Any one of them is enough to recognise it, so
that it is not imported back. No single one is enough to delete or overwrite it: an owner may have copied the event with
its property, or put another event in its place. The UID and the property name the sandbox that exported the event, so
that sandboxes with a calendar in common leave each other's events alone, and import them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.events import EXPORT_MARK
from reconciler.sandbox.calendars.ics_lines import cut

if TYPE_CHECKING:
    import sqlite3

_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class ExportMarks:
    """The marks of one sandbox: `instance` names it, `names` are the UIDs that its table holds."""

    instance: str
    names: frozenset[str]

    def recognise(self, *, uid: str, mark: str) -> bool:
        """Whether an event is one that this sandbox exported, by any of the three."""
        return uid in self.names or uid.startswith(f"{_PREFIX}{self.instance}-") or mark.startswith(f"{self.instance}/")


_PREFIX = "extcal-"


def marks_of(database: sqlite3.Connection, instance: str) -> ExportMarks:
    """The marks as they are now."""
    rows = database.execute("SELECT name FROM exported")
    return ExportMarks(instance, frozenset(str(row["name"]) for row in rows))


def exported_uid(instance: str, connection_seq: int, event_id: str) -> str:
    """The UID of an event in the calendar of one connection; the same each time."""
    return f"{_PREFIX}{instance}-{connection_seq}-{event_id}"


def exported_mark(instance: str, event_id: str) -> str:
    """The value of the property."""
    return f"{instance}/{event_id}"


def is_ours(content: bytes, *, uid: str, mark: str) -> bool:
    """Whether an object that our table names may be changed: a second mark has to agree."""
    events = [
        component
        for calendar in cut(content).calendars
        for component in calendar.components
        if component.kind == "VEVENT"
    ]
    if not events:
        return False
    agreeing = 1
    agreeing += all((event.value("UID") or b"").strip() == uid.encode() for event in events)
    agreeing += all((event.value(EXPORT_MARK) or b"").strip() == mark.encode() for event in events)
    return agreeing >= _ENOUGH
