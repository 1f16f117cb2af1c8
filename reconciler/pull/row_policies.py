"""Finds the SyncPolicy that lets a row of a roster say what is live: a row has no sync config of its own.

One of the folder is taken where the row means the same with it, else there will be a new one. A policy that names
calendars is its account's own: no other row takes it, and it is edited where the row comes to have other calendars.
What the set's template says itself wins over any policy, and is shared: a row that differs from it can't be helped.
Sets may share a roster; then a policy must fit what is live of each of their connections.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.manifests.sync_config import merge
from reconciler.model.source import Source
from reconciler.model.sync import CalendarRef, Direction, SyncConfig
from reconciler.planning import actions, lookup
from reconciler.pull.compare import Drift, amended
from reconciler.pull.folder import Folder
from reconciler.pull.names import Policy, Taken, policy_name
from reconciler.pull.splices import UneditableError
from reconciler.pull.values import PulledSite, effective

Drifts: TypeAlias = Sequence[tuple[PulledSite, Drift]]
"""The connections of one row that differ, a site each."""

_Meaning: TypeAlias = tuple[object, ...]

_CONTRADICTED = "the syncConfig in its set's template wins over any policy; make the row an entry of the set"
_BOTH_DIFFER = "sets share its row, and no one policy says what is live for all of them; give each a roster"
_SHARED = "another set shares its row, and what that declares would change, too; give each a roster"


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """The name of the policy for a row; the policy itself where it is `new`, with a remark for readers.

    One that is there and is to be edited is at `edited`, and names the calendars `listed`.
    """

    name: str
    new: Policy | None = None
    note: str = ""
    edited: Source | None = None
    listed: tuple[CalendarRef, ...] = ()


class RowPolicies:
    """Chooses policies for rows; what is made new for one of them is there for the others."""

    def __init__(self, folder: Folder, taken: Taken) -> None:
        """`taken` are the names of all policies."""
        documents = folder.documents
        self._folder = folder
        self._taken = taken
        self._templates = {one.root: one.template.sync for one in documents.sets}
        self._users = Counter(one.policy for one in documents.connections if one.policy is not None)
        self._known = {one.name: one.sync for one in documents.policies}
        # Each account may have a policy of its own: of thousands these are few.
        self._open = {name for name, sync in self._known.items() if not (_calendars(sync) and self._users[name])}
        declared = (one for one in documents.declarations if one.kind == "SyncPolicy")
        self._places = {one.name.text: one.root for one in declared if one.name is not None}

    def choose(self, drifts: Drifts, current: str) -> RowPolicy:
        """The policy with which every connection of a row, which names `current`, says what is live.

        Raises UneditableError where there can be none.
        """
        site, drift = drifts[0]
        root = drift.declared.sources.root
        if self._folder.sharing(self._folder.files[root.file].path, root.line) > len(drifts):
            raise UneditableError(_SHARED)
        wanted = effective(amended(drift.declared.sync, drift.changes))
        if not self._fits(site, drift, wanted):
            raise UneditableError(_CONTRADICTED)
        for name in self._candidates(current, drifts):
            if all(self._fits(*each, self._known[name]) for each in drifts):
                return RowPolicy(name)
        if not all(self._fits(*each, wanted) for each in drifts):
            raise UneditableError(_BOTH_DIFFER)
        known = self._known.get(current)
        if known is not None and _calendars(known) and _calendars(wanted) and self._is_free(current, drifts):
            self._known[current] = wanted
            return RowPolicy(current, edited=self._places[current], listed=_calendars(known))
        return self._made(drift, wanted)

    def _candidates(self, current: str, drifts: Drifts) -> Sequence[str]:
        """The policies that a row may name, those in use first."""
        free = [name for name in {current, *self._open} if name in self._known and self._is_free(name, drifts)]
        return sorted(free, key=lambda name: (name not in self._users, name))

    def _is_free(self, name: str, drifts: Drifts) -> bool:
        """Whether a row may name a policy: it is for any account, or for none but the row's."""
        own = sum(self._folder.connections[drift.declared.address].policy == name for _, drift in drifts)
        return not _calendars(self._known[name]) or self._users[name] == own

    def _made(self, drift: Drift, wanted: SyncConfig) -> RowPolicy:
        declared = drift.declared
        base = declared.name if _calendars(wanted) else policy_name(wanted)
        name = self._taken.take(base, f"{declared.site}-{base}")
        self._known[name] = wanted
        self._users[name] += 1
        if not _calendars(wanted):
            self._open.add(name)
        note = f"Shared by connections of {declared.site} that sync in the same way."
        if _calendars(wanted):
            note = f"For {declared.address} alone: a row of a roster names no calendars itself."
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


def _calendars(sync: SyncConfig) -> tuple[CalendarRef, ...]:
    """The calendars that a sync config names."""
    return () if sync.imports is None else sync.imports.calendars
