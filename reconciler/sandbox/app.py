"""Builds the API as an ASGI application: routes, and how requests become method calls."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from reconciler.sandbox.auth import caller, issue_token, require_write
from reconciler.sandbox.calendars.protocol import Deadline
from reconciler.sandbox.consent import consent_routes
from reconciler.sandbox.context import Call
from reconciler.sandbox.contract import WRITES, Operation
from reconciler.sandbox.envelope import CONSISTENT, Envelope
from reconciler.sandbox.errors import RefusedError
from reconciler.sandbox.faults.effects import STALE_ROWS
from reconciler.sandbox.faults.layer import FaultLayer
from reconciler.sandbox.faults.stale_reads import stale_answer
from reconciler.sandbox.methods import connect, connections, events, providers, schedules, sync_config
from reconciler.sandbox.query import Query
from reconciler.sandbox.request_body import Fields, bounded_body, json_object
from reconciler.sandbox.store import unusable

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from reconciler.sandbox.backend import Backend
    from reconciler.sandbox.faults.injector import Injector
    from reconciler.sandbox.faults.stale_reads import Rows
    from reconciler.sandbox.request_log import RequestLog

_BASE = "/bookings/v2/external-calendars"
_ONE = f"{_BASE}/connections/{{connection_id}}"


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API, and where it is reached."""

    operation: Operation
    http: str
    path: str
    handler: Callable[[Call], dict[str, object]]

    @property
    def writes(self) -> bool:
        """Whether it needs the permission to write, and answers a consistency token."""
        return self.operation in WRITES


METHODS = (
    Method(Operation.LIST_PROVIDERS, "GET", f"{_BASE}/providers", providers.list_providers),
    Method(Operation.LIST_CONNECTIONS, "GET", f"{_BASE}/connections", connections.list_connections),
    Method(Operation.GET_CONNECTION, "GET", _ONE, connections.get_connection),
    Method(Operation.CONNECT_BY_OAUTH, "POST", f"{_BASE}/connections:connectByOAuth", connect.connect_by_oauth),
    Method(
        Operation.CONNECT_BY_CREDENTIALS,
        "POST",
        f"{_BASE}/connections:connectByCredentials",
        connect.connect_by_credentials,
    ),
    Method(Operation.LIST_CALENDARS, "GET", f"{_ONE}/calendars", connections.list_calendars),
    Method(Operation.UPDATE_SYNC_CONFIG, "PATCH", f"{_ONE}/sync-config", sync_config.update_sync_config),
    Method(Operation.DISCONNECT, "POST", f"{_ONE}/disconnect", connections.disconnect),
    Method(Operation.LIST_EVENTS, "GET", f"{_BASE}/events", events.list_events),
    Method(Operation.QUERY_SCHEDULES, "POST", "/calendar/v3/schedules/query", schedules.query_schedules),
)


def build_app(backend: Backend, log: RequestLog, injector: Injector) -> ASGIApp:
    """The whole application, consent page included."""

    def route(operation: Operation, http: str, path: str, endpoint: Callable[[Request], object]) -> Route:
        faults = Middleware(FaultLayer, operation=operation, injector=injector, backend=backend, log=log)
        return Route(path, endpoint, methods=[http], middleware=[faults])

    app = Starlette(
        routes=[
            *(route(each.operation, each.http, each.path, _endpoint(backend, each)) for each in METHODS),
            route(Operation.ISSUE_TOKEN, "POST", "/oauth2/token", _token_endpoint(backend)),
            *consent_routes(backend),
        ],
        exception_handlers=dict.fromkeys((HTTPException, RefusedError, Exception), _refused),
    )
    app.router.redirect_slashes = False
    return Envelope(app, log)


def _endpoint(backend: Backend, method: Method) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        body = await bounded_body(request)
        deadline = Deadline(backend.settings.operation_seconds)
        return JSONResponse(
            await run_in_threadpool(_answer, backend, method, request, body, deadline),
            headers={CONSISTENT: secrets.token_urlsafe(24)} if method.writes else {},
        )

    return endpoint


def _answer(backend: Backend, method: Method, request: Request, body: bytes, deadline: Deadline) -> dict[str, object]:
    now = backend.settings.clock()
    with backend.store.session() as session:
        site = caller(session.database, request.headers, now)
        if method.writes:
            require_write(site)
        call = Call(
            session=session,
            calendars=backend.calendars.within(deadline),
            expander=backend.expander,
            warnings=backend.warnings,
            site=site,
            path=request.path_params,
            query=Query(request.url.query),
            body=Fields({} if method.http == "GET" else json_object(body)),
            behaviour=backend.switch.behaviour,
            settings=backend.settings,
            endpoint=backend.endpoint,
            now=now,
            deadline=deadline,
        )
        rows: Rows | None = request.scope["state"].get(STALE_ROWS)
        answer = method.handler(call) if rows is None else stale_answer(call, method.operation, rows)
        return backend.switch.in_order(answer, call.behaviour)


def _token_endpoint(backend: Backend) -> Callable[[Request], object]:
    def answer(body: bytes) -> dict[str, object]:
        with backend.store.transaction(write=True) as database:
            return issue_token(database, Fields(json_object(body)), backend.settings)

    async def endpoint(request: Request) -> Response:
        body = await bounded_body(request)
        return JSONResponse(await run_in_threadpool(answer, body), headers={"cache-control": "no-store"})

    return endpoint


async def _refused(_request: Request, error: Exception) -> Response:
    headers = error.headers if isinstance(error, HTTPException) else None
    refusal = _as_refusal(error)
    return JSONResponse(refusal.body(), refusal.status, headers)


def _as_refusal(error: Exception) -> RefusedError:
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, HTTPException):
        return RefusedError(error.status_code, error.detail)
    return unusable(error) or RefusedError(500, "Internal error of the sandbox")
