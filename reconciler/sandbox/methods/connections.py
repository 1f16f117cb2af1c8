"""Answers ListConnections, GetConnection, Disconnect and ListCalendars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.auth import require_premium
from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError
from reconciler.sandbox.contract import ErrorReason, ExportSupport, ImportSupport, Status
from reconciler.sandbox.errors import application_error, not_supported, unreachable_because
from reconciler.sandbox.exports.export_sync import sync_connection
from reconciler.sandbox.health import check_accounts
from reconciler.sandbox.messages import reason
from reconciler.sandbox.methods.access import addressed, addressed_own, require_connected
from reconciler.sandbox.methods.answers import answer, listing

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ConnectionRecord, ProviderRecord


def list_connections(call: Call) -> dict[str, object]:
    """ListConnections: all that the caller may see, disconnected ones among them unless they are forgotten."""

    def failing() -> list[str]:
        every = records.connections(call.database, call.site.id)
        return failed_providers(call, check_accounts(call.context, every, fresh=False))

    return listing(call, failing)


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
    """Disconnect: what was exported over the connection is removed; it stays listed, or is forgotten.

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
    disconnected = records.connection(call.database, call.site.id, connection.id)
    sync_connection(call.context, disconnected, prepare=False)
    return answer(call, connection.id)


def list_calendars(call: Call) -> dict[str, object]:
    """ListCalendars: every calendar of the connected account."""
    require_premium(call)
    connection = addressed_own(call)
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


def _offers_calendars(provider: ProviderRecord) -> bool:
    """Whether the provider lets a calendar be chosen, to import from or to export to."""
    return not (
        provider.import_support in {ImportSupport.NOT_SUPPORTED, ImportSupport.PRIMARY_CALENDAR_ONLY}
        and provider.export_support in {ExportSupport.NOT_SUPPORTED, ExportSupport.PRIMARY_CALENDAR_ONLY}
    )
