"""Reads providers, connections, calendars, events and schedules of the wire into the model.

It writes sync configs to the wire. Source: schemas/external-calendars-v2.openapi.yaml.

Reading is tolerant: unknown enum values stay text, unknown fields go to `extra`, missing ones get their
default or None. `UNDEFINED`, a value of every enum, means that something is not said: but for a status, it reads as a
field that is missing. A value of another type raises ShapeError, which says where.
"""

from reconciler.api.fields import Shape, ShapeError, WireObject, with_unknown
from reconciler.model.account import Account
from reconciler.model.key import comparable_id
from reconciler.model.live import (
    Calendar,
    ConnectionList,
    Event,
    Features,
    LiveConnection,
    Provider,
    Schedule,
    Status,
)
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig, in_order

_NOT_SAID = "UNDEFINED"
_IMPORT_ARMS = (Arm.PRIMARY, Arm.CALENDARS)
_EXPORT_ARMS = (Arm.PRIMARY, Arm.DEDICATED)
_NOTHING = Shape()
_CALENDARS = Shape(frozenset({"calendars"}), {"calendars": Shape(frozenset({"id", "name"}))})
_IMPORTS = Shape(frozenset({"enabled", *_IMPORT_ARMS}), {Arm.PRIMARY.value: _NOTHING, Arm.CALENDARS.value: _CALENDARS})
_EXPORTS = Shape(frozenset({"enabled", *_EXPORT_ARMS}), {Arm.PRIMARY.value: _NOTHING, Arm.DEDICATED.value: _NOTHING})
_SYNC_CONFIG = Shape(frozenset({"listEventFromCalendars", "syncToCalendar"}))

JsonObject = dict[str, object]


def read_providers(answer: WireObject) -> tuple[Provider, ...]:
    """ListProviders' answer."""
    return answer.each("providers", _provider)


def read_connections(answer: WireObject) -> ConnectionList:
    """ListConnections' answer."""
    known: dict[bytes, SyncConfig] = {}
    return ConnectionList(
        connections=answer.each("connections", lambda fields: _connection(fields, known)),
        failed_provider_ids=tuple(map(comparable_id, answer.texts("failedProviderIds"))),
    )


def read_connection(answer: WireObject) -> LiveConnection:
    """The answer `{connection}`."""
    return _connection(answer.required_inner("connection"), {})


def read_calendars(answer: WireObject) -> tuple[Calendar, ...]:
    """ListCalendars' answer."""
    return answer.each("calendars", _calendar)


def _provider(fields: WireObject) -> Provider:
    features = fields.inner("features")
    return Provider(
        id=comparable_id(fields.required("id")),
        name=fields.text("name") or "",
        calendar_type=_enum(fields, "calendarType"),
        features=_features(features) if features else Features(),
        extra=fields.extra(),
    )


def _features(fields: WireObject) -> Features:
    return Features(
        connect_methods=tuple(method for method in fields.texts("connectMethods") if method not in {"", _NOT_SAID}),
        update_sync_config=fields.flag("updateSyncConfig"),
        imports=_enum(fields, "listEventFromCalendars"),
        exports=_enum(fields, "syncToCalendar"),
    )


def _enum(fields: WireObject, name: str) -> str | None:
    """A value of an enum, known or not; None where it is not said."""
    value = fields.text(name)
    return None if value in {"", _NOT_SAID} else value


def _connection(fields: WireObject, known: dict[bytes, SyncConfig]) -> LiveConnection:
    """A connection; `known` holds the sync configs of those that were read before."""
    return LiveConnection(
        id=fields.required("id"),
        provider_id=comparable_id(fields.text("providerId") or ""),
        calendar_type=_enum(fields, "calendarType"),
        schedule_id=comparable_id(fields.text("scheduleId") or ""),
        account=Account(address) if (address := fields.text("externalAccountEmail")) else None,
        status=fields.text("status") or Status.UNDEFINED.value,
        error_reason=_enum(fields, "errorReason"),
        sync=fields.inner_once("syncConfig", read_sync, known) or SyncConfig(),
        user_id=fields.text("userId"),
        app_id=fields.text("appId"),
        extra=fields.extra(),
    )


def _calendar(fields: WireObject) -> Calendar:
    return Calendar(id=fields.required("id"), name=fields.text("name") or "", extra=fields.extra())


def read_event(fields: WireObject) -> Event:
    """One event of ListEvents."""
    return Event(
        schedule_id=comparable_id(fields.text("scheduleId") or ""),
        calendar_type=_enum(fields, "calendarType"),
        start=fields.required("start"),
        end=fields.required("end"),
        all_day=fields.flag("allDay") or False,
        schedule_owner_id=fields.text("scheduleOwnerId"),
        calendar_name=fields.text("calendarName"),
        title=fields.text("title"),
        schedule_owner_name=fields.text("scheduleOwnerName"),
        extra=fields.extra(),
    )


def read_schedule(fields: WireObject) -> Schedule:
    """One schedule of the Calendar API, whose status is ACTIVE unless it says otherwise."""
    return Schedule(
        id=comparable_id(fields.required("id")),
        name=fields.text("name") or "",
        external_id=fields.text("externalId") or None,
        status=fields.text("status") or "ACTIVE",
        time_zone=fields.text("timeZone"),
        app_id=comparable_id(app_id) if (app_id := fields.text("appId")) else None,
        extra=fields.extra(),
    )


def read_sync(fields: WireObject) -> SyncConfig:
    """A `syncConfig`; what it leaves out is None, and what is not known is kept."""
    unknown = fields.unknown(_SYNC_CONFIG)
    imports = fields.inner("listEventFromCalendars")
    exports = fields.inner("syncToCalendar")
    return SyncConfig(
        imports=_direction(imports, _IMPORT_ARMS, _IMPORTS) if imports else None,
        exports=_direction(exports, _EXPORT_ARMS, _EXPORTS) if exports else None,
        unknown=unknown,
    )


def _direction(fields: WireObject, arms: tuple[Arm, ...], shape: Shape) -> Direction:
    unknown = fields.unknown(shape)
    chosen = [(arm, within) for arm in arms if (within := fields.inner(arm.value)) is not None]
    if len(chosen) > 1:
        raise ShapeError(fields.where, f"one of {' and '.join(arms)}", "both")
    arm, within = chosen[0] if chosen else (None, None)
    return Direction(
        enabled=fields.flag("enabled"),
        arm=arm,
        calendars=in_order(within.each("calendars", _calendar_ref)) if within and arm is Arm.CALENDARS else (),
        unknown=unknown,
    )


def _calendar_ref(fields: WireObject) -> CalendarRef:
    ref = CalendarRef(id=fields.text("id") or None, name=fields.text("name") or None)
    if ref == CalendarRef():
        raise ShapeError(fields.where, "a calendar's id or name", "neither")
    return ref


def sync_to_wire(sync: SyncConfig) -> JsonObject:
    """`syncConfig` as UpdateSyncConfig takes it: the fields that are not None, and those that are not known here."""
    directions = (
        ("listEventFromCalendars", sync.imports, _IMPORTS),
        ("syncToCalendar", sync.exports, _EXPORTS),
    )
    known: JsonObject = {
        name: with_unknown(_to_wire(direction), direction.unknown, shape)
        for name, direction, shape in directions
        if direction is not None and direction != Direction()
    }
    return with_unknown(known, sync.unknown, _SYNC_CONFIG)


def _to_wire(direction: Direction) -> JsonObject:
    fields: JsonObject = {} if direction.enabled is None else {"enabled": direction.enabled}
    if direction.arm is Arm.CALENDARS:
        fields[direction.arm.value] = {"calendars": [_ref_to_wire(ref) for ref in direction.calendars]}
    elif direction.arm is not None:
        fields[direction.arm.value] = {}
    return fields


def _ref_to_wire(ref: CalendarRef) -> JsonObject:
    return {name: value for name, value in (("id", ref.id), ("name", ref.name)) if value is not None}
