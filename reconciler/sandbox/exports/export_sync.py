"""Brings the external calendars in line with what is to be exported: level-triggered, and safe to run again.

What can't be done now stays to be done, and is tried at the next occasion. Each event stands alone: where the provider
refuses one, that is noted in the ledger and the others go on. What was tried least often comes first, so that whatever
is refused, or stops a run each time, keeps nothing else waiting. A provider that is out of reach stops the run.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarError,
    CalendarGoneError,
    ConflictError,
    CreationRefusedError,
    UnreadableError,
    WriteRefusedError,
)
from reconciler.sandbox.contents import instance_of
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.exports.dedicated_calendar import is_left_over, remove_if_unused
from reconciler.sandbox.exports.export_record import TAKING_BACK, Ledger
from reconciler.sandbox.exports.marks import exported_mark, exported_uid, is_ours
from reconciler.sandbox.exports.site_events import SiteEvent, events
from reconciler.sandbox.messages import reason

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.protocol import CalendarBackend
    from reconciler.sandbox.context import Desk
    from reconciler.sandbox.records import ConnectionRecord

_TRIES = 3
MAX_REFUSALS = 50
"""How many events a provider may refuse in one run: each costs it several requests, and whoever waits for us time."""


@dataclass(frozen=True, slots=True)
class _Task:
    """An event to be exported to a calendar, or, where `event` is None, to be taken back from it.

    `attempts` counts how often just that was tried without success.
    """

    event_id: str
    event: SiteEvent | None
    calendar_id: str
    name: str
    attempts: int

    @property
    def attempt(self) -> str:
        """What it tries, in the ledger's words."""
        return TAKING_BACK if self.event is None else self.event.version


def settle_site(desk: Desk) -> None:
    """Bring the calendars of a site's connections in line, in what time is left.

    What was stopped last time comes last, each time in another order: a provider that takes all the time takes it from
    nobody twice.
    """
    every = records.connections(desk.database, desk.site_id)
    stopped = [connection for connection in every if connection.export_error is not None]
    others = [connection for connection in every if connection.export_error is None]
    for connection in (*others, *secrets.SystemRandom().sample(stopped, len(stopped))):
        if not desk.deadline.left():
            return
        settle(desk, connection, prepare=False)


def settle(desk: Desk, connection: ConnectionRecord, *, prepare: bool) -> None:
    """Bring one connection's calendar in line; `prepare` makes its dedicated calendar before there is any event.

    A connection that works may become `ERROR`: its account revoked, its calendar deleted, or not to be made. While it
    is for want of a calendar none is made, but what can be exported to one that is there is.
    """
    if not (connection.opens or connection.status == Status.DISCONNECTED) or connection.provider.down:
        return
    exporting = connection.opens and connection.sync_config.exports.enabled
    wanted = _wanted(desk, connection) if exporting else {}
    ledger = Ledger(desk.session, connection.seq)
    if not wanted and not ledger.entries() and not (exporting and prepare) and not is_left_over(connection):
        return
    stopped = None
    try:
        _Settler(desk, connection, ledger).run(wanted, exporting=exporting)
    except BadCredentialsError as error:
        stopped = f"access was revoked: {reason(error, connection.login)}"
        desk.told.warn(f"{connection.provider.slug}/{connection.login.email}: {stopped}")
        desk.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        if connection.status == Status.DISCONNECTED:
            for entry in ledger.entries():
                ledger.forget(entry.event_id, entry.calendar_id)
            ledger.forget_calendar()
    except CalendarError as error:
        stopped = reason(error, connection.login)
        desk.told.warn(f"{connection.provider.slug}/{connection.login.email}: exporting has to wait: {stopped}")
    if stopped != connection.export_error:
        ledger.note_stopped(stopped)


def _wanted(desk: Desk, connection: ConnectionRecord) -> dict[str, SiteEvent]:
    every = events(desk.database, desk.site_id, connection.schedule.id)
    return {event.id: event for event in every if not event.cancelled}


class _Settler:
    """One connection being brought in line."""

    def __init__(self, desk: Desk, connection: ConnectionRecord, ledger: Ledger) -> None:
        self._desk = desk
        self._connection = connection
        self._ledger = ledger
        self._login = connection.login
        self._backend: CalendarBackend = desk.calendars.of(connection.provider.slug)
        self._instance = instance_of(desk.database)

    def run(self, wanted: dict[str, SiteEvent], *, exporting: bool) -> None:
        target = self._target() if exporting else None
        if exporting and target is None:
            return
        refusals = 0
        for task in sorted(self._tasks(wanted, target), key=lambda task: task.attempts):
            if refusals == MAX_REFUSALS:
                raise WriteRefusedError(f"{refusals} events were refused; the rest has to wait for the next occasion")
            refusals += not self._done(task)
        if is_left_over(self._connection) and not self._ledger.entries():
            remove_if_unused(self._desk, self._connection)

    def _tasks(self, wanted: dict[str, SiteEvent], target: str | None) -> list[_Task]:
        """What is to be taken back, then what is to be exported, each oldest first."""
        entries = self._ledger.entries()
        standing = {each.event_id: each for each in entries if each.event_id in wanted and each.calendar_id == target}
        tasks = [
            _Task(each.event_id, None, each.calendar_id, each.name, each.attempts_at(TAKING_BACK))
            for each in entries
            if each is not standing.get(each.event_id)
        ]
        if target is not None:
            for event in wanted.values():
                name = exported_uid(self._instance, self._connection.seq, event.id)
                entry = standing.get(event.id)
                if entry is None or entry.version != event.version:
                    attempts = 0 if entry is None else entry.attempts_at(event.version)
                    tasks.append(_Task(event.id, event, target, name, attempts))
                elif entry.attempted == TAKING_BACK:
                    # That was refused while the event wasn't wanted there.
                    self._ledger.note_exported(event.id, target, name, event.version)
        return tasks

    def _target(self) -> str | None:
        """The calendar to export to, made if it must be; None where the connection broke for want of it."""
        connection = self._connection
        slug = connection.provider.slug
        calendars = self._desk.calendars.calendars(slug, self._login, fresh=False, used=connection.used_calendars)
        if not connection.exports_apart:
            if calendars:
                return calendars[0].id
        elif connection.dedicated_calendar is None:
            return None if connection.status == Status.ERROR else self._new_calendar()
        elif connection.dedicated_calendar in {calendar.id for calendar in calendars}:
            return connection.dedicated_calendar
        else:
            self._ledger.note_lost(connection.dedicated_calendar)
        self._desk.break_connection(connection.seq, ErrorReason.EXTERNAL_CALENDAR_DELETED)
        return None

    def _new_calendar(self) -> str | None:
        """Make the calendar; where another run has made one meanwhile, that is the one."""
        connection = self._connection
        # Each time the connection is made or healed may be a time to make one.
        occasion = f"{self._instance}/{connection.seq}/{connection.connected_at}"
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, occasion))
        try:
            made = self._backend.create_calendar(self._login, self._desk.site_name, key=key)
        except CreationRefusedError as error:
            self._warn(reason(error, self._login))
            self._desk.break_connection(self._connection.seq, ErrorReason.EXTERNAL_CALENDAR_CREATION_FAILED)
            return None
        with self._desk.session.writing():
            database = self._desk.database
            noted = database.execute(
                "UPDATE connection SET dedicated_calendar = ? WHERE seq = ? AND dedicated_calendar IS NULL",
                (made.id, connection.seq),
            )
            if noted.rowcount:
                # One of this id may have been there before, and been deleted with all that was in it.
                database.execute(
                    "DELETE FROM exported WHERE connection_seq = ? AND calendar_id = ?", (connection.seq, made.id)
                )
        standing = records.connection(database, self._desk.site_id, connection.id).dedicated_calendar
        if standing != made.id:
            self._backend.delete_calendar_if_empty(self._login, made.id)
        # What was seen a moment ago lacks it.
        self._desk.calendars.calendars(connection.provider.slug, self._login, fresh=True)
        return standing

    def _done(self, task: _Task) -> bool:
        """Do one thing, or note why the provider refuses it; raises what concerns more than one event."""
        # First the ledger, so that the event is known for ours whatever happens after it was put.
        self._ledger.begin(task.event_id, task.calendar_id, task.name, task.attempt)
        try:
            self._persist(task)
        except (ConflictError, UnreadableError, WriteRefusedError) as error:
            what, why = "taken back" if task.event is None else "exported", reason(error, self._login)
            self._warn(f"the event {task.event_id} can't be {what}: {why}")
            self._ledger.note_refused(task.event_id, task.calendar_id, why)
            return False
        if task.event is None:
            self._ledger.forget(task.event_id, task.calendar_id)
        else:
            self._ledger.note_exported(task.event_id, task.calendar_id, task.name, task.event.version)
        return True

    def _persist(self, task: _Task) -> None:
        """Where somebody else changed the object meanwhile, look again and do it then."""
        for tries_left in reversed(range(_TRIES)):
            try:
                if task.event is None:
                    self._take_back(task)
                else:
                    self._export(task, task.event)
            except ConflictError:
                if not tries_left:
                    raise
            else:
                return

    def _warn(self, what: str) -> None:
        self._desk.told.warn(f"{self._connection.provider.slug}/{self._connection.login.email}: {what}")

    def _take_back(self, task: _Task) -> None:
        mark = exported_mark(self._instance, task.event_id)
        try:
            found = self._backend.get(self._login, task.calendar_id, task.name)
            if found is not None and is_ours(found.content, uid=task.name, mark=mark):
                self._backend.delete(self._login, task.calendar_id, task.name, etag=found.etag)
        except CalendarGoneError:
            pass

    def _export(self, task: _Task, event: SiteEvent) -> None:
        mark = exported_mark(self._instance, event.id)
        found = self._backend.get(self._login, task.calendar_id, task.name)
        if found is not None and not is_ours(found.content, uid=task.name, mark=mark):
            raise WriteRefusedError(f"another event stands where {task.name} belongs; it is left alone")
        content = event.as_object(uid=task.name, mark=mark)
        etag = None if found is None else found.etag
        self._backend.put(self._login, task.calendar_id, task.name, content, etag=etag)
