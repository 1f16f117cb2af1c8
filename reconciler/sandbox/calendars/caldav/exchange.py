"""Sends one request at a time to a CalDAV server, within bounds of size and time."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from reconciler.sandbox.calendars.caldav.multistatus import (
    MalformedAnswerError,
    parse,
    read_multistatus,
)
from reconciler.sandbox.calendars.caldav.queries import RESOURCE_TYPE, propfind
from reconciler.sandbox.calendars.errors import BadCredentialsError, NoAnswerError, UnreachableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from reconciler.sandbox.calendars.caldav.authentication import Credentials
    from reconciler.sandbox.calendars.caldav.multistatus import Multistatus
    from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins

OK = 200
MULTISTATUS = 207
UNAUTHORIZED = 401
_TOO_MANY_REQUESTS = 429
_SERVER_FAULT = 500
_SAYS_NO = frozenset({501, 507})
"""Not the server's fault: it doesn't do that, or has no room for it."""

_READING = frozenset({"PROPFIND", "REPORT", "GET"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_OF_WRITES = frozenset({307, 308})
_MAX_REDIRECTS = 5
_MAX_LESSONS = 3
"""A scheme that has changed and a nonce that has grown old may have to be learned before a request gets through."""

_ASKS_XML = {"Content-Type": "application/xml; charset=utf-8"}
_MAX_SAID = 64 * 1024
_XML = frozenset({"application/xml", "text/xml"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds and bytes.

    `connect` and `silence` bound a connection, `search` one query for events, `whole` all that one call of the sandbox
    sends; `small` bounds a calendar that is read in one go, `body` any answer, `calendar` all that is kept of one.
    """

    connect: float = 5.0
    silence: float = 15.0
    search: float = 12.0
    whole: float = 45.0
    small: int = 8 * 1024 * 1024
    body: int = 32 * 1024 * 1024
    calendar: int = 64 * 1024 * 1024


class ServerFaultError(UnreachableError):
    """The server says that it fails: for this request alone where `may_be_one` holds."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.may_be_one = status == _SERVER_FAULT


class BrokenAnswerError(UnreachableError):
    """The answer is no readable multistatus, perhaps because of something that it quotes."""


class OversizedAnswerError(UnreachableError):
    """The answer is longer than anyone wants to read."""


class NotAnsweredError(Exception):
    """A query was answered with something else than what was asked for.

    `conditions` are the names of what the server missed (RFC 4918, 16), as far as it says so.
    """

    def __init__(self, message: str, status: int, conditions: frozenset[str]) -> None:
        super().__init__(message)
        self.status = status
        self.conditions = conditions


@dataclass(frozen=True, slots=True)
class DavAnswer:
    """An answer that is neither a refusal of the password nor a fault of the server.

    `url` is what gave it.
    """

    url: httpx.URL
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """The type of `body`, without parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    def conditions(self) -> frozenset[str]:
        """What the server says that it missed; nothing where it doesn't say so in XML, and briefly."""
        if self.media_type not in _XML or len(self.body) > _MAX_SAID:
            return frozenset()
        try:
            return frozenset(child.tag for child in parse(self.body))
        except MalformedAnswerError:
            return frozenset()


def make_client(verify: ssl.SSLContext, bounds: Bounds) -> httpx.AsyncClient:
    """A client without cookies, proxies and `.netrc`: accounts must have nothing in common."""
    return httpx.AsyncClient(
        verify=verify,
        timeout=httpx.Timeout(bounds.silence, connect=bounds.connect),
        # What is packed may unpack to anything; answers are bounded, so they come as they are.
        headers={"Accept-Encoding": "identity", "User-Agent": "extcal-sandbox"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


class Exchange:
    """Requests on behalf of one account."""

    def __init__(
        self, client: httpx.AsyncClient, origins: AllowedOrigins, credentials: Credentials, bounds: Bounds
    ) -> None:
        self.origins = origins
        self.bounds = bounds
        self._client = client
        self._credentials = credentials

    async def query(
        self, method: str, url: httpx.URL, body: bytes, *, depth: int = 0, limit: int | None = None
    ) -> tuple[httpx.URL, Multistatus]:
        """The URL that answered, which references are relative to, and the multistatus.

        `limit` bounds this answer more narrowly than others. Raises `NotAnsweredError`, and what `send` raises.
        """
        answer = await self.send(method, url, body, {**_ASKS_XML, "Depth": str(depth)}, limit=limit)
        asked = f"{method} {answer.url}"
        if answer.status != MULTISTATUS:
            raise NotAnsweredError(f"{asked}: answered {answer.status}", answer.status, answer.conditions())
        if answer.media_type not in _XML:
            raise UnreachableError(
                f"{asked}: answered {answer.media_type or 'no type'!r}, not XML; is it a CalDAV server?"
            )
        try:
            return answer.url, await read_multistatus(answer.body)
        except MalformedAnswerError as error:
            raise BrokenAnswerError(f"{asked}: the answer can't be read: {error}") from error

    async def send(
        self,
        method: str,
        url: httpx.URL,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        limit: int | None = None,
    ) -> DavAnswer:
        """Send a request, and follow redirections as far as the password may go.

        Raises `BadCredentialsError`; `UnreachableError` where no whole answer comes, or the server says that it is its
        own fault.
        """
        redirects = _REDIRECTS if method in _READING else _REDIRECTS_OF_WRITES
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._once(method, url, body, headers or {}, limit or self.bounds.body)
            location = answer.headers.get("location")
            if answer.status not in redirects or not location:
                return _checked(method, answer)
            url = self.origins.resolve(answer.url, location)
        raise UnreachableError(f"{method} {url}: redirected more than {_MAX_REDIRECTS} times")

    async def introduce(self, *places: httpx.URL) -> None:
        """Find out how the server takes a password, by asking without one.

        The first place that asks for it decides.

        Redirections are followed as far as a password may go. Where nothing asks for a password, it is taken for the
        usual kind of server, which wants one all the same: it may tell strangers nothing. One that can't say, for it
        is away, is shown no password: raises `ServerFaultError`.
        """
        met: list[httpx.URL] = []
        fault: ServerFaultError | None = None
        for place in places:
            url = place
            for _ in range(_MAX_REDIRECTS + 1):
                request = self._request("PROPFIND", url, propfind(RESOURCE_TYPE), {**_ASKS_XML, "Depth": "0"})
                answer = await self._sent(request, self.bounds.body)
                said = _fault(f"PROPFIND {url}", answer)
                if said is not None and not said.may_be_one:
                    fault = said
                    break
                met.append(url)
                if answer.status == UNAUTHORIZED:
                    self._credentials.learn(request, answer.headers)
                    break
                location = answer.headers.get("location")
                if answer.status not in _REDIRECTS or not location:
                    break
                url = self.origins.resolve(answer.url, location)
            if self._credentials.knows(url):
                break
        for url in met:
            if not self._credentials.knows(url):
                self._credentials.assume(url)
        if fault is not None and not met:
            raise fault

    async def _once(
        self, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str], limit: int
    ) -> DavAnswer:
        if not self._credentials.knows(url):
            await self.introduce(url)
        lessons = 0
        while True:
            request = self._request(method, url, body, headers)
            self._credentials.sign(request)
            answer = await self._sent(request, limit)
            if answer.status != UNAUTHORIZED:
                self._credentials.accept(url)
                return answer
            lessons += 1
            if not self._credentials.learn(request, answer.headers) or lessons == _MAX_LESSONS:
                return answer

    def _request(self, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
        # Bytes, since an etag comes from elsewhere and need not be ASCII.
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        return self._client.build_request(method, url, content=body, headers=encoded)

    async def _sent(self, request: httpx.Request, limit: int) -> DavAnswer:
        asked = f"{request.method} {request.url}"
        try:
            # Credentials are in the request: httpx would read the whole of an answer that asks for them.
            response = await self._client.send(request, stream=True, auth=None)
            try:
                received = await _received(asked, response, limit)
            finally:
                await response.aclose()
        except httpx.TimeoutException as error:
            raise NoAnswerError(f"{asked}: no answer in time ({type(error).__name__})") from error
        except httpx.LocalProtocolError as error:
            raise UnreachableError(f"{asked}: can't be sent ({error})") from error
        except httpx.HTTPError as error:
            raise NoAnswerError(f"{asked}: no answer ({str(error) or type(error).__name__})") from error
        return DavAnswer(request.url, response.status_code, response.headers, received)


async def _received(asked: str, response: httpx.Response, limit: int) -> bytes:
    packed = response.headers.get("content-encoding", "identity")
    if packed != "identity":
        if not response.is_success:
            return b""
        raise UnreachableError(
            f"{asked}: answered with compression ({packed[:80]!r}), which nobody asked for; turn it off there"
        )
    received = bytearray()
    async for chunk in response.aiter_bytes():
        received += chunk
        if len(received) > limit:
            raise OversizedAnswerError(f"{asked}: answered more than {limit} bytes")
    return bytes(received)


def _checked(method: str, answer: DavAnswer) -> DavAnswer:
    asked = f"{method} {answer.url}"
    if answer.status == UNAUTHORIZED:
        raise BadCredentialsError(f"{asked}: the server doesn't accept this login and password")
    if fault := _fault(asked, answer):
        raise fault
    return answer


def _fault(asked: str, answer: DavAnswer) -> ServerFaultError | None:
    """What is raised where the server says that it can't answer; None where it has answered."""
    fault = answer.status >= _SERVER_FAULT and answer.status not in _SAYS_NO
    if not fault and answer.status != _TOO_MANY_REQUESTS:
        return None
    return ServerFaultError(
        f"{asked}: answered {answer.status}; try again later, or see the server's log", answer.status
    )
