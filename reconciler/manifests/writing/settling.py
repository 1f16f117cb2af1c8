"""What of a declared connection's sync config must be stated otherwise, for the manifest to mean the live state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.manifests.writing.stating import stated_direction
from reconciler.model.desired import DeclaredConnection
from reconciler.model.live import LiveConnection
from reconciler.model.sync import IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning import calendars, diff


@dataclass(frozen=True, slots=True)
class Amendment:
    """What one direction is to say: `enabled` and `chosen` (its arm and calendars), None where it says it already.

    A `chosen` without an arm is to state none.
    """

    path: str
    enabled: bool | None
    chosen: Direction | None


def amendments(
    declared: DeclaredConnection, live: LiveConnection, known: Sequence[CalendarRef], names: Mapping[str, str]
) -> tuple[Amendment, ...]:
    """What differs of the fields that the manifest manages; what it leaves out or ignores stays so.

    `known` are the account's calendars as far as they are known, `names` more names of them.
    """
    found = []
    ignored = declared.lifecycle.ignore_changes
    for path, wanted, have in diff.directions(diff.managed(declared.sync, ignored), live.sync):
        if wanted is None:
            continue
        amended = _amendment(path, wanted, have or Direction(), known, names)
        if any(field.startswith(path) for field in ignored) and wanted.arm is None:
            amended = Amendment(path, amended.enabled, None)
        if amended.enabled is not None or amended.chosen is not None:
            found.append(amended)
    return tuple(found)


def _amendment(
    path: str, wanted: Direction, have: Direction, known: Sequence[CalendarRef], names: Mapping[str, str]
) -> Amendment:
    works = bool(have.enabled)
    enabled = works if wanted.enabled not in {None, works} else None
    if not works:
        return Amendment(path, enabled, None)
    stated = stated_direction(have, names)
    if wanted.arm is not None and not _same(wanted, have, known):
        return Amendment(path, enabled, stated)
    # One that was switched on says more than that: which calendars it uses now matters.
    says_more = enabled is True and wanted.arm is None and stated.arm is not None
    return Amendment(path, enabled, stated if says_more else None)


def _same(wanted: Direction, have: Direction, known: Sequence[CalendarRef]) -> bool:
    if wanted.arm is not have.arm:
        return False
    if wanted.arm is not Arm.CALENDARS:
        return True
    try:
        meant = calendars.resolve(wanted.calendars, known)
    except calendars.UnresolvedCalendarError:
        return False
    return {ref.id for ref in meant} == {ref.id for ref in have.calendars}


def amended(sync: SyncConfig, changes: Sequence[Amendment]) -> SyncConfig:
    """A sync config with the changes made."""
    for change in changes:
        imports = change.path == IMPORTS
        before = (sync.imports if imports else sync.exports) or Direction()
        chosen = change.chosen or before
        enabled = before.enabled if change.enabled is None else change.enabled
        after = Direction(enabled, chosen.arm, chosen.calendars)
        sync = replace(sync, imports=after) if imports else replace(sync, exports=after)
    return sync
