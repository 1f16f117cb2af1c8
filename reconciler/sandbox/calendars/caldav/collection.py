"""Reads one calendar on a CalDAV server: what is in it, and what has changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from reconciler.sandbox.calendars.caldav import queries
from reconciler.sandbox.calendars.caldav.exchange import (
    OK,
    BrokenAnswerError,
    NotAnsweredError,
    OversizedAnswerError,
    ServerFaultError,
)
from reconciler.sandbox.calendars.caldav.origins import ForeignReferenceError
from reconciler.sandbox.calendars.errors import CalendarGoneError, UnreachableError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import httpx

    from reconciler.sandbox.calendars.caldav.exchange import Exchange
    from reconciler.sandbox.calendars.caldav.multistatus import Multistatus, Response
    from reconciler.sandbox.calendars.caldav.queries import Span

GONE = frozenset({404, 410})
MAX_OBJECTS = 50_000
_NO_ROOM = 507
_BATCH = 100
_MAX_FAULTY = 500
_MAX_SHOWN = 200
_MAX_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class ChangeTags:
    """What tells whether a calendar has changed: a sync token (RFC 6578), a ctag.

    None where the server has none.
    """

    token: str | None
    ctag: str | None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object on the server.

    `href` is its path as the server spells it, `etag` empty where the server gives none.

    `fault` says what is wrong with it, in words, or is empty.
    """

    href: str
    etag: str
    content: bytes | None
    fault: str = ""


Objects = Mapping[str, StoredObject]
"""Objects by the last part of their path, decoded."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed up to `token`: new or different objects, and those that are gone.

    Their contents are not among it.
    """

    changed: Objects
    removed: frozenset[str]
    token: str


class Collection:
    """A calendar at a URL, which ends with a slash."""

    def __init__(self, exchange: Exchange, url: httpx.URL) -> None:
        self.url = url
        self._exchange = exchange

    async def change_tags(self) -> ChangeTags:
        """Raises `CalendarGoneError`, and `UnreadableError` where the account may not see it."""
        try:
            _, answer = await self._exchange.query(
                "PROPFIND", self.url, queries.propfind(queries.RESOURCE_TYPE, queries.SYNC_TOKEN, queries.CTAG)
            )
        except NotAnsweredError as error:
            raise self._closed(error) from error
        found = answer.responses[0] if answer.responses else None
        if found is None or not found.is_calendar():
            raise CalendarGoneError(f"{self.url}: the server has no calendar there")
        return ChangeTags(found.text(queries.SYNC_TOKEN), found.text(queries.CTAG))

    async def whole(self) -> Objects:
        """All events with their contents, at once.

        Raises `OversizedAnswerError` where that is too much to ask, `NotAnsweredError` where the server doesn't search.
        """
        body = queries.calendar_query(None, queries.ETAG, queries.DATA)
        small = self._exchange.bounds.small
        return self._objects(*await self._exchange.query("REPORT", self.url, body, depth=1, limit=small))

    async def in_span(self, span: Span, *, contents: bool) -> Objects:
        """What the server finds in a span of time.

        Raises `NotAnsweredError` where it doesn't search.
        """
        asked = (queries.ETAG, queries.DATA) if contents else (queries.ETAG,)
        return self._objects(*await self._query("REPORT", queries.calendar_query(span, *asked), depth=1))

    async def listing(self) -> Objects:
        """Everything that is in it, without contents."""
        try:
            return self._objects(*await self._query("PROPFIND", queries.propfind(queries.ETAG), depth=1))
        except NotAnsweredError as error:
            raise self._closed(error) from error

    async def etag_if_empty(self) -> str | None:
        """The calendar's own etag where it is empty, or `""` where it has none.

        None where there is something. Raises `CalendarGoneError` and `UnreadableError`.
        """
        wanted = queries.propfind(queries.RESOURCE_TYPE, queries.ETAG)
        try:
            base, answer = await self._query("PROPFIND", wanted, depth=1)
        except NotAnsweredError as error:
            raise self._closed(error) from error
        (only, *others) = answer.responses or (None,)
        if only is not None and not others and only.status in GONE:
            raise CalendarGoneError(f"{self.url}: the server has no calendar there")
        if only is None or others or only.status is not None or not only.is_calendar():
            return None
        is_itself = self._exchange.origins.path(base, only.href)[0].rstrip("/") == self.url.path.rstrip("/")
        return (only.text(queries.ETAG) or "") if is_itself else None

    async def fetch(self, objects: Objects) -> Objects:
        """These objects with their contents, as they are now.

        Those that are gone by now are missing.

        Where an answer is broken, or none can be made, the objects are asked for by halves, until the one that is to
        blame is alone.
        """
        fetched: dict[str, StoredObject] = {}
        names = list(objects)
        batches = [names[first : first + _BATCH] for first in range(0, len(names), _BATCH)]
        while batches:
            batch = batches.pop()
            body = queries.multiget(objects[name].href for name in batch)
            try:
                fetched.update(self._objects(*await self._query("REPORT", body, depth=1)))
            except NotAnsweredError as error:
                raise self._closed(error) from error
            except (BrokenAnswerError, ServerFaultError) as error:
                if isinstance(error, ServerFaultError) and not error.may_be_one:
                    raise
                if len(batch) > 1:
                    batches += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
                elif (alone := await self._get(objects[batch[0]], error)) is not None:
                    fetched[batch[0]] = alone
            self._check_size(fetched)
        return fetched

    async def _get(self, stored: StoredObject, broken: UnreachableError) -> StoredObject | None:
        """An object that can't be read together with others, read by itself, and what is wrong.

        None where it is gone.
        """
        url = self._exchange.origins.resolve(self.url, stored.href)
        where = unquote(stored.href)[:_MAX_SHOWN]
        try:
            answer = await self._exchange.send("GET", url)
        except (ServerFaultError, OversizedAnswerError) as error:
            return replace(stored, fault=f"{where} is left out: {broken}; {error}")
        if answer.status in GONE:
            return None
        if answer.status != OK or answer.media_type != "text/calendar":
            said = f"GET answered {answer.status}, {answer.media_type or 'no type'!r}"
            return replace(stored, fault=f"{where} is left out: {broken}; {said}")
        fault = f"{where} is read apart from the others: {broken}"
        return replace(stored, content=answer.body, fault=fault)

    async def changes(self, token: str) -> Changes:
        """What has changed since `token`.

        Raises `NotAnsweredError` where the server refuses it or can't tell.
        """
        changed: dict[str, StoredObject] = {}
        removed: set[str] = set()
        for _ in range(_MAX_ROUNDS):
            base, answer = await self._query("REPORT", queries.sync_collection(token), depth=0)
            gone = dict(self._each(base, (each for each in answer.responses if each.status in GONE)))
            there = dict(self._each(base, (each for each in answer.responses if each.status is None)))
            removed = (removed | gone.keys()) - there.keys()
            changed = {name: stored for name, stored in changed.items() if name not in gone} | there
            if answer.sync_token is None or len(changed) > MAX_OBJECTS:
                break
            if not answer.is_cut_short():
                return Changes(changed, frozenset(removed), answer.sync_token)
            token = answer.sync_token
        raise NotAnsweredError(f"{self.url}: the server's list of changes doesn't end", _NO_ROOM, frozenset())

    async def _query(self, method: str, body: bytes, *, depth: int) -> tuple[httpx.URL, Multistatus]:
        try:
            return await self._exchange.query(method, self.url, body, depth=depth)
        except OversizedAnswerError as error:
            raise UnreadableError(f"{error}; the calendar is too large") from error
        except NotAnsweredError as error:
            if error.status in GONE:
                raise self._closed(error) from error
            raise

    def _objects(self, base: httpx.URL, answer: Multistatus) -> Objects:
        if answer.is_cut_short():
            raise NotAnsweredError(f"{self.url}: the server lists only a part of it", _NO_ROOM, frozenset())
        objects = dict(self._each(base, (response for response in answer.responses if response.status is None)))
        self._check_size(objects)
        return objects

    def _each(self, base: httpx.URL, responses: Iterable[Response]) -> Iterator[tuple[str, StoredObject]]:
        """The objects that are spoken of, by name.

        Not the calendar itself, nor what lies deeper in it.

        What has an address that can't be followed is left out and named, by that address.
        """
        for response in responses:
            try:
                name, href = self._placed(base, response.href)
            except ForeignReferenceError as error:
                where = response.href[:_MAX_SHOWN]
                yield where, StoredObject(response.href, "", None, f"{where} is left out: {error}")
            else:
                if name and "/" not in name:
                    yield name, _stored(href, response)

    def _placed(self, base: httpx.URL, reference: str) -> tuple[str, str]:
        """Where in the calendar a reference leads to, decoded, and its path as it is sent."""
        folder = self.url.path
        path, href = self._exchange.origins.path(base, reference)
        if path.rstrip("/") == folder.rstrip("/"):
            return "", href
        if not path.startswith(folder):
            raise ForeignReferenceError(f"{self.url}: the server lists {path[:200]!r}, which lies elsewhere")
        return path.removeprefix(folder), href

    def _check_size(self, objects: Objects) -> None:
        bound = self._exchange.bounds.calendar
        if len(objects) > MAX_OBJECTS or sum(len(stored.content or b"") for stored in objects.values()) > bound:
            raise UnreadableError(f"{self.url}: more than {MAX_OBJECTS} objects or {bound} bytes in one calendar")
        if sum(bool(stored.fault) for stored in objects.values()) > _MAX_FAULTY:
            raise UnreadableError(f"{self.url}: more than {_MAX_FAULTY} objects are damaged; is the server in order?")

    def _closed(self, error: NotAnsweredError) -> CalendarGoneError | UnreadableError | UnreachableError:
        if error.status in GONE:
            return CalendarGoneError(f"{error}: the calendar is not there")
        return UnreadableError(f"{error}: the calendar can't be read")


def _stored(href: str, response: Response) -> StoredObject:
    data = response.properties.get(queries.DATA)
    content = None if data is None or data.text is None else data.text.encode()
    return StoredObject(href, response.text(queries.ETAG) or "", content)
