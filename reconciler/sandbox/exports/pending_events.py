"""Lists the events of a site that aren't in the external calendars as they should be.

It reads the export records alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.contract import Status
from reconciler.sandbox.exports.export_record import REMOVAL, ExportedEvent, exported_events
from reconciler.sandbox.exports.site_events import events

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from reconciler.sandbox.records import ConnectionRecord


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that is to be exported to a calendar or, with `removal`, to be removed from it.

    `calendar` names the provider and the account too, and those alone while no calendar is known.
    """

    event_id: str
    calendar: str
    removal: bool
    reason: str


def pending_events(database: sqlite3.Connection, site_id: str) -> list[PendingEvent]:
    """The events that are pending, by connection."""
    return [
        each
        for connection in records.connections(database, site_id)
        for each in _pending_over(database, site_id, connection)
    ]


def _pending_over(database: sqlite3.Connection, site_id: str, connection: ConnectionRecord) -> Iterator[PendingEvent]:
    exports = connection.status != Status.DISCONNECTED and connection.sync_config.exports.enabled
    every = events(database, site_id, connection.schedule.id) if exports else ()
    wanted = {event.id: event for event in every if not event.cancelled}
    kept: dict[str, ExportedEvent] = {}
    for entry in exported_events(database, connection.seq):
        # Which one the primary calendar is isn't known here: only that it isn't ours.
        is_in_place = (entry.calendar_id == connection.dedicated_calendar) == connection.exports_apart
        if entry.event_id in wanted and entry.attempted != REMOVAL and is_in_place:
            kept[entry.event_id] = entry
        else:
            yield _pending(connection, entry.event_id, entry, REMOVAL)
    for event in wanted.values():
        standing = kept.get(event.id)
        if standing is None or standing.version != event.version:
            yield _pending(connection, event.id, standing, event.version)


def _pending(connection: ConnectionRecord, event_id: str, entry: ExportedEvent | None, attempt: str) -> PendingEvent:
    calendar = None if entry is None else entry.calendar_id
    places = (connection.provider.slug, connection.login.email, calendar)
    return PendingEvent(
        event_id=event_id,
        calendar="/".join(place for place in places if place is not None),
        removal=attempt == REMOVAL,
        reason=_refusal(entry, attempt) or _blocker(connection) or "not tried yet",
    )


def _refusal(entry: ExportedEvent | None, attempt: str) -> str | None:
    return entry.refusal if entry is not None and entry.attempted == attempt else None


def _blocker(connection: ConnectionRecord) -> str | None:
    """Why nothing is exported over the connection, if so."""
    if connection.provider.down:
        return f"{connection.provider.name} is down"
    broken = (
        f"the connection is in error ({connection.error_reason}). See: extcal status"
        if connection.status == Status.ERROR
        else None
    )
    return (connection.export_error if connection.opens else None) or broken or connection.export_error
