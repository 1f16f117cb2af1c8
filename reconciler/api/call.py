"""One request to the service, and one answer, as values."""

from dataclasses import dataclass, field

import httpx

READ_PERMISSION = "Read External Calendars"
WRITE_PERMISSION = "Manage External Calendars"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one API method.

    `method` is its name in the contract, `verb` and `path` are HTTP's, the path encoded and below the endpoint.
    `body` is JSON text; it may hold a password and so stays out of `repr`. `writes` says that it changes something
    and must not be sent twice, `grows` that its answer grows with the site. `permission` and `secret` (a reference,
    never a value) serve to explain a refusal.
    """

    method: str
    verb: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: str | None = field(default=None, repr=False)
    writes: bool = False
    grows: bool = False
    permission: str = READ_PERMISSION
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status, headers and body, which is empty where it has more than `limit` (in words)."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    limit: str | None = None
