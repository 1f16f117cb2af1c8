"""Finds, puts, replaces and removes one event in a calendar's file.

An event is known by its UID. Every other byte of the file stays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from reconciler.sandbox.calendars.errors import UnreadableError
from reconciler.sandbox.calendars.ics_lines import IcsComponent, IcsStream, cut, line_name, line_value
from reconciler.sandbox.calendars.ics_text import PRODUCT, calendar_text

_OPENING, _CLOSING = calendar_text().rsplit(b"END:", 1)[0], b"END:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """The components of one event as a stream, and an etag that changes when any of them does."""

    content: bytes
    etag: str


def find(content: bytes, uid: str) -> StoredEvent | None:
    """The event with this UID; None where the file doesn't hold it."""
    parts = [content[each.start : each.end] for each in _components(cut(content), uid)]
    if not parts:
        return None
    body = b"".join(parts)
    return StoredEvent(_OPENING + body + _CLOSING, hashlib.sha256(body).hexdigest())


def with_event(content: bytes, uid: str, event: bytes) -> bytes:
    """The file with `event` (a VCALENDAR) in the place of the one with this UID, or at the end.

    Raises `UnreadableError` where the file has no end to add it at: nothing is written into a damaged file.
    """
    added = b"".join(event[each.start : each.end] for each in _components(cut(event), uid))
    if not content.strip():
        return _OPENING + added + _CLOSING
    rest = without_event(content, uid)
    calendars = cut(rest).calendars
    if not calendars or calendars[-1].end_line is None:
        raise UnreadableError("the file has no END:VCALENDAR, so no event can be added")
    end = calendars[-1].end_line
    return rest[:end] + added + rest[end:]


def without_event(content: bytes, uid: str) -> bytes:
    """The file without the event with this UID."""
    for component in reversed(_components(cut(content), uid)):
        content = content[: component.start] + content[component.end :]
    return content


def is_untouched(content: bytes) -> bool:
    """Whether a file is as the sandbox made it.

    It then has no component, no property of others, and nothing that can't be read.
    """
    stream = cut(content)
    if stream.faults or len(stream.calendars) != 1:
        return False
    (calendar,) = stream.calendars
    values = {line_name(line): line_value(line) for line in calendar.lines}
    is_of_ours = values.keys() <= {"VERSION", "PRODID", "X-WR-CALNAME"} and values.get("PRODID") == PRODUCT.encode()
    return is_of_ours and not calendar.components and calendar.end_line is not None


def _components(stream: IcsStream, uid: str) -> list[IcsComponent]:
    wanted = uid.encode()
    return [
        component
        for calendar in stream.calendars
        for component in calendar.components
        if component.kind == "VEVENT" and (component.value("UID") or b"").strip() == wanted
    ]
