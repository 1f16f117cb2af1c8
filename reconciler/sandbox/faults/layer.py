"""Injects faults into the requests of one operation, as ASGI middleware."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from reconciler.sandbox import request_body
from reconciler.sandbox.auth import caller
from reconciler.sandbox.errors import RefusedError
from reconciler.sandbox.faults.effects import FaultyRequest
from reconciler.sandbox.request_log import FAULT

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.sandbox.backend import Backend
    from reconciler.sandbox.contract import Operation
    from reconciler.sandbox.faults.injector import Injector
    from reconciler.sandbox.faults.selection import Injection
    from reconciler.sandbox.request_log import RequestLog

_log = logging.getLogger(__name__)


class FaultLayer:
    """ASGI middleware around one operation. While nothing is injected, requests pass untouched.

    Otherwise a request is read whole before its fault is chosen: one whose client leaves early takes effect all the
    same, as on the far side of a slow network.
    """

    def __init__(
        self, app: ASGIApp, *, operation: Operation, injector: Injector, backend: Backend, log: RequestLog
    ) -> None:
        self._app = app
        self._operation = operation
        self._injector = injector
        self._backend = backend
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI), or don't."""
        injection = self._injector.injection
        if injection is None:
            await self._app(scope, receive, send)
            return
        messages, whole = await _read_ahead(receive)
        if not whole:
            await self._app(scope, _replayed(messages, receive), send)
            return
        chosen = injection.choose(self._operation, await self._site(injection, scope))
        carrier = FaultyRequest(
            app=self._app,
            operation=self._operation,
            injector=self._injector,
            log=self._log,
            scope=scope,
            receive=_replayed(messages, receive),
            store=self._backend.store,
            history=injection.history,
        )
        await carrier.observe()
        if chosen is None:
            await carrier.effect(send)
            return
        entries = " and ".join(str(number) for number in chosen.entries)
        _log.warning("fault %s: %s: %s", entries, self._operation, chosen.label)
        scope["state"][FAULT] = chosen.label
        await carrier.carry_out(chosen, send)

    async def _site(self, injection: Injection, scope: Scope) -> str | None:
        """The site that asks, where that matters and there is one."""

        def opened() -> str | None:
            with self._backend.store.transaction(write=False) as database:
                try:
                    return caller(database, Headers(scope=scope), self._backend.settings.clock()).id
                except RefusedError:
                    return None

        return await run_in_threadpool(opened) if injection.needs_site(self._operation) else None


async def _read_ahead(receive: Receive) -> tuple[list[Message], bool]:
    """The body's messages, and whether they are all.

    They are not if the client left, or the body is refused anyway.
    """
    messages: list[Message] = []
    length = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(request_body.BODY_SECONDS):
            while length <= request_body.MAX_BODY:
                message = await receive()
                messages.append(message)
                length += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return messages, message["type"] == "http.request"
    return messages, False


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    """The messages once more, and then what else comes."""
    ahead = iter(messages)

    async def receive_again() -> Message:
        message = next(ahead, None)
        return await receive() if message is None else message

    return receive_again
