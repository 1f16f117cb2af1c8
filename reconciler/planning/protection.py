"""Finds the disconnects that the base protects by `lifecycle.preventDisconnect`.

A connection is known by its key: site, schedule, provider and account. A manifest of the base fits a live connection
surely, maybe or not at all, whatever it is called, wherever it stands, and whether or not anything can be planned for
it. What fits maybe, and what the base's manifests that could not be read may have said, counts as protected. What the
base, read and planned in full, would disconnect itself is not lost by the change.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import IntEnum

from reconciler.model.account import Account
from reconciler.model.action import Reason
from reconciler.model.desired import DeclaredConnection
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.model.plan import Allowance, SitePlan, Violation
from reconciler.model.source import Fault
from reconciler.planning import lookup, providers
from reconciler.planning.guards import PREVENT_DISCONNECT, disconnection
from reconciler.text import listed


class _Fit(IntEnum):
    """Whether a manifest is about a live connection; the least of its parts is that of the key."""

    NO = 0
    MAYBE = 1
    SURELY = 2


def still_protected(
    head: SitePlan,
    before: SitePlan | None,
    base: Iterable[DeclaredConnection],
    live: LiveSite,
    allowed: frozenset[Allowance],
    *,
    base_is_whole: bool,
) -> tuple[Violation, ...]:
    """Disconnects that the head plans of connections that the base protects, though the head does not say so.

    `before` is the base's plan of the head's site from the same `live` state, None where it is not surely of the same
    site, `base` the manifests that are, or may be,
    of that site, `base_is_whole` tells that all of them could be read.
    """
    settled = {violation.address for violation in head.violations if violation.guard == PREVENT_DISCONNECT}
    settled |= {allowance.address for allowance in allowed if allowance.guard == PREVENT_DISCONNECT}
    drifting = _drifting(before) if base_is_whole else frozenset()
    # What is protected stays connected where only its duplicate goes.
    losing = [a for a in head.actions if a.kind.disconnects and a.reason is not Reason.DUPLICATE]
    losing = [a for a in losing if a.address not in settled]
    losing = [a for a in losing if a.connection_id not in drifting]
    if not losing:
        return ()
    every = tuple(base)
    connections = {connection.id: connection for connection in live.connections}
    known = lookup.schedules_of(live)
    by_account: dict[Account, list[DeclaredConnection]] = defaultdict(list)
    for declared in every:
        by_account[declared.account].append(declared)
    found: list[Violation] = []
    for action in losing:
        connection = connections[action.connection_id or ""]
        candidates = by_account.get(connection.account, ()) if connection.account else every
        fits = [(_fit(declared, connection, live, known), declared) for declared in candidates]
        if (why := _why_protected(fits, base_is_whole=base_is_whole)) is not None:
            found.append(Violation(PREVENT_DISCONNECT, action.address, f"{disconnection(action)}: {why}"))
    return tuple(found)


def unprotected(head: Sequence[DeclaredConnection], base: Sequence[DeclaredConnection]) -> tuple[str, ...]:
    """A warning where the head declares connections without the protection that the base gives them.

    Nothing is lost by that change, and no action shows it: it is the next one that may disconnect them.
    """
    protected = {_key(one) for one in base if one.lifecycle.prevent_disconnect}
    called = {one.address for one in base if one.lifecycle.prevent_disconnect}
    bare = [one for one in head if not one.lifecycle.prevent_disconnect]
    found = sorted(one.address for one in bare if _key(one) in protected or one.address in called)
    if not found:
        return ()
    verb, taken = "is" if len(found) == 1 else "are", "this change takes lifecycle.preventDisconnect away"
    return (f"{listed(found)} {verb} no longer protected: {taken}, and a later one may disconnect what it protected",)


def _key(one: DeclaredConnection) -> tuple[object, ...]:
    return one.schedule, one.provider, one.account


def _drifting(before: SitePlan | None) -> frozenset[str | None]:
    """The ids of the connections that the base would disconnect itself; none where it can't be planned in full."""
    if before is None or before.faults or before.unread:
        return frozenset()
    return frozenset(a.connection_id for a in before.actions if a.kind.disconnects and not a.prevent_disconnect)


def _why_protected(fits: Sequence[tuple[_Fit, DeclaredConnection]], *, base_is_whole: bool) -> str | None:
    said = "set lifecycle.preventDisconnect before this change"
    protecting = [(fit, declared) for fit, declared in fits if declared.lifecycle.prevent_disconnect]
    for fit, declared in protecting:
        if fit is _Fit.SURELY:
            return f"{declared.address} {said}"
    for fit, declared in protecting:
        if fit is _Fit.MAYBE:
            return f"{declared.address} {said}, and it may mean this connection"
    if base_is_whole or any(fit is _Fit.SURELY for fit, _ in fits):
        return None
    return "not all manifests of the base could be read, and one of them may protect it"


def _fit(declared: DeclaredConnection, connection: LiveConnection, live: LiveSite, known: lookup.Schedules) -> _Fit:
    return min(
        _same_account(declared, connection),
        _same_provider(declared, connection, live),
        _same_schedule(declared, connection, known),
    )


def _same_account(declared: DeclaredConnection, connection: LiveConnection) -> _Fit:
    if not connection.account:
        return _Fit.MAYBE
    return _Fit.SURELY if declared.account == connection.account else _Fit.NO


def _same_provider(declared: DeclaredConnection, connection: LiveConnection, live: LiveSite) -> _Fit:
    meant = [provider for provider in live.providers if providers.is_meant(declared.provider, provider)]
    if any(providers.serves(declared.provider, provider, connection) for provider in meant):
        return _Fit.SURELY
    return _Fit.NO if meant else _Fit.MAYBE


def _same_schedule(declared: DeclaredConnection, connection: LiveConnection, known: lookup.Schedules) -> _Fit:
    found = lookup.resolve_schedule(declared, known)
    if not isinstance(found, Fault):
        return _Fit.SURELY if found.id == connection.schedule_id else _Fit.NO
    # None is called so any more, or several are.
    candidates = {schedule.id for schedule in known.named(declared.schedule)}
    return _Fit.MAYBE if not candidates or connection.schedule_id in candidates else _Fit.NO
