"""Answers Query Schedules of the Calendar API, as far as the OpenAPI file describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.cursors import MAX_CURSOR, make_cursor, read_cursor
from reconciler.sandbox.errors import ViolatedRule
from reconciler.sandbox.request_body import Fields

if TYPE_CHECKING:
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ScheduleRecord

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
_FIELDS = ("id", "externalId", "appId", "status")
_OPERATORS = ("$eq", "$in")
_CURSOR = "schedules"


def query_schedules(call: Call) -> dict[str, object]:
    """`POST /calendar/v3/schedules/query`: filtered by `$eq` and `$in`.

    Without `status` only the `ACTIVE` ones.
    """
    query = call.body.child("query") or Fields({})
    paging = query.child("cursorPaging") or Fields({})
    limit = paging.integer("limit", default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
    cursor = paging.optional_text("cursor", max_length=MAX_CURSOR)
    wanted = _wanted(query.child("filter") or Fields({}))
    call.body.check()
    skipped = 0
    if cursor is not None:
        content = read_cursor(call.database, call.site.id, _CURSOR, cursor)
        wanted, skipped = _standing(content)
    matching = [schedule for schedule in records.schedules(call.database, call.site.id) if _matches(schedule, wanted)]
    page = matching[skipped : skipped + limit]
    has_next = len(matching) > skipped + limit
    following = {"wanted": wanted, "skipped": skipped + limit}
    cursors = {"next": make_cursor(call.database, call.site.id, _CURSOR, following)} if has_next else {}
    return {
        "schedules": [_schedule_json(schedule) for schedule in page],
        "pagingMetadata": {"count": len(page), "cursors": cursors, "hasNext": has_next},
    }


def _wanted(body: Fields) -> dict[str, list[str]]:
    """The values that each filtered field may have."""
    wanted: dict[str, list[str]] = {"status": ["ACTIVE"]}
    for name in body.names():
        if name not in _FIELDS:
            body.reject(name, f"must be one of {', '.join(_FIELDS)}", ViolatedRule.INVALID_ENUM_VALUE)
            continue
        condition = body.child(name)
        if condition is None:
            continue
        for operator in condition.names():
            if operator not in _OPERATORS:
                condition.reject(operator, f"must be one of {', '.join(_OPERATORS)}", ViolatedRule.INVALID_ENUM_VALUE)
        equal = [condition.text("$eq")] if condition.has("$eq") else None
        among = list(condition.texts("$in")) if condition.has("$in") else None
        if equal is not None and among is not None:
            wanted[name] = [value for value in equal if value in among]
        elif equal is not None or among is not None:
            wanted[name] = equal or among or []
    return wanted


def _standing(content: dict[str, object]) -> tuple[dict[str, list[str]], int]:
    wanted, skipped = content["wanted"], content["skipped"]
    if not isinstance(wanted, dict) or not isinstance(skipped, int):
        raise TypeError("a cursor that carries our signature holds what we put there")
    return wanted, skipped


def _matches(schedule: ScheduleRecord, wanted: dict[str, list[str]]) -> bool:
    values = {
        "id": schedule.id,
        "externalId": schedule.external_id,
        "appId": schedule.app_id,
        "status": schedule.status,
    }
    return all(values[name] in allowed for name, allowed in wanted.items())


def _schedule_json(schedule: ScheduleRecord) -> dict[str, object]:
    fields: dict[str, object | None] = {
        "id": schedule.id,
        "name": schedule.name,
        "externalId": schedule.external_id,
        "status": schedule.status,
        "timeZone": schedule.time_zone,
        "appId": schedule.app_id,
        "defaultCapacity": 1,
    }
    return {name: value for name, value in fields.items() if value is not None}
