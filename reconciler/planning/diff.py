"""Compares sync configs as the service means them; the one place that uses deepdiff.

Calendars are a set by id, the one-of arms are alternatives, a field that a manifest leaves out is not looked
at, and which calendars a direction would use does not matter while it is switched off.
"""

from dataclasses import replace

from reconciler.model.action import Change, Chosen, FieldValue
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig

_ARMS = {IMPORTS: (Arm.PRIMARY, Arm.CALENDARS), EXPORTS: (Arm.PRIMARY, Arm.DEDICATED)}
_Fields = dict[str, FieldValue]


def diff(desired: SyncConfig, live: SyncConfig) -> tuple[Change, ...]:
    """The managed fields whose live value is not the desired one, ordered by path.

    Calendars of `desired` must carry their ids.
    """
    if desired == live:
        return ()
    changes: list[Change] = []
    for path, wanted, have in directions(desired, live):
        before, after = _comparable(path, wanted, have)
        changes += [
            Change(field, before.get(field), after.get(field))
            for field in _differing(_by_identity(before), _by_identity(after))
        ]
    return tuple(sorted(changes, key=lambda change: change.path))


def directions(desired: SyncConfig, live: SyncConfig) -> tuple[tuple[str, Direction | None, Direction | None], ...]:
    """Both directions with their path: (path, desired, live)."""
    return ((IMPORTS, desired.imports, live.imports), (EXPORTS, desired.exports, live.exports))


def _comparable(path: str, wanted: Direction | None, have: Direction | None) -> tuple[_Fields, _Fields]:
    """The fields of both sides that the manifest manages and that matter."""
    wanted, have = wanted or Direction(), have or Direction()
    before: _Fields = {}
    after: _Fields = {}
    if wanted.enabled is not None:
        before[f"{path}.enabled"], after[f"{path}.enabled"] = bool(have.enabled), wanted.enabled
    works = bool(have.enabled) if wanted.enabled is None else wanted.enabled
    if wanted.arm is not None and works:
        before |= _arm_fields(path, have)
        after |= _arm_fields(path, wanted)
    return before, after


def _arm_fields(path: str, direction: Direction) -> _Fields:
    if direction.arm is None:
        return {}
    value: FieldValue = direction.calendars if direction.arm is Arm.CALENDARS else Chosen.CHOSEN
    return {f"{path}.{direction.arm}": value}


def _by_identity(fields: _Fields) -> dict[str, object]:
    return {
        path: {calendar.id: True for calendar in value} if isinstance(value, tuple) else value
        for path, value in fields.items()
    }


def _differing(before: dict[str, object], after: dict[str, object]) -> list[str]:
    if before == after:
        return []
    # A tenth of a second that only a plan with differences is worth.
    from deepdiff import DeepDiff  # noqa: PLC0415

    # deepdiff leaves keys that begin with `__` out and folds disjoint keys into one change unless told otherwise.
    tree = DeepDiff(
        before,
        after,
        view="tree",
        ignore_private_variables=False,
        report_repetition=True,
        threshold_to_diff_deeper=0,
    )
    return sorted({str(item.path(output_format="list")[0]) for items in tree.values() for item in items})


def described(desired: SyncConfig) -> tuple[Change, ...]:
    """Every field of a sync config as one that comes into being: what a connect brings."""
    return tuple(Change(path, None, value) for path, value in _all_fields(desired))


def removed(live: SyncConfig) -> tuple[Change, ...]:
    """Every field of a sync config as one that goes: what a disconnect takes."""
    return tuple(Change(path, value, None) for path, value in _all_fields(live))


def _all_fields(config: SyncConfig) -> list[tuple[str, FieldValue]]:
    fields: _Fields = {}
    for path, direction in ((IMPORTS, config.imports), (EXPORTS, config.exports)):
        if direction is None:
            continue
        if direction.enabled is not None:
            fields[f"{path}.enabled"] = direction.enabled
        if direction.enabled is not False:
            fields |= _arm_fields(path, direction)
    return sorted(fields.items())


def managed(desired: SyncConfig, ignored: tuple[str, ...]) -> SyncConfig:
    """The sync config without the fields that `ignoreChanges` names."""
    if not ignored:
        return desired
    return SyncConfig(
        imports=_without(IMPORTS, desired.imports, ignored), exports=_without(EXPORTS, desired.exports, ignored)
    )


def managed_over(desired: SyncConfig, ignored: tuple[str, ...], live: SyncConfig) -> SyncConfig:
    """The managed sync config, on or off as it is live where `ignoreChanges` names that."""
    if not ignored:
        return desired
    kept = managed(desired, ignored)
    return SyncConfig(
        imports=_switched(IMPORTS, kept.imports, ignored, live.imports),
        exports=_switched(EXPORTS, kept.exports, ignored, live.exports),
    )


def _switched(
    path: str, direction: Direction | None, ignored: tuple[str, ...], live: Direction | None
) -> Direction | None:
    if direction is None or f"{path}.enabled" not in ignored:
        return direction
    return replace(direction, enabled=live is not None and bool(live.enabled))


def _without(path: str, direction: Direction | None, ignored: tuple[str, ...]) -> Direction | None:
    if direction is None or path in ignored or "syncConfig" in ignored:
        return None
    arm = None if any(f"{path}.{alternative}" in ignored for alternative in _ARMS[path]) else direction.arm
    calendars: tuple[CalendarRef, ...] = direction.calendars if arm is Arm.CALENDARS else ()
    return Direction(None if f"{path}.enabled" in ignored else direction.enabled, arm, calendars)
