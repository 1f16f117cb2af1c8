"""What is live and can't be declared side by side: one external calendar on two schedules.

Manifests that are there go first: of those that differ from what is live as many are edited as can be, all of an
account's together if they can. What is new is added only where it meets none of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.manifests.references import find_overlaps
from reconciler.model.account import Account
from reconciler.model.desired import (
    DeclaredConnection,
)
from reconciler.model.source import Fault, Source, SourceMap
from reconciler.pull.compare import Drift, SiteComparison, amended, left_out

_TAKEN = "its account is also connected to another schedule, and both may use the same calendar"
_WAY_OUT = "change one of the two in the site's dashboard, then pull again"


def drop_conflicts(declared: Iterable[DeclaredConnection], comparisons: Sequence[SiteComparison]) -> list[str]:
    """Take drifts and additions out of the comparisons until the rest can be declared together; returns why, for each.

    `declared` are the connections of the folder as it is, which can.
    """
    standing = sorted(declared, key=lambda one: one.sources.root)
    drifts = {drift.declared.address: drift for found in comparisons for drift in found.drifts}
    held = _held_back(standing, drifts)
    for found in comparisons:
        found.drifts = [drift for drift in found.drifts if drift.declared.address not in held]
    kept = [_with_drift(one, drifts) if one.address not in held else one for one in standing]
    return [*held.values(), *_left_out(kept, comparisons)]


def _held_back(standing: Sequence[DeclaredConnection], drifts: Mapping[str, Drift]) -> dict[str, str]:
    """The declared connections that can't be edited, by address, and why."""
    by_account: dict[Account, list[DeclaredConnection]] = defaultdict(list)
    for one in standing:
        by_account[one.account].append(one)
    held: dict[str, str] = {}
    for connections in by_account.values():
        waiting = [one.address for one in connections if one.address in drifts]
        if not waiting or not _conflict(connections, drifts, waiting):
            continue
        chosen: list[str] = []
        # One that was in the way of another may have made room by its own edit.
        while fitting := [one for one in waiting if not _conflict(connections, drifts, [*chosen, one])]:
            chosen.append(fitting[0])
            waiting.remove(fitting[0])
        for address in waiting:
            fault = _conflict(connections, drifts, [*chosen, address])
            held[address] = f"{address}: not updated, since the live state conflicts: {fault}; {_WAY_OUT}"
    return held


def _conflict(
    connections: Sequence[DeclaredConnection], drifts: Mapping[str, Drift], edited: Collection[str]
) -> Fault | None:
    """What an account's connections would conflict in with these of them edited."""
    after = (_with_drift(one, drifts) if one.address in edited else one for one in connections)
    return next(iter(find_overlaps(after)), None)


def _with_drift(one: DeclaredConnection, drifts: Mapping[str, Drift]) -> DeclaredConnection:
    drift = drifts.get(one.address)
    return one if drift is None else replace(one, sync=amended(one.sync, drift.changes))


def _left_out(standing: Sequence[DeclaredConnection], comparisons: Sequence[SiteComparison]) -> list[str]:
    """Take out the additions that would meet a standing connection or an earlier addition."""
    new = [(found.site, addition) for found in comparisons for addition in found.additions]
    numbered = [
        replace(addition.declared, sources=SourceMap(Source("", number, 1))) for number, (_, addition) in enumerate(new)
    ]
    faults = find_overlaps([*standing, *numbered])
    flagged = sorted({fault.source.line for fault in faults if fault.source and not fault.source.file})
    dropped = {new[number][0].key(new[number][1].live) for number in flagged}
    for found in comparisons:
        found.additions = [one for one in found.additions if found.site.key(one.live) not in dropped]
    return [left_out(new[number][0], new[number][1].live, f"{_TAKEN}; {_WAY_OUT}") for number in flagged]
