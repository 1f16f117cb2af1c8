"""Imports what the accounts' calendars hold in a range of time, without what was exported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarError,
    CalendarGoneError,
    UnreachableError,
    UnreadableError,
)
from reconciler.sandbox.calendars.icalendar.expander import ExpansionRequest
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.contract import ErrorReason
from reconciler.sandbox.health import import_losses
from reconciler.sandbox.messages import reason
from reconciler.sandbox.provider_tasks import Task, run_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.calendars.icalendar.expander import Expander, ExpansionAnswer
    from reconciler.sandbox.calendars.icalendar.instances import Instance
    from reconciler.sandbox.calendars.protocol import CalendarRef, Deadline, Login
    from reconciler.sandbox.context import SiteContext
    from reconciler.sandbox.exports.marks import ExportMarks
    from reconciler.sandbox.messages import WarningLog
    from reconciler.sandbox.records import ConnectionRecord

_YEAR = 366 * 86_400.0
_ENOUGH, _FEW = 2000, 50
"""How many instances of a calendar are asked for at once, alone and among very many."""
_SHARE = 2 / 3
"""The part of an operation's time by the end of which all is read: what was read takes time too."""


@dataclass(frozen=True, slots=True)
class ImportedCalendar:
    """A calendar that a connection imports from, read as one stream of all its objects."""

    connection: ConnectionRecord
    calendar: CalendarRef
    content: bytes

    def warning(self, fault: str) -> str:
        """A fault, and where it is."""
        return _warning(self.connection, self.calendar, fault)


@dataclass(frozen=True, slots=True)
class ConnectionImport:
    """The calendars that a connection imports from, as they were read.

    `faults`: what could not be read, in words.

    `failure` is why none of them can be had, where the provider is out of reach.
    """

    connection: ConnectionRecord
    sources: tuple[ImportedCalendar, ...] = ()
    faults: tuple[str, ...] = ()
    failure: CalendarError | None = None


def import_calendars(
    context: SiteContext,
    connections: Sequence[ConnectionRecord],
    wanted: TimeRange,
    marks: ExportMarks,
    *,
    until: type[CalendarError] = UnreachableError,
) -> Iterator[ConnectionImport]:
    """What each connection imports from, in their order.

    A calendar that is gone or damaged takes no other one down. After an error of the kind `until` its provider is asked
    for nothing more. A connection whose account doesn't open any more becomes `ERROR`/`TOKEN_REVOKED` and has none.
    """
    calendars = context.first(_SHARE)
    accounts: dict[tuple[str, Login], list[ConnectionRecord]] = {}
    for connection in connections:
        accounts.setdefault((connection.provider.slug, connection.login), []).append(connection)
    tasks = [
        Task(slug, calendars.of(slug).at_once, partial(_read_all, calendars, of_account, wanted, marks))
        for (slug, _), of_account in accounts.items()
    ]
    read = run_tasks(tasks, until=until)
    outcomes = dict(zip(accounts, read, strict=True))
    for connection in connections:
        outcome = outcomes[connection.provider.slug, connection.login]
        if isinstance(outcome, BadCredentialsError):
            context.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
            yield ConnectionImport(connection)
        elif isinstance(outcome, CalendarError):
            yield ConnectionImport(connection, failure=outcome)
        else:
            yield outcome[connection.seq]


def _read_all(
    calendars: CalendarDirectory, connections: Sequence[ConnectionRecord], wanted: TimeRange, marks: ExportMarks
) -> dict[int, ConnectionImport]:
    """What the connections of one account import from, by their numbers.

    Raises `CalendarError`.
    """
    return {connection.seq: _read(calendars, connection, wanted, marks) for connection in connections}


def _read(
    calendars: CalendarDirectory, connection: ConnectionRecord, wanted: TimeRange, marks: ExportMarks
) -> ConnectionImport:
    found: list[ImportedCalendar] = []
    faults: list[str] = []
    provider, login = connection.provider.slug, connection.login
    backend = calendars.of(provider)
    listed = calendars.calendars(provider, login, fresh=False, used=connection.used_calendars)
    faults += import_losses(connection, listed)
    for calendar in _chosen(connection, listed):
        try:
            read = backend.read(login, calendar.id, _moment(wanted.start), _moment(wanted.end))
        except (CalendarGoneError, UnreadableError) as error:
            faults.append(_warning(connection, calendar, reason(error, login)))
        else:
            faults += [_warning(connection, calendar, reason(fault, login)) for fault in read.faults]
            content = b"\r\n".join(each.content for each in read.objects if each.name not in marks.names)
            if content:
                found.append(ImportedCalendar(connection, calendar, content))
    return ConnectionImport(connection, tuple(found), tuple(faults))


def first_parts(
    expander: Expander, every: Sequence[ImportedCalendar], wanted: TimeRange, seconds: float
) -> list[ExpansionAnswer]:
    """What calendars come to in the first part of a range.

    A shorter one where they are many, since all are merged.
    """
    enough = max(_FEW, _ENOUGH // (len(every) or 1))
    return expander.expand_all([_request(source, wanted, enough) for source in every], seconds)


def _request(source: ImportedCalendar, wanted: TimeRange, enough: int) -> ExpansionRequest:
    connection = source.connection
    zone, owner = connection.schedule.time_zone, connection.login.email
    return ExpansionRequest(source.content, zone, wanted, owner, enough)


def instances_of(
    expander: Expander,
    source: ImportedCalendar,
    first: ExpansionAnswer,
    wanted: TimeRange,
    marks: ExportMarks,
    deadline: Deadline,
    warnings: WarningLog,
) -> Iterator[Instance]:
    """What a calendar comes to, ordered by start, then key.

    The `first` part of the range is known; the others are made when they are asked for, up to the deadline.
    """
    answered, begun = first, wanted.start
    while True:
        for fault in answered.faults:
            warnings.warn(source.warning(fault))
        for instance in answered.instances:
            known = begun > wanted.start and instance.start < begun
            if not known and not marks.recognise(uid=instance.uid, mark=instance.mark):
                yield instance
        begun = answered.until
        if begun >= wanted.end:
            return
        answered = expander.expand(_request(source, replace(wanted, start=begun), _ENOUGH), deadline.left())


def year_around(now: float) -> TimeRange:
    """The year before and the year after `now`."""
    return TimeRange(now - _YEAR, now + _YEAR)


def _warning(connection: ConnectionRecord, calendar: CalendarRef, fault: str) -> str:
    return f"{connection.provider.slug}/{connection.login.email}/{calendar.name}: {fault}"


def _chosen(connection: ConnectionRecord, calendars: tuple[CalendarRef, ...]) -> list[CalendarRef]:
    ids = connection.sync_config.imports.calendars
    return list(calendars[:1]) if ids is None else [calendar for calendar in calendars if calendar.id in ids]


def _moment(seconds: float) -> datetime:
    first, last = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
    return datetime.fromtimestamp(min(max(seconds, first.timestamp()), last.timestamp()), UTC)
