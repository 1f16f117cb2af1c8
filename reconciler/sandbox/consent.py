"""Serves the consent page, where an account's owner allows or denies an OAuth connect.

A link works until it was answered once; looking at it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from reconciler.sandbox import records
from reconciler.sandbox.calendars.errors import CalendarError
from reconciler.sandbox.calendars.protocol import Deadline, Login
from reconciler.sandbox.consent_page import STYLE_SOURCE, Consent, consent_html, notice_html
from reconciler.sandbox.context import SiteContext
from reconciler.sandbox.contract import web_origin
from reconciler.sandbox.exports.export_sync import sync_connection
from reconciler.sandbox.methods.connect import CONSENT_PATH
from reconciler.sandbox.new_connection import ConnectTarget, connect, used_calendars
from reconciler.sandbox.request_body import bounded_body

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.backend import Backend
    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.records import ProviderRecord, ScheduleRecord
    from reconciler.sandbox.store import Session

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 20
_SIMULATED_ERRORS = ("unsupported", "internal")


@dataclass(frozen=True, slots=True)
class _ConsentRequest:
    """What a link asks for."""

    id: str
    site_id: str
    site_name: str
    schedule: ScheduleRecord
    provider: ProviderRecord
    redirect_url: str

    def target(self, backend: Backend) -> ConnectTarget:
        """What its account is connected to: by the owner's consent, not by a caller."""
        return ConnectTarget(self.site_id, self.schedule, self.provider, None, backend.switch.behaviour)


def consent_routes(backend: Backend) -> list[Route]:
    """The two routes of the page: look at it, and answer it."""
    path = f"{CONSENT_PATH}/{{consent_id}}"

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_show, backend, request.path_params["consent_id"])

    async def answer(request: Request) -> Response:
        if not _is_own_form(request):
            return _notice(403, "Request refused", "Answer on the consent page itself. Open the link again.")
        body = await bounded_body(request)
        try:
            form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            return _notice(400, "Form not readable", "The form could not be read. Open the link again.")
        first = {name: values[0] for name, values in form.items()}
        return await run_in_threadpool(_answer, backend, request.path_params["consent_id"], first)

    return [Route(path, show, methods=["GET"]), Route(path, answer, methods=["POST"])]


def _is_own_form(request: Request) -> bool:
    """Whether the request is what this page's form sends.

    Browsers say where a request came from, other programs needn't.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return content_type == _FORM and origin in {None, own} and site == "same-origin"


def _show(backend: Backend, consent_id: str) -> Response:
    with backend.store.session() as session:
        asked = _find(session.database, consent_id)
        return asked if not isinstance(asked, _ConsentRequest) else _form(backend, asked)


def _answer(backend: Backend, consent_id: str, form: Mapping[str, str]) -> Response:
    decision = form.get("decision")
    deadline = Deadline(backend.settings.operation_seconds)
    backend = replace(backend, calendars=backend.calendars.within(deadline))
    with backend.store.session() as session:
        asked = _find(session.database, consent_id)
        if not isinstance(asked, _ConsentRequest):
            return asked
        account: tuple[Login, tuple[CalendarRef, ...]] | None = None
        if decision == "deny":
            outcome = {"error": "reject"}
        elif decision != "allow":
            return _form(backend, asked, problem="Choose Allow or Deny.")
        elif form.get("outcome") in _SIMULATED_ERRORS:
            outcome = {"error": form["outcome"]}
        else:
            account = _account(backend, session.database, asked, form.get("account", ""))
            if account is None:
                return _form(backend, asked, problem="Choose an account.")
            outcome = {}
        with session.writing():
            answered = session.database.execute("UPDATE consent SET used = 1 WHERE id = ? AND used = 0", (asked.id,))
            if answered.rowcount and account is not None:
                login, calendars = account
                now = backend.settings.clock()
                target = asked.target(backend)
                outcome["connectionId"] = connect(session.database, target, login, calendars, now)
        if not answered.rowcount:
            return _used()
        if "connectionId" in outcome:
            _sync_exports(backend, session, asked, outcome["connectionId"], deadline)
        return RedirectResponse(_returning(asked.redirect_url, outcome), 303, _headers(asked.redirect_url))


def _sync_exports(
    backend: Backend, session: Session, asked: _ConsentRequest, connection_id: str, deadline: Deadline
) -> None:
    """Export over the connection what is to be, where it was healed."""
    now = backend.settings.clock()
    context = SiteContext(session, backend.calendars, backend.warnings, asked.site_id, asked.site_name, now, deadline)
    sync_connection(context, records.connection(session.database, asked.site_id, connection_id), prepare=True)


def _account(
    backend: Backend, database: sqlite3.Connection, asked: _ConsentRequest, email: str
) -> tuple[Login, tuple[CalendarRef, ...]] | None:
    """The account that its owner chose, and its calendars.

    None where it isn't offered, or doesn't open.
    """
    provider = asked.provider.slug
    try:
        if email not in backend.calendars.of(provider).accounts():
            return None
        login = Login(email)
        used = used_calendars(database, asked.target(backend), email)
        return login, backend.calendars.calendars(provider, login, fresh=True, used=used)
    except CalendarError:
        return None


def _find(database: sqlite3.Connection, consent_id: str) -> _ConsentRequest | Response:
    """What the link asks for, or the page that says why it is of no use."""
    row = database.execute(
        "SELECT consent.*, site.name AS site_name FROM consent JOIN site ON site.id = consent.site_id"
        " WHERE consent.id = ?",
        (consent_id,),
    ).fetchone()
    if row is None:
        return _notice(404, "Unknown link", "This sandbox has no such consent link. Ask for a new one.")
    if row["used"]:
        return _used()
    site_id = str(row["site_id"])
    return _ConsentRequest(
        id=str(row["id"]),
        site_id=site_id,
        site_name=str(row["site_name"]),
        schedule=records.schedule(database, site_id, str(row["schedule_id"])),
        provider=records.provider(database, site_id, str(row["provider_id"])),
        redirect_url=str(row["redirect_url"]),
    )


def _used() -> Response:
    return _notice(410, "Link already used", "This consent link was already used. Ask for a new one.")


def _form(backend: Backend, asked: _ConsentRequest, *, problem: str | None = None) -> Response:
    consent = Consent(
        site=asked.site_name,
        schedule=asked.schedule.name,
        provider=asked.provider.name,
        accounts=_accounts(backend, asked),
        returns_to=web_origin(asked.redirect_url) or "",
        problem=problem,
    )
    return HTMLResponse(consent_html(consent), 400 if problem else 200, _headers(asked.redirect_url))


def _accounts(backend: Backend, asked: _ConsentRequest) -> tuple[str, ...]:
    try:
        return backend.calendars.of(asked.provider.slug).accounts()
    except CalendarError:
        return ()


def _notice(status: int, title: str, text: str) -> Response:
    return HTMLResponse(notice_html(title, text), status, _headers(None))


def _headers(redirect_url: str | None) -> dict[str, str]:
    """Nothing but the page's own style and form.

    Browsers hold a form's redirect to the same rule as its action.
    """
    targets = "'none'" if redirect_url is None else f"'self' {web_origin(redirect_url) or ''}".strip()
    return {
        "content-security-policy": (
            f"default-src 'none'; style-src {STYLE_SOURCE}; form-action {targets}; base-uri 'none';"
            " frame-ancestors 'none'"
        ),
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


def _returning(redirect_url: str, outcome: Mapping[str, str]) -> str:
    url = urlsplit(redirect_url)
    query = f"{url.query}&{urlencode(outcome, quote_via=quote)}" if url.query else urlencode(outcome, quote_via=quote)
    return urlunsplit(url._replace(query=query))
