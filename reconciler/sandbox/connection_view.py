"""A connection as the API answers it: its status at this moment, its account, its sync config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import CalendarError
from reconciler.sandbox.contract import BOOKINGS_APP_ID, Status
from reconciler.sandbox.sync_config import to_wire

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call
    from reconciler.sandbox.records import ConnectionRecord
    from reconciler.sandbox.settings import Settings


def status_at(connection: ConnectionRecord, settings: Settings, now: float) -> str:
    """The status at the time `now` (seconds since the epoch): what is `CONNECTED` goes on to `SYNCED` by itself."""
    if connection.status != Status.CONNECTED:
        return connection.status
    age = now - connection.connected_at
    if age < settings.sync_starts_after:
        return Status.CONNECTED
    return Status.SYNC_IN_PROGRESS if age < settings.sync_done_after else Status.SYNCED


def connection_json(call: Call, connection: ConnectionRecord) -> dict[str, object]:
    """The contract's Connection; fields that have no value are left out."""
    status = status_at(connection, call.settings, call.now)
    fields: dict[str, object | None] = {
        "id": connection.id,
        "providerId": connection.provider.id,
        "calendarType": connection.provider.calendar_type,
        "scheduleId": connection.schedule.id,
        "userId": connection.schedule.owner_id,
        "appId": BOOKINGS_APP_ID,
        "externalAccountEmail": connection.login.email if connection.email_shown else None,
        "status": status,
        "errorReason": connection.error_reason if status == Status.ERROR else None,
        "syncConfig": to_wire(connection.sync_config, _names(call, connection)),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _names(call: Call, connection: ConnectionRecord) -> dict[str, str]:
    """The names of the account's calendars by their ids; none where nobody asks for them, or they can't be had."""
    if not (call.settings.calendar_names and connection.sync_config.imports.calendars):
        return {}
    try:
        calendars = call.calendars.calendars(connection.provider.slug, connection.login, fresh=False)
    except CalendarError:
        return {}
    return {calendar.id: calendar.name for calendar in calendars}
