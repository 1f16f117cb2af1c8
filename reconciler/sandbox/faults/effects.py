"""Applies a fault to one request, and makes the answers that faults give."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response

from reconciler.sandbox.contract import WRITES
from reconciler.sandbox.envelope import CONSISTENT
from reconciler.sandbox.errors import RefusedError
from reconciler.sandbox.faults.model import Answer, Body, Cut, Effect, Later, Rate, Reset, Stale
from reconciler.sandbox.faults.wire import WIRE
from reconciler.sandbox.request_log import logged

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.sandbox.contract import Operation
    from reconciler.sandbox.faults.injector import Injector
    from reconciler.sandbox.faults.selection import ChosenFault
    from reconciler.sandbox.faults.stale_reads import History
    from reconciler.sandbox.faults.wire import Wire
    from reconciler.sandbox.request_log import RequestLog
    from reconciler.sandbox.store import Store


_JSON = "application/json"


def fault_response(answer: Answer) -> Response:
    """The answer as it goes out."""
    content, media_type = _content(answer)
    return Response(content, answer.status, dict(answer.headers), media_type)


def rate_limit_response(rate: Rate) -> Response:
    """429, as the API answers it."""
    headers = () if rate.retry_after is None else (("retry-after", rate.retry_after),)
    return fault_response(Answer(429, headers=headers))


def _content(answer: Answer) -> tuple[bytes, str | None]:
    error = json.dumps(RefusedError(answer.status, f"An injected fault answers {answer.status}").body()).encode()
    match answer.body:
        case Body.JSON:
            return error, _JSON
        case Body.BROKEN:
            return error[: len(error) // 2], _JSON
        case Body.HTML:
            title = f"{answer.status} {_phrase(answer.status)}".strip()
            page = f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
            return page.encode(), "text/html"
        case Body.EMPTY:
            return b"", None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


STALE_ROWS = "stale_rows"
"""Where a request's `scope["state"]` holds the rows that it is to be answered from."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaultyRequest:
    """One request (ASGI), its operation's `app`, and the `history` where stale reads need one."""

    app: ASGIApp
    operation: Operation
    injector: Injector
    log: RequestLog
    scope: Scope
    receive: Receive
    store: Store
    history: History | None

    async def carry_out(self, chosen: ChosenFault, send: Send) -> None:
        """Wait, and let happen to the request what was chosen for it."""
        await self.injector.pause(chosen.before)
        fault = chosen.fault
        match fault:
            case None:
                await self.effect(send, chosen.after)
            case Stale():
                self._look_back(fault)
                await self.effect(send, chosen.after)
            case Rate():
                await self.injector.pause(chosen.after)
                await rate_limit_response(fault)(self.scope, self.receive, send)
            case Answer():
                await self._effect_in_time(fault.effect, chosen.after)
                await fault_response(fault)(self.scope, self.receive, send)
                await self._effect_later(fault.effect)
            case Reset():
                await self._reset(fault.effect, chosen.after)
            case Cut(length=0):
                await self._reset(Effect.DONE, chosen.after)
            case Cut():
                await self._cut(fault.length, send, chosen.after)
            case _:
                assert_never(fault)

    async def effect(self, send: Send, after: float = 0.0) -> None:
        """Let the request have its effect, and its answer `after` seconds later."""

        async def delayed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self.operation in WRITES:
                    await self.observe(Headers(raw=message["headers"]).get(CONSISTENT))
                await self.injector.pause(after)
            await send(message)

        await self.app(self.scope, self.receive, delayed)

    async def observe(self, token: str | None = None) -> None:
        """Record the connections for stale reads, behind the write with the consistency token."""
        if self.history is not None:
            await run_in_threadpool(self.history.observe, self.store, token)

    def _look_back(self, stale: Stale) -> None:
        if self.history is not None:
            rows = self.history.rows(stale.seconds, Headers(scope=self.scope).get(CONSISTENT))
            self.scope["state"][STALE_ROWS] = rows

    async def _reset(self, effect: Effect | Later, after: float) -> None:
        await self._effect_in_time(effect, after)
        self.log.add(logged(self.scope, 0))
        await self._wire.reset()
        await self._effect_later(effect)

    async def _cut(self, length: int, send: Send, after: float) -> None:
        wire = self._wire

        async def cutting(message: Message) -> None:
            if message["type"] == "http.response.start":
                wire.cut_after(length)
            await send(message)

        await self.effect(cutting, after)
        await wire.reset()

    async def _effect_in_time(self, effect: Effect | Later, after: float) -> None:
        if effect is Effect.DONE:
            await self._effect_unseen()
        await self.injector.pause(after)

    async def _effect_later(self, effect: Effect | Later) -> None:
        if isinstance(effect, Later):
            await self.injector.pause(effect.seconds)
            await self._effect_unseen()

    async def _effect_unseen(self) -> None:
        try:
            await self.effect(_nowhere)
        except Exception as error:  # noqa: BLE001 -- its answer, 500, is nobody's; the fault goes on
            _log.error("a request whose answer nobody sees failed: %r", error)

    @property
    def _wire(self) -> Wire:
        wire: Wire = self.scope["state"][WIRE]
        return wire


async def _nowhere(_message: Message) -> None:
    """The answer of a request that gets another one."""
