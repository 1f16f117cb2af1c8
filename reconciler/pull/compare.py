"""Compares one site's manifests with what is live: what changes, what is new, what can't be written."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.model.account import Account, shown
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, State
from reconciler.model.live import ConnectMethod, LiveConnection, Provider, Schedule, Status
from reconciler.model.source import Fault
from reconciler.model.sync import IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning import actions, diff, lookup, providers
from reconciler.planning.match import Resolved
from reconciler.planning.resolve import ResolvedSite, resolve_declared
from reconciler.pull.declare import UndeclarableError, declared_direction, identity, with_sync
from reconciler.pull.values import Addition, Amendment, PulledSite
from reconciler.pull.yaml_emit import LONGEST_NAME, comment, is_declarable


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
    declaration = declared_direction(have, names)
    if wanted.arm is not None and not _same(wanted, have, known):
        return Amendment(path, enabled, declaration)
    # Of one that was switched on, the calendars it uses matter, too.
    says_more = enabled is True and wanted.arm is None and declaration.arm is not None
    return Amendment(path, enabled, declaration if says_more else None)


def _same(wanted: Direction, have: Direction, known: Sequence[CalendarRef]) -> bool:
    if wanted.arm is not have.arm:
        return False
    if wanted.arm is not Arm.CALENDARS:
        return True
    try:
        meant = lookup.resolve_calendars(wanted.calendars, known)
    except lookup.UnresolvedCalendarError:
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


_Group = list[tuple[DeclaredConnection, Provider, LiveConnection]]


@dataclass(frozen=True, slots=True)
class Drift:
    """A declared connection whose manifest is to say something else; `schedule_id` is what its schedule means."""

    declared: DeclaredConnection
    live: LiveConnection
    changes: tuple[Amendment, ...]


@dataclass(slots=True)
class SiteComparison:
    """What a site's pull finds; `schedules` are the ids of the schedules of declared connections, by address."""

    site: PulledSite
    drifts: list[Drift] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    schedules: dict[str, str] = field(default_factory=dict)
    disconnected: int = 0
    warnings: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def compare_site(site: PulledSite, declared: Sequence[DeclaredConnection]) -> SiteComparison:
    """Hold one site's manifests against what is live."""
    live = site.live
    resolved = resolve_declared(declared, live)
    found = SiteComparison(site, disconnected=sum(c.status == Status.DISCONNECTED for c in live.connections))
    found.failures += _unread(site)
    found.failures += (
        f"{fault}; its manifest is not changed" for fault in (*resolved.faults, *resolved.matching.faults)
    )
    for item, connection in resolved.matching.pairs:
        found.schedules[item.declared.address] = item.schedule.id
        found.warnings += _remarks(
            item, connection, was_connected=item.declared.address in resolved.matching.was_connected
        )
        if connection is None or item.declared.state is State.ABSENT:
            continue
        if connection.id in live.unlisted:
            found.failures.append(
                f"{item.declared.address}: its calendars can't be listed, so its manifest is not changed"
            )
            continue
        known = actions.known_calendars(connection, live.calendars.get(connection.id))
        changes = amendments(item.declared, connection, known, site.calendar_names.get(connection.id, {}))
        if changes:
            found.drifts.append(Drift(item.declared, connection, changes))
    _add_new(found, resolved, declared)
    return found


def _unread(site: PulledSite) -> Iterator[str]:
    names = {provider.id: provider.name for provider in site.live.providers}
    for provider_id in site.live.failed_provider_ids:
        name = names.get(provider_id, provider_id)
        yield f"{site.site.name}: the service could not read provider {name}; its connections are left out"


def _remarks(item: Resolved, connection: LiveConnection | None, *, was_connected: bool) -> Iterator[str]:
    address = item.declared.address
    if item.declared.state is State.ABSENT:
        if connection is not None:
            yield f"{address}: declared absent but still connected; apply disconnects it"
    elif connection is None and was_connected:
        yield f"{address}: declared but not connected: it was disconnected; apply connects it again"
    elif connection is None:
        yield f"{address}: declared but not connected; apply connects it"
    elif connection.status == Status.ERROR:
        yield f"{address}: broken ({connection.error_word or 'no reason given'}); run plan to see what it needs"


def new_connections(site: PulledSite, declared: Sequence[DeclaredConnection]) -> list[LiveConnection]:
    """The live connections that no manifest declares."""
    matching = resolve_declared(declared, site.live).matching
    return [connection for connection in matching.undeclared if connection.id not in matching.duplicates]


def named_by_id(site: PulledSite, declared: Sequence[DeclaredConnection]) -> list[str]:
    """The ids of healthy live connections whose calendars will be written, and lack a name."""
    changed = [drift.live for drift in compare_site(site, declared).drifts]
    return [
        connection.id
        for connection in (*changed, *new_connections(site, declared))
        if connection.status != Status.ERROR
        and connection.sync.imports
        and connection.sync.imports.enabled
        and any(calendar.name is None for calendar in connection.sync.imports.calendars)
    ]


def _add_new(found: SiteComparison, resolved: ResolvedSite, declared: Sequence[DeclaredConnection]) -> None:
    site, live = found.site, found.site.live
    doubtful = {one.account for one in declared if one.address not in found.schedules}
    active: dict[str, list[LiveConnection]] = defaultdict(list)
    for connection in live.connections:
        if connection.status != Status.DISCONNECTED:
            active[connection.schedule_id].append(connection)
    groups: dict[tuple[str, str, Account], _Group] = defaultdict(list)
    for connection in sorted(resolved.matching.undeclared, key=lambda one: one.id):
        if connection.provider_id in live.failed_provider_ids:
            continue
        try:
            _check_free(connection, site, resolved, doubtful)
            wanted, provider = identity(site.site.name, connection, live, active[connection.schedule_id])
        except UndeclarableError as error:
            found.failures.append(left_out(site, connection, str(error)))
            continue
        groups[wanted.schedule.value, provider.id, wanted.account].append((wanted, provider, connection))
    for group in groups.values():
        wanted, provider, connection = group[0]
        addition = _addition(site, wanted, provider, connection)
        if len(group) > 1:
            found.failures += [left_out(site, one, _duplicates(site, group)) for _, _, one in group]
        elif (why := _beyond_repair(site, addition, provider)) is not None:
            found.failures.append(left_out(site, connection, why))
        else:
            found.additions.append(addition)
    found.additions.sort(key=_order)


def _check_free(
    connection: LiveConnection, site: PulledSite, resolved: ResolvedSite, doubtful: Collection[Account]
) -> None:
    """Raise UndeclarableError where a manifest declares the connection, or may do so."""
    elsewhere = site.known.get(connection.id)
    if elsewhere is not None and elsewhere.state is State.ABSENT:
        raise UndeclarableError(f"{elsewhere.address} declares it absent; apply that, then pull again")
    declared = resolved.matching.duplicates.get(connection.id)
    if declared is not None and declared.state is State.ABSENT:
        raise UndeclarableError(f"{declared.address} declares it absent; apply disconnects it")
    if declared is not None:
        matched = (one.id for item, one in resolved.matching.pairs if item.declared is declared and one is not None)
        kept = next(matched, "ID")
        keep = f"extcal resolve PATH --keep {declared.address}={kept}"
        raise UndeclarableError(f"it duplicates {declared.address}; run {keep}")
    if connection.account in doubtful:
        raise UndeclarableError("a manifest of its account could not be matched; fix that, then pull again")


def _duplicates(site: PulledSite, group: _Group) -> str:
    """Why connections of one key are left out: a manifest of them would be an ambiguity, whichever it was made of."""
    best = min((one for _, _, one in group), key=lambda one: (one.status == Status.ERROR, one.id))
    others = ", ".join(one.id for _, _, one in group)
    keep = f"extcal resolve PATH --keep {site.site.name}/NAME={best.id}"
    return (
        f"{len(group)} connections have the same schedule, provider and account ({others}); "
        f"declare one by hand, run {keep}, then pull again"
    )


def _beyond_repair(site: PulledSite, addition: Addition, provider: Provider) -> str | None:
    """Why a broken connection is left out: planning a manifest of it would be a fault."""
    live = addition.live
    if live.status != Status.ERROR:
        return None
    schedule = Schedule(live.schedule_id, addition.schedule_name, None, "ACTIVE")
    item = Resolved(addition.declared, schedule, provider)
    planned = actions.for_declared(site.site, item, live, None, was_connected=False)
    if not isinstance(planned, Fault):
        return None
    reason = live.error_word or "no reason given"
    return (
        f"it is broken ({reason}), and {planned.message}; "
        "connect it again or disconnect it in the site's dashboard, then pull again"
    )


def left_out(site: PulledSite, connection: LiveConnection, why: str) -> str:
    """The message for a live connection that is not written."""
    offered = {provider.id: provider for provider in site.live.providers}
    label = providers.label(offered.get(connection.provider_id), connection.calendar_type)
    account = shown(connection.account, "an account that is not shown")
    schedule = site.schedule_names.get(connection.schedule_id) or connection.schedule_id
    return f"{site.site.name}: {account} ({label}) on {schedule} [{connection.id}] is left out: {why}"


def _addition(site: PulledSite, wanted: DeclaredConnection, provider: Provider, connection: LiveConnection) -> Addition:
    wanted, notes = with_sync(wanted, connection, provider, site.calendar_names.get(connection.id, {}))
    if connection.status == Status.ERROR:
        reason = comment(connection.error_word or "no reason given")
        notes = (f"Broken when it was pulled ({reason}): run plan to see what it needs.", *notes)
    known = site.known.get(connection.id)
    if known is not None:
        by_password = provider.features.connects_by(ConnectMethod.CREDENTIALS) is not False
        password = (known.password if by_password else None) or wanted.password
        wanted = replace(wanted, name=known.name, password=password, lifecycle=known.lifecycle)
    called = site.schedule_names.get(connection.schedule_id, "")
    label = ScheduleRef(ScheduleKey.NAME, called) if is_declarable(called, LONGEST_NAME) else None
    return Addition(
        declared=replace(wanted, site=site.site.name, schedule=replace(wanted.schedule, label=label)),
        live=connection,
        schedule_name=called,
        notes=notes,
    )


def _order(addition: Addition) -> tuple[str, str, str, str, str]:
    declared = addition.declared
    name = addition.schedule_name.casefold()
    return (name, declared.schedule.value, declared.provider.value, declared.account.normal, addition.live.id)
