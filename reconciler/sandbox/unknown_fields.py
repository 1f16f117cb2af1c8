"""Keeps the fields of a sync config that no page documents, as the hosted API may have some.

`includeBufferTime` of the export is known to exist. The others stand for what nobody has heard of.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.request_body import Fields

    _Values = Mapping[str, object]

BUFFER_TIME = "includeBufferTime"
MAX_STORED = 64 * 1024
"""How long all of a connection's unknown fields may be as JSON, in characters."""

_KNOWN_OF_IMPORT = ("enabled", "primaryCalendar", "calendars")
_KNOWN_OF_EXPORT = ("enabled", "primaryCalendar", "dedicatedCalendar")
_KNOWN_OF_CALENDAR = ("id", "name")


@dataclass(frozen=True, slots=True)
class UnknownFields:
    """They stand in the sync config itself (`whole`), in a direction, or in the imported `calendars`, by their ids."""

    whole: _Values = field(default_factory=dict)
    imports: _Values = field(default_factory=dict)
    exports: _Values = field(default_factory=dict)
    calendars: Mapping[str, _Values] = field(default_factory=dict)


def starting_fields(calendars: Iterable[str]) -> UnknownFields:
    """The unknown fields of a new connection that imports from `calendars`."""
    return UnknownFields(
        whole={"syncWindow": {"days": 90}},
        imports={"includeDeclined": False},
        exports={BUFFER_TIME: True},
        calendars={calendar: {"accessRole": "owner"} for calendar in calendars},
    )


def received(body: Fields, standing: UnknownFields, calendars: Iterable[str]) -> UnknownFields:
    """The unknown fields of `body`, a sync config, merged into those that are `standing`.

    `calendars` are the ids of those that are imported from now on. What is known of `body` was read, and isn't at
    fault.
    """
    imports, exports = body.child("listEventFromCalendars"), body.child("syncToCalendar")
    named = None if imports is None else imports.child("calendars")
    sent = {each.text("id"): each.others(_KNOWN_OF_CALENDAR) for each in named.children("calendars")} if named else {}
    if exports is not None:
        exports.boolean(BUFFER_TIME)
    return UnknownFields(
        {**standing.whole, **body.others(DIRECTIONS)},
        {**standing.imports, **(imports.others(_KNOWN_OF_IMPORT) if imports else {})},
        {**standing.exports, **(exports.others(_KNOWN_OF_EXPORT) if exports else {})},
        {each: {**standing.calendars.get(each, {}), **sent.get(each, {})} for each in calendars},
    )


def is_too_long(unknown: UnknownFields) -> bool:
    """Whether they are more than is stored: merged ones could grow without end."""
    return len(json.dumps(asdict(unknown))) > MAX_STORED


def with_unknown(wire: _Values, unknown: UnknownFields) -> dict[str, object]:
    """A sync config's JSON with its unknown fields."""
    imports, exports = dict(_object(wire["listEventFromCalendars"])), _object(wire["syncToCalendar"])
    if "calendars" in imports:
        listed = _object(imports["calendars"])["calendars"]
        if isinstance(listed, list):
            imports["calendars"] = {"calendars": [{**unknown.calendars.get(each["id"], {}), **each} for each in listed]}
    return {
        **unknown.whole,
        "listEventFromCalendars": {**unknown.imports, **imports},
        "syncToCalendar": {**unknown.exports, **exports},
    }


def _object(value: object) -> _Values:
    return value if isinstance(value, dict) else {}
