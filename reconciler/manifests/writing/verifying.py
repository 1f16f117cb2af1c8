"""A proposal tried before it is written: the whole folder must load, and what was touched must plan as no change."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.errors import ExtcalError, LimitError, ManifestError
from reconciler.manifests.loading import load
from reconciler.manifests.writing.folder import Folder
from reconciler.manifests.writing.proposing import Proposal, Touch
from reconciler.manifests.writing.pulled import Key, PulledSite
from reconciler.model.desired import DeclaredConnection, Desired
from reconciler.model.live import Status
from reconciler.model.plan import SitePlan
from reconciler.model.source import Fault, Source, SourceMap
from reconciler.model.sync import SyncConfig
from reconciler.planning.planner import plan_site

_NOWHERE = SourceMap(Source("", 1, 1))


def shortfalls(folder: Folder, proposal: Proposal, pulled: Sequence[PulledSite]) -> dict[Key, str]:
    """The live connections that the proposal must not touch, and why; none where it means what it shall.

    Raises ExtcalError where it does not and no touch is to blame.
    """
    if not proposal.files:
        return {}
    try:
        after = _loaded(folder, proposal)
    except LimitError:
        # No touch is to blame for what all of them are too much for.
        raise
    except ManifestError as error:
        return _blamed(folder, proposal, error)
    found: dict[Key, str] = {}
    for touch, why in (*_altered(folder, proposal, after), *_planned(folder, proposal, after, pulled)):
        found.setdefault(touch.key, why)
    return found


def _loaded(folder: Folder, proposal: Proposal) -> Desired:
    """What the folder would mean, loaded from a copy of it."""
    contents = {file.path: file.content for file in folder.files.values()} | proposal.files
    try:
        with tempfile.TemporaryDirectory(prefix="extcal-pull-") as name:
            root = Path(name).resolve()
            for path, content in contents.items():
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            try:
                return load([root], folder.limits)
            except ManifestError as error:
                raise type(error)(_homed(fault, root, folder) for fault in error.faults) from None
    except OSError as error:
        why = f"{error.strerror}; make room in {tempfile.gettempdir()}, or name another place by TMPDIR"
        raise ExtcalError(f"nothing was written, since it could not be tried in a copy first: {why}") from error


def _homed(fault: Fault, root: Path, folder: Folder) -> Fault:
    """A fault of the copy as one of the folder."""
    if fault.source is None:
        return fault
    path = fault.source.file.removeprefix(f"{root}/")
    return replace(fault, source=replace(fault.source, file=folder.show(path)))


def _blamed(folder: Folder, proposal: Proposal, error: ManifestError) -> dict[Key, str]:
    by_file: dict[str, list[Touch]] = defaultdict(list)
    for touch in proposal.touches:
        by_file[folder.show(touch.path)].append(touch)
    found: dict[Key, str] = {}
    for fault in error.faults:
        for touch in by_file[fault.source.file] if fault.source else ():
            found.setdefault(touch.key, f"its file would not load any more: {fault}")
    if not found:
        raise ExtcalError(f"nothing was written, since the manifests would not load with what was pulled:\n{error}")
    return found


def _altered(folder: Folder, proposal: Proposal, after: Desired) -> Iterator[tuple[Touch, str]]:
    """Touches that would mean something else than they shall, or that would change what they must not."""
    touches = {touch.address: touch for touch in proposal.touches}
    before = {one.address: one for one in folder.desired.connections}
    now = {one.address: one for one in after.connections}
    expected = before | {address: touch.entry.declared for address, touch in touches.items() if touch.entry}
    damaged: list[str] = []
    for address, wanted in expected.items():
        edited = address in touches and touches[address].entry is None
        if address not in now or _meaning(wanted, edited=edited) != _meaning(now[address], edited=edited):
            if address in touches:
                yield touches[address], "its manifest would not mean what is live; edit it by hand"
            else:
                damaged.append(address)
    sites = {one.site_id: replace(one, source=_NOWHERE.root) for one in after.sites}
    if damaged or any(sites.get(one.site_id) != replace(one, source=_NOWHERE.root) for one in folder.desired.sites):
        raise ExtcalError(
            "nothing was written, since manifests that are not to be touched would change: "
            f"{', '.join(sorted(damaged)) or 'a Site'}; write them more plainly, then pull again"
        )


def _meaning(declared: DeclaredConnection, *, edited: bool) -> DeclaredConnection:
    """What a manifest means, wherever it stands; without what an edit is to change."""
    return replace(declared, sources=_NOWHERE, sync=SyncConfig() if edited else declared.sync)


def _planned(
    folder: Folder, proposal: Proposal, after: Desired, pulled: Sequence[PulledSite]
) -> Iterator[tuple[Touch, str]]:
    """Touches whose connections would not plan as no change, or that would make others be disconnected."""
    for site in pulled:
        touches = {touch.address: touch for touch in proposal.touches if touch.key.site_id == site.site.site_id}
        plan = _plan(site, after)
        actions = {action.address: action for action in plan.actions}
        faults = {fault.where: fault for fault in (*plan.faults, *plan.unread)}
        broken = {one.id for one in site.live.connections if one.status == Status.ERROR}
        for address, touch in touches.items():
            if touch.key.connection_id in broken or (touch.entry is not None and not touch.entry.settled):
                continue
            action = actions.get(address)
            if address in faults:
                yield touch, f"planning it would fail: {faults[address]}"
            elif action is None or action.kind.writes:
                fields = ", ".join(change.path for change in action.changes) if action else ""
                yield touch, f"planning it would still find changes: {fields or 'it would not match'}"
        yield from _pruned(_plan(site, folder.desired), plan, touches)


def _pruned(before: SitePlan, after: SitePlan, touches: Mapping[str, Touch]) -> Iterator[tuple[Touch, str]]:
    """New manifests that would bring connections that are left out into the reach of prune."""
    known = {action.connection_id for action in before.actions if action.kind.disconnects}
    for action in after.actions:
        if action.kind.disconnects and action.connection_id not in known:
            for touch in touches.values():
                if touch.entry and touch.entry.declared.schedule.value == action.schedule_id.lower():
                    why = f"with it, prune would disconnect {action.connection_id} on the same schedule"
                    yield touch, f"{why}, which no manifest can declare"


def _plan(site: PulledSite, desired: Desired) -> SitePlan:
    declared = next((one for one in desired.sites if one.site_id == site.site.site_id), site.site)
    return plan_site(declared, [one for one in desired.connections if one.site == declared.name], site.live)
