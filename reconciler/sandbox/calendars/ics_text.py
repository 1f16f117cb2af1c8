"""Writes iCalendar text (RFC 5545): escaped and folded lines, times in UTC, days as dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime

PRODUCT = "-//extcal//sandbox//EN"

_ESCAPED = re.compile(r"\\([nN,;\\])")
_MAX_OCTETS = 75
"""Of a line, RFC 5545, 3.1."""

_INSIDE_CHARACTER = range(0x80, 0xC0)
"""The bytes of UTF-8 that begin no character."""

_NOT_CARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def carried(text: str) -> str:
    """`text` without what iCalendar (RFC 5545, 3.3.11) or XML forbids.

    A server's answer that quotes it would break.
    """
    return _NOT_CARRIED.sub("\N{REPLACEMENT CHARACTER}", text)


def text_line(name: str, text: str) -> str:
    """A property whose value is a text."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r", "").replace("\n", "\\n")
    return f"{name}:{escaped}"


def unescaped(text: str) -> str:
    """The text that a TEXT value stands for (RFC 5545, 3.3.11)."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text) if "\\" in text else text


def time_line(name: str, moment: datetime, *, all_day: bool = False) -> str:
    """A property whose value is an aware time, or its day."""
    if all_day:
        return f"{name};VALUE=DATE:{moment.year:04d}{moment:%m%d}"
    return f"{name}:{utc_text(moment)}"


def utc_text(moment: datetime) -> str:
    """A time as `20260301T090000Z`; strftime leaves the zeros of early years out."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04d}{moment:%m%dT%H%M%SZ}"


def calendar_text(*lines: str) -> bytes:
    """A VCALENDAR around lines of properties and components."""
    opening = ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}")
    return b"".join(folded(line) for line in (*opening, *lines, "END:VCALENDAR"))


def folded(line: str) -> bytes:
    """A line folded as RFC 5545 wants, with its end, and no character torn apart."""
    rest = line.encode("utf-8", "replace")
    parts = []
    while len(rest) > _MAX_OCTETS:
        cutting = _MAX_OCTETS
        while rest[cutting] in _INSIDE_CHARACTER:
            cutting -= 1
        parts.append(rest[:cutting])
        rest = b" " + rest[cutting:]
    return b"\r\n".join([*parts, rest]) + b"\r\n"
