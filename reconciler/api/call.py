"""A call and a response of the API are values; the paths of its methods are here, too."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from reconciler.errors import UsageError

# The vendor's pages name no other scope, for reading neither, and none for schedules.
CALENDARS_PERMISSION = "the permission «Manage External Calendars»"
SCHEDULES_PERMISSION = "permission to read the site's schedules (Calendar API)"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one API method.

    `method` is its name in the API, `verb` and `path` are HTTP's, the path encoded and below the endpoint.
    `body` is JSON text; it may hold a password and so stays out of `repr`. `writes` says that it changes something
    and must not be sent twice, `grows` that its answer grows with the site. `permission` (what it takes, in
    words) and `secret` (a reference, never a value) serve to explain a refusal. `fresh` tells, when a write's turn has
    come, whether what it rests on is; otherwise it is not sent. `followers` are the requests that will rest on the
    answer: it is sent when they could follow at once.
    """

    method: str
    verb: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: str | None = field(default=None, repr=False)
    writes: bool = False
    grows: bool = False
    permission: str = CALENDARS_PERMISSION
    secret: str = ""
    fresh: Callable[[], bool] | None = field(default=None, compare=False, repr=False)
    followers: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: HTTP status, headers and body, which is empty where it has more than `limit` (in words)."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    limit: str | None = None


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
