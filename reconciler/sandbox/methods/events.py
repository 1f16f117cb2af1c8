"""Answers ListEvents: what the connected accounts' calendars hold in a range of time."""

from __future__ import annotations

import heapq
from dataclasses import asdict, dataclass
from itertools import dropwhile, islice
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.contents import instance_of
from reconciler.sandbox.contract import rfc3339
from reconciler.sandbox.cursors import make_cursor, read_cursor
from reconciler.sandbox.errors import ViolatedRule
from reconciler.sandbox.exports.export_sync import sync_site
from reconciler.sandbox.exports.marks import marks_of
from reconciler.sandbox.health import check_accounts
from reconciler.sandbox.imports import ImportedCalendar, first_parts, import_calendars, instances_of
from reconciler.sandbox.messages import reason
from reconciler.sandbox.methods.answers import failed_json, succeeds
from reconciler.sandbox.methods.connections import failed_providers
from reconciler.sandbox.methods.providers import refuse_failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.calendars.icalendar.expander import ExpansionAnswer
    from reconciler.sandbox.calendars.icalendar.instances import Instance
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.exports.marks import ExportMarks
    from reconciler.sandbox.records import ConnectionRecord

MAX_IDS = 100
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
_FIELDSETS = ("NO_PI", "OWN_PI")
_CURSOR = "events"
_LOOKING = 1 / 3
"""The part of the time for looking whether the accounts open: a slow one leaves as much for what others hold."""


@dataclass(frozen=True, slots=True)
class _Filter:
    """What is asked for.

    `start` and `end` are the range in seconds since the epoch, `own_pi` personal fields too.
    """

    start: float
    end: float
    schedule_ids: tuple[str, ...]
    user_ids: tuple[str, ...]
    all_day: bool | None
    own_pi: bool


@dataclass(frozen=True, slots=True, order=True)
class _Position:
    """An event's place in the order of the answer: by start, then by a constant key."""

    start: int
    connection: int
    key: str


@dataclass(frozen=True, slots=True)
class _Found:
    position: _Position
    source: ImportedCalendar
    instance: Instance


def list_events(call: Call) -> dict[str, object]:
    """ListEvents: sorted by start; events that overlap an edge of the range are included."""
    limit = call.query.integer("cursorPaging.limit", default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
    partial = call.query.boolean("partialFailure") or False
    cursor = call.query.text("cursorPaging.cursor")
    wanted, after = _from_query(call) if cursor is None else _from_cursor(call, cursor)
    call.query.check()
    every = records.connections(call.database, call.site.id)
    failed = failed_providers(call, check_accounts(call.context, every, fresh=True, share=_LOOKING))
    found = _events(call, wanted, after, failed)
    readable = [each for each in every if _is_asked_for(each, wanted) and each.provider.id not in failed]
    refused = not succeeds(call, failed, readable, partial=partial)
    page = [] if refused else list(islice(found, limit))
    following = None if refused else next(found, None)
    # In what time is left: what can't be exported now is at the next occasion.
    sync_site(call.context)
    if refused:
        refuse_failed(call, failed)
    cursors: dict[str, object] = {}
    if following is not None:
        content = {"filter": asdict(wanted), "after": asdict(page[-1].position)}
        cursors["next"] = make_cursor(call.database, call.site.id, _CURSOR, content)
    return {
        "events": [_event_json(event, own_pi=wanted.own_pi) for event in page],
        "pagingMetadata": {"count": len(page), "cursors": cursors, "hasNext": following is not None},
        **failed_json(call, failed),
    }


def _from_query(call: Call) -> tuple[_Filter, None]:
    query = call.query
    wanted = _Filter(
        start=query.instant("from"),
        end=query.instant("to"),
        schedule_ids=query.guids("scheduleIds", max_size=MAX_IDS),
        user_ids=query.guids("userIds", max_size=MAX_IDS),
        all_day=query.boolean("allDay"),
        own_pi="OWN_PI" in query.choices("fieldsets", _FIELDSETS),
    )
    query.check()
    if wanted.start >= wanted.end:
        query.reject("to", "must be later than from", ViolatedRule.OTHER)
    return wanted, None


def _from_cursor(call: Call, cursor: str) -> tuple[_Filter, _Position]:
    """The cursor keeps the filters of the first call.

    Only the page's size and what to do on failure may be new.
    """
    content = read_cursor(call.database, call.site.id, _CURSOR, cursor)
    stored, after = content["filter"], content["after"]
    if not isinstance(stored, dict) or not isinstance(after, dict):
        raise TypeError("a cursor that carries our signature holds what we put there")
    return _Filter(**stored), _Position(**after)


def _events(call: Call, wanted: _Filter, after: _Position | None, failed: list[str]) -> Iterator[_Found]:
    """The events from `after` on.

    Providers that turn out to be out of reach are added to `failed`.
    """
    marks = marks_of(call.database, instance_of(call.database))
    # What started before the last page's end is known; what is asked for begins there.
    within = TimeRange(wanted.start if after is None else max(wanted.start, after.start), wanted.end, wanted.all_day)
    asked = [
        connection
        for connection in records.connections(call.database, call.site.id)
        if _is_asked_for(connection, wanted) and connection.provider.id not in failed
    ]
    read: list[ImportedCalendar] = []
    for imports in import_calendars(call.context, asked, within, marks):
        connection = imports.connection
        if imports.failure is not None and connection.provider.id not in failed:
            call.warnings.warn(
                f"{connection.provider.slug} can't be reached: {reason(imports.failure, connection.login)}"
            )
            failed.append(connection.provider.id)
        read += imports.sources
        for fault in imports.faults:
            call.warnings.warn(fault)
    read = [source for source in read if source.connection.provider.id not in failed]
    firsts = first_parts(call.expander, read, within, call.deadline.left())
    streams = [_found(call, source, first, within, marks) for source, first in zip(read, firsts, strict=True)]
    merged: Iterator[_Found] = heapq.merge(*streams, key=lambda found: found.position)
    if after is None:
        return merged
    return dropwhile(lambda found: found.position <= after, merged)


def _found(
    call: Call, source: ImportedCalendar, first: ExpansionAnswer, within: TimeRange, marks: ExportMarks
) -> Iterator[_Found]:
    for instance in instances_of(call.expander, source, first, within, marks, call.deadline, call.warnings):
        position = _Position(instance.start, source.connection.seq, f"{source.calendar.id}/{instance.key}")
        yield _Found(position, source, instance)


def _is_asked_for(connection: ConnectionRecord, wanted: _Filter) -> bool:
    return (
        connection.sync_config.imports.enabled
        and connection.opens
        and (not wanted.schedule_ids or connection.schedule.id in wanted.schedule_ids)
        and (not wanted.user_ids or connection.schedule.owner_id in wanted.user_ids)
    )


def _event_json(found: _Found, *, own_pi: bool) -> dict[str, object]:
    connection, instance = found.source.connection, found.instance
    event: dict[str, object | None] = {
        "scheduleId": connection.schedule.id,
        "calendarType": connection.provider.calendar_type,
        "start": rfc3339(instance.start),
        "end": rfc3339(instance.end),
        "allDay": instance.all_day,
        "scheduleOwnerId": connection.schedule.owner_id,
    }
    if own_pi:
        event |= {
            "calendarName": found.source.calendar.name,
            "title": instance.title,
            "scheduleOwnerName": connection.schedule.owner_name,
        }
    return {name: value for name, value in event.items() if value is not None}
