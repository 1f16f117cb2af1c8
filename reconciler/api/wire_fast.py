"""A quick reader of connections as they almost always come; anything unusual is left to the reader that explains.

What is read here is read as `Fields` reads it, or not at all: no default, no error and no unknown field is known here.
Fleets spend most of the time of a reading on connections that have nothing to explain.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from reconciler.api.fields import LONGEST, is_whole
from reconciler.model.live import LiveConnection
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig, in_order

_CONNECTION: Final = frozenset(
    {
        "id", "providerId", "calendarType", "scheduleId", "userId", "appId", "externalAccountEmail", "status",
        "errorReason", "syncConfig",
    }
)  # fmt: skip
_SYNC: Final = frozenset({"listEventFromCalendars", "syncToCalendar"})
_IMPORTS: Final = frozenset({"enabled", Arm.PRIMARY.value, Arm.CALENDARS.value})
_EXPORTS: Final = frozenset({"enabled", Arm.PRIMARY.value, Arm.DEDICATED.value})
_CALENDARS: Final = frozenset({"calendars"})
_CALENDAR: Final = frozenset({"id", "name"})
_ENABLED_AND_ARM: Final = 2


class _UnusualError(Exception):
    """Something that is for the reader that explains."""


def quick_connection(value: object) -> LiveConnection | None:
    """The Connection that `value` plainly is, or None: that says nothing of it, but that `Fields` must read it.

    `value` is JSON as parsed, and is left as it is (contract: Objects).
    """
    try:
        return _connection(value)
    except _UnusualError:
        return None


def _connection(value: object) -> LiveConnection:
    fields = _object(value, _CONNECTION)
    return LiveConnection(
        id=_text(fields.get("id")),
        provider_id=_text(fields.get("providerId")),
        calendar_type=_text(fields.get("calendarType")),
        schedule_id=_text(fields.get("scheduleId")),
        account=_optional(fields.get("externalAccountEmail")),
        status=_text(fields.get("status")),
        error_reason=_optional(fields.get("errorReason")),
        sync=_sync(fields.get("syncConfig")),
        user_id=_optional(fields.get("userId")),
        app_id=_optional(fields.get("appId")),
    )


def _sync(value: object) -> SyncConfig:
    fields = _object(value, _SYNC)
    return SyncConfig(
        imports=_direction(fields.get("listEventFromCalendars"), _IMPORTS),
        exports=_direction(fields.get("syncToCalendar"), _EXPORTS),
    )


def _direction(value: object, known: AbstractSet[str]) -> Direction:
    fields = _object(value, known)
    enabled = fields.get("enabled")
    if not isinstance(enabled, bool) or len(fields) > _ENABLED_AND_ARM:
        raise _UnusualError
    if len(fields) < _ENABLED_AND_ARM:
        return Direction(enabled)
    if "calendars" in fields:
        return Direction(enabled, Arm.CALENDARS, _calendars(fields["calendars"]))
    arm = Arm.PRIMARY if "primaryCalendar" in fields else Arm.DEDICATED
    if fields[arm.value] != {}:
        raise _UnusualError
    return Direction(enabled, arm)


def _calendars(value: object) -> tuple[CalendarRef, ...]:
    calendars = _object(value, _CALENDARS).get("calendars")
    if not isinstance(calendars, list):
        raise _UnusualError
    return in_order(map(_calendar, calendars))


def _calendar(value: object) -> CalendarRef:
    fields = _object(value, _CALENDAR)
    return CalendarRef(id=_text(fields.get("id")), name=_optional(fields.get("name")))


def _object(value: object, known: AbstractSet[str]) -> dict[str, object]:
    if not isinstance(value, dict) or not value.keys() <= known:
        raise _UnusualError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not is_whole(value):
        raise _UnusualError
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)
