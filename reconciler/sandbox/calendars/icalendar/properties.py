"""Properties of a component (RFC 5545, 3.1 and 3.2), read as the programs that write calendars mean them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reconciler.sandbox.calendars.ics_text import unescaped

_NAME = re.compile(r"\s*([A-Za-z0-9-]+)\s*")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=((?:"[^"]*"|[^";:])*)')
_BARE_ZONE = re.compile(r""";TZID=['"]?(.{0,200}?)['"]?\s{0,9}:([0-9TZPWDHMS,/+-]+)\Z""", re.IGNORECASE)
"""Bounded, since a line may be as long as a file."""

_BEGINS_WITH_DAY = re.compile(r"\d{8}")

MAX_TEXT = 1000
"""How many characters of a text are kept."""


@dataclass(frozen=True, slots=True)
class Property:
    """`name` and the names of `parameters` are in upper case; quotes around parameters are taken off."""

    name: str
    value: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_property(line: bytes) -> Property:
    """The property on an unfolded line; what can't be told apart is the value's."""
    text = line.decode("utf-8", "replace")
    head, _, value = text.partition(":")
    if ";" not in head:
        return Property(head.strip().upper(), value.strip())
    named = _NAME.match(text)
    if named is None:
        return Property("", text)
    parameters: dict[str, str] = {}
    place = named.end()
    while found := _PARAMETER.match(text, place):
        parameters.setdefault(found[1].upper(), found[2].replace('"', "").strip())
        place = found.end()
    return Property(named[1].upper(), text[place:].partition(":")[2].strip(), parameters)


def parse_times(line: bytes) -> Property:
    """A property whose value is a time, or several: where a zone's name isn't quoted, as it should be, it still is one.

    `DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20260302T090000` has a colon and commas in its parameter.
    """
    found = parse_property(line)
    if not found.parameters or (found.parameters.get("TZID", "-") and _BEGINS_WITH_DAY.match(found.value)):
        return found
    text = line.decode("utf-8", "replace").rstrip()
    bare = _BARE_ZONE.match(text, text.upper().find(";TZID="))
    return found if bare is None else Property(found.name, bare[2], found.parameters | {"TZID": bare[1]})


def unescape(value: str) -> str:
    """A TEXT (RFC 5545, 3.3.11), cut at `MAX_TEXT` characters."""
    return unescaped(value[:MAX_TEXT])
