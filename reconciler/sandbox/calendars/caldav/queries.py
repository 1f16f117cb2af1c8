"""Writes the bodies of requests to a CalDAV server (RFC 4791, 6578)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from reconciler.sandbox.calendars.caldav.multistatus import CALDAV, CALENDARSERVER, DAV
from reconciler.sandbox.calendars.ics_text import carried

if TYPE_CHECKING:
    from collections.abc import Iterable


_MARGIN = timedelta(days=1)
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, aware, `end` exclusive."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, start: datetime, end: datetime) -> Span | None:
        """A span a day wider at both ends, None where that is too long for any server.

        Servers take floating and all-day times for UTC, which is up to 14 hours off; and many count the instances of an
        endless rule one by one up to the end of the span.
        """
        if start < _FIRST or end > _LAST or start > end:
            return None
        return cls(start - _MARGIN, end + _MARGIN)

    def covers(self, other: Span) -> bool:
        """Whether all of `other` lies in it."""
        return self.start <= other.start and other.end <= self.end


PRINCIPAL = f"{DAV}current-user-principal"
HOME_SET = f"{CALDAV}calendar-home-set"
ADDRESSES = f"{CALDAV}calendar-user-address-set"
INBOX = f"{CALDAV}schedule-inbox-URL"
DEFAULT_CALENDAR = f"{CALDAV}schedule-default-calendar-URL"
RESOURCE_TYPE = f"{DAV}resourcetype"
DISPLAY_NAME = f"{DAV}displayname"
COMPONENTS = f"{CALDAV}supported-calendar-component-set"
SYNC_TOKEN = f"{DAV}sync-token"
CTAG = f"{CALENDARSERVER}getctag"
ETAG = f"{DAV}getetag"
DATA = f"{CALDAV}calendar-data"


def propfind(*properties: str) -> bytes:
    """PROPFIND for named properties."""
    root = Element(f"{DAV}propfind")
    _ask(root, properties)
    return _document(root)


def calendar_query(span: Span | None, *properties: str) -> bytes:
    """The objects with an instance of an event in a span, or at any time (RFC 4791, 7.8)."""
    root = Element(f"{CALDAV}calendar-query")
    _ask(root, properties)
    calendar = SubElement(SubElement(root, f"{CALDAV}filter"), f"{CALDAV}comp-filter", name="VCALENDAR")
    event = SubElement(calendar, f"{CALDAV}comp-filter", name="VEVENT")
    if span is not None:
        start, end = (f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (span.start, span.end))
        SubElement(event, f"{CALDAV}time-range", start=start, end=end)
    return _document(root)


def multiget(paths: Iterable[str]) -> bytes:
    """Named objects, whole (RFC 4791, 7.9)."""
    root = Element(f"{CALDAV}calendar-multiget")
    _ask(root, (ETAG, DATA))
    for path in paths:
        SubElement(root, f"{DAV}href").text = path
    return _document(root)


def sync_collection(token: str) -> bytes:
    """What changed since the server gave `token` (RFC 6578, 3.2)."""
    root = Element(f"{DAV}sync-collection")
    SubElement(root, SYNC_TOKEN).text = token
    SubElement(root, f"{DAV}sync-level").text = "1"
    _ask(root, (ETAG,))
    return _document(root)


def mkcalendar(name: str) -> bytes:
    """A new calendar for events, with a name for people (RFC 4791, 5.3.1)."""
    root = Element(f"{CALDAV}mkcalendar")
    prop = SubElement(SubElement(root, f"{DAV}set"), f"{DAV}prop")
    SubElement(prop, DISPLAY_NAME).text = carried(name)
    SubElement(SubElement(prop, COMPONENTS), f"{CALDAV}comp", name="VEVENT")
    return _document(root)


def _ask(root: Element, properties: Iterable[str]) -> None:
    prop = SubElement(root, f"{DAV}prop")
    for name in properties:
        SubElement(prop, name)


def _document(root: Element) -> bytes:
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document
