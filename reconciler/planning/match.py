"""Matches declared connections with live ones, by schedule, provider and account."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.account import shown
from reconciler.model.desired import DeclaredConnection, State
from reconciler.model.live import LiveConnection, Provider, Schedule, Status
from reconciler.model.source import Fault
from reconciler.planning import providers

_ByAccount = dict[tuple[str, str], list[LiveConnection]]
"""Connections that show an account, by their schedule's id and the account's normal form."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A declared connection with the schedule and provider that it means."""

    declared: DeclaredConnection
    schedule: Schedule
    provider: Provider


@dataclass(frozen=True, slots=True)
class Matching:
    """What is what on one site.

    `pairs` holds every declared connection with its live one or None; `undeclared` the live ones that none
    declares; `duplicates` those among the undeclared that have the same key as a matched connection, and go for it, by
    id, with the declared one whose key it is;
    `was_connected` the addresses whose connection is still listed as DISCONNECTED; `faults` the ambiguities,
    whose declared and live connections stand in neither.
    """

    pairs: tuple[tuple[Resolved, LiveConnection | None], ...]
    undeclared: tuple[LiveConnection, ...]
    duplicates: Mapping[str, DeclaredConnection]
    was_connected: frozenset[str]
    faults: tuple[Fault, ...]


def match(resolved: Sequence[Resolved], connections: Iterable[LiveConnection]) -> Matching:
    """Match by schedule, provider and account; one without an account only where nothing else fits.

    A connection that is DISCONNECTED is not there. Of several with one key the one that is healthy matches, and those
    in ERROR are its duplicates; a tombstone takes all of them. It never matches one without an account: nothing is
    disconnected on a guess.
    """
    listed = tuple(sorted(connections, key=lambda connection: connection.id))
    active = [connection for connection in listed if connection.status != Status.DISCONNECTED]
    by_account = _by_account(active)
    found: dict[str, LiveConnection] = {}
    taken: dict[str, str] = {}
    duplicates: dict[str, DeclaredConnection] = {}
    faults: list[Fault] = []
    unmatched: list[Resolved] = []
    for item in resolved:
        same_key = _same_key(item, by_account)
        if len(same_key) == 1 and same_key[0].id not in taken:
            found[item.declared.address] = same_key[0]
            taken[same_key[0].id] = item.declared.address
            continue
        healthy = [connection for connection in same_key if connection.status != Status.ERROR]
        choice = healthy if len(healthy) == 1 else same_key
        if item.declared.state is State.ABSENT:
            choice = (healthy or same_key)[:1]
        rivals = {taken[connection.id] for connection in same_key if connection.id in taken}
        taken.update((connection.id, item.declared.address) for connection in same_key)
        if rivals:
            faults.append(_same_connection(item, min(rivals)))
        elif len(choice) > 1:
            faults.append(_ambiguous(item, choice))
        elif choice:
            found[item.declared.address] = choice[0]
            duplicates |= {connection.id: item.declared for connection in same_key if connection.id != choice[0].id}
        else:
            unmatched.append(item)
    wanting = [item for item in unmatched if item.declared.state is State.PRESENT]
    faults += _match_without_account(wanting, active, found, taken)

    faulty = {fault.where for fault in faults}
    gone = _by_account(connection for connection in listed if connection.status == Status.DISCONNECTED)
    return Matching(
        pairs=tuple((r, found.get(r.declared.address)) for r in resolved if r.declared.address not in faulty),
        undeclared=tuple(c for c in active if c.id not in taken or c.id in duplicates),
        duplicates=duplicates,
        was_connected=frozenset(item.declared.address for item in unmatched if _same_key(item, gone)),
        faults=tuple(faults),
    )


def _by_schedule(connections: Iterable[LiveConnection]) -> dict[str, list[LiveConnection]]:
    groups: dict[str, list[LiveConnection]] = defaultdict(list)
    for connection in connections:
        groups[connection.schedule_id].append(connection)
    return groups


def _by_account(connections: Iterable[LiveConnection]) -> _ByAccount:
    groups: _ByAccount = defaultdict(list)
    for connection in connections:
        if connection.account:
            groups[connection.schedule_id, connection.account.normal].append(connection)
    return groups


def _on(item: Resolved, by_schedule: dict[str, list[LiveConnection]]) -> list[LiveConnection]:
    """The live connections of the item's schedule and provider."""
    on_schedule = by_schedule.get(item.schedule.id, [])
    return [c for c in on_schedule if providers.serves(item.declared.provider, item.provider, c)]


def _same_key(item: Resolved, by_account: _ByAccount) -> list[LiveConnection]:
    """The live connections of the item's schedule, provider and account."""
    same_account = by_account.get((item.schedule.id, item.declared.account.normal), [])
    return [c for c in same_account if providers.serves(item.declared.provider, item.provider, c)]


def _match_without_account(
    unmatched: Sequence[Resolved],
    active: Iterable[LiveConnection],
    found: dict[str, LiveConnection],
    taken: dict[str, str],
) -> list[Fault]:
    """Give a connection that shows no account to the one declared connection that it can only be."""
    by_schedule = _by_schedule(connection for connection in active if not connection.account)
    wanted_by: dict[str, list[Resolved]] = defaultdict(list)
    anonymous: dict[str, list[LiveConnection]] = {}
    for item in unmatched:
        candidates = [c for c in _on(item, by_schedule) if c.id not in taken]
        anonymous[item.declared.address] = candidates
        for candidate in candidates:
            wanted_by[candidate.id].append(item)
    faults = []
    for item in unmatched:
        candidates = anonymous[item.declared.address]
        if not candidates:
            continue
        taken.update((candidate.id, item.declared.address) for candidate in candidates)
        if len(candidates) > 1:
            faults.append(_ambiguous(item, candidates))
        elif len(wanted_by[candidates[0].id]) > 1:
            faults.append(_wanted_by_many(item, candidates[0], wanted_by[candidates[0].id]))
        else:
            found[item.declared.address] = candidates[0]
    return faults


def _same_connection(item: Resolved, other: str) -> Fault:
    return Fault(
        item.declared.sources.root,
        item.declared.address,
        f"{other} declares the same live connection",
        "keep one of the two manifests",
    )


def _ambiguous(item: Resolved, candidates: Sequence[LiveConnection]) -> Fault:
    listed = ", ".join(f"{c.id} ({shown(c.account, 'no account shown')}, {c.shown_status})" for c in candidates)
    hint = "disconnect the ones that are not wanted in the site's dashboard, then plan again"
    if all(c.account for c in candidates):
        hint = f"say which one stays: extcal resolve PATH --keep {item.declared.address}=ID"
    return Fault(
        item.declared.sources.root,
        item.declared.address,
        f"{len(candidates)} live connections fit this one: {listed}",
        hint,
    )


def _wanted_by_many(item: Resolved, candidate: LiveConnection, items: Sequence[Resolved]) -> Fault:
    others = ", ".join(sorted(i.declared.address for i in items if i is not item))
    return Fault(
        item.declared.sources.root,
        item.declared.address,
        f"live connection {candidate.id} shows no account, so it may be this one or {others}",
        "wait until the service shows its account, or declare only one of them for now",
    )
