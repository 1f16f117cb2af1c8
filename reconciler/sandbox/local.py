"""Works on a data folder from this machine, whether a sandbox is running on it or not.

The API has no methods for a site's own events, nor for the owners of schedules; a running sandbox sees what is done
here at once, since all of it lies in the data folder.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.backend import Settings, assemble
from reconciler.sandbox.calendars.errors import NoAnswerError
from reconciler.sandbox.calendars.protocol import Deadline
from reconciler.sandbox.contents import instance_of
from reconciler.sandbox.context import SiteContext
from reconciler.sandbox.contract import BOOKINGS_APP_ID, Status, is_guid
from reconciler.sandbox.errors import SandboxError, UnclearScheduleError
from reconciler.sandbox.exports import site_events
from reconciler.sandbox.exports.export_sync import sync_connection, sync_site
from reconciler.sandbox.exports.marks import marks_of
from reconciler.sandbox.exports.pending_events import pending_events
from reconciler.sandbox.imports import first_parts, import_calendars, year_around
from reconciler.sandbox.messages import reason
from reconciler.sandbox.store import DATABASE, explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from reconciler.sandbox.backend import Backend
    from reconciler.sandbox.exports.pending_events import PendingEvent
    from reconciler.sandbox.exports.site_events import SiteEvent
    from reconciler.sandbox.imports import ImportedCalendar
    from reconciler.sandbox.records import ScheduleRecord


MAX_TITLE = 500
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class LocalSchedule:
    """A schedule and the site that it is of."""

    site_id: str
    site_name: str
    schedule: ScheduleRecord


@dataclass(frozen=True, slots=True)
class LocalEvent:
    """A site's event, its schedule's name, where it was exported to, and what is pending."""

    event: SiteEvent
    schedule_name: str
    exported_to: tuple[str, ...]
    pending: tuple[PendingEvent, ...]


@contextmanager
def opened(data: Path, config: Path | None = None, settings: Settings | None = None) -> Iterator[LocalSandbox]:
    """The sandbox in the folder `data`.

    Raises `SandboxError` where there is none, or it can't be used.

    `config` is the file that assigns providers to servers.
    """
    if not (data / DATABASE).is_file():
        raise SandboxError(f"{data}: no sandbox data there. Start a sandbox with: extcal sandbox serve --data {data}")
    backend, _ = assemble(data, settings or Settings(), endpoint="", config=config)
    try:
        with explained(backend.store.path):
            yield LocalSandbox(backend)
    finally:
        backend.close()


class LocalSandbox:
    """The site's side of an open sandbox.

    Raises `SandboxError` for what isn't there, or can't be.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def schedules(self) -> list[LocalSchedule]:
        """Every schedule of every site."""
        with self._backend.store.session() as session:
            sites = session.database.execute("SELECT id, name FROM site ORDER BY rowid").fetchall()
            return [
                LocalSchedule(str(site["id"]), str(site["name"]), schedule)
                for site in sites
                for schedule in records.schedules(session.database, str(site["id"]))
            ]

    def set_owner(self, schedule: str, owner_id: str, owner_name: str | None) -> int:
        """Give a schedule, by id or name, another owner.

        Answers how many connections that disconnected.
        """
        if not is_guid(owner_id):
            raise SandboxError(f"the owner {owner_id!r} is not a GUID")
        found = self._schedule(schedule)
        with self._site_context(found.site_id, found.site_name) as context:
            return _set_owner(context, found.schedule.id, owner_id.lower(), owner_name)

    def add_event(self, schedule: str, title: str, start: datetime, end: datetime) -> str:
        """A new event on a schedule, by id, name or external id, and into the calendars it is exported to.

        Answers its id.
        """
        if not 0 < len(title) <= MAX_TITLE:
            raise SandboxError(f"the title must have 1 to {MAX_TITLE} characters")
        found = self._schedule(schedule)
        begins, ends = _span(start, end)
        with self._site_context(found.site_id, found.site_name) as context:
            with context.session.writing():
                event = site_events.add(
                    context.database, found.site_id, found.schedule.id, title, begins, ends, context.now
                )
            sync_site(context)
            return event.id

    def move_event(self, event_id: str, start: datetime, end: datetime) -> None:
        """Give an event other times."""
        begins, ends = _span(start, end)
        with self._changing(event_id) as context, context.session.writing():
            site_events.move(context.database, event_id, begins, ends, context.now)

    def cancel_event(self, event_id: str) -> None:
        """Cancel an event: it stays listed, and leaves the calendars."""
        with self._changing(event_id) as context, context.session.writing():
            site_events.cancel(context.database, event_id, context.now)

    def events(self) -> list[LocalEvent]:
        """Every event of every site, cancelled ones among them, by site and start."""
        names = {(each.site_id, each.schedule.id): each.schedule.name for each in self.schedules()}
        with self._backend.store.session() as session:
            rows = session.database.execute(
                "SELECT event_id, provider.slug, account_email, calendar_id FROM exported"
                " JOIN connection ON connection.seq = connection_seq"
                " JOIN provider ON provider.site_id = connection.site_id AND provider.id = provider_id"
                " WHERE version != '' ORDER BY connection_seq"
            ).fetchall()
            places: dict[str, list[str]] = defaultdict(list)
            for event_id, *place in rows:
                places[event_id].append("/".join(place))
            sites = list(dict.fromkeys(site for site, _ in names))
            pending: dict[str, list[PendingEvent]] = defaultdict(list)
            for site_id in sites:
                for each in pending_events(session.database, site_id):
                    pending[each.event_id].append(each)
            return [
                LocalEvent(
                    event,
                    names[event.site_id, event.schedule_id],
                    tuple(places[event.id]),
                    tuple(pending[event.id]),
                )
                for site_id in sites
                for event in site_events.events(session.database, site_id)
            ]

    def warnings(self) -> list[str]:
        """What can't be read of imported calendars, in the year before now and the next."""
        found: list[str] = []
        deadline = self._deadline()
        for site_id, site_name in dict.fromkeys((each.site_id, each.site_name) for each in self.schedules()):
            with self._site_context(site_id, site_name, deadline) as context:
                found += self._warnings_of(context)
        return list(dict.fromkeys(found))

    def _warnings_of(self, context: SiteContext) -> Iterator[str]:
        marks = marks_of(context.database, instance_of(context.database))
        asked = [
            connection
            for connection in records.connections(context.database, context.site_id)
            if connection.opens and connection.sync_config.imports.enabled
        ]
        read: list[ImportedCalendar] = []
        for imports in import_calendars(context, asked, year_around(context.now), marks, until=NoAnswerError):
            if imports.failure is not None:
                why = reason(imports.failure, imports.connection.login)
                yield f"{imports.connection.provider.slug} can't be reached: {why}"
            yield from imports.faults
            read += imports.sources
        answers = first_parts(self._backend.expander, read, year_around(context.now), context.deadline.left())
        for source, answered in zip(read, answers, strict=True):
            yield from (source.warning(fault) for fault in answered.faults)

    def _deadline(self) -> Deadline:
        return Deadline(self._backend.settings.operation_seconds)

    @contextmanager
    def _site_context(self, site_id: str, site_name: str, deadline: Deadline | None = None) -> Iterator[SiteContext]:
        backend = self._backend
        deadline = deadline or self._deadline()
        calendars = backend.calendars.within(deadline)
        with backend.store.session() as session:
            yield SiteContext(
                session, calendars, backend.warnings, site_id, site_name, backend.settings.clock(), deadline
            )

    @contextmanager
    def _changing(self, event_id: str) -> Iterator[SiteContext]:
        """The context of an event's site; afterwards the calendars are synchronised."""
        with self._backend.store.session() as session:
            event = site_events.find(session.database, event_id)
        if event is None:
            raise SandboxError(f"unknown event {event_id!r}. List events with: extcal sandbox events list")
        if event.cancelled:
            raise SandboxError(f"the event {event_id} is cancelled. Add a new one.")
        name = next(each.site_name for each in self.schedules() if each.site_id == event.site_id)
        with self._site_context(event.site_id, name) as context:
            yield context
            sync_site(context)

    def _schedule(self, wanted: str) -> LocalSchedule:
        every = self.schedules()
        found = [each for each in every if each.schedule.id == wanted.lower()]
        # A member of staff has a schedule for working hours, too, called the same.
        bookable = [each for each in every if each.schedule.app_id == BOOKINGS_APP_ID]
        found = found or [each for each in bookable if each.schedule.name == wanted]
        found = found or [each for each in bookable if wanted and each.schedule.external_id == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(f"{each.schedule.id} ({each.site_name})" for each in found)
            raise UnclearScheduleError(f"{len(found)} schedules are called {wanted!r}. Use an id: {ids}")
        names = ", ".join(list(dict.fromkeys(each.schedule.name for each in bookable))[:_MOST_NAMED]) or "none"
        raise UnclearScheduleError(f"unknown schedule {wanted!r}. Known schedules: {names}")


def _span(start: datetime, end: datetime) -> tuple[int, int]:
    begins, ends = int(start.timestamp()), int(end.timestamp())
    if begins >= ends:
        raise SandboxError(f"the end {end.isoformat()} is not after the start {start.isoformat()}")
    return begins, ends


def _set_owner(context: SiteContext, schedule_id: str, owner_id: str, owner_name: str | None) -> int:
    """Give a schedule another owner; answers how many connections that disconnected.

    What was exported over them is removed. For the owner that it has already only a name that is given is new.
    """
    schedule = records.schedule(context.database, context.site_id, schedule_id)
    changes = schedule.owner_id != owner_id
    standing = [
        connection
        for connection in records.connections(context.database, context.site_id)
        if connection.schedule.id == schedule_id and connection.status != Status.DISCONNECTED and changes
    ]
    with context.session.writing():
        context.database.execute(
            "UPDATE schedule SET owner_id = ?, owner_name = ? WHERE site_id = ? AND id = ?",
            (owner_id, owner_name or (None if changes else schedule.owner_name), context.site_id, schedule_id),
        )
        context.database.executemany(
            "UPDATE connection SET status = ?, error_reason = NULL WHERE seq = ?",
            [(Status.DISCONNECTED, connection.seq) for connection in standing],
        )
    for connection in standing:
        sync_connection(context, records.connection(context.database, context.site_id, connection.id), prepare=False)
    return len(standing)
