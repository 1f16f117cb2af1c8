"""Defines what the External Calendars API fixes: its sets, ids, operations and formats.

The contract itself is `schemas/external-calendars-v2.openapi.yaml`. `UNDEFINED` is a value of every enum of the
answers, and means that nothing is said.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

BOOKINGS_APP_ID = "13d21c63-b5ec-5912-8397-c3a5ddb27a97"
BUSINESS_SCHEDULE_EXTERNAL_ID = "4e0579a5-491e-4e70-a872-d097eed6e520"


class CalendarType(StrEnum):
    """What kind of calendar a provider hosts."""

    UNDEFINED = "UNDEFINED"
    GOOGLE = "GOOGLE"
    I_CAL = "I_CAL"
    OUTLOOK = "OUTLOOK"
    OFFICE_365 = "OFFICE_365"
    MICROSOFT = "MICROSOFT"
    OTHER = "OTHER"


class ConnectMethod(StrEnum):
    """How a provider lets an account be connected."""

    UNDEFINED = "UNDEFINED"
    OAUTH = "OAUTH"
    CREDENTIALS = "CREDENTIALS"


class ImportSupport(StrEnum):
    """`features.listEventFromCalendars`: the calendars that events can be imported from."""

    UNDEFINED = "UNDEFINED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    PRIMARY_CALENDAR_ONLY = "PRIMARY_CALENDAR_ONLY"
    SPECIFIC_CALENDARS = "SPECIFIC_CALENDARS"


class ExportSupport(StrEnum):
    """`features.syncToCalendar`: to which calendar a provider lets events be exported."""

    UNDEFINED = "UNDEFINED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    PRIMARY_CALENDAR_ONLY = "PRIMARY_CALENDAR_ONLY"
    SPECIFIC_CALENDAR = "SPECIFIC_CALENDAR"
    DEDICATED_CALENDAR = "DEDICATED_CALENDAR"


class ExportTarget(StrEnum):
    """The one-of of `syncToCalendar`, by its field names."""

    PRIMARY = "primaryCalendar"
    DEDICATED = "dedicatedCalendar"


DIRECTIONS = ("listEventFromCalendars", "syncToCalendar")
"""The two directions of a sync config, by their field names: import and export."""


class Status(StrEnum):
    """Where a connection stands."""

    UNDEFINED = "UNDEFINED"
    CONNECTED = "CONNECTED"
    SYNC_IN_PROGRESS = "SYNC_IN_PROGRESS"
    SYNCED = "SYNCED"
    DISCONNECTED = "DISCONNECTED"
    ERROR = "ERROR"


class ErrorReason(StrEnum):
    """Why a connection's status is `ERROR`."""

    UNDEFINED = "UNDEFINED"
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 -- a name of the contract, no password
    EXTERNAL_CALENDAR_CREATION_FAILED = "EXTERNAL_CALENDAR_CREATION_FAILED"
    EXTERNAL_CALENDAR_DELETED = "EXTERNAL_CALENDAR_DELETED"


class Operation(StrEnum):
    """The API's nine methods, and two more: Query Schedules and the app's token."""

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


_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_WEB_TEXT = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]{1,2048}")
_HOST = re.compile(r"[0-9a-z.-]+|\[[0-9a-f:.]+\]")

_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since the epoch."""


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID, of any version, in any case."""
    return _GUID.fullmatch(text) is not None


def instant(text: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 date-time, None where `text` isn't one."""
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def rfc3339(seconds: int) -> str:
    """The RFC 3339 text, in UTC, of seconds since the epoch.

    Of the first or last moment that has one, at most.
    """
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC).isoformat().replace("+00:00", "Z")


def web_origin(text: str) -> str | None:
    """`scheme://host[:port]` of an http(s) URL (RFC 3986), None where `text` isn't one."""
    if _WEB_TEXT.fullmatch(text) is None:
        return None
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return None
    if url.scheme not in {"http", "https"} or not host or "@" in url.netloc:
        return None
    shown = f"[{host}]" if ":" in host else host
    if _HOST.fullmatch(shown) is None:
        return None
    return f"{url.scheme}://{shown}" + ("" if port is None else f":{port}")


def is_loopback(url: str) -> bool:
    """Whether a URL's host is the machine that asks for it."""
    if web_origin(url) is None:
        return False
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
