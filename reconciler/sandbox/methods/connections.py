"""Answers ListConnections, GetConnection, Disconnect and ListCalendars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.auth import require_premium
from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError
from reconciler.sandbox.contract import BOOKINGS_APP_ID, ErrorReason, ExportSupport, ImportSupport, Status
from reconciler.sandbox.errors import application_error, not_supported, unreachable_because
from reconciler.sandbox.exports.export_sync import sync_connection
from reconciler.sandbox.health import check_accounts
from reconciler.sandbox.messages import reason
from reconciler.sandbox.methods.providers import refuse_failed
from reconciler.sandbox.sync_config import to_wire

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.sandbox.backend import Settings
    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ConnectionRecord, ProviderRecord


def status_at(connection: ConnectionRecord, settings: Settings, now: float) -> str:
    """The status at the time `now`: what is `CONNECTED` goes on to `SYNCED` by itself."""
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
    """The names of the account's calendars by their ids.

    Empty where nobody asks for them, or they can't be had.
    """
    if not (call.settings.calendar_names and connection.sync_config.imports.calendars):
        return {}
    try:
        calendars = call.calendars.calendars(connection.provider.slug, connection.login, fresh=False)
    except CalendarError:
        return {}
    return {calendar.id: calendar.name for calendar in calendars}


def addressed(call: Call) -> ConnectionRecord:
    """The connection that the path names; copies of the id in query and body are ignored."""
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
    failed = failed_providers(
        call, check_accounts(call.context, records.connections(call.database, call.site.id), fresh=False)
    )
    if not partial:
        refuse_failed(call, failed)
    return {
        "connections": [
            connection_json(call, connection)
            for connection in records.connections(call.database, call.site.id)
            if (not schedule_ids or connection.schedule.id in schedule_ids) and connection.provider.id not in failed
        ],
        "failedProviderIds": failed,
    }


def failed_providers(call: Call, unreachable: Collection[str]) -> list[str]:
    """The ids of the site's providers that are down or can't be reached, in their order."""
    providers = records.providers(call.database, call.site.id)
    return [provider.id for provider in providers if provider.down or provider.id in unreachable]


def get_connection(call: Call) -> dict[str, object]:
    """GetConnection: checks that the account can still be signed in to.

    While that isn't known, it answers what was known before.
    """
    connection = addressed(call)
    check_accounts(call.context, [connection], fresh=True)
    sync_connection(call.context, addressed(call), prepare=False)
    return answer(call, connection.id)


def disconnect(call: Call) -> dict[str, object]:
    """Disconnect: the connection stays listed, and what was exported over it is removed.

    While its provider can't be reached the events stay; they are removed when it can be.
    """
    connection = addressed(call)
    with call.session.writing():
        changed = call.database.execute(
            "UPDATE connection SET status = ?, error_reason = NULL WHERE seq = ? AND status != ?",
            (Status.DISCONNECTED, connection.seq, Status.DISCONNECTED),
        )
    if not changed.rowcount:
        raise application_error(428, "CONNECTION_ALREADY_DISCONNECTED", "The connection is disconnected already")
    sync_connection(call.context, addressed(call), prepare=False)
    return answer(call, connection.id)


def list_calendars(call: Call) -> dict[str, object]:
    """ListCalendars: every calendar of the connected account."""
    require_premium(call)
    connection = addressed(call)
    require_connected(connection)
    if not _offers_calendars(connection.provider):
        raise not_supported(f"{connection.provider.name} doesn't let its calendars be listed")
    return {"calendars": [{"id": calendar.id, "name": calendar.name} for calendar in calendars_of(call, connection)]}


def calendars_of(call: Call, connection: ConnectionRecord, used: Collection[str] = ()) -> tuple[CalendarRef, ...]:
    """The calendars of a connected account, the primary one first, and those `used`.

    Raises 428 where the account can't be signed in to any more, 503 where it can't be reached.
    """
    try:
        return call.calendars.calendars(connection.provider.slug, connection.login, fresh=True, used=used)
    except BadCredentialsError:
        call.context.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        description = "The account's owner has to connect it again"
        raise application_error(428, "CONNECTION_NOT_CONNECTED", description) from None
    except CalendarError as error:
        raise unreachable_because(connection.provider.name, reason(error, connection.login)) from None


def require_connected(connection: ConnectionRecord) -> None:
    """Raises 428 where the connection was disconnected."""
    if connection.status == Status.DISCONNECTED:
        raise application_error(428, "CONNECTION_NOT_CONNECTED", "The connection is disconnected")


def _offers_calendars(provider: ProviderRecord) -> bool:
    """Whether the provider lets a calendar be chosen, to import from or to export to."""
    return not (
        provider.import_support in {ImportSupport.NOT_SUPPORTED, ImportSupport.PRIMARY_CALENDAR_ONLY}
        and provider.export_support in {ExportSupport.NOT_SUPPORTED, ExportSupport.PRIMARY_CALENDAR_ONLY}
    )
