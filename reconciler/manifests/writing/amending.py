"""A Connection's text changed at the fields that differ; what its policy says otherwise it overrides itself."""

from collections.abc import Callable, Sequence
from typing import cast

from reconciler.manifests.writing.composing import arm_value, calendar_item, direction_pairs, truth
from reconciler.manifests.writing.settling import Amendment
from reconciler.manifests.writing.splicing import (
    Pair,
    Splice,
    UneditableError,
    add_pairs,
    change_items,
    drop_pair,
    set_pair,
    set_value,
)
from reconciler.manifests.writing.tree import Mapping
from reconciler.manifests.writing.tree import Sequence as Items
from reconciler.model.sync import Arm, CalendarRef, Direction

Identify = Callable[[int], str | None]
"""The id of the calendar that an item of the connection's own list means, by its index."""


def amend(text: str, document: Mapping, changes: Sequence[Amendment], identify: Identify) -> list[Splice]:
    """The splices that make a Connection's document say the changes.

    Raises UneditableError where the text is written so that this can't be done in place.
    """
    # A manifest that loads has a spec.
    spec = cast("Mapping", _mapping(document, "spec"))
    sync = _mapping(spec, "syncConfig")
    splices: list[Splice] = []
    new: list[tuple[str, list[Pair]]] = []
    for change in changes:
        name = change.path.rpartition(".")[2]
        own = None if sync is None else _mapping(sync, name)
        if own is None:
            new.append((name, _stated(change)))
        else:
            splices += _amended(text, own, change, identify)
    if new and sync is not None:
        splices.append(add_pairs(text, sync, [(name, _flow(pairs)) for name, pairs in new]))
    elif new:
        splices.append(add_pairs(text, spec, [("syncConfig", _sync_value(new, flow=spec.flow))], after="syncPolicy"))
    return splices


def _mapping(around: Mapping, name: str) -> Mapping | None:
    found = around.find(name)
    if found is None:
        return None
    if not isinstance(found[1], Mapping):
        raise UneditableError(f"its {name} is an alias of what is written elsewhere")
    return found[1]


def _stated(change: Amendment) -> list[Pair]:
    """The fields of a direction that the connection says nothing of itself yet."""
    if change.chosen is not None and change.chosen.arm is None:
        raise UneditableError(f"its policy chooses a calendar for {change.path}, and the service tells of none")
    chosen = change.chosen or Direction()
    return direction_pairs(Direction(change.enabled, chosen.arm, chosen.calendars))


def _amended(text: str, own: Mapping, change: Amendment, identify: Identify) -> list[Splice]:
    splices: list[Splice] = []
    missing: list[Pair] = []
    if change.enabled is not None:
        found = own.find("enabled")
        if found is None:
            missing.append(("enabled", truth(change.enabled)))
        else:
            splices.append(set_value(found[1], truth(change.enabled)))
    if change.chosen is not None:
        written = next((arm for arm in Arm if own.find(arm)), None)
        if written is None:
            missing += _stated(Amendment(change.path, None, change.chosen))
        else:
            splices += _chosen(text, own, written, change.chosen, identify)
    if missing:
        splices.append(add_pairs(text, own, missing))
    return splices


def _chosen(text: str, own: Mapping, written: Arm, chosen: Direction, identify: Identify) -> list[Splice]:
    """Choose another alternative than the one that is written."""
    if chosen.arm is None:
        return [drop_pair(text, own, written)]
    key, value = next(pair for pair in own.pairs if pair[0].value == written)
    if chosen.arm is Arm.CALENDARS and written is Arm.CALENDARS and isinstance(value, Items):
        removed, added = _items(value, chosen.calendars, identify)
        return change_items(text, value, removed, added)
    return [set_pair(key, value, (chosen.arm.value, arm_value(chosen)))]


def _items(value: Items, wanted: Sequence[CalendarRef], identify: Identify) -> tuple[list[int], list[str]]:
    """Which items of a list go, and which come."""
    ids = [identify(index) for index in range(len(value.items))]
    wanted_ids = {ref.id for ref in wanted}
    removed = [index for index, found in enumerate(ids) if found is None or found not in wanted_ids]
    return removed, [calendar_item(ref) for ref in wanted if ref.id not in ids]


def _flow(pairs: Sequence[Pair]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in pairs)}}}"


def _sync_value(directions: Sequence[tuple[str, list[Pair]]], *, flow: bool) -> str:
    pairs = [(name, _flow(fields)) for name, fields in directions]
    return _flow(pairs) if flow else "".join(f"\n  {name}: {value}" for name, value in pairs)
