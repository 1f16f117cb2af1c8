"""One call of a method: who calls, with what, inside which transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reconciler.sandbox.calendars.protocol import CalendarService
    from reconciler.sandbox.fields import Fields
    from reconciler.sandbox.query import Query
    from reconciler.sandbox.records import SiteRecord
    from reconciler.sandbox.settings import Settings


@dataclass(frozen=True, slots=True)
class Call:
    """All that a method may read. `endpoint` is the sandbox's own base URL, `now` seconds since the epoch."""

    database: sqlite3.Connection
    calendars: CalendarService
    site: SiteRecord
    path: Mapping[str, str]
    query: Query
    body: Fields
    settings: Settings
    endpoint: str
    now: float
