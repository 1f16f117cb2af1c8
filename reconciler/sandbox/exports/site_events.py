"""Keeps the site's own events: adds, moves and cancels them, and writes them as iCalendar."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.events import EXPORT_MARK
from reconciler.sandbox.calendars.ics_text import calendar_text, carried, text_line, time_line

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class SiteEvent:
    """A session or an appointment on a schedule.

    Times are in seconds since the epoch, `end` exclusive.
    """

    id: str
    site_id: str
    schedule_id: str
    title: str
    start: int
    end: int
    cancelled: bool
    sequence: int
    changed_at: float

    @property
    def version(self) -> str:
        """Tells what was exported from what should be."""
        return f"{self.sequence}"

    def as_object(self, *, uid: str, mark: str) -> bytes:
        """The event as a VCALENDAR (RFC 5545)."""
        return calendar_text(
            "BEGIN:VEVENT",
            text_line("UID", uid),
            time_line("DTSTAMP", datetime.fromtimestamp(self.changed_at, UTC)),
            time_line("DTSTART", datetime.fromtimestamp(self.start, UTC)),
            time_line("DTEND", datetime.fromtimestamp(self.end, UTC)),
            text_line("SUMMARY", carried(self.title)),
            f"SEQUENCE:{self.sequence}",
            "STATUS:CONFIRMED",
            f"{EXPORT_MARK}:{mark}",
            "END:VEVENT",
        )


def add(
    database: sqlite3.Connection, site_id: str, schedule_id: str, title: str, start: int, end: int, now: float
) -> SiteEvent:
    """A new event; times and `now` are in seconds since the epoch."""
    event = SiteEvent(str(uuid.uuid4()), site_id, schedule_id, title, start, end, False, 0, now)  # noqa: FBT003 -- by place
    database.execute(
        "INSERT INTO site_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (event.id, site_id, schedule_id, title, start, end, event.cancelled, event.sequence, now),
    )
    return event


def move(database: sqlite3.Connection, event_id: str, start: int, end: int, now: float) -> None:
    """Give an event other times."""
    database.execute(
        "UPDATE site_event SET start_at = ?, end_at = ?, sequence = sequence + 1, changed_at = ? WHERE id = ?",
        (start, end, now, event_id),
    )


def cancel(database: sqlite3.Connection, event_id: str, now: float) -> None:
    """Cancel an event; it stays listed."""
    database.execute(
        "UPDATE site_event SET cancelled = 1, sequence = sequence + 1, changed_at = ? WHERE id = ?", (now, event_id)
    )


def find(database: sqlite3.Connection, event_id: str) -> SiteEvent | None:
    """One event."""
    row = database.execute("SELECT * FROM site_event WHERE id = ?", (event_id,)).fetchone()
    return None if row is None else _event(row)


def events(database: sqlite3.Connection, site_id: str, schedule_id: str | None = None) -> tuple[SiteEvent, ...]:
    """A site's events, or one schedule's, cancelled ones among them, by their start."""
    rows = database.execute(
        "SELECT * FROM site_event WHERE site_id = ? AND schedule_id = ifnull(?, schedule_id) ORDER BY start_at, id",
        (site_id, schedule_id),
    )
    return tuple(_event(row) for row in rows)


def _event(row: sqlite3.Row) -> SiteEvent:
    return SiteEvent(
        id=str(row["id"]),
        site_id=str(row["site_id"]),
        schedule_id=str(row["schedule_id"]),
        title=str(row["title"]),
        start=int(row["start_at"]),
        end=int(row["end_at"]),
        cancelled=bool(row["cancelled"]),
        sequence=int(row["sequence"]),
        changed_at=float(row["changed_at"]),
    )
