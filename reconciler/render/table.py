"""Shows live values: as aligned columns for people, as JSON in the API's field names for scripts."""

import json
from collections.abc import Mapping, Sequence

from reconciler.model.encoding import Json
from reconciler.model.live import Calendar, Event, Extra, LiveConnection, Provider, Schedule
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.render.data_text import json_text
from reconciler.text import cut, inert, padded, width

Row = tuple[str, ...]
WIDEST = 1_000
"""How many characters a cell of a table has at most."""


def table(headings: Row, rows: Sequence[Row]) -> str:
    """Columns as wide as their widest cell; the last one is not padded."""
    shown = [headings, *(tuple(_cell(text) for text in row) for row in rows)]
    widths = [max(width(row[column]) for row in shown) for column in range(len(headings))]
    lines = ("  ".join(map(padded, row, widths)).rstrip() for row in shown)
    return "\n".join(lines)


def _cell(text: str) -> str:
    """The text as every row can bear it: a column is as wide as its widest cell."""
    return cut(inert(text), WIDEST)


def as_json(rows: Sequence[dict[str, Json]]) -> str:
    """Rows as a JSON array of objects."""
    return json_text(rows)


def provider_json(site: str, provider: Provider) -> dict[str, Json]:
    """A provider in the API's words."""
    features = provider.features
    offered: dict[str, Json] = {"connectMethods": list(features.connect_methods)}
    if features.update_sync_config is not None:
        offered["updateSyncConfig"] = features.update_sync_config
    offered |= _given({"listEventFromCalendars": features.imports, "syncToCalendar": features.exports})
    fields = {"id": provider.id, "name": provider.name, "calendarType": provider.calendar_type}
    return _with_site(site, provider.extra) | _given(fields) | {"features": offered}


def connection_json(site: str, connection: LiveConnection) -> dict[str, Json]:
    """A connection in the API's words."""
    fields = {
        "id": connection.id,
        "providerId": connection.provider_id,
        "calendarType": connection.calendar_type,
        "scheduleId": connection.schedule_id,
        "userId": connection.user_id,
        "appId": connection.app_id,
        "externalAccountEmail": None if connection.account is None else connection.account.given,
        "status": connection.status,
        "errorReason": connection.error_reason,
    }
    return _with_site(site, connection.extra) | _given(fields) | {"syncConfig": _sync_json(connection.sync)}


def calendar_json(site: str, connection: LiveConnection, calendar: Calendar) -> dict[str, Json]:
    """A calendar in the API's words, with the connection whose account has it."""
    fields = {"connectionId": connection.id, "id": calendar.id, "name": calendar.name}
    return _with_site(site, calendar.extra) | _given(fields)


def schedule_json(site: str, schedule: Schedule) -> dict[str, Json]:
    """A schedule in the API's words."""
    fields = {
        "id": schedule.id,
        "name": schedule.name,
        "externalId": schedule.external_id,
        "status": schedule.status,
        "timeZone": schedule.time_zone,
        "appId": schedule.app_id,
    }
    return _with_site(site, schedule.extra) | _given(fields)


def event_json(site: str, event: Event) -> dict[str, Json]:
    """An event in the API's words; personal fields only where they were asked for."""
    fields = {
        "scheduleId": event.schedule_id,
        "calendarType": event.calendar_type,
        "calendarName": event.calendar_name,
        "title": event.title,
        "start": event.start,
        "end": event.end,
        "scheduleOwnerId": event.schedule_owner_id,
        "scheduleOwnerName": event.schedule_owner_name,
    }
    return _with_site(site, event.extra) | _given(fields) | {"allDay": event.all_day}


def sync_words(sync: SyncConfig) -> tuple[str, str]:
    """What is imported and exported, in a few words each."""
    return _direction_words(sync.imports), _direction_words(sync.exports)


def _direction_words(direction: Direction | None) -> str:
    if direction is None or not direction.enabled:
        return "off"
    match direction.arm:
        case Arm.CALENDARS:
            return ", ".join(str(calendar) for calendar in direction.calendars) or "no calendar"
        case Arm.PRIMARY:
            return "primary"
        case Arm.DEDICATED:
            return "dedicated"
        case None:
            return "on"


def _sync_json(sync: SyncConfig) -> Json:
    found: dict[str, Json] = {}
    for name, direction in (("listEventFromCalendars", sync.imports), ("syncToCalendar", sync.exports)):
        if direction is not None:
            found[name] = _direction_json(direction)
    return found


def _direction_json(direction: Direction) -> Json:
    found: dict[str, Json] = {}
    if direction.enabled is not None:
        found["enabled"] = direction.enabled
    if direction.arm is Arm.CALENDARS:
        calendars: list[Json] = [dict(_given({"id": ref.id, "name": ref.name})) for ref in direction.calendars]
        found["calendars"] = {"calendars": calendars}
    elif direction.arm is not None:
        found[direction.arm.value] = {}
    return found


def _given(fields: Mapping[str, str | None]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def _with_site(site: str, extra: Extra) -> dict[str, Json]:
    """The site first and whatever else the service told; a field of its own by that name does not displace ours."""
    return {"site": site} | {name: json.loads(text) for name, text in extra} | {"site": site}
