"""Reads what WebDAV answers (RFC 4918, 13) from XML that may be hostile.

No document type is accepted, so there are no entities to expand or to fetch; depth and number of elements are bounded.
The parser is the standard library's own, whose `doctype` hook is called before any declaration is read.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
CALENDARSERVER = "{http://calendarserver.org/ns/}"

MAX_DEPTH = 32
MAX_ELEMENTS = 500_000
_PIECE = 256 * 1024
_NO_ROOM = 507
_STATUS = re.compile(r"HTTP/\S+ (\d{3})\b")


class MalformedAnswerError(Exception):
    """Not XML, XML out of bounds, or not what WebDAV answers; the message says which."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the answer says of one resource: its own `status`, if any, and its properties."""

    href: str
    status: int | None
    properties: Mapping[str, Element]

    def text(self, name: str) -> str | None:
        """The text of a property; None where it is missing or empty."""
        found = self.properties.get(name)
        return None if found is None or found.text is None else found.text.strip() or None

    def hrefs(self, name: str) -> tuple[str, ...]:
        """The references that a property holds."""
        found = self.properties.get(name)
        return () if found is None else tuple(href for each in found.findall(f"{DAV}href") if (href := _line(each)))

    def is_calendar(self) -> bool:
        """Whether it is said to be a calendar (RFC 4791, 4.2)."""
        kind = self.properties.get(f"{DAV}resourcetype")
        return kind is not None and kind.find(f"{CALDAV}calendar") is not None


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A whole answer; only that to a sync-collection report has a `sync_token` (RFC 6578, 6.4)."""

    responses: tuple[Response, ...]
    sync_token: str | None

    def is_cut_short(self) -> bool:
        """Whether the server gave a part only, and says 507 of the rest (RFC 6578, 3.6)."""
        return any(response.status == _NO_ROOM for response in self.responses)


async def read_multistatus(body: bytes) -> Multistatus:
    """Raises `MalformedAnswerError`.

    A long answer, which takes seconds, can be given up on the way.
    """
    with _readable():
        parser = _parser()
        for start in range(0, len(body), _PIECE):
            parser.feed(body[start : start + _PIECE])
            await asyncio.sleep(0)
        root = parser.close()
    if root.tag != f"{DAV}multistatus":
        raise MalformedAnswerError(f"expected a multistatus, found <{root.tag[:80]}>")
    token = root.find(f"{DAV}sync-token")
    responses = tuple(_response(element) for element in root.findall(f"{DAV}response"))
    return Multistatus(responses, None if token is None else _line(token) or None)


def parse(body: bytes) -> Element:
    """The root of a short document; raises `MalformedAnswerError`."""
    with _readable():
        parser = _parser()
        parser.feed(body)
        return parser.close()


def _parser() -> XMLParser:
    return XMLParser(target=_BoundedBuilder())  # noqa: S314 -- declares no entities: see the builder's `doctype`


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (ParseError, ValueError, LookupError) as error:
        raise MalformedAnswerError(f"not XML that can be read: {error}") from error


class _BoundedBuilder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise MalformedAnswerError(f"it declares a document type ({name[:80]!r}), which no answer needs")

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise MalformedAnswerError(f"XML nested deeper than {MAX_DEPTH}, or of more than {MAX_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _response(element: Element) -> Response:
    href = element.find(f"{DAV}href")
    if href is None:
        raise MalformedAnswerError("a response names no resource")
    status = element.find(f"{DAV}status")
    return Response(_line(href), None if status is None else _code(status), dict(_found(element)))


def _found(response: Element) -> Iterator[tuple[str, Element]]:
    for propstat in response.findall(f"{DAV}propstat"):
        status = propstat.find(f"{DAV}status")
        if status is None or _code(status) == 200:  # noqa: PLR2004 -- the one status that says "here it is"
            for prop in propstat.findall(f"{DAV}prop"):
                yield from ((each.tag, each) for each in prop)


def _code(status: Element) -> int:
    found = _STATUS.match(_line(status))
    if found is None:
        raise MalformedAnswerError(f"{_line(status)[:80]!r} is not a status")
    return int(found[1])


def _line(element: Element) -> str:
    return (element.text or "").strip()
