"""The operations of the API by name, and which of them change something (contract page, "Methods")."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """The contract's nine methods, and the two beside them: Query Schedules and the app's token."""

    LIST_PROVIDERS = "ListProviders"
    LIST_CONNECTIONS = "ListConnections"
    GET_CONNECTION = "GetConnection"
    CONNECT_BY_OAUTH = "ConnectByOAuth"
    CONNECT_BY_CREDENTIALS = "ConnectByCredentials"
    LIST_CALENDARS = "ListCalendars"
    UPDATE_SYNC_CONFIG = "UpdateSyncConfig"
    DISCONNECT = "Disconnect"
    LIST_EVENTS = "ListEvents"
    QUERY_SCHEDULES = "QuerySchedules"
    ISSUE_TOKEN = "IssueToken"  # noqa: S105 -- the name of an operation


WRITES = frozenset(
    {
        Operation.CONNECT_BY_OAUTH,
        Operation.CONNECT_BY_CREDENTIALS,
        Operation.UPDATE_SYNC_CONFIG,
        Operation.DISCONNECT,
    }
)
"""They need the permission to write, and answer a consistency token."""

READS = frozenset(Operation) - WRITES - {Operation.ISSUE_TOKEN}
"""They change nothing."""
