"""Verifies a proposal before it is written: it must load, and its edits plan as no change.

Steps: write the folder as it would be into a temporary copy; load it, and blame the edits in the files with faults;
check that every manifest means what it shall; plan each site before and after, and blame the edits that still
differ, that are faulty, or by which prune would disconnect more.
"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from reconciler.errors import ExtcalError, LimitError, ManifestError
from reconciler.manifests.loader import load
from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import DeclaredConnection, Desired
from reconciler.model.live import Status
from reconciler.model.plan import SitePlan
from reconciler.model.source import Fault, Source, SourceMap
from reconciler.model.sync import SyncConfig
from reconciler.planning.planner import plan_site
from reconciler.pull.blame import edits_at
from reconciler.pull.folder import Folder
from reconciler.pull.propose import Edit, Proposal
from reconciler.pull.values import LiveKey, PulledSite
from reconciler.text import escaped

_NOWHERE = SourceMap(Source("", 1, 1))


class UnverifiedError(Exception):
    """A proposal is wrong, and none of its edits is to blame; the message says why."""


def verify(folder: Folder, proposal: Proposal, pulled: Sequence[PulledSite]) -> dict[LiveKey, str]:
    """The live connections that the proposal must not edit, and why; none where it means what it shall.

    Raises UnverifiedError where it does not and no edit is to blame, ExtcalError where it can't be tried.
    """
    if not proposal.files:
        return {}
    contents = {file.path: file.content for file in folder.files.values()} | proposal.files
    try:
        with tempfile.TemporaryDirectory(prefix="extcal-pull-") as name:
            copy = _TrialFolder(folder, Path(name).resolve(), contents)
            copy.write()
            try:
                after = load([copy.root], folder.limits)
            except ManifestError as error:
                return _blamed(folder, proposal, type(error)(map(copy.homed, error.faults)))
    except OSError as error:
        why = f"{error.strerror}; free space in {tempfile.gettempdir()}, or set TMPDIR to another folder"
        raise ExtcalError(f"nothing was written: it could not be checked in a copy first: {why}") from error
    found: dict[LiveKey, str] = {}
    for edit in _altered(folder, proposal, after):
        found.setdefault(edit.key, "its manifest would not match the live connection; edit it by hand")
    for site in pulled:
        for edit, why in _Trial(site, folder.desired, after, proposal).verify(copy):
            found.setdefault(edit.key, why)
    return found


@dataclass(frozen=True)
class _TrialFolder:
    """The folder as it would be, written somewhere else."""

    folder: Folder
    root: Path
    contents: Mapping[str, bytes]

    def write(self) -> None:
        for path, content in self.contents.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def homed(self, fault: Fault) -> Fault:
        """A fault of the copy as one of the folder, whatever of its text names files."""
        source = fault.source and replace(fault.source, file=self._homed(fault.source.file))
        return Fault(source, fault.where, self._homed(fault.message), self._homed(fault.hint))

    def _homed(self, text: str) -> str:
        return self._names.sub(lambda found: self._shown[found[0]], text)

    @cached_property
    def _shown(self) -> dict[str, str]:
        return {escaped(f"{self.root}/{path}"): self.folder.show(path) for path in self.contents}

    @cached_property
    def _names(self) -> re.Pattern[str]:
        # A path may begin as another one does.
        return re.compile("|".join(map(re.escape, sorted(self._shown, key=len, reverse=True))))


def _blamed(folder: Folder, proposal: Proposal, error: ManifestError) -> dict[LiveKey, str]:
    if isinstance(error, LimitError):
        # All edits together exceed a limit; none alone is to blame.
        raise error
    by_file: dict[str, list[Edit]] = defaultdict(list)
    for edit in proposal.edits:
        by_file[folder.show(edit.path)].append(edit)
    found: dict[LiveKey, str] = {}
    for fault in error.faults:
        edits = by_file[fault.source.file] if fault.source else []
        for edit in edits_at(fault, edits, proposal.files[edits[0].path]) if edits else ():
            found.setdefault(edit.key, f"its file would no longer load: {fault}")
    if not found:
        raise UnverifiedError(f"the manifests would not load with what was pulled:\n{error}")
    return found


def _altered(folder: Folder, proposal: Proposal, after: Desired) -> Iterator[Edit]:
    """Edits that would mean something else than they shall; UnverifiedError where more would change."""
    edits = {edit.address: edit for edit in proposal.edits}
    before = {one.address: one for one in folder.desired.connections}
    now = {one.address: one for one in after.connections}
    expected = before | {address: edit.addition.declared for address, edit in edits.items() if edit.addition}
    damaged: list[str] = []
    for address, wanted in expected.items():
        edited = address in edits and edits[address].addition is None
        if address not in now or _meaning(wanted, edited=edited) != _meaning(now[address], edited=edited):
            if address in edits:
                yield edits[address]
            else:
                damaged.append(address)
    sites = {one.site_id: replace(one, source=_NOWHERE.root) for one in after.sites}
    if damaged or any(sites.get(one.site_id) != replace(one, source=_NOWHERE.root) for one in folder.desired.sites):
        raise UnverifiedError(
            "other manifests would change: "
            f"{', '.join(sorted(damaged)) or 'a Site'}; rewrite them without aliases, then pull again"
        )


def _meaning(declared: DeclaredConnection, *, edited: bool) -> DeclaredConnection:
    """What a manifest means, wherever it stands; without what an edit is to change."""
    return replace(declared, sources=_NOWHERE, sync=SyncConfig() if edited else declared.sync)


class _Trial:
    """One site planned with the folder as it is and as it would be."""

    def __init__(self, site: PulledSite, before: Desired, after: Desired, proposal: Proposal) -> None:
        self._before, self._after = _plan(site, before), _plan(site, after)
        self._declared = {one.address: one for one in after.connections}
        self._edits = {one.address: one for one in proposal.edits if one.key.site_id == site.site.site_id}
        self._broken = {one.id for one in site.live.connections if one.status == Status.ERROR}

    def verify(self, copy: _TrialFolder) -> Iterator[tuple[Edit, str]]:
        """Edits that would not plan as no change, or with which others would plan otherwise than they do."""
        yield from self._faulty(copy)
        yield from self._changing()
        yield from self._pruning()

    def _faulty(self, copy: _TrialFolder) -> Iterator[tuple[Edit, str]]:
        known = {(fault.where, fault.message) for fault in _faults(self._before)}
        for fault in map(copy.homed, _faults(self._after)):
            edit = self._edits.get(fault.where)
            if edit is not None and (edit.addition is not None or edit.key.connection_id not in self._broken):
                yield edit, f"planning it would fail: {fault}"
            elif (fault.where, fault.message) not in known:
                for blamed in self._near(fault.where):
                    yield blamed, f"with it, planning would fail: {fault}"

    def _near(self, address: str) -> list[Edit]:
        """The edits that may have caused a fault there: same schedule or account, else all."""
        one = self._declared.get(address)
        declared = [(edit, self._declared[where]) for where, edit in self._edits.items() if where in self._declared]
        near = [
            edit for edit, other in declared if one and (other.schedule == one.schedule or other.account == one.account)
        ]
        return near or list(self._edits.values())

    def _changing(self) -> Iterator[tuple[Edit, str]]:
        """Edits that would not plan as no change.

        A connection in ERROR can't plan as no change; its reconnect is accepted.
        """
        actions = {action.address: action for action in self._after.actions}
        for address, edit in self._edits.items():
            action = actions.get(address)
            if edit.key.connection_id in self._broken and (edit.addition is None or _heals(action)):
                continue
            if action is None or action.kind.writes:
                fields = ", ".join(change.path for change in action.changes) if action else ""
                yield edit, f"planning it would still find changes: {fields or 'it would not match'}"

    def _pruning(self) -> Iterator[tuple[Edit, str]]:
        """New manifests that would bring connections that are left out into the reach of prune."""
        known = {action.connection_id for action in self._before.actions if action.kind.disconnects}
        new = [edit for edit in self._edits.values() if edit.addition is not None]
        for action in self._after.actions:
            if not action.kind.disconnects or action.connection_id in known:
                continue
            schedule_id = action.schedule_id
            near = [one for one in new if one.addition and one.addition.declared.schedule.value == schedule_id]
            where = " on the same schedule" if near else ""
            why = f"with it, prune would disconnect {action.connection_id}{where}, which no manifest can declare"
            for edit in near or new:
                yield edit, f"{why}; disconnect that or set prune: false, then pull again"


def _faults(plan: SitePlan) -> Iterator[Fault]:
    yield from plan.faults
    yield from plan.unread


def _heals(action: Action | None) -> bool:
    return action is not None and action.kind is ActionKind.RECONNECT


def _plan(site: PulledSite, desired: Desired) -> SitePlan:
    declared = next((one for one in desired.sites if one.site_id == site.site.site_id), site.site)
    return plan_site(declared, [one for one in desired.connections if one.site == declared.name], site.live)
