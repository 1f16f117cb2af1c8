"""What work on the external calendars needs: the data of one site, and the calendars of its accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import ErrorReason, Status

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.calendars.deadline import Deadline
    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.store import Session
    from reconciler.sandbox.warnings_log import Told


@dataclass(frozen=True, slots=True)
class Desk:
    """`now` is in seconds since the epoch; `calendars` are those within `deadline`."""

    session: Session
    calendars: CalendarDirectory
    told: Told
    site_id: str
    site_name: str
    now: float
    deadline: Deadline

    def first(self, share: float) -> CalendarDirectory:
        """The calendars, for what must have been answered in the first part of the time, so that more can be done."""
        return self.calendars.within(self.deadline.first(share))

    @property
    def database(self) -> sqlite3.Connection:
        """The data, to read; to write, open `session.writing`."""
        return self.session.database

    def break_connection(self, seq: int, reason: ErrorReason) -> None:
        """Turn a connection that works into one that doesn't, for a reason; that its access is revoked comes first."""
        with self.session.writing():
            self.database.execute(
                "UPDATE connection SET status = ?, error_reason = ? WHERE seq = ? AND status != ?"
                " AND (status != ? OR error_reason != ? AND ? = ?)",
                (
                    *(Status.ERROR, reason, seq, Status.DISCONNECTED, Status.ERROR),
                    *(ErrorReason.TOKEN_REVOKED, reason, ErrorReason.TOKEN_REVOKED),
                ),
            )
