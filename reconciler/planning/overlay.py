"""Says what of a sync config is sent, and in what the service's answer differs from that.

Nobody knows whether the service merges what it is sent into what stands, or replaces that by it. So a config is sent
whole: what is *managed* as it is desired, all else as it *stands*, unknown fields included. Under both readings that
leaves the same, and the answer shows where it does not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.action import Change
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.planning.diff import diff, directions

_NOT_SHOWN = SyncConfig()


def managed_part(desired: SyncConfig, live: SyncConfig = _NOT_SHOWN) -> SyncConfig:
    """What of a desired config is managed: no calendars of a direction that is, or stays, switched off.

    Those are not compared either, and their ids may not be known.
    """
    return SyncConfig(_managed(desired.imports, live.imports), _managed(desired.exports, live.exports))


def _managed(desired: Direction | None, have: Direction | None) -> Direction | None:
    if desired is None or desired == Direction():
        return None
    works = (have is None or bool(have.enabled)) if desired.enabled is None else desired.enabled
    if works:
        return desired
    return None if desired.enabled is None else Direction(enabled=False)


def overlaid(managed: SyncConfig, standing: SyncConfig) -> SyncConfig:
    """The whole sync config to send: what is managed, over what stands."""
    return SyncConfig(
        imports=_overlaid(managed.imports, standing.imports),
        exports=_overlaid(managed.exports, standing.exports),
        unknown=standing.unknown,
    )


def _overlaid(managed: Direction | None, standing: Direction | None) -> Direction | None:
    if managed is None or standing is None:
        return managed or standing
    chosen = standing if managed.arm is None else managed
    enabled = standing.enabled if managed.enabled is None else managed.enabled
    return Direction(enabled, chosen.arm, chosen.calendars, standing.unknown)


@dataclass(frozen=True, slots=True)
class Deviation:
    """In what an answer differs from what was sent; each change is from what was sent to what was answered.

    `managed` did not take. `stopped` is not managed, and worked before: it is off now, or works elsewhere. `harmless`
    are the paths of all else that differs.
    """

    managed: tuple[Change, ...] = ()
    stopped: tuple[Change, ...] = ()
    harmless: tuple[str, ...] = ()


def deviation(managed: SyncConfig, sent: SyncConfig, answered: SyncConfig) -> Deviation:
    """Compare an answer with the whole config that was sent; a direction that either leaves out counts as off."""
    missed = _from_sent(diff(managed, answered))
    paths = {change.path for change in missed}
    beside = [change for change in _from_sent(diff(sent, answered)) if change.path not in paths]
    worked = [path for path, direction, _ in directions(sent, answered) if direction is not None and direction.enabled]
    stopped = tuple(change for change in beside if any(change.path.startswith(f"{path}.") for path in worked))
    harmless = (change.path for change in beside if change not in stopped)
    return Deviation(missed, stopped, (*harmless, *_altered_unknown(sent, answered)))


def _from_sent(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """What `diff` finds, as seen from what was sent."""
    return tuple(Change(change.path, change.after, change.before) for change in changes)


def _altered_unknown(sent: SyncConfig, answered: SyncConfig) -> Iterator[str]:
    """The paths of unknown fields that the answer does not have as they were sent."""
    yield from _altered("syncConfig", _fields(sent.unknown), _fields(answered.unknown))
    for path, direction, have in directions(sent, answered):
        if direction is not None and have is not None:
            yield from _altered(path, _fields_sent(direction, direction.unknown), _fields_sent(direction, have.unknown))


def _altered(path: str, sent: dict[str, object], answered: dict[str, object]) -> Iterator[str]:
    for name, value in sent.items():
        if name not in answered or answered[name] != value:
            yield f"{path}.{name}"


def _fields(unknown: str) -> dict[str, object]:
    return json.loads(unknown) if unknown else {}


def _fields_sent(direction: Direction, unknown: str) -> dict[str, object]:
    """A direction's unknown fields, without those of an arm or of calendars that it does not have.

    Such fields go with the choice that they are about: they are neither sent nor missed.
    """
    fields = _fields(unknown)
    found = {name: value for name, value in fields.items() if name not in set(Arm) or name == direction.arm}
    chosen = found.pop(Arm.CALENDARS, None)
    if isinstance(chosen, dict):
        items = {item.get("id"): item for item in chosen.pop("calendars", [])}
        found |= {f"{Arm.CALENDARS}.{name}": value for name, value in chosen.items()}
        found |= {f"{Arm.CALENDARS}[{ref.id}]": items[ref.id] for ref in direction.calendars if ref.id in items}
    return found
