"""Where the methods are (contract: Methods)."""

from urllib.parse import quote

from reconciler.errors import UsageError

CALENDARS_API = "/bookings/v2/external-calendars"
PROVIDERS = f"{CALENDARS_API}/providers"
CONNECTIONS = f"{CALENDARS_API}/connections"
EVENTS = f"{CALENDARS_API}/events"
QUERY_SCHEDULES = "/calendar/v3/schedules/query"
TOKEN = "/oauth2/token"  # noqa: S105 - a path, no secret

_LONGEST_ID = 4096


def connection_path(connection_id: str, tail: str = "") -> str:
    """The path of one connection; its id is opaque and stands in it entirely percent-encoded.

    Raises UsageError for an id that no path can hold: `.` and `..` mean another place even when encoded, since
    servers decode before they walk.
    """
    if connection_id in {"", ".", ".."} or len(connection_id) > _LONGEST_ID:
        raise UsageError("a connection id is needed: `extcal connections` lists them")
    try:
        return f"{CONNECTIONS}/{quote(connection_id, safe='')}{tail}"
    except UnicodeEncodeError:
        raise UsageError("the connection id is not UTF-8 text: `extcal connections` lists ids") from None
