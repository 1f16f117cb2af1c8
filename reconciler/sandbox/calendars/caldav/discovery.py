"""Finds an account's calendars from nothing but the server's URL.

The steps are those of RFC 6764, 6; RFC 4791, 6.2; and RFC 6638, 9.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.caldav import queries
from reconciler.sandbox.calendars.caldav.exchange import (
    MULTISTATUS,
    BrokenAnswerError,
    NotAnsweredError,
    ServerFaultError,
)
from reconciler.sandbox.calendars.caldav.multistatus import CALDAV, DAV
from reconciler.sandbox.calendars.errors import BadCredentialsError, MisconfiguredError, UnreachableError
from reconciler.sandbox.calendars.protocol import CalendarRef

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.calendars.caldav.exchange import Exchange
    from reconciler.sandbox.calendars.caldav.multistatus import Multistatus, Response

OWN_PREFIX = "extcal-"
"""How the path of a calendar begins that a sandbox has made: it is never taken for the primary one."""

_WELL_KNOWN = "/.well-known/caldav"
_MAX_HOMES = 8
_MAX_CALENDARS = 1000
_MAX_NAME = 250
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Principal:
    """Where an account's calendars are; `email` is as the server spells it."""

    email: str
    homes: tuple[httpx.URL, ...]
    inbox: httpx.URL | None


async def find_principal(exchange: Exchange, email: str) -> Principal:
    """Sign in and find the calendars' home.

    Raises `BadCredentialsError` and `UnreachableError`.
    """
    principal = await _principal(exchange)
    try:
        base, answer = await exchange.query(
            "PROPFIND", principal, queries.propfind(queries.HOME_SET, queries.INBOX, queries.ADDRESSES)
        )
    except NotAnsweredError as error:
        raise UnreachableError(
            f"{error}; the server names it as this account's principal, but says nothing about it"
        ) from error
    found = _first(answer)
    homes = () if found is None else found.hrefs(queries.HOME_SET)
    if found is None or not homes:
        raise UnreachableError(f"{principal}: has no calendar-home-set; is it a CalDAV server?")
    inboxes = found.hrefs(queries.INBOX)
    return Principal(
        _spelled(email, found.hrefs(queries.ADDRESSES)),
        tuple(_folder(exchange.origins.resolve(base, home)) for home in homes[:_MAX_HOMES]),
        exchange.origins.resolve(base, inboxes[0]) if inboxes else None,
    )


async def list_calendars(exchange: Exchange, account: Principal) -> tuple[CalendarRef, ...]:
    """The calendars that can hold events, the primary one first.

    That is the one where the server puts invitations (`schedule-default-calendar-URL`), or the first by its address;
    one that a sandbox has made comes last. Raises `NotAnsweredError` where a home is not there any more.
    """
    default = await _default_calendar(exchange, account)
    found: dict[str, tuple[bool, bool, int, str]] = {}
    names: dict[str, str] = {}
    for number, home in enumerate(account.homes):
        base, answer, named = await _listed(exchange, home)
        for response in filter(_holds_events, answer.responses):
            url = _folder(exchange.origins.resolve(base, response.href))
            segment = _segment(url)
            reference = exchange.origins.relative(url)
            found[reference] = (url != default, segment.startswith(OWN_PREFIX), number, url.path)
            name = (response.text(queries.DISPLAY_NAME) or segment) if named else await name_of(exchange, url)
            names[reference] = name[:_MAX_NAME]
            if len(found) > _MAX_CALENDARS:
                raise UnreachableError(f"{home}: has more than {_MAX_CALENDARS} calendars")
    return tuple(CalendarRef(reference, names[reference]) for reference in sorted(found, key=found.__getitem__))


async def _listed(exchange: Exchange, home: httpx.URL) -> tuple[httpx.URL, Multistatus, bool]:
    """What is in a home, and whether it came with the names that people gave it."""
    wanted = (queries.RESOURCE_TYPE, queries.COMPONENTS)
    try:
        base, answer = await exchange.query("PROPFIND", home, queries.propfind(*wanted, queries.DISPLAY_NAME), depth=1)
        named = True
    except BrokenAnswerError:
        # A name that XML can't carry breaks the whole list.
        base, answer = await exchange.query("PROPFIND", home, queries.propfind(*wanted), depth=1)
        named = False
    if answer.is_cut_short() or not answer.responses:
        # Not even the home itself (RFC 4918, 9.1): what is missing may be there all the same.
        raise NotAnsweredError(f"PROPFIND {base}: the listing is incomplete", MULTISTATUS, frozenset())
    return base, answer, named


async def name_of(exchange: Exchange, calendar: httpx.URL) -> str:
    """The name of one calendar, asked for by itself.

    A part of its address where it has none that can be read.
    """
    try:
        _, answer = await exchange.query("PROPFIND", calendar, queries.propfind(queries.DISPLAY_NAME))
    except (BrokenAnswerError, NotAnsweredError):
        return _segment(calendar)
    found = _first(answer)
    name = None if found is None else found.text(queries.DISPLAY_NAME)
    return (name or _segment(calendar))[:_MAX_NAME]


async def _principal(exchange: Exchange) -> httpx.URL:
    """Who the account is on the server; the first of the places to ask that knows."""
    root = exchange.origins.root
    places = [root, root.join(_WELL_KNOWN)]
    if root.path == "/":
        places.reverse()
    await exchange.introduce(*places)
    said: list[str] = []
    statuses: set[int] = set()
    away = False
    for place in places:
        try:
            base, answer = await exchange.query("PROPFIND", place, queries.propfind(queries.PRINCIPAL))
        except (NotAnsweredError, ServerFaultError) as error:
            said.append(str(error))
            if isinstance(error, NotAnsweredError):
                statuses.add(error.status)
            else:
                away = True
            continue
        found = _first(answer)
        if found is not None and (principals := found.hrefs(queries.PRINCIPAL)):
            return exchange.origins.resolve(base, principals[0])
        element = None if found is None else found.properties.get(queries.PRINCIPAL)
        if element is not None and element.find(f"{DAV}unauthenticated") is not None:
            raise BadCredentialsError(f"PROPFIND {base}: the server doesn't know this login")
        said.append(f"PROPFIND {base}: names no principal")
    if _FORBIDDEN in statuses:
        raise BadCredentialsError("; ".join(said))
    kind = UnreachableError if away else MisconfiguredError
    raise kind(f"{root}: no CalDAV server found: {'; '.join(said)}")


async def _default_calendar(exchange: Exchange, account: Principal) -> httpx.URL | None:
    if account.inbox is None:
        return None
    try:
        base, answer = await exchange.query("PROPFIND", account.inbox, queries.propfind(queries.DEFAULT_CALENDAR))
    except NotAnsweredError:
        return None
    found = _first(answer)
    named = () if found is None else found.hrefs(queries.DEFAULT_CALENDAR)
    return _folder(exchange.origins.resolve(base, named[0])) if named else None


def _first(answer: Multistatus) -> Response | None:
    return answer.responses[0] if answer.responses else None


def _segment(calendar: httpx.URL) -> str:
    return calendar.path.rstrip("/").rpartition("/")[2]


def _holds_events(response: Response) -> bool:
    if not response.is_calendar():
        return False
    components = response.properties.get(queries.COMPONENTS)
    return components is None or any(
        component.get("name", "").upper() == "VEVENT" for component in components.findall(f"{CALDAV}comp")
    )


def _spelled(email: str, addresses: tuple[str, ...]) -> str:
    for address in addresses:
        scheme, _, mailbox = address.partition(":")
        if scheme.lower() == "mailto" and mailbox.lower() == email.lower():
            return mailbox
    return email


def _folder(url: httpx.URL) -> httpx.URL:
    return url if url.path.endswith("/") else url.copy_with(raw_path=url.raw_path + b"/")
