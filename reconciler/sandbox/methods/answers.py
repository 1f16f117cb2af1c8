"""Makes what the methods answer of connections: their JSON, and the lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.behaviour.model import (
    CalendarNames,
    Directions,
    Hidden,
    PartialFailure,
    Unsaid,
    UpdateAnswer,
)
from reconciler.sandbox.calendars.errors import CalendarError
from reconciler.sandbox.contract import BOOKINGS_APP_ID, DIRECTIONS, Status
from reconciler.sandbox.methods.access import visible
from reconciler.sandbox.methods.providers import refuse_failed
from reconciler.sandbox.sync_config import to_wire
from reconciler.sandbox.unknown_fields import with_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from reconciler.sandbox.backend import Settings
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ConnectionRecord


def status_at(connection: ConnectionRecord, settings: Settings, now: float) -> str:
    """The status at the time `now`: what is `CONNECTED` goes on to `SYNCED` by itself."""
    if connection.status != Status.CONNECTED:
        return connection.status
    age = now - connection.connected_at
    if age < settings.sync_starts_after:
        return Status.CONNECTED
    return Status.SYNC_IN_PROGRESS if age < settings.sync_done_after else Status.SYNCED


def answer(call: Call, connection_id: str, *, sent: Collection[str] | None = None) -> dict[str, object]:
    """`{connection}` as it stands now.

    `sent` are the fields of the sync config that an update sent, where that may matter.
    """
    connection = _connection_json(call, records.connection(call.database, call.site.id, connection_id))
    config = connection["syncConfig"]
    if sent is not None and call.behaviour.update_answer is UpdateAnswer.SENT_DIRECTIONS and isinstance(config, dict):
        connection["syncConfig"] = {name: config[name] for name in config if name in sent or name not in DIRECTIONS}
    return {"connection": connection}


def listing(call: Call, failing: Callable[[], list[str]]) -> dict[str, object]:
    """What ListConnections answers, oldest first, where the providers fail whose ids `failing` finds out."""
    schedule_ids = call.query.guids("scheduleIds")
    partial = call.query.boolean("partialFailure") or False
    call.query.check()
    failed = failing()
    listed = [
        connection
        for connection in visible(call)
        if (not schedule_ids or connection.schedule.id in schedule_ids) and connection.provider.id not in failed
    ]
    if not succeeds(call, failed, listed, partial=partial):
        refuse_failed(call, failed)
    return {"connections": [_listed_json(call, each) for each in listed], **failed_json(call, failed)}


def _listed_json(call: Call, connection: ConnectionRecord) -> dict[str, object]:
    fields = _connection_json(call, connection)
    config = fields["syncConfig"]
    if call.behaviour.directions is Directions.BY_ID and isinstance(config, dict):
        fields["syncConfig"] = {name: value for name, value in config.items() if name not in DIRECTIONS}
    return fields


def succeeds(call: Call, failed: Collection[str], read: Sequence[ConnectionRecord], *, partial: bool) -> bool:
    """Whether a list is answered while providers have `failed`, and the connections `read` could be read."""
    if not failed:
        return True
    return partial and (bool(read) or call.behaviour.partial_failure is PartialFailure.PARTIAL)


def failed_json(call: Call, failed: list[str]) -> dict[str, object]:
    """The field that names the providers that failed."""
    return {} if Hidden.FAILED_PROVIDER_IDS in call.behaviour.hidden else {"failedProviderIds": failed}


def _connection_json(call: Call, connection: ConnectionRecord) -> dict[str, object]:
    """The contract's Connection; fields that have no value are left out."""
    status = status_at(connection, call.settings, call.now)
    reason = connection.error_reason if status == Status.ERROR else None
    fields: dict[str, object | None] = {
        "id": connection.id,
        "providerId": connection.provider.id,
        "calendarType": connection.provider.calendar_type,
        "scheduleId": connection.schedule.id,
        "userId": connection.schedule.owner_id,
        "appId": BOOKINGS_APP_ID,
        "externalAccountEmail": connection.login.email if connection.email_shown else None,
        "status": status,
        "errorReason": Unsaid.UNDEFINED if reason is None and call.behaviour.unsaid is Unsaid.UNDEFINED else reason,
        "syncConfig": _sync_config_json(call, connection),
    }
    return {name: value for name, value in fields.items() if value is not None and name not in call.behaviour.hidden}


def _sync_config_json(call: Call, connection: ConnectionRecord) -> dict[str, object]:
    config, behaviour = connection.sync_config, call.behaviour
    wire = to_wire(config, _names(call, connection))
    if behaviour.unknown_fields:
        wire = with_unknown(wire, config.unknown)
    if behaviour.directions is Directions.SET:
        shown = dict(zip(DIRECTIONS, (config.imports.is_set, config.exports.is_set), strict=True))
        wire = {name: value for name, value in wire.items() if shown.get(name, True)}
    return wire


def _names(call: Call, connection: ConnectionRecord) -> dict[str, str]:
    """The names of the account's calendars by their ids.

    Empty where nobody asks for them, or they can't be had.
    """
    if call.behaviour.calendar_names is CalendarNames.HIDDEN or not connection.sync_config.imports.calendars:
        return {}
    try:
        calendars = call.calendars.calendars(connection.provider.slug, connection.login, fresh=False)
    except CalendarError:
        return {}
    return {calendar.id: calendar.name for calendar in calendars}
