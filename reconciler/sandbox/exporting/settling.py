"""Brings the external calendars in line with what is to be exported: level-triggered, and safe to run again.

What can't be done now, because a provider is out of reach say, stays to be done and is tried at the next occasion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarError,
    CalendarGoneError,
    ConflictError,
    CreationRefusedError,
)
from reconciler.sandbox.contents import instance_of
from reconciler.sandbox.contract import ErrorReason, ExportSupport, ExportTarget, Status
from reconciler.sandbox.exporting.marks import exported_mark, exported_uid, is_ours
from reconciler.sandbox.exporting.site_events import SiteEvent, events

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.calendars.protocol import CalendarBackend
    from reconciler.sandbox.desk import Desk
    from reconciler.sandbox.records import ConnectionRecord

_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Row:
    """What our table holds: the event was, or was about to be, put into the calendar under the name."""

    event_id: str
    calendar_id: str
    name: str
    version: str


def settle_site(desk: Desk) -> None:
    """Bring the calendars of all of a site's connections in line."""
    for connection in records.connections(desk.database, desk.site_id):
        settle(desk, connection, prepare=False)


def settle(desk: Desk, connection: ConnectionRecord, *, prepare: bool) -> None:
    """Bring one connection's calendar in line; `prepare` makes its dedicated calendar before there is any event.

    A connection that works may become `ERROR`: its account revoked, its calendar deleted, or not to be made.
    """
    if connection.status == Status.ERROR or connection.provider.down:
        return
    exporting = connection.works and connection.sync_config.exports.enabled
    wanted = _wanted(desk, connection) if exporting else {}
    rows = _rows(desk, connection)
    if not wanted and not rows and not (exporting and prepare):
        return
    try:
        _Settler(desk, connection).run(wanted, exporting=exporting)
    except BadCredentialsError as error:
        desk.told.warn(f"{connection.provider.slug}/{connection.login.email}: access was revoked: {error}")
        desk.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        if connection.status == Status.DISCONNECTED:
            _forget(desk, connection, rows)
    except CalendarError as error:
        desk.told.warn(f"{connection.provider.slug}/{connection.login.email}: exporting has to wait: {error}")


def _wanted(desk: Desk, connection: ConnectionRecord) -> dict[str, SiteEvent]:
    every = events(desk.database, desk.site_id, connection.schedule.id)
    return {event.id: event for event in every if not event.cancelled}


def _rows(desk: Desk, connection: ConnectionRecord) -> list[_Row]:
    rows = desk.database.execute("SELECT * FROM exported WHERE connection_seq = ? ORDER BY rowid", (connection.seq,))
    return [_Row(str(row["event_id"]), str(row["calendar_id"]), str(row["name"]), str(row["version"])) for row in rows]


def _forget(desk: Desk, connection: ConnectionRecord, rows: list[_Row]) -> None:
    with desk.session.writing():
        desk.database.executemany(
            "DELETE FROM exported WHERE connection_seq = ? AND event_id = ? AND calendar_id = ?",
            [(connection.seq, row.event_id, row.calendar_id) for row in rows],
        )


class _Settler:
    """One connection being brought in line."""

    def __init__(self, desk: Desk, connection: ConnectionRecord) -> None:
        self._desk = desk
        self._connection = connection
        self._login = connection.login
        self._backend: CalendarBackend = desk.calendars.of(connection.provider.slug)
        self._instance = instance_of(desk.database)

    def run(self, wanted: dict[str, SiteEvent], *, exporting: bool) -> None:
        target = self._target() if exporting else None
        if exporting and target is None:
            return
        standing = {}
        for row in _rows(self._desk, self._connection):
            if row.event_id in wanted and row.calendar_id == target:
                standing[row.event_id] = row.version
            else:
                self._each(partial(self._withdraw, row))
        for event in wanted.values():
            if target is not None and standing.get(event.id) != event.version:
                self._each(partial(self._publish, event, target))

    def _target(self) -> str | None:
        """The calendar to export to, made if it must be; None where the connection broke for want of it."""
        connection = self._connection
        slug = connection.provider.slug
        calendars = self._desk.calendars.calendars(slug, self._login, fresh=False)
        apart = connection.sync_config.exports.target
        if apart is None:
            dedicated = connection.provider.export_support == ExportSupport.DEDICATED_CALENDAR
            apart = ExportTarget.DEDICATED if dedicated else ExportTarget.PRIMARY
        if apart == ExportTarget.PRIMARY:
            if calendars:
                return calendars[0].id
        elif connection.dedicated_calendar is None:
            return self._new_calendar()
        elif connection.dedicated_calendar in {calendar.id for calendar in calendars}:
            return connection.dedicated_calendar
        self._desk.break_connection(connection.seq, ErrorReason.EXTERNAL_CALENDAR_DELETED)
        return None

    def _new_calendar(self) -> str | None:
        try:
            made = self._backend.create_calendar(self._login, self._desk.site_name)
        except CreationRefusedError as error:
            self._warn(str(error))
            self._desk.break_connection(self._connection.seq, ErrorReason.EXTERNAL_CALENDAR_CREATION_FAILED)
            return None
        with self._desk.session.writing():
            self._desk.database.execute(
                "UPDATE connection SET dedicated_calendar = ? WHERE seq = ?", (made.id, self._connection.seq)
            )
            # One of this id may have been there before, and been deleted with all that was in it.
            self._desk.database.execute(
                "DELETE FROM exported WHERE connection_seq = ? AND calendar_id = ?", (self._connection.seq, made.id)
            )
        # What was seen a moment ago lacks it.
        self._desk.calendars.calendars(self._connection.provider.slug, self._login, fresh=True)
        return made.id

    def _each(self, work: Callable[[], None]) -> None:
        """Do one thing; where somebody else changed the object meanwhile, look again and do it then."""
        for _ in range(_TRIES):
            try:
                work()
            except ConflictError:
                continue
            return
        self._warn("an exported event keeps changing; exporting has to wait")

    def _warn(self, what: str) -> None:
        self._desk.told.warn(f"{self._connection.provider.slug}/{self._connection.login.email}: {what}")

    def _withdraw(self, row: _Row) -> None:
        try:
            found = self._backend.get(self._login, row.calendar_id, row.name)
            if found is not None and is_ours(
                found.content, uid=row.name, mark=exported_mark(self._instance, row.event_id)
            ):
                self._backend.delete(self._login, row.calendar_id, row.name, etag=found.etag)
        except CalendarGoneError:
            pass
        _forget(self._desk, self._connection, [row])

    def _publish(self, event: SiteEvent, calendar_id: str) -> None:
        name = exported_uid(self._instance, self._connection.seq, event.id)
        mark = exported_mark(self._instance, event.id)
        # First the row, so that the event is known for ours whatever happens after it was put.
        self._note(event, calendar_id, name, version="")
        found = self._backend.get(self._login, calendar_id, name)
        if found is not None and not is_ours(found.content, uid=name, mark=mark):
            self._warn(f"another event stands where {name} was exported; it is left alone")
        else:
            etag = None if found is None else found.etag
            self._backend.put(self._login, calendar_id, name, event.as_object(uid=name, mark=mark), etag=etag)
        self._note(event, calendar_id, name, version=event.version)

    def _note(self, event: SiteEvent, calendar_id: str, name: str, *, version: str) -> None:
        with self._desk.session.writing():
            self._desk.database.execute(
                "INSERT INTO exported VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (connection_seq, event_id, calendar_id) DO UPDATE SET version = excluded.version",
                (self._connection.seq, event.id, calendar_id, name, version),
            )
