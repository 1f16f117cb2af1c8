"""The transport of readers refuses every request that could change anything before it is sent."""

import re

import httpx

from reconciler.api.call import CONNECTIONS, EVENTS, PROVIDERS, QUERY_SCHEDULES, TOKEN
from reconciler.errors import MutationRefusedError

_READS = (
    ("GET", re.escape(PROVIDERS)),
    ("GET", re.escape(CONNECTIONS)),
    ("GET", f"{re.escape(CONNECTIONS)}/[^/]+"),
    ("GET", f"{re.escape(CONNECTIONS)}/[^/]+/calendars"),
    ("GET", re.escape(EVENTS)),
    ("POST", re.escape(QUERY_SCHEDULES)),
    ("POST", re.escape(TOKEN)),
)


class SharedTransport(httpx.AsyncBaseTransport):
    """Passes on every request; the transport below is not closed with it: others use it too."""

    def __init__(self, below: httpx.AsyncBaseTransport) -> None:
        self._below = below

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`."""
        return await self._below.handle_async_request(request)


class ReadOnlyTransport(SharedTransport):
    """Passes on the requests of the read methods at `endpoint`, and refuses all others.

    It is an allow-list of HTTP method and path as it would be sent, so nothing that is built above it can write.
    Raises MutationRefusedError.
    """

    def __init__(self, below: httpx.AsyncBaseTransport, endpoint: str) -> None:
        super().__init__(below)
        self._endpoint = httpx.URL(endpoint)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`, if it can only read."""
        if not self._allows(request):
            raise MutationRefusedError(
                f"a reader may not send {request.method} {request.url.path}; nothing was sent and nothing changed"
            )
        return await super().handle_async_request(request)

    def _allows(self, request: httpx.Request) -> bool:
        url = request.url
        base = self._endpoint
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            return False
        prefix = base.raw_path.rstrip(b"/").decode()
        path = url.raw_path.partition(b"?")[0].decode()
        if not path.startswith(prefix):
            return False
        below = path[len(prefix) :]
        return any(request.method == verb and re.fullmatch(pattern, below) for verb, pattern in _READS)
