"""ListConnections, GetConnection, Disconnect and ListCalendars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.connection_view import connection_json
from reconciler.sandbox.contract import ExportSupport, ImportSupport, Status
from reconciler.sandbox.methods.premium import require_premium
from reconciler.sandbox.methods.providers import failed_providers
from reconciler.sandbox.refusal import application_error, not_supported

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call
    from reconciler.sandbox.records import ConnectionRecord, ProviderRecord


def addressed(call: Call) -> ConnectionRecord:
    """The connection that the path names; what query and body repeat of it is not looked at."""
    return records.connection(call.database, call.site.id, call.path["connection_id"])


def answer(call: Call, connection_id: str) -> dict[str, object]:
    """`{connection}` as it stands now."""
    connection = records.connection(call.database, call.site.id, connection_id)
    return {"connection": connection_json(call, connection)}


def list_connections(call: Call) -> dict[str, object]:
    """ListConnections: all of them, disconnected ones among them, oldest first."""
    schedule_ids = call.query.guids("scheduleIds")
    partial = call.query.boolean("partialFailure") or False
    call.query.check()
    failed = failed_providers(call, partial=partial)
    return {
        "connections": [
            connection_json(call, connection)
            for connection in records.connections(call.database, call.site.id)
            if (not schedule_ids or connection.schedule.id in schedule_ids) and connection.provider.id not in failed
        ],
        "failedProviderIds": failed,
    }


def get_connection(call: Call) -> dict[str, object]:
    """GetConnection."""
    return {"connection": connection_json(call, addressed(call))}


def disconnect(call: Call) -> dict[str, object]:
    """Disconnect: the connection stays listed as `DISCONNECTED`."""
    connection = addressed(call)
    if connection.status == Status.DISCONNECTED:
        raise application_error(428, "CONNECTION_ALREADY_DISCONNECTED", "The connection is disconnected already")
    call.database.execute(
        "UPDATE connection SET status = ?, error_reason = NULL WHERE seq = ?",
        (Status.DISCONNECTED, connection.seq),
    )
    return answer(call, connection.id)


def list_calendars(call: Call) -> dict[str, object]:
    """ListCalendars: every calendar of the connected account."""
    require_premium(call)
    connection = addressed(call)
    require_connected(connection)
    if not _offers_calendars(connection.provider):
        raise not_supported(f"{connection.provider.name} doesn't let its calendars be listed")
    return {
        "calendars": [
            {"id": calendar.id, "name": calendar.name} for calendar in call.calendars.calendars(connection.account_id)
        ]
    }


def require_connected(connection: ConnectionRecord) -> None:
    """A refusal (428) where the connection was disconnected."""
    if connection.status == Status.DISCONNECTED:
        raise application_error(428, "CONNECTION_NOT_CONNECTED", "The connection is disconnected")


def _offers_calendars(provider: ProviderRecord) -> bool:
    """A provider none of whose features lets one choose a calendar has none to show."""
    return not (
        provider.import_support in {ImportSupport.NOT_SUPPORTED, ImportSupport.PRIMARY_CALENDAR_ONLY}
        and provider.export_support in {ExportSupport.NOT_SUPPORTED, ExportSupport.PRIMARY_CALENDAR_ONLY}
    )
