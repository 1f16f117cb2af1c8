"""Defines what work on a site's calendars may use, and one call of an API method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import ErrorReason, Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reconciler.sandbox.backend import Settings
    from reconciler.sandbox.behaviour.model import Behaviour
    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.calendars.icalendar.expander import Expander
    from reconciler.sandbox.calendars.protocol import Deadline
    from reconciler.sandbox.messages import WarningLog
    from reconciler.sandbox.query import Query
    from reconciler.sandbox.records import SiteRecord
    from reconciler.sandbox.request_body import Fields
    from reconciler.sandbox.store import Session


@dataclass(frozen=True, slots=True)
class SiteContext:
    """`now` is in seconds since the epoch; `calendars` are those within `deadline`."""

    session: Session
    calendars: CalendarDirectory
    warnings: WarningLog
    site_id: str
    site_name: str
    now: float
    deadline: Deadline

    def first(self, share: float) -> CalendarDirectory:
        """The calendars within the first part of the time, so that there is time for more."""
        return self.calendars.within(self.deadline.first(share))

    @property
    def database(self) -> sqlite3.Connection:
        """The data, to read; to write, open `session.writing`."""
        return self.session.database

    def break_connection(self, seq: int, reason: ErrorReason) -> None:
        """Turn a connection that works into one that doesn't, for a reason.

        That its access is revoked comes first.
        """
        with self.session.writing():
            self.database.execute(
                "UPDATE connection SET status = ?, error_reason = ? WHERE seq = ? AND status != ?"
                " AND (status != ? OR error_reason != ? AND ? = ?)",
                (
                    *(Status.ERROR, reason, seq, Status.DISCONNECTED, Status.ERROR),
                    *(ErrorReason.TOKEN_REVOKED, reason, ErrorReason.TOKEN_REVOKED),
                ),
            )


@dataclass(frozen=True, slots=True)
class Call:
    """All that a method may use.

    `endpoint` is the sandbox's own base URL, `now` seconds since the epoch.

    All of it is to be done before `deadline`; `calendars` are those within it.
    """

    session: Session
    calendars: CalendarDirectory
    expander: Expander
    warnings: WarningLog
    site: SiteRecord
    path: Mapping[str, str]
    query: Query
    body: Fields
    behaviour: Behaviour
    settings: Settings
    endpoint: str
    now: float
    deadline: Deadline

    @property
    def database(self) -> sqlite3.Connection:
        """The data, to read; to write, open `session.writing`."""
        return self.session.database

    @property
    def context(self) -> SiteContext:
        """The site's work on the external calendars."""
        return SiteContext(
            self.session, self.calendars, self.warnings, self.site.id, self.site.name, self.now, self.deadline
        )
