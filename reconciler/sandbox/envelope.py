"""Wraps every request, whatever comes of it: bounds, an id, an entry in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from reconciler.sandbox.errors import RefusedError
from reconciler.sandbox.request_log import logged

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.sandbox.request_log import RequestLog

REQUEST_ID = "x-wix-request-id"
CONSISTENT = "x-wix-consistent"
MAX_HEADERS = 16 * 1024
MAX_HEADER_FIELDS = 200
MAX_PATH = 8 * 1024
MAX_QUERY = 32 * 1024
MAX_CONSISTENT = 1024

_LOOPBACK = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])\.?(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_HTTP_PORT = 80

_log = logging.getLogger(__name__)


class Envelope:
    """ASGI middleware around the whole API.

    A response to a write brings its own `x-wix-consistent`; any other gives back the one that the request carried.
    """

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        request_id = f"{int(time.time())}.{secrets.randbelow(10**18):018d}"
        echoed = Headers(scope=scope).get(CONSISTENT)

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if echoed and len(echoed) <= MAX_CONSISTENT:
                    headers.setdefault(CONSISTENT, echoed)
                self._log.add(logged(scope, message["status"]))
            await send(message)

        refusal = _out_of_bounds(scope) or _misdirected(scope)
        app = self._app if refusal is None else JSONResponse(refusal.body(), refusal.status)
        try:
            await app(scope, receive, stamped)
        except ClientDisconnect:
            _log.debug("request %s: the client left", request_id)
        except Exception as error:  # noqa: BLE001 -- answered with 500 already; the server goes on
            _log.error("request %s failed: %r", request_id, error, exc_info=_log.isEnabledFor(logging.DEBUG))


def _out_of_bounds(scope: Scope) -> RefusedError | None:
    if len(scope["raw_path"]) > MAX_PATH:
        return RefusedError(414, f"The path is longer than {MAX_PATH} bytes")
    if len(scope["query_string"]) > MAX_QUERY:
        return RefusedError(414, f"The query is longer than {MAX_QUERY} bytes")
    if len(scope["headers"]) > MAX_HEADER_FIELDS:
        return RefusedError(431, f"There are more than {MAX_HEADER_FIELDS} headers")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        return RefusedError(431, f"The headers are longer than {MAX_HEADERS} bytes")
    return None


def _misdirected(scope: Scope) -> RefusedError | None:
    """The refusal of a request that names another server (RFC 9110, 15.5.20).

    A web page may have the name of its own site point here, and would then read what is answered (DNS rebinding). Only
    a program that speaks HTTP/1.0, which no browser does, may name none.
    """
    host, port = scope["server"]
    for name, value in scope["headers"]:
        said = _LOOPBACK.fullmatch(value.decode("latin-1").strip()) if name == b"host" else None
        if name == b"host" and (said is None or int(said["port"] or _HTTP_PORT) != port):
            return RefusedError(421, f"This is not the server that Host names; ask for http://{host}:{port}")
    return None
