"""Finds the SyncPolicy that lets a row of a roster say what is live: a row has no sync config of its own.

One of the folder is taken where the row means the same with it, else there will be a new one. What the set's template
says itself wins over any policy, and is shared: a row that differs from it can't be helped. Sets may share a roster;
then a policy must fit what is live of each of their connections.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.manifests.sync_config import merge
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning import actions, lookup
from reconciler.pull.compare import Drift, amended
from reconciler.pull.folder import Folder
from reconciler.pull.names import Policy, Taken, policy_name
from reconciler.pull.splices import UneditableError
from reconciler.pull.values import PulledSite

Drifts: TypeAlias = Sequence[tuple[PulledSite, Drift]]
"""The connections of one row that differ, a site each."""

_Meaning: TypeAlias = tuple[object, ...]

_CONTRADICTED = "the syncConfig in its set's template wins over any policy, and is shared; make the row an entry"
_BOTH_DIFFER = "sets share its row, and no one policy says what is live for all of them; give each a roster"
_SHARED = "another set shares its row, and what that declares would change, too; give each a roster"


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """The name of the policy for a row, and the policy itself where it is new, with a remark for readers."""

    name: str
    new: Policy | None = None
    note: str = ""


class RowPolicies:
    """Chooses policies for rows; what is made new for one of them is there for the others."""

    def __init__(self, folder: Folder, taken: Taken) -> None:
        """`taken` are the names of all policies."""
        self._folder = folder
        self._taken = taken
        self._templates = {one.root: one.template.sync for one in folder.documents.sets}
        self._used = {one.policy for one in folder.documents.connections}
        self._known = {one.name: one.sync for one in folder.documents.policies}

    def choose(self, drifts: Drifts) -> RowPolicy:
        """The policy with which every connection of a row says what is live; raises UneditableError."""
        site, drift = drifts[0]
        root = drift.declared.sources.root
        if self._folder.sharing(self._folder.files[root.file].path, root.line) > len(drifts):
            raise UneditableError(_SHARED)
        wanted = _plain(amended(drift.declared.sync, drift.changes))
        if not self._fits(site, drift, wanted):
            raise UneditableError(_CONTRADICTED)
        for name in sorted(self._known, key=lambda name: (name not in self._used, name)):
            if all(self._fits(*each, self._known[name]) for each in drifts):
                return RowPolicy(name)
        if not all(self._fits(*each, wanted) for each in drifts):
            raise UneditableError(_BOTH_DIFFER)
        return self._made(drift, wanted)

    def _made(self, drift: Drift, wanted: SyncConfig) -> RowPolicy:
        declared = drift.declared
        own = wanted.imports is not None and wanted.imports.arm is Arm.CALENDARS
        base = declared.name if own else policy_name(wanted)
        name = self._taken.take(base, f"{declared.site}-{base}")
        self._known[name] = wanted
        self._used.add(name)
        by_rows = f"Shared by connections of {declared.site} that sync in the same way."
        note = f"For {declared.address}, whose row has no calendars of its own." if own else by_rows
        return RowPolicy(name, Policy(name, wanted), note)

    def _fits(self, site: PulledSite, drift: Drift, policy: SyncConfig) -> bool:
        """Whether a connection says what is live, and manages what it did, with this policy in its row."""
        known = actions.known_calendars(drift.live, site.live.calendars.get(drift.live.id))
        member = self._folder.connections[drift.declared.address].member
        template = SyncConfig() if member is None else self._templates[member.set_root]
        wanted = amended(drift.declared.sync, drift.changes)
        return _meaning(merge(policy, template), known) == _meaning(wanted, known)


def _meaning(sync: SyncConfig, known: Sequence[CalendarRef]) -> _Meaning:
    """What a sync config says, however it is written."""
    return tuple(_direction(direction, known) for direction in (sync.imports, sync.exports))


def _direction(direction: Direction | None, known: Sequence[CalendarRef]) -> _Meaning:
    if direction is None or direction == Direction():
        return ()
    if direction.enabled is False:
        return (False,)
    return direction.enabled, direction.arm, frozenset(_calendar(ref, known) for ref in direction.calendars)


def _calendar(ref: CalendarRef, known: Sequence[CalendarRef]) -> str:
    try:
        return lookup.resolve_calendars([ref], known)[0].id or ""
    except lookup.UnresolvedCalendarError:
        return str(ref)


def _plain(sync: SyncConfig) -> SyncConfig:
    """A sync config without what does not matter while a direction is off."""
    return SyncConfig(_without_choice(sync.imports), _without_choice(sync.exports))


def _without_choice(direction: Direction | None) -> Direction | None:
    return Direction(enabled=False) if direction is not None and direction.enabled is False else direction
