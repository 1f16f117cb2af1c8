"""One call of a method: who calls, with what, inside which transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.site_context import Desk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reconciler.sandbox.calendars.deadline import Deadline
    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.calendars.icalendar.expander import Expander
    from reconciler.sandbox.fields import Fields
    from reconciler.sandbox.query import Query
    from reconciler.sandbox.records import SiteRecord
    from reconciler.sandbox.settings import Settings
    from reconciler.sandbox.store import Session
    from reconciler.sandbox.warnings_log import Told


@dataclass(frozen=True, slots=True)
class Call:
    """All that a method may use. `endpoint` is the sandbox's own base URL, `now` seconds since the epoch.

    All of it is to be done before `deadline`; `calendars` are those within it.
    """

    session: Session
    calendars: CalendarDirectory
    expander: Expander
    told: Told
    site: SiteRecord
    path: Mapping[str, str]
    query: Query
    body: Fields
    settings: Settings
    endpoint: str
    now: float
    deadline: Deadline

    @property
    def database(self) -> sqlite3.Connection:
        """The data, to read; to write, open `session.writing`."""
        return self.session.database

    @property
    def desk(self) -> Desk:
        """The site's work on the external calendars."""
        return Desk(self.session, self.calendars, self.told, self.site.id, self.site.name, self.now, self.deadline)
