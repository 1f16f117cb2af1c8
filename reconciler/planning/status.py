"""Judges the health of a site's connections by its plan and the observation behind it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.desired import DeclaredConnection, ScheduleKey, Site
from reconciler.model.live import ConnectMethod, LiveSite, Status
from reconciler.model.plan import SitePlan
from reconciler.model.source import Fault
from reconciler.model.status import ConnectionStatus, Health, SiteStatus
from reconciler.planning.account_warnings import other_accounts
from reconciler.planning.schedule_names import Names, known_names

_STILL_SYNCING = {Status.CONNECTED.value, Status.SYNC_IN_PROGRESS.value}


def status_of(plan: SitePlan, declared: Sequence[DeclaredConnection], live: LiveSite) -> SiteStatus:
    """The health of the declared connections of a site, and of the live ones that none declares.

    `plan` is that of `declared` against `live`: it has an action or a fault for each of them.
    """
    names = known_names(declared, live)
    actions = {action.address: action for action in plan.actions}
    unread = {fault.where: fault for fault in plan.unread}
    faults = {fault.where: fault for fault in reversed(plan.faults)}
    live_status = {connection.id: connection.status for connection in live.connections}
    others: dict[str, list[Account]] = defaultdict(list)
    for other in other_accounts(plan.actions):
        others[other.awaited.address].append(other.account)
    found: list[ConnectionStatus] = []
    for connection in declared:
        if (fault := unread.get(connection.address)) is not None:
            found.append(_faulty(plan.site, connection, Health.UNKNOWN, fault, names))
        elif (fault := faults.get(connection.address)) is not None:
            found.append(_faulty(plan.site, connection, Health.ERROR, fault, names))
        else:
            acted_on = _acted_on(actions[connection.address], live_status)
            found.append(replace(acted_on, other_accounts=tuple(others[connection.address])))
    known = {connection.address for connection in declared}
    for action in plan.actions:
        if action.address not in known:
            # A duplicate of what is declared has its place in the manifests.
            duplicate = action.reason in {Reason.TOMBSTONE, Reason.DUPLICATE}
            found.append(_acted_on(action, live_status, None if duplicate else Health.UNMANAGED))
    outside = tuple(_acted_on(action, live_status, Health.UNMANAGED) for action in plan.out_of_scope)
    return SiteStatus(plan.site, _in_order(found), out_of_scope=outside)


def unread_status(plan: SitePlan, declared: Sequence[DeclaredConnection]) -> SiteStatus:
    """The status of a site that could not be read, as the faults of its plan say."""
    why = plan.faults[0]
    return SiteStatus(
        plan.site,
        _in_order([_faulty(plan.site, connection, Health.UNKNOWN, why, {}) for connection in declared]),
        unread=why,
    )


def _in_order(found: list[ConnectionStatus]) -> tuple[ConnectionStatus, ...]:
    return tuple(sorted(found, key=lambda connection: connection.address))


def _acted_on(action: Action, live_status: dict[str, str], health: Health | None = None) -> ConnectionStatus:
    status = live_status.get(action.connection_id or "")
    return ConnectionStatus(
        address=action.address,
        site=action.site,
        site_id=action.site_id,
        schedule_id=action.schedule_id,
        schedule=action.schedule_name,
        provider=action.provider,
        account=action.account,
        # A replace names the connection that gives way; the declared one is not there yet.
        connection_id=None if action.kind is ActionKind.REPLACE else action.connection_id,
        health=health or _health(action, status),
        live_status=status,
        action=action,
    )


def _health(action: Action, status: str | None) -> Health:
    """The health of a declared connection by what would be done about it."""
    match action.kind:
        case ActionKind.CONNECT | ActionKind.REPLACE:
            return Health.AWAITING_CONSENT if action.method is ConnectMethod.OAUTH else Health.MISSING
        case ActionKind.RECONNECT:
            return Health.ERROR
        case ActionKind.UPDATE | ActionKind.DISCONNECT:
            return Health.DRIFTED
        case ActionKind.NOOP if action.reason is Reason.ABSENT:
            return Health.ABSENT
    return Health.SYNCING if status in _STILL_SYNCING else Health.OK


def _faulty(site: Site, connection: DeclaredConnection, health: Health, fault: Fault, names: Names) -> ConnectionStatus:
    ref = connection.schedule
    schedule_id = ref.value if ref.by is ScheduleKey.ID else None
    return ConnectionStatus(
        address=connection.address,
        site=site.name,
        site_id=site.site_id,
        schedule_id=schedule_id,
        schedule=ref.name or names.get(schedule_id or ""),
        provider=str(connection.provider),
        account=connection.account,
        connection_id=None,
        health=health,
        fault=fault,
    )
