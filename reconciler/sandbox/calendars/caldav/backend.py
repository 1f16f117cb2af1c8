"""Answers what the sandbox asks of accounts, when they are on a CalDAV server (RFC 4791)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from reconciler.sandbox.calendars.caldav import queries
from reconciler.sandbox.calendars.caldav.collection import GONE, Collection
from reconciler.sandbox.calendars.caldav.discovery import OWN_PREFIX, list_calendars, name_of
from reconciler.sandbox.calendars.caldav.exchange import (
    OK,
    BrokenAnswerError,
    Exchange,
    NotAnsweredError,
    OversizedAnswerError,
    ServerFaultError,
)
from reconciler.sandbox.calendars.caldav.multistatus import CALDAV
from reconciler.sandbox.calendars.caldav.origins import ForeignReferenceError
from reconciler.sandbox.calendars.caldav.queries import Span
from reconciler.sandbox.calendars.caldav.snapshot import update_snapshot
from reconciler.sandbox.calendars.errors import (
    CalendarGoneError,
    ConflictError,
    CreationRefusedError,
    UnreachableError,
    UnreadableError,
    WriteRefusedError,
)
from reconciler.sandbox.calendars.protocol import CalendarContents, CalendarObject, CalendarRef

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.sandbox.calendars.caldav.exchange import DavAnswer
    from reconciler.sandbox.calendars.caldav.session import ServerSession
    from reconciler.sandbox.calendars.caldav.snapshot import Snapshot
    from reconciler.sandbox.calendars.protocol import Deadline, Login

_NAME = re.compile(r"[A-Za-z0-9-]{1,200}")
_SUFFIX = ".ics"
_CREATED = 201
_NO_CONTENT = 204
_PRECONDITION_FAILED = 412
_UID_TAKEN = f"{CALDAV}no-uid-conflict"


class CalDavBackend:
    """A `CalendarBackend` over CalDAV (RFC 4791).

    Each call opens its own connections and closes them, and every answer comes from the server: what is kept of a
    calendar saves bytes, never the question whether the password still opens it.
    """

    def __init__(self, session: ServerSession) -> None:
        self._session = session

    def within(self, deadline: Deadline) -> CalDavBackend:
        """The same server for one operation."""
        return CalDavBackend(self._session.within(deadline))

    @property
    def at_once(self) -> int:
        """A few: a server at home serves several people at the same time."""
        return 4

    @property
    def look_again_after(self) -> float:
        """Some seconds: a round trip to a server that may be far away."""
        return 5.0

    def accounts(self) -> tuple[str, ...]:
        """None: a server doesn't tell strangers who is there."""
        return ()

    def sign_in(self, login: Login) -> str:
        """Open the account; answers its email as the server spells it."""
        return self._session.run(login, lambda exchange: self._session.principal(exchange, login, anew=True)).email

    def calendars(self, login: Login) -> tuple[CalendarRef, ...]:
        """The calendars that can hold events, the primary one first."""

        async def listed(exchange: Exchange) -> tuple[CalendarRef, ...]:
            try:
                return await list_calendars(exchange, await self._session.principal(exchange, login))
            except NotAnsweredError:
                # The server may have moved the account since it was last asked.
                account = await self._session.principal(exchange, login, anew=True)
            try:
                return await list_calendars(exchange, account)
            except NotAnsweredError as error:
                raise UnreachableError(f"{error}: the calendar home can't be read") from error

        return self._session.run(login, listed)

    def find_calendar(self, login: Login, calendar_id: str) -> CalendarRef | None:
        """What the calendar says of itself; one that the account may not see isn't there."""
        try:
            url = self._url(calendar_id)
        except CalendarGoneError:
            return None

        async def found(exchange: Exchange) -> CalendarRef | None:
            try:
                await Collection(exchange, url).change_tags()
            except (CalendarGoneError, UnreadableError):
                return None
            return CalendarRef(calendar_id, await name_of(exchange, url))

        return self._session.run(login, found)

    def create_calendar(self, login: Login, name: str, *, key: str) -> CalendarRef:
        """Create a calendar at an address of its own (MKCALENDAR), unless an earlier try did."""

        async def created(exchange: Exchange) -> CalendarRef:
            account = await self._session.principal(exchange, login)
            url = account.homes[0].join(f"{OWN_PREFIX}{key}/")
            answer = await exchange.send(
                "MKCALENDAR", url, queries.mkcalendar(name), {"Content-Type": "application/xml; charset=utf-8"}
            )
            if answer.status != _CREATED:
                try:
                    await Collection(exchange, url).change_tags()
                except (CalendarGoneError, UnreadableError) as error:
                    what = f"MKCALENDAR {url}: answered {answer.status}: no calendar can be made there"
                    raise CreationRefusedError(what) from error
            return CalendarRef(self._session.origins.relative(url), name)

        return self._session.run(login, created)

    def delete_calendar_if_empty(self, login: Login, calendar_id: str) -> bool:
        """Ask what is in it, and delete it right away if that is nothing (DELETE)."""
        try:
            url = self._url(calendar_id)
        except CalendarGoneError:
            return False

        async def deleted(exchange: Exchange) -> bool:
            try:
                etag = await Collection(exchange, url).etag_if_empty()
            except CalendarGoneError:
                return True
            except (UnreadableError, BrokenAnswerError):
                return False
            if etag is None:
                return False
            try:
                # So that what comes into it meanwhile isn't lost; a weak etag fits nothing (RFC 9110, 13.1.1).
                answer = await exchange.send("DELETE", url, headers={"If-Match": etag} if etag.startswith('"') else {})
            except ServerFaultError as error:
                if not error.may_be_one:
                    raise
                return False
            return answer.status in {OK, _NO_CONTENT} or answer.status in GONE

        is_of_ours = url.path.rstrip("/").rpartition("/")[2].startswith(OWN_PREFIX)
        return is_of_ours and self._session.run(login, deleted)

    def read(self, login: Login, calendar_id: str, start: datetime, end: datetime) -> CalendarContents:
        """What may have an event between two times.

        A second time only what has changed is asked for.
        """
        url = self._url(calendar_id)
        key = (login, url.path)

        async def known(exchange: Exchange) -> Snapshot:
            return await update_snapshot(
                Collection(exchange, url),
                self._session.cache.snapshots.get(key),
                Span.around(start, end),
                patience=self._session.search_seconds,
            )

        try:
            snapshot = self._session.run(login, known)
        except (NotAnsweredError, BrokenAnswerError) as error:
            raise UnreadableError(f"{error}: the calendar can't be read") from error
        except ServerFaultError as error:
            if not error.may_be_one:
                raise
            raise UnreadableError(f"{error}: the calendar can't be read") from error
        self._session.cache.snapshots.put(key, snapshot)
        found = sorted(snapshot.objects.items())
        return CalendarContents(
            tuple(
                CalendarObject(_name_of(segment), stored.etag, stored.content)
                for segment, stored in found
                if stored.content is not None
            ),
            tuple(stored.fault for _, stored in found if stored.fault),
        )

    def get(self, login: Login, calendar_id: str, name: str) -> CalendarObject | None:
        """One object as it is now; None where it isn't there."""
        url = self._url(calendar_id)

        async def got(exchange: Exchange) -> CalendarObject | None:
            try:
                answer = await exchange.send("GET", _object(url, name))
            except OversizedAnswerError as error:
                raise UnreadableError(f"{error}; the object is too large") from error
            except ServerFaultError as error:
                await _require_well(Collection(exchange, url), error)
                raise UnreadableError(str(error)) from error
            if answer.status in GONE:
                await Collection(exchange, url).change_tags()
                return None
            etag = answer.headers.get("etag")
            if answer.status != OK or answer.media_type != "text/calendar" or not etag:
                raise UnreadableError(
                    f"GET {answer.url}: answered {answer.status}, {answer.media_type or 'no type'!r}, etag {etag!r}; "
                    "expected an iCalendar object with an etag"
                )
            return CalendarObject(name, etag, answer.body)

        return self._session.run(login, got)

    def put(self, login: Login, calendar_id: str, name: str, content: bytes, *, etag: str | None) -> None:
        """Write a new object (`If-None-Match`), or replace a known version of it (`If-Match`)."""
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        self._write(login, calendar_id, name, "PUT", content, headers)

    def delete(self, login: Login, calendar_id: str, name: str, *, etag: str) -> None:
        """Delete a known version of an object (`If-Match`)."""
        self._write(login, calendar_id, name, "DELETE", b"", {"If-Match": etag})

    def close(self) -> None:
        """Nothing is held open between two calls."""

    def _write(
        self, login: Login, calendar_id: str, name: str, method: str, content: bytes, headers: dict[str, str]
    ) -> None:
        url = self._url(calendar_id)

        async def written(exchange: Exchange) -> None:
            try:
                answer = await exchange.send(method, _object(url, name), content, headers)
            except ServerFaultError as error:
                await _require_well(Collection(exchange, url), error)
                raise WriteRefusedError(str(error)) from error
            if not 200 <= answer.status < 300:  # noqa: PLR2004 -- what HTTP calls success
                # Servers say the same of an object and of the calendar around it: ask for the calendar.
                await Collection(exchange, url).change_tags()
                raise _refusal(method, answer)

        self._session.run(login, written)

    def _url(self, calendar_id: str) -> httpx.URL:
        try:
            url = self._session.origins.resolve(self._session.origins.root, calendar_id)
        except ForeignReferenceError as error:
            raise CalendarGoneError(f"{calendar_id[:200]!r}: no calendar of this server ({error})") from error
        return url if url.path.endswith("/") else url.copy_with(raw_path=url.raw_path + b"/")


async def _require_well(collection: Collection, fault: ServerFaultError) -> None:
    """Raise the fault of a server that fails altogether, and not at one object alone.

    Raises the fault, or what the calendar says, where it is more than the object's.
    """
    if not fault.may_be_one:
        raise fault
    await collection.change_tags()


def _object(calendar: httpx.URL, name: str) -> httpx.URL:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r}: expected letters, digits and hyphens alone")
    return calendar.join(name + _SUFFIX)


def _name_of(segment: str) -> str:
    """The name that `get` knows an object by.

    What can't be a name of ours keeps a slash, which no name has.
    """
    return segment.removesuffix(_SUFFIX) if segment.endswith(_SUFFIX) else f"/{segment}"


def _refusal(method: str, answer: DavAnswer) -> ConflictError | WriteRefusedError:
    said = f"{method} {answer.url}: answered {answer.status}"
    if answer.status == _PRECONDITION_FAILED or answer.status in GONE or _UID_TAKEN in answer.conditions():
        return ConflictError(f"{said}: it has changed since it was read")
    return WriteRefusedError(f"{said}: it can't be written there")
