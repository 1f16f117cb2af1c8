"""Runs calls to one CalDAV server, each within its time and with an account's credentials.

Terms: a call is what the sandbox asks of one account, and sends any number of requests. An operation is a request to
the sandbox's own API, whose calls share a deadline, and also that the server once gave no answer.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import httpx

from reconciler.sandbox.calendars.caldav.authentication import Credentials, known_challenges
from reconciler.sandbox.calendars.caldav.discovery import find_principal
from reconciler.sandbox.calendars.caldav.exchange import Bounds, Exchange, make_client
from reconciler.sandbox.calendars.errors import BadCredentialsError, NoAnswerError
from reconciler.sandbox.calendars.recent import Recent

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from reconciler.sandbox.calendars.caldav.discovery import Principal
    from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
    from reconciler.sandbox.calendars.caldav.snapshot import Snapshot
    from reconciler.sandbox.calendars.protocol import Deadline, Login

_T = TypeVar("_T")
_MAX_PRINCIPALS = 256
_MAX_KEPT = 128 * 1024 * 1024


class ServerCache:
    """What is kept of a server from one call to the next."""

    def __init__(self) -> None:
        self.principals: Recent[Principal] = Recent(_MAX_PRINCIPALS, lambda _: 1)
        self.challenges = known_challenges()
        # An empty calendar weighs something too.
        self.snapshots: Recent[Snapshot] = Recent(_MAX_KEPT, lambda snapshot: snapshot.size + 1024)

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """The public authorities, and those of this machine, for CalDAV servers at home."""
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        return context


@dataclass(frozen=True, slots=True)
class OperationState:
    """What the calls of one operation share.

    `failures` is empty until the server has once given no answer.
    """

    deadline: Deadline
    failures: list[NoAnswerError]


class ServerSession:
    """Calls to one server; those of one operation share its state."""

    def __init__(
        self,
        origins: AllowedOrigins,
        bounds: Bounds | None = None,
        cache: ServerCache | None = None,
        operation: OperationState | None = None,
    ) -> None:
        self.origins = origins
        self.cache = cache or ServerCache()
        self._bounds = bounds or Bounds()
        self._operation = operation

    def within(self, deadline: Deadline) -> ServerSession:
        """The same server for one operation.

        What is kept is shared, and within the operation also that it failed.
        """
        failures = [] if self._operation is None else self._operation.failures
        return ServerSession(self.origins, self._bounds, self.cache, OperationState(deadline, failures))

    def run(self, login: Login, work: Callable[[Exchange], Awaitable[_T]]) -> _T:
        """What `work` comes to.

        Raises what it does, `BadCredentialsError` for a login that can't be one, and `NoAnswerError` where there is no
        time, or was no answer to an earlier call of the operation.
        """
        if login.password is None:
            raise BadCredentialsError(f"{login.email}: a CalDAV server asks for a password; connect by credentials")
        if ":" in login.email:
            raise BadCredentialsError(f"{login.email!r}: a login can't hold a colon (RFC 7617, 2)")
        failures = [] if self._operation is None else self._operation.failures
        if failures:
            raise NoAnswerError(str(failures[0])) from failures[0]
        credentials = Credentials(login, login.password, self.cache.challenges)
        try:
            # A loop for each call: only so can what a server drags out be cut off at any point.
            return asyncio.run(self._bounded(credentials, work))
        except NoAnswerError as error:
            failures.append(error)
            raise

    async def principal(self, exchange: Exchange, login: Login, *, anew: bool = False) -> Principal:
        """The account on the server, as it was found before unless it must be found `anew`."""
        principal = None if anew else self.cache.principals.get(login)
        if principal is None:
            principal = await find_principal(exchange, login.email)
            self.cache.principals.put(login, principal)
        return principal

    def search_seconds(self) -> float:
        """How long one search may take: what else can be tried needs time too."""
        search = self._bounds.search
        return search if self._operation is None else min(search, self._operation.deadline.left() / 2)

    async def _bounded(self, credentials: Credentials, work: Callable[[Exchange], Awaitable[_T]]) -> _T:
        asyncio.get_running_loop().set_default_executor(_NameResolver(1))
        seconds, late = self._bounds.whole, None
        if self._operation is not None and self._operation.deadline.left() < seconds:
            seconds = self._operation.deadline.left()
            late = self._operation.deadline.missed(str(self.origins.root))
        try:
            async with asyncio.timeout(seconds), make_client(self.cache.trusted, self._bounds) as client:
                return await work(Exchange(client, self.origins, credentials, self._bounds))
        except TimeoutError as error:
            raise late or NoAnswerError(
                f"{self.origins.root}: not done within {seconds:g} s; is the server overloaded?"
            ) from error


class _NameResolver(ThreadPoolExecutor):
    """Looks names up, and isn't waited for, as a look-up can't be cut off."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 -- the base class's
        """Let go of it."""
        del wait
        super().shutdown(wait=False, cancel_futures=cancel_futures)
