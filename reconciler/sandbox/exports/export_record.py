"""Records each event that was exported over a connection, or tried: the rows of `exported`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.store import Session

REMOVAL = "removal"
"""The value of `attempted` while a removal was tried."""


@dataclass(frozen=True, slots=True)
class ExportedEvent:
    """An event that was put, or was about to be put, into a calendar under a name.

    `version` is the one that stands there, empty while that isn't known. `attempted` is what was tried last, a version
    or `REMOVAL`; `attempts` counts how often, and `refusal` says why the provider refused it, if it did.
    """

    event_id: str
    calendar_id: str
    name: str
    version: str
    attempted: str
    attempts: int
    refusal: str | None

    def attempts_at(self, attempt: str) -> int:
        """How often this very thing was tried without success."""
        return self.attempts if self.attempted == attempt else 0


class ExportRecord:
    """The events exported over one connection; each change is a transaction of its own."""

    def __init__(self, session: Session, connection_seq: int) -> None:
        self._session = session
        self._seq = connection_seq

    def events(self) -> list[ExportedEvent]:
        """All of them, oldest first."""
        return exported_events(self._session.database, self._seq)

    def begin(self, event_id: str, calendar_id: str, name: str, attempt: str) -> None:
        """Note what is about to be tried: whatever happens then, the event is known to be ours.

        The version that stands in the calendar isn't known any more once another one may have been put there.
        """
        with self._session.writing():
            self._session.database.execute(
                "INSERT INTO exported VALUES (?, ?, ?, ?, '', ?, 1, NULL)"
                " ON CONFLICT (connection_seq, event_id, calendar_id) DO UPDATE SET"
                " version = CASE excluded.attempted WHEN ? THEN version ELSE '' END, attempted = excluded.attempted,"
                " attempts = CASE attempted WHEN excluded.attempted THEN attempts ELSE 0 END + 1,"
                " refusal = CASE attempted WHEN excluded.attempted THEN refusal END",
                (self._seq, event_id, calendar_id, name, attempt, REMOVAL),
            )

    def note_exported(self, event_id: str, calendar_id: str, name: str, version: str) -> None:
        """The calendar holds this version of the event."""
        with self._session.writing():
            self._session.database.execute(
                "INSERT INTO exported VALUES (?, ?, ?, ?, ?, ?, 0, NULL)"
                " ON CONFLICT (connection_seq, event_id, calendar_id) DO UPDATE SET"
                " version = excluded.version, attempted = excluded.attempted, attempts = 0, refusal = NULL",
                (self._seq, event_id, calendar_id, name, version, version),
            )

    def note_refused(self, event_id: str, calendar_id: str, reason: str) -> None:
        """What was tried last was refused."""
        with self._session.writing():
            self._session.database.execute(
                "UPDATE exported SET refusal = ? WHERE connection_seq = ? AND event_id = ? AND calendar_id = ?",
                (reason, self._seq, event_id, calendar_id),
            )

    def note_lost(self, calendar_id: str) -> None:
        """What stood in the calendar isn't known any more: it isn't there, and might come back."""
        with self._session.writing():
            self._session.database.execute(
                "UPDATE exported SET version = '' WHERE connection_seq = ? AND calendar_id = ?",
                (self._seq, calendar_id),
            )

    def forget(self, event_id: str, calendar_id: str) -> None:
        """The calendar doesn't hold the event any more, or that is none of our business any more."""
        with self._session.writing():
            self._session.database.execute(
                "DELETE FROM exported WHERE connection_seq = ? AND event_id = ? AND calendar_id = ?",
                (self._seq, event_id, calendar_id),
            )

    def forget_calendar(self) -> None:
        """Forget the dedicated calendar, about which nothing can be done any more."""
        with self._session.writing():
            self._session.database.execute(
                "UPDATE connection SET dedicated_calendar = NULL WHERE seq = ?", (self._seq,)
            )

    def set_export_error(self, reason: str | None) -> None:
        """Set why exporting over the connection has to wait as a whole; None where it has finished."""
        with self._session.writing():
            self._session.database.execute("UPDATE connection SET export_error = ? WHERE seq = ?", (reason, self._seq))


def exported_events(database: sqlite3.Connection, connection_seq: int) -> list[ExportedEvent]:
    """What the table holds of one connection, oldest first."""
    rows = database.execute("SELECT * FROM exported WHERE connection_seq = ? ORDER BY rowid", (connection_seq,))
    return [
        ExportedEvent(
            event_id=str(row["event_id"]),
            calendar_id=str(row["calendar_id"]),
            name=str(row["name"]),
            version=str(row["version"]),
            attempted=str(row["attempted"]),
            attempts=int(row["attempts"]),
            refusal=row["refusal"],
        )
        for row in rows
    ]
