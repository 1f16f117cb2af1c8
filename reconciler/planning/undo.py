"""The inverse of what was applied, from the recorded values before, and what of it can't be undone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.model.account import shown
from reconciler.model.desired import Scope
from reconciler.model.live import ConnectMethod, LiveConnection, Status
from reconciler.model.plan import Action, ActionKind, Change, Plan, Reason, Recovery, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.sync import Direction, SyncConfig
from reconciler.planning import diff, guards
from reconciler.planning.ground import grounded


@dataclass(frozen=True, slots=True)
class Undo:
    """A plan that brings back what it can, and a sentence for everything that it can't."""

    plan: Plan
    remarks: tuple[str, ...]


def undo(result: Result, live: Mapping[str, Sequence[LiveConnection]]) -> Undo:
    """The inverse of the actions that were done; `live` are the connections of each site after applying.

    The guards apply to it as to any plan.
    """
    by_site: dict[str, list[Action]] = defaultdict(list)
    remarks: list[str] = []
    for outcome in result.outcomes:
        if outcome.status is not OutcomeStatus.DONE or outcome.already:
            continue
        inverse = _inverse(outcome)
        if isinstance(inverse, str):
            remarks.append(f"{outcome.action.address}: {inverse}")
            continue
        if inverse.method is ConnectMethod.OAUTH:
            remarks.append(f"{inverse.address}: {shown(inverse.account, 'its owner')} must consent again")
        by_site[inverse.site].append(inverse)
    sites = []
    for site_plan in result.plan.sites:
        site = site_plan.site
        actions = _grounded(by_site[site.name], live.get(site.name, ()))
        found = guards.violations(site, actions, _in_scope(site_plan, live.get(site.name, ())), frozenset())
        sites.append(SitePlan(site, actions, violations=found))
    return Undo(Plan(tuple(site for site in sites if site.actions)), tuple(remarks))


def _in_scope(made: SitePlan, live: Sequence[LiveConnection]) -> int:
    """How many connections the manifests answer for: those on schedules of what they declare, as far as is planned."""
    standing = [connection for connection in live if connection.status != Status.DISCONNECTED]
    if made.site.scope is Scope.SITE:
        return len(standing)
    own = [action for action in made.actions if not action.address.startswith(f"{made.site.name}/id:")]
    named = {action.schedule_id.lower() for action in own}
    return sum(connection.schedule_id.lower() in named for connection in standing)


def _grounded(actions: Sequence[Action], live: Sequence[LiveConnection]) -> tuple[Action, ...]:
    nearby = {a.address: [c for c in live if c.schedule_id.lower() == a.schedule_id.lower()] for a in actions}
    return tuple(grounded(a, nearby[a.address]) for a in actions)


def _inverse(outcome: Outcome) -> Action | str:
    """The action that undoes one that was done, or why there is none."""
    action = replace(
        outcome.action, reason=Reason.UNDO, after=(), origin=None, impact=None, before=None, disconnected=()
    )
    match action.kind:
        case ActionKind.UPDATE:
            return _update_back(action, outcome.action.before or SyncConfig())
        case ActionKind.CONNECT:
            return replace(
                action,
                kind=ActionKind.DISCONNECT,
                connection_id=outcome.connection_id,
                recovery=Recovery.PASSWORD if action.method is ConnectMethod.CREDENTIALS else Recovery.CONSENT,
                method=None,
                changes=tuple(Change(change.path, change.after, None) for change in action.changes),
                sync=None,
            )
        case ActionKind.DISCONNECT:
            return _connect_back(action, outcome.action.before or SyncConfig())
        case ActionKind.REPLACE:
            return "a replace can't be undone by a plan: declare the former account again and apply"
        case ActionKind.RECONNECT:
            return "a reconnect is not undone: there is nothing to go back to"
        case ActionKind.NOOP | ActionKind.UNMANAGED:
            return "nothing was done"


def _update_back(action: Action, before: SyncConfig) -> Action:
    sent = action.sync or SyncConfig()
    return replace(
        action,
        changes=tuple(Change(change.path, change.after, change.before) for change in action.changes),
        sync=SyncConfig(
            None if sent.imports is None else diff.sendable(before.imports or Direction(enabled=False)),
            None if sent.exports is None else diff.sendable(before.exports or Direction(enabled=False)),
        ),
    )


def _connect_back(action: Action, before: SyncConfig) -> Action | str:
    connect = replace(
        action,
        kind=ActionKind.CONNECT,
        connection_id=None,
        # What was taken away just now may be listed so only later.
        disconnected=() if action.connection_id is None else (action.connection_id,),
        recovery=Recovery.AUTOMATIC,
        changes=diff.described(before),
        sync=SyncConfig(diff.sendable(before.imports), diff.sendable(before.exports)),
    )
    if action.recovery is Recovery.CONSENT:
        return replace(connect, method=ConnectMethod.OAUTH, password=None)
    if action.password is None:
        return f"connecting {shown(action.account, 'it')} again takes its password, which no manifest refers to"
    return replace(connect, method=ConnectMethod.CREDENTIALS)
