"""Converts sync configs, and merges a connection's over its policy's, field by field."""

from sys import intern
from typing import cast

from reconciler.manifests.faults import FileReport, shown
from reconciler.manifests.schema_types import CalendarShape, ExportShape, ImportShape, SyncShape
from reconciler.manifests.values import TextMark, YamlMapping, locate
from reconciler.model.source import FieldSources, SourceMap
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig

_DIRECTIONS = (IMPORTS, EXPORTS)
_ARMS = tuple(Arm)
_NOTHING = Direction()
_ARM_PATHS = {path: tuple(f"{path}.{arm}" for arm in Arm) for path in _DIRECTIONS}


def sync_config(sync: SyncShape, spec: YamlMapping, report: FileReport, within: str = "spec") -> SyncConfig:
    """The `syncConfig` of a valid spec that lies `within` its document; reports a calendar that is named twice."""
    imports = sync.get("listEventFromCalendars")
    exports = sync.get("syncToCalendar")
    config = SyncConfig(
        None if imports is None else _direction(imports), None if exports is None else _direction(exports)
    )
    _refuse_duplicates(config, spec, report, within)
    return config


def merge(policy: SyncConfig, own: SyncConfig) -> SyncConfig:
    """`own` where it has a value, `policy` elsewhere; an alternative chosen in `own` replaces an inherited one."""
    return SyncConfig(_merge(policy.imports, own.imports), _merge(policy.exports, own.exports))


def merge_sources(policy: FieldSources, own: SourceMap, own_sync: SyncConfig) -> SourceMap:
    """The places of a merged sync config's fields: inherited ones lie in the policy."""
    # Most replace nothing, and share what the policy has.
    inherited = _without(policy, own_sync)
    return SourceMap(own.root, own.own, (*inherited, *own.inherited) if own.inherited else inherited, own.within)


def replaced(sources: SourceMap, own: SyncConfig) -> SourceMap:
    """The same without inherited places of what the own sync config chooses otherwise."""
    return SourceMap(sources.root, sources.own, _without(sources.inherited, own), sources.within)


def _without(inherited: FieldSources, own: SyncConfig) -> FieldSources:
    """The places of alternatives that the own sync config does not replace."""
    gone: tuple[str, ...] = ()
    for path, direction in ((IMPORTS, own.imports), (EXPORTS, own.exports)):
        if direction is not None and direction.arm is not None:
            gone += _ARM_PATHS[path]
    return tuple([each for each in inherited if not each[0].startswith(gone)]) if gone else inherited


def _merge(policy: Direction | None, own: Direction | None) -> Direction | None:
    if policy is None or own is None:
        return own or policy
    chosen = policy if own.arm is None else own
    return Direction(policy.enabled if own.enabled is None else own.enabled, chosen.arm, chosen.calendars)


def _direction(direction: ImportShape | ExportShape) -> Direction | None:
    arm = next((arm for arm in _ARMS if arm in direction), None)
    calendars = cast("ImportShape", direction).get("calendars", ()) if arm is Arm.CALENDARS else ()
    result = Direction(direction.get("enabled"), arm, tuple(_calendar(calendar) for calendar in calendars))
    # An empty direction is the same as one that is left out.
    return None if result == _NOTHING else result


def _calendar(calendar: str | CalendarShape) -> CalendarRef:
    return CalendarRef(name=calendar) if isinstance(calendar, str) else CalendarRef(**calendar)


def _refuse_duplicates(config: SyncConfig, spec: YamlMapping, report: FileReport, within: str) -> None:
    """What uniqueItems can't see: two items with one id, or a name written in both ways."""
    if config.imports is None:
        return
    seen: dict[tuple[str, str], CalendarRef] = {}
    for index, calendar in enumerate(config.imports.calendars):
        key = ("id", calendar.id) if calendar.id is not None else ("name", calendar.name or "")
        if key in seen:
            place = locate(spec, (*IMPORTS.split("."), "calendars", index))
            path = f"{within}.{IMPORTS}.calendars[{index}]"
            report.add(place, f"the calendar {shown(key[1])} is named twice", path, "remove one")
        seen[key] = calendar


def sync_marks(spec: YamlMapping) -> list[tuple[str, TextMark]]:
    """Where the fields of a valid document's sync config are, by dotted path below `spec`."""
    sync = cast("YamlMapping", spec["syncConfig"])
    marks = [("syncConfig", spec.mark_of("syncConfig", key=True))]
    for path in _DIRECTIONS:
        name = path.rpartition(".")[2]
        direction = sync.get(name)
        if isinstance(direction, YamlMapping):
            marks.append((path, sync.mark_of(name, key=True)))
            # Not of each calendar: a thousand places would be most of what is kept of a manifest.
            marks += [
                (intern(f"{path}.{field}"), key) for field, (key, _) in zip(direction, direction.marks, strict=True)
            ]
    return marks
