"""Has a typed method for each operation of the External Calendars API that extcal calls.

Source: schemas/external-calendars-v2.openapi.yaml; the schedules query is the Calendar API's.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from reconciler.api.answers import Answer, Answers
from reconciler.api.call import (
    CONNECTIONS,
    EVENTS,
    PROVIDERS,
    QUERY_SCHEDULES,
    SCHEDULES_PERMISSION,
    Call,
    connection_path,
)
from reconciler.api.exchange import Exchange
from reconciler.api.fields import LONG, ShapeError, WireObject
from reconciler.api.pages import CursorPage, follow, read_page
from reconciler.api.response_limits import Spending
from reconciler.api.secrets import Secrets
from reconciler.api.wire import (
    read_calendars,
    read_connection,
    read_connections,
    read_event,
    read_providers,
    read_schedule,
    sync_to_wire,
)
from reconciler.model.desired import SecretRef
from reconciler.model.live import Calendar, ConnectionList, Event, LiveConnection, Provider, Schedule, Status
from reconciler.model.sync import SyncConfig

_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What ListEvents is asked for.

    `start` (inclusive) and `end` are RFC 3339 text; events that overlap an edge are included. At most 100 ids of
    each kind. `all_day` None: both kinds. `private` asks for titles and names (`OWN_PI`), which take a permission.
    """

    start: str
    end: str
    schedule_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    all_day: bool | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class EventList:
    """ListEvents' answer, pages gathered; events of `failed_provider_ids` could not be read and may be missing."""

    events: tuple[Event, ...]
    failed_provider_ids: tuple[str, ...] = ()


def event_params(query: EventQuery, cursor: str | None) -> Iterator[tuple[str, str]]:
    """The query parameters of one page; a cursor stands for the range and the filters."""
    if cursor is None:
        yield "from", query.start
        yield "to", query.end
        yield from (("scheduleIds", each) for each in query.schedule_ids)
        yield from (("userIds", each) for each in query.user_ids)
        if query.all_day is not None:
            yield "allDay", "true" if query.all_day else "false"
    else:
        yield "cursorPaging.cursor", cursor
    yield "cursorPaging.limit", str(_A_PAGE)
    yield "fieldsets", "OWN_PI" if query.private else "NO_PI"
    yield "partialFailure", "true"


_MOST_IDS = 100
SCHEDULES_A_PAGE = 50
"""How many schedules are asked for in a request: as many as the service lists unless it is told."""

_LONGEST_LINK = 8192


class Reader:
    """The methods that read. Every one may raise ApiError or SecretError.

    Providers, schedules and calendars are asked for once in a run: `answers` has them for all its readers. One that
    came before the moment `since` is asked for again.
    """

    def __init__(self, exchange: Exchange, answers: Answers) -> None:
        self._exchange = exchange
        self._answers = answers

    @property
    def moment(self) -> int:
        """What to pass as `since` for an answer that comes from now on."""
        return self._answers.moment

    async def list_providers(self, since: int = 0) -> tuple[Provider, ...]:
        """The providers that the site can connect to."""
        call = Call("ListProviders", "GET", PROVIDERS)
        return await self._answers.once("ListProviders", lambda: self._exchange.call(call, read_providers), since)

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """The site's connections, or those on `schedule_ids`; what providers fail to tell is named, not an error.

        They are ordered by id, each once, however the service orders and repeats them. `followers` are the requests
        that will rest on the answer: it is asked for when the rate limit lets them follow.
        """
        rows: list[LiveConnection] = []
        failed: set[str] = set()
        for some in _by_hundreds(schedule_ids) if schedule_ids else [()]:
            params = (*(("scheduleIds", each) for each in some), ("partialFailure", "true"))
            answer = await self._exchange.call(
                Call("ListConnections", "GET", CONNECTIONS, params, grows=True, followers=followers), read_connections
            )
            rows += answer.connections
            failed.update(answer.failed_provider_ids)
        return ConnectionList(_each_once(rows), tuple(sorted(failed)))

    async def get_connection(self, connection_id: str) -> LiveConnection:
        """One connection."""
        return await self._exchange.call(Call("GetConnection", "GET", connection_path(connection_id)), read_connection)

    async def list_calendars(self, connection_id: str, since: int = 0) -> tuple[Calendar, ...]:
        """The calendars of a connection's account."""
        call = Call("ListCalendars", "GET", connection_path(connection_id, "/calendars"))
        return await self._answers.once(
            _calendars_of(connection_id), lambda: self._exchange.call(call, read_calendars), since
        )

    def listed_calendars(self, connection_id: str) -> Answer[tuple[Calendar, ...]] | None:
        """The calendars that were listed of a connection's account in this run, None where they were not."""
        return cast("Answer[tuple[Calendar, ...]] | None", self._answers.given(_calendars_of(connection_id)))

    async def list_events(self, query: EventQuery) -> EventList:
        """The external events that `query` describes, by start; all pages."""
        spending = self._exchange.pages()

        async def fetch(cursor: str | None) -> CursorPage[Event]:
            call = Call("ListEvents", "GET", EVENTS, tuple(event_params(query, cursor)), grows=True)
            return await self._exchange.call(call, lambda answer: read_page(answer, "events", read_event), spending)

        pages = await follow(fetch, "ListEvents")
        failed = dict.fromkeys(provider_id for page in pages for provider_id in page.failed_provider_ids)
        return EventList(tuple(event for page in pages for event in page.items), tuple(failed))

    async def query_schedules(
        self, external_ids: Sequence[str] = (), app_ids: Sequence[str] = (), since: int = 0
    ) -> tuple[Schedule, ...]:
        """The site's active schedules, or those of them with one of `external_ids` and one of `app_ids`; all pages.

        Whether the service heeds `app_ids` is not known: the answer may hold schedules of other apps.
        """
        question = ("QuerySchedules", frozenset(external_ids), frozenset(app_ids))
        return await self._answers.once(question, lambda: self._query_schedules(external_ids, app_ids), since)

    async def _query_schedules(self, external_ids: Sequence[str], app_ids: Sequence[str]) -> tuple[Schedule, ...]:
        schedules: list[Schedule] = []
        for some in _by_hundreds(external_ids) if external_ids else [()]:
            schedules += await self._schedules_where({"externalId": _among(some), "appId": _one_or_among(app_ids)})
        return tuple(schedules)

    async def schedules_by_id(self, schedule_ids: Sequence[str]) -> tuple[Schedule, ...]:
        """Those of the active schedules with these ids, at most 50: one request, whether the service heeds them or not.

        It may answer with other schedules.
        """
        query = {"filter": {"id": _among(schedule_ids)}, "cursorPaging": {"limit": SCHEDULES_A_PAGE}}
        return (await self._schedules_page(query)).items

    async def _schedules_where(self, filters: Mapping[str, Mapping[str, object]]) -> list[Schedule]:
        spending = self._exchange.pages()
        wanted = {name: condition for name, condition in filters.items() if condition}

        async def fetch(cursor: str | None) -> CursorPage[Schedule]:
            paging: dict[str, object] = {"limit": SCHEDULES_A_PAGE}
            query: dict[str, object] = {"cursorPaging": paging}
            if cursor is not None:
                paging["cursor"] = cursor
            elif wanted:
                query["filter"] = wanted
            return await self._schedules_page(query, spending)

        pages = await follow(fetch, "QuerySchedules")
        return [schedule for page in pages for schedule in page.items]

    async def _schedules_page(
        self, query: Mapping[str, object], spending: Spending | None = None
    ) -> CursorPage[Schedule]:
        body = json.dumps({"query": query})
        call = Call("QuerySchedules", "POST", QUERY_SCHEDULES, body=body, grows=True, permission=SCHEDULES_PERMISSION)
        return await self._exchange.call(call, lambda answer: read_page(answer, "schedules", read_schedule), spending)


class Writer(Reader):
    """The methods that read, and those that write.

    A write is sent once: an ApiError that is `doubtful` may have taken effect, so read again before repeating it.
    """

    def __init__(
        self, exchange: Exchange, answers: Answers, secrets: Secrets, fresh: Callable[[], bool] | None = None
    ) -> None:
        super().__init__(exchange, answers)
        self._secrets = secrets
        self._fresh = fresh

    def while_fresh(self, fresh: Callable[[], bool]) -> "Writer":
        """The same methods for what rests on something read: what is not `fresh` when its turn comes is not sent.

        Its writes raise StaleError then.
        """
        return Writer(self._exchange, self._answers, self._secrets, fresh)

    async def list_calendars(self, connection_id: str, since: int = 0) -> tuple[Calendar, ...]:
        """The calendars of a connection's account, asked for now: what is written rests on them."""
        return await super().list_calendars(connection_id, max(since, self.moment))

    async def connect_by_oauth(self, provider_id: str, schedule_id: str, redirect_url: str) -> str:
        """The link at which the account's owner agrees to a connection; nothing is connected before that."""
        body = {"providerId": provider_id, "scheduleId": schedule_id, "redirectUrl": redirect_url}
        call = self._write("ConnectByOAuth", f"{CONNECTIONS}:connectByOAuth", body)
        return await self._exchange.call(call, self._consent_link)

    async def connect_by_credentials(
        self, provider_id: str, schedule_id: str, email: str, password: SecretRef
    ) -> LiveConnection:
        """The connection made with an account's email and password, with the provider's default sync config."""
        body = {
            "providerId": provider_id,
            "scheduleId": schedule_id,
            "email": email,
            "password": self._secrets.resolve(password),
        }
        call = self._write("ConnectByCredentials", f"{CONNECTIONS}:connectByCredentials", body, secret=str(password))
        made = await self._exchange.call(call, read_connection)
        # The service may give it the id of one that was there before.
        self._answers.forget(_calendars_of(made.id))
        return made

    async def update_sync_config(self, connection_id: str, sync: SyncConfig) -> LiveConnection:
        """The connection after it was sent a sync config, which may be merged into what stands or replace that."""
        body = {"connectionId": connection_id, "syncConfig": sync_to_wire(sync)}
        call = self._write("UpdateSyncConfig", connection_path(connection_id, "/sync-config"), body, verb="PATCH")
        return await self._exchange.call(call, read_connection)

    def _consent_link(self, answer: WireObject) -> str:
        link = answer.required("oauthUrl", LONG)
        try:
            parts = urlsplit(link)
        except ValueError:
            parts = urlsplit("")
        shown = link.isascii() and link.isprintable() and len(link) <= _LONGEST_LINK
        if parts.scheme not in {"https", "http"} or not parts.netloc or not shown:
            raise ShapeError("oauthUrl", "an http or https link in printable ASCII", "something else")
        # Whoever is sent it would get the secret, and so would the place that it leads to.
        if self._secrets.redact(link) != link:
            raise ShapeError("oauthUrl", "a link", "one that repeats a secret")
        return link

    async def disconnect(self, connection_id: str) -> LiveConnection:
        """The connection, disconnected; events that the site had exported are deleted at the provider."""
        call = self._write("Disconnect", connection_path(connection_id, "/disconnect"), {"connectionId": connection_id})
        try:
            return await self._exchange.call(call, read_connection)
        finally:
            self._answers.forget(_calendars_of(connection_id))

    def _write(
        self, method: str, path: str, body: Mapping[str, object], *, verb: str = "POST", secret: str = ""
    ) -> Call:
        return Call(method, verb, path, body=json.dumps(body), writes=True, secret=secret, fresh=self._fresh)


def _calendars_of(connection_id: str) -> tuple[str, str]:
    """What is asked about the calendars of a connection's account, among all that is asked in a run."""
    return "ListCalendars", connection_id


def _each_once(rows: Sequence[LiveConnection]) -> tuple[LiveConnection, ...]:
    """The connections ordered by id; of one that is listed twice, the row that keeps it from being connected again."""
    by_id = {row.id: row for row in rows}
    if len(by_id) < len(rows):
        by_id = {row.id: row for row in sorted(rows, key=_standing)}
    return tuple(by_id[key] for key in sorted(by_id))


def _standing(row: LiveConnection) -> tuple[int, str]:
    return {Status.DISCONNECTED.value: 0, Status.ERROR.value: 1}.get(row.status, 2), repr(row)


def _among(values: Sequence[str]) -> dict[str, object]:
    return {"$in": list(values)} if values else {}


def _one_or_among(values: Sequence[str]) -> dict[str, object]:
    return {"$eq": values[0]} if len(values) == 1 else _among(values)


def _by_hundreds(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    distinct = tuple(dict.fromkeys(ids))
    for start in range(0, len(distinct), _MOST_IDS):
        yield distinct[start : start + _MOST_IDS]
