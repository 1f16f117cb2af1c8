"""Finds the connections that a caller may see, and refuses what it may not do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.behaviour.model import Disconnected, Permissions
from reconciler.sandbox.contract import Status
from reconciler.sandbox.errors import RefusedError, application_error

if TYPE_CHECKING:
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ConnectionRecord


def addressed(call: Call) -> ConnectionRecord:
    """The connection that the path names; copies of the id in query and body are ignored.

    A refusal, 404 where the site doesn't have it or has forgotten it, 403 where the caller may not see it.
    """
    connection = records.connection(call.database, call.site.id, call.path["connection_id"])
    if _is_forgotten(call, connection):
        raise RefusedError(404, "Connection not found")
    if call.behaviour.permissions is Permissions.OWN_LISTED:
        _require_own(call, connection)
    return connection


def addressed_own(call: Call) -> ConnectionRecord:
    """The same for what is about the connection's calendars: the caller must have made it, where that matters."""
    connection = addressed(call)
    if call.behaviour.permissions is Permissions.OWN_CONFIG:
        _require_own(call, connection)
    return connection


def visible(call: Call) -> tuple[ConnectionRecord, ...]:
    """The site's connections that the caller may see, oldest first."""
    return tuple(
        connection
        for connection in records.connections(call.database, call.site.id)
        if not _is_forgotten(call, connection)
        and (call.behaviour.permissions is not Permissions.OWN_LISTED or _is_own(call, connection))
    )


def require_connected(connection: ConnectionRecord) -> None:
    """Raises 428 where the connection was disconnected."""
    if connection.status == Status.DISCONNECTED:
        raise application_error(428, "CONNECTION_NOT_CONNECTED", "The connection is disconnected")


def _is_forgotten(call: Call, connection: ConnectionRecord) -> bool:
    return connection.status == Status.DISCONNECTED and call.behaviour.disconnected is Disconnected.FORGOTTEN


def _is_own(call: Call, connection: ConnectionRecord) -> bool:
    return connection.connected_by == call.site.caller


def _require_own(call: Call, connection: ConnectionRecord) -> None:
    if not _is_own(call, connection):
        raise RefusedError(403, "The caller may not do this with a connection that it did not make")
