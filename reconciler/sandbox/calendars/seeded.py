"""Accounts and calendars kept in the sandbox's own database."""

from __future__ import annotations

import heapq
import hmac
from itertools import count
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.protocol import AccountRef, CalendarRef, Occurrence

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator

_LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z, the last moment that RFC 3339 can write."""


class SeededCalendars:
    """A `CalendarService` that reads through one open transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def accounts(self, provider: str) -> tuple[AccountRef, ...]:
        """Every account at a provider."""
        rows = self._database.execute("SELECT id, email FROM account WHERE provider = ? ORDER BY id", (provider,))
        return tuple(AccountRef(int(row["id"]), str(row["email"])) for row in rows)

    def sign_in(self, provider: str, email: str, password: str) -> AccountRef | None:
        """The account that these credentials open; addresses are compared without regard to case."""
        row = self._database.execute(
            "SELECT id, email, password FROM account WHERE provider = ? AND email = ?", (provider, email)
        ).fetchone()
        if row is None or row["password"] is None:
            return None
        if not hmac.compare_digest(str(row["password"]).encode(), password.encode()):
            return None
        return AccountRef(int(row["id"]), str(row["email"]))

    def calendars(self, account_id: int) -> tuple[CalendarRef, ...]:
        """The calendars of an account, the primary one first."""
        rows = self._database.execute("SELECT id, name FROM calendar WHERE account_id = ? ORDER BY seq", (account_id,))
        return tuple(CalendarRef(str(row["id"]), str(row["name"])) for row in rows)

    def occurrences(
        self, account_id: int, calendar_ids: Collection[str], *, start: float, end: float, all_day: bool | None
    ) -> Iterator[Occurrence]:
        """What overlaps the range, ordered by start, then key; recurring events are expanded as they are read."""
        rows = self._database.execute(
            "SELECT event.*, calendar.id AS calendar_id, calendar.name AS calendar_name"
            " FROM event JOIN calendar ON calendar.seq = event.calendar_seq"
            " WHERE account_id = ? AND start_at < ? AND (step IS NOT NULL OR end_at > ? OR start_at >= ?)",
            (account_id, end, start, start),
        )
        return heapq.merge(
            *(
                _instances(row, start, end)
                for row in rows
                if row["calendar_id"] in calendar_ids and all_day in {None, bool(row["all_day"])}
            ),
            key=lambda occurrence: (occurrence.start, occurrence.key),
        )


def _instances(row: sqlite3.Row, start: float, end: float) -> Iterator[Occurrence]:
    first, step, last = int(row["start_at"]), row["step"], row["last_start"]
    length = int(row["end_at"]) - first
    calendar = CalendarRef(str(row["calendar_id"]), str(row["calendar_name"]))
    for begin in _starts(first, step, after=start - length):
        if begin >= end or (last is not None and begin > last) or begin + length > _LAST_SECOND:
            return
        if begin + length > start or begin >= start:
            yield Occurrence(
                key=f"{row['id']:012d}",
                calendar=calendar,
                title=str(row["title"]),
                start=begin,
                end=begin + length,
                all_day=bool(row["all_day"]),
            )


def _starts(first: int, step: int | None, *, after: float) -> Iterator[int]:
    """The starts of an event's instances; of a recurring one those long past are skipped, not walked through."""
    if step is None:
        return iter((first,))
    skipped = max(0, int((after - first) // step))
    return count(first + skipped * step, step)
