"""Says what brings a sync config back to what it was, and what of it can't be restored.

Terms: *former* is the recorded config, *now* the one that stands. A former direction that does not say whether it is on
counts as off, as it does where configs are compared. A direction that is off keeps the calendars that it had. The
service may replace what it is sent, so a direction that is not to change goes along as it stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.model.action import Change, Chosen, FieldValue
from reconciler.model.live import Features, Support
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, Direction, SyncConfig

_NOT_OFFERED = {Support.NONE.value, None}
_OFF = Direction(enabled=False)


@dataclass(frozen=True, slots=True)
class Restoration:
    """What is to be sent (None: nothing), the fields that this changes, and a sentence for what stays otherwise."""

    sync: SyncConfig | None
    changes: tuple[Change, ...] = ()
    remarks: tuple[str, ...] = ()


def restored(former: SyncConfig, now: SyncConfig, sent: SyncConfig | None = None) -> Restoration:
    """What brings a connection's config back, as far as `sent` has touched it; without `sent`, both directions."""
    touched = sent or SyncConfig(_OFF, _OFF)
    imports = _direction(IMPORTS, former.imports, now.imports, touched=touched.imports is not None)
    exports = _direction(EXPORTS, former.exports, now.exports, touched=touched.exports is not None)
    changes = tuple(sorted((*imports.changes, *exports.changes), key=lambda change: change.path))
    remarks = (*imports.remarks, *exports.remarks)
    if not changes:
        return Restoration(None, (), remarks)
    return Restoration(SyncConfig(imports.sent, exports.sent), changes, remarks)


def anew(former: SyncConfig, features: Features) -> Restoration:
    """What gives a connection that is made again the config of the one that it is made for."""
    if features.fixed_sync_config:
        return Restoration(
            None, (), (f"its sync config can't be set, so it may differ from what it was{_was(former)}",)
        )
    imports = _renewed(IMPORTS, former.imports, offered=features.imports not in _NOT_OFFERED)
    exports = _renewed(EXPORTS, former.exports, offered=features.exports not in _NOT_OFFERED)
    changes = tuple(sorted((*imports.changes, *exports.changes), key=lambda change: change.path))
    sync = SyncConfig(imports.sent, exports.sent)
    return Restoration(None if sync == SyncConfig() else sync, changes, (*imports.remarks, *exports.remarks))


@dataclass(frozen=True, slots=True)
class _Back:
    """One direction: what is sent of it, what this changes, and what stays otherwise."""

    sent: Direction | None
    changes: tuple[Change, ...] = ()
    remarks: tuple[str, ...] = ()


def _direction(path: str, former: Direction | None, now: Direction | None, *, touched: bool) -> _Back:
    standing = now or Direction()
    target = _target(former)
    changes = tuple(_differing(path, target, standing))
    kept = now if now is not None and (now.enabled or now.arm is not None) else None
    if not touched:
        moved = f"{path} has changed since this was planned: it stays as it is"
        return _Back(kept, (), (moved,) if changes and former is not None else ())
    remarks = []
    if target.arm is None and standing.arm is not None:
        remarks.append(f"{path}.{standing.arm} stays chosen: the API can't take a choice back")
    if not changes:
        return _Back(kept, (), tuple(remarks))
    return _Back(target, changes, (*_unsaid(path, former), *remarks))


def _renewed(path: str, former: Direction | None, *, offered: bool) -> _Back:
    """A direction of a new connection, which may start otherwise where nothing is sent."""
    if former is None and not offered:
        return _Back(None)
    target = _target(former)
    changes = tuple(Change(field, None, value) for field, value in _fields(path, target).items())
    remarks = [*_unsaid(path, former)]
    if former is not None and former.arm is None:
        remarks.append(f"{path} had no calendar chosen: a new connection may start with one")
    return _Back(target, changes, tuple(remarks))


def _target(former: Direction | None) -> Direction:
    return _OFF if former is None else replace(former, enabled=bool(former.enabled))


def _unsaid(path: str, former: Direction | None) -> Iterator[str]:
    """What the service did not say, and what it is taken for."""
    if former is None:
        yield f"{path} was not listed before: it is switched off"
    elif former.enabled is None:
        yield f"{path}.enabled was not listed before: it is set to false"


def _differing(path: str, target: Direction, now: Direction) -> Iterator[Change]:
    """The fields that sending the target changes; what it leaves out stays."""
    if bool(now.enabled) != target.enabled:
        yield Change(f"{path}.enabled", bool(now.enabled), target.enabled)
    if target.arm is None or _choice(target) == _choice(now):
        return
    before, after = _arm(path, now), _arm(path, target)
    for field in sorted({*before, *after}):
        yield Change(field, before.get(field), after.get(field))


def _choice(direction: Direction) -> tuple[Arm | None, frozenset[str | None]]:
    """Which calendars a direction is for; they are a set by id."""
    return direction.arm, frozenset(ref.id for ref in direction.calendars if direction.arm is Arm.CALENDARS)


def _fields(path: str, direction: Direction) -> dict[str, FieldValue]:
    return {f"{path}.enabled": direction.enabled, **_arm(path, direction)}


def _arm(path: str, direction: Direction) -> dict[str, FieldValue]:
    if direction.arm is None:
        return {}
    value: FieldValue = direction.calendars if direction.arm is Arm.CALENDARS else Chosen.CHOSEN
    return {f"{path}.{direction.arm}": value}


def _was(former: SyncConfig) -> str:
    """The former config in words, for where it is not brought back."""
    words = [
        f"{word} {'on' if direction.enabled else 'off'}"
        for word, direction in (("import", former.imports), ("export", former.exports))
        if direction is not None
    ]
    return f" ({', '.join(words)})" if words else ""
