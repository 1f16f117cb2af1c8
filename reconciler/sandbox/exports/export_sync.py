"""Synchronises external calendars with the site's events; running it again is safe.

Terms: a task exports one event to a calendar, or removes it from one. The export record of a connection says what each
task came to. A task is pending as long as it isn't done; it is tried again at the next occasion.

Steps, for each connection: find the calendar to export to, and create it where it must be. Compare what the schedule
wants exported with the export record: the difference are the tasks. Do them one by one, those tried least often first,
so that what is refused, or stops a run each time, delays nothing else. An event that the provider refuses is noted and
the others go on; a provider that can't be reached stops the run. In the end, remove a dedicated calendar that is left
over.
"""

from __future__ import annotations

import secrets
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
from reconciler.sandbox.exports.dedicated_calendar import create_dedicated, is_left_over, remove_if_unused
from reconciler.sandbox.exports.export_record import REMOVAL, ExportRecord
from reconciler.sandbox.exports.marks import exported_mark, exported_uid, is_ours
from reconciler.sandbox.exports.site_events import SiteEvent, events
from reconciler.sandbox.messages import reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.sandbox.calendars.protocol import CalendarBackend
    from reconciler.sandbox.context import SiteContext
    from reconciler.sandbox.exports.export_record import ExportedEvent
    from reconciler.sandbox.records import ConnectionRecord

_TRIES = 3
MAX_REFUSALS = 50
"""How many events a provider may refuse in one run: each costs it several requests, and the caller time."""


@dataclass(frozen=True, slots=True)
class _Task:
    """An event to be exported to a calendar or, where `event` is None, to be removed from it.

    `attempts` counts how often just that was tried without success.
    """

    event_id: str
    event: SiteEvent | None
    calendar_id: str
    name: str
    attempts: int

    @property
    def attempt(self) -> str:
        """What it tries, in the words of the export record."""
        return REMOVAL if self.event is None else self.event.version


def sync_site(context: SiteContext) -> None:
    """Synchronise the calendars of a site's connections, in what time is left.

    What was stopped last time comes last, each time in another order: a provider that takes all the time takes it from
    nobody twice.
    """
    every = records.connections(context.database, context.site_id)
    stopped = [connection for connection in every if connection.export_error is not None]
    others = [connection for connection in every if connection.export_error is None]
    for connection in (*others, *secrets.SystemRandom().sample(stopped, len(stopped))):
        if not context.deadline.left():
            return
        sync_connection(context, connection, prepare=False)


def sync_connection(context: SiteContext, connection: ConnectionRecord, *, prepare: bool) -> None:
    """Synchronise one connection's calendar.

    `prepare` creates its dedicated calendar before there is any event.

    A connection that works may become `ERROR`: its account revoked, its calendar deleted, or not to be created. While
    it lacks a calendar none is created, but what can be exported to one that is there is.
    """
    if not (connection.opens or connection.status == Status.DISCONNECTED) or connection.provider.down:
        return
    exporting = connection.opens and connection.sync_config.exports.enabled
    wanted = _wanted(context, connection) if exporting else {}
    record = ExportRecord(context.session, connection.seq)
    if not wanted and not record.events() and not (exporting and prepare) and not is_left_over(connection):
        return
    stopped = None
    try:
        _ConnectionSync(context, connection, record).run(wanted, exporting=exporting)
    except BadCredentialsError as error:
        stopped = f"access was revoked: {reason(error, connection.login)}"
        context.warnings.warn(f"{connection.provider.slug}/{connection.login.email}: {stopped}")
        context.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        if connection.status == Status.DISCONNECTED:
            for each in record.events():
                record.forget(each.event_id, each.calendar_id)
            record.forget_calendar()
    except CalendarError as error:
        stopped = reason(error, connection.login)
        context.warnings.warn(f"{connection.provider.slug}/{connection.login.email}: export is pending: {stopped}")
    if stopped != connection.export_error:
        record.set_export_error(stopped)


def _wanted(context: SiteContext, connection: ConnectionRecord) -> dict[str, SiteEvent]:
    every = events(context.database, context.site_id, connection.schedule.id)
    return {event.id: event for event in every if not event.cancelled}


def _in_place(
    exported: Sequence[ExportedEvent], wanted: Mapping[str, SiteEvent], target: str | None
) -> dict[str, ExportedEvent]:
    """What was exported, or tried, to the calendar where it is wanted, by the ids of events."""
    return {each.event_id: each for each in exported if each.event_id in wanted and each.calendar_id == target}


def _removals(exported: Sequence[ExportedEvent], in_place: Mapping[str, ExportedEvent]) -> list[_Task]:
    """The events to be removed, oldest first."""
    return [
        _Task(each.event_id, None, each.calendar_id, each.name, each.attempts_at(REMOVAL))
        for each in exported
        if each is not in_place.get(each.event_id)
    ]


def _exports(
    wanted: Mapping[str, SiteEvent], in_place: Mapping[str, ExportedEvent], target: str, names: Mapping[str, str]
) -> list[_Task]:
    """The events that aren't in the calendar `target` in their current version."""
    tasks = []
    for event in wanted.values():
        known = in_place.get(event.id)
        if known is None or known.version != event.version:
            attempts = 0 if known is None else known.attempts_at(event.version)
            tasks.append(_Task(event.id, event, target, names[event.id], attempts))
    return tasks


def _kept_after_refusal(wanted: Mapping[str, SiteEvent], in_place: Collection[ExportedEvent]) -> list[ExportedEvent]:
    """What stands as it is wanted, and whose removal was refused while it wasn't wanted."""
    return [each for each in in_place if each.version == wanted[each.event_id].version and each.attempted == REMOVAL]


class _ConnectionSync:
    """One run over one connection."""

    def __init__(self, context: SiteContext, connection: ConnectionRecord, record: ExportRecord) -> None:
        self._context = context
        self._connection = connection
        self._record = record
        self._login = connection.login
        self._backend: CalendarBackend = context.calendars.of(connection.provider.slug)
        self._instance = instance_of(context.database)

    def run(self, wanted: dict[str, SiteEvent], *, exporting: bool) -> None:
        target = self._target() if exporting else None
        if exporting and target is None:
            return
        exported = self._record.events()
        in_place = _in_place(exported, wanted, target)
        tasks = _removals(exported, in_place)
        if target is not None:
            names = {event_id: exported_uid(self._instance, self._connection.seq, event_id) for event_id in wanted}
            tasks += _exports(wanted, in_place, target, names)
        for each in _kept_after_refusal(wanted, in_place.values()):
            self._record.note_exported(each.event_id, each.calendar_id, each.name, each.version)
        refusals = 0
        for task in sorted(tasks, key=lambda task: task.attempts):
            if refusals == MAX_REFUSALS:
                raise WriteRefusedError(f"{refusals} events were refused; the rest is tried later")
            refusals += not self._done(task)
        if is_left_over(self._connection) and not self._record.events():
            remove_if_unused(self._context, self._connection)

    def _target(self) -> str | None:
        """The calendar to export to, created if it must be.

        None where the connection broke for want of it.
        """
        connection = self._connection
        slug, used = connection.provider.slug, connection.used_calendars
        calendars = self._context.calendars.calendars(slug, self._login, fresh=False, used=used)
        if not connection.exports_apart:
            if calendars:
                return calendars[0].id
        elif connection.dedicated_calendar is None:
            return None if connection.status == Status.ERROR else self._new_calendar()
        elif connection.dedicated_calendar in {calendar.id for calendar in calendars}:
            return connection.dedicated_calendar
        else:
            self._record.note_lost(connection.dedicated_calendar)
        self._context.break_connection(connection.seq, ErrorReason.EXTERNAL_CALENDAR_DELETED)
        return None

    def _new_calendar(self) -> str | None:
        try:
            return create_dedicated(self._context, self._connection, self._instance)
        except CreationRefusedError as error:
            self._warn(reason(error, self._login))
            self._context.break_connection(self._connection.seq, ErrorReason.EXTERNAL_CALENDAR_CREATION_FAILED)
            return None

    def _done(self, task: _Task) -> bool:
        """Do one task, or note why the provider refuses it.

        Raises what concerns more than one event.
        """
        # The record comes first, so that the event is known for ours whatever happens after it was put.
        self._record.begin(task.event_id, task.calendar_id, task.name, task.attempt)
        try:
            self._persist(task)
        except (ConflictError, UnreadableError, WriteRefusedError) as error:
            what, why = "removed" if task.event is None else "exported", reason(error, self._login)
            self._warn(f"the event {task.event_id} can't be {what}: {why}")
            self._record.note_refused(task.event_id, task.calendar_id, why)
            return False
        if task.event is None:
            self._record.forget(task.event_id, task.calendar_id)
        else:
            self._record.note_exported(task.event_id, task.calendar_id, task.name, task.event.version)
        return True

    def _persist(self, task: _Task) -> None:
        """Try again, from reading on, where somebody else changed the object meanwhile."""
        for tries_left in reversed(range(_TRIES)):
            try:
                if task.event is None:
                    self._remove(task)
                else:
                    self._export(task, task.event)
            except ConflictError:
                if not tries_left:
                    raise
            else:
                return

    def _remove(self, task: _Task) -> None:
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
            raise WriteRefusedError(f"another event has the name {task.name}, and is left alone")
        content = event.as_object(uid=task.name, mark=mark)
        etag = None if found is None else found.etag
        self._backend.put(self._login, task.calendar_id, task.name, content, etag=etag)

    def _warn(self, what: str) -> None:
        self._context.warnings.warn(f"{self._connection.provider.slug}/{self._connection.login.email}: {what}")
