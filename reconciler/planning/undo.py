"""Plans the inverse of what was applied, from recorded values; says what can't be undone.

What was done is told by the outcomes, and where they leave it open (half done, or not known) by what stands now. Each
inverse either brings back what was there, or comes with a remark that says what it does not bring back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.model.account import shown
from reconciler.model.action import Action, ActionKind, ConnectSpec, Reason, Recovery
from reconciler.model.desired import Scope
from reconciler.model.key import ConnectionKey
from reconciler.model.live import ConnectMethod, LiveConnection, LiveSite, Status
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.sync import EXPORTS, IMPORTS, SyncConfig
from reconciler.planning import diff, guards, providers, restoration
from reconciler.planning.order import ordered
from reconciler.planning.preconditions import disconnecting, same_account, with_precondition

_NOT_KNOWN = (
    "whether it was connected is not known, so it is not undone: plan again, and disconnect it by state: absent"
)
_REPLACED = "a replace can't be undone by a plan: declare the former account again and apply"
_RECONNECTED = "it stays connected: a reconnect has nothing to go back to"
_LATE_CONSENT = "its link is still good: what its owner connects by it later is not undone"
_NOT_READ = "its provider could not be read, so it is not connected again"
_NOT_RECORDED = "what its sync config was is not recorded, so it is not brought back"


@dataclass(frozen=True, slots=True)
class Undo:
    """A plan that brings back what it can, and a sentence for everything that it can't."""

    plan: Plan
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Inverse:
    """What undoes one outcome (None: nothing does, or nothing need), and what it does not bring back."""

    action: Action | None = None
    remarks: tuple[str, ...] = ()


def undo(result: Result, live: Mapping[str, LiveSite]) -> Undo:
    """The inverse of the actions that had an effect; `live` is each of their sites after applying.

    The guards apply to it as to any plan. The providers of a site count only where `needs_providers` says so.
    """
    sites: list[SitePlan] = []
    remarks: list[str] = []
    for site_plan in result.plan.sites:
        outcomes = [outcome for outcome in result.outcomes if outcome.action.site == site_plan.site.name]
        there = _There(live.get(site_plan.site.name, LiveSite((), ())), outcomes)
        inverses = _inverses(outcomes, there)
        for outcome in outcomes:
            address = outcome.action.address
            remarks += (f"{address}: {remark}" for remark in inverses[address].remarks)
        actions = tuple(_with_preconditions([i.action for i in inverses.values() if i.action is not None], there))
        found = guards.violations(site_plan.site, actions, _in_scope(site_plan, there), frozenset())
        sites.append(SitePlan(site_plan.site, actions, violations=found))
    return Undo(ordered(Plan(tuple(site for site in sites if site.actions))), tuple(remarks))


def had_effect(outcome: Outcome) -> bool:
    """Whether something was done, or may have been: undoing it takes a look at what stands now."""
    if outcome.status is OutcomeStatus.DONE:
        return not outcome.already
    # One that failed half-way names the connection that it had made by then.
    half_done = outcome.status is OutcomeStatus.FAILED and outcome.connection_id is not None
    return half_done or outcome.status is OutcomeStatus.UNKNOWN


def needs_providers(outcome: Outcome) -> bool:
    """Whether undoing it depends on what its provider can do."""
    connects_again = outcome.action.kind is ActionKind.RECONNECT and outcome.action.method is not None
    return had_effect(outcome) and (connects_again or outcome.action.kind is ActionKind.DISCONNECT)


class _There:
    """What stands on one site now, before anything is undone."""

    def __init__(self, live: LiveSite, outcomes: Iterable[Outcome]) -> None:
        done = [outcome for outcome in outcomes if outcome.status is OutcomeStatus.DONE]
        left = disconnecting(outcome.action for outcome in done) | {_superseded_id(outcome) for outcome in done}
        # What was disconnected just now may be listed so only later.
        self.listed = [c for c in live.connections if c.id not in left or c.status == Status.DISCONNECTED]
        self.standing = {c.id: c for c in self.listed if c.status != Status.DISCONNECTED}
        self.gone = {c.id for c in self.listed if c.status == Status.DISCONNECTED} - self.standing.keys()
        self.providers = {provider.id: provider for provider in live.providers}
        self.unread = frozenset(live.failed_provider_ids)


def _superseded_id(outcome: Outcome) -> str | None:
    """The broken connection that a reconnect has superseded by one with an id of its own."""
    action = outcome.action
    if action.kind is not ActionKind.RECONNECT or outcome.connection_id in {None, action.connection_id}:
        return None
    return action.connection_id


def _in_scope(site_plan: SitePlan, there: _There) -> int:
    """How many connections the manifests answer for: those on schedules of what they declare, as far as is planned."""
    if site_plan.site.scope is Scope.SITE:
        return len(there.standing)
    own = [action for action in site_plan.actions if not action.address.startswith(f"{site_plan.site.name}/id:")]
    named = {action.schedule_id for action in own}
    return sum(connection.schedule_id in named for connection in there.standing.values())


def _with_preconditions(actions: Sequence[Action], there: _There) -> Iterator[Action]:
    for action in actions:
        nearby = [c for c in there.listed if c.schedule_id == action.schedule_id]
        yield with_precondition(action, nearby)


def _inverses(outcomes: Sequence[Outcome], there: _There) -> dict[str, _Inverse]:
    """The inverse of each outcome, by address, in their order."""
    found = {outcome.action.address: _inverse(outcome, there) for outcome in outcomes}
    leaving = disconnecting(inverse.action for inverse in found.values() if inverse.action is not None)
    taken = [o for o in outcomes if o.action.kind is ActionKind.DISCONNECT and _was_taken(o, there)]
    back: dict[ConnectionKey, str] = {}
    # Of several of one key the one that a manifest names comes back.
    for outcome in sorted(taken, key=lambda outcome: "/id:" in outcome.action.address):
        action = outcome.action
        same = [other.action for other in taken if other.action.key == action.key]
        beside = [c.id for c in same_account(action, list(there.standing.values())) if c.id not in leaving]
        if action.account is None:
            remark = "its account was not shown, so it can't be connected again"
            found[action.address] = _Inverse(None, (remark,))
        elif beside:
            remark = f"it is not connected again beside {', '.join(beside)} of the same account"
            found[action.address] = _Inverse(None, (remark,))
        elif (first := back.get(action.key)) is not None:
            remark = f"it is not connected again beside {first} of the same account"
            found[action.address] = _Inverse(None, (remark,))
        else:
            found[action.address] = _connected_again(action, there, same)
            if found[action.address].action is not None:
                back[action.key] = action.address
    return found


def _was_taken(outcome: Outcome, there: _There) -> bool:
    """Whether a disconnect has come about; where its answer was lost, what is not listed may only not be readable."""
    if not had_effect(outcome):
        return False
    known = outcome.status is OutcomeStatus.DONE or outcome.action.provider_id not in there.unread
    return known and outcome.action.connection_id not in there.standing


def _inverse(outcome: Outcome, there: _There) -> _Inverse:
    """What undoes an outcome, but for a disconnect: that depends on what else is undone."""
    action = outcome.action
    if not had_effect(outcome):
        return _Inverse(None, (_LATE_CONSENT,)) if outcome.consent_url is not None else _Inverse()
    made, stands = outcome.connection_id, action.connection_id in there.standing
    match action.kind:
        case ActionKind.UPDATE:
            return _configured_back(action, action.connection_id, there, sent=_changed(action))
        case ActionKind.REPLACE if made is not None and not stands:
            return _Inverse(None, (_REPLACED,))
        case ActionKind.CONNECT | ActionKind.REPLACE:
            return _disconnected(outcome, there)
        case ActionKind.RECONNECT:
            return _reconnected_back(outcome, there)
        case _:
            unread = action.provider_id in there.unread and outcome.status is not OutcomeStatus.DONE
            return _Inverse(None, (_NOT_READ,) if unread else ())


def _back(action: Action, standing: LiveConnection | None) -> Action:
    """What every inverse has in common; it records what stands now, so that it can be undone in turn."""
    return replace(
        action,
        reason=Reason.UNDO,
        error_reason=None,
        depends_on=(),
        attribution=None,
        impact=None,
        superseded=None,
        live_sync=None if standing is None else standing.sync,
        disconnected=(),
        precondition="",
    )


def _for_later(action: Action) -> ConnectSpec | None:
    """How the account was connected, for an action that does not connect it."""
    return None if action.connect is None else replace(action.connect, method=None)


def _by(method: ConnectMethod, known: ConnectSpec | None) -> ConnectSpec:
    """How the account is connected again, by what is known of how it was."""
    spec = replace(known or ConnectSpec(None), method=method)
    return spec if method is ConnectMethod.CREDENTIALS else replace(spec, password=None)


def _not_there(connection_id: str | None, there: _There) -> _Inverse:
    """For a connection that does not stand now."""
    if connection_id in there.gone:
        return _Inverse()
    return _Inverse(None, (f"{connection_id} is not listed now, so it is left alone: look in the site's dashboard",))


def _disconnected(outcome: Outcome, there: _There) -> _Inverse:
    """Disconnect the connection that an action has made."""
    if outcome.connection_id is None:
        return _Inverse(None, (_NOT_KNOWN,))
    standing = there.standing.get(outcome.connection_id)
    if standing is None:
        return _not_there(outcome.connection_id, there)
    by_password = outcome.action.method is ConnectMethod.CREDENTIALS
    action = replace(
        _back(outcome.action, standing),
        kind=ActionKind.DISCONNECT,
        connection_id=standing.id,
        # An owner may have consented with another account than was asked for.
        key=replace(outcome.action.key, account=standing.account or outcome.action.account),
        recovery=Recovery.PASSWORD if by_password else Recovery.CONSENT,
        connect=_for_later(outcome.action),
        changes=diff.removed(standing.sync),
        sync=None,
    )
    return _Inverse(action)


def _configured_back(
    action: Action, connection_id: str | None, there: _There, *, sent: SyncConfig | None = None
) -> _Inverse:
    """Give a connection the sync config that it had, as far as `sent` has touched it (None: both directions)."""
    standing = there.standing.get(connection_id or "")
    if standing is None:
        return _not_there(connection_id, there)
    if action.live_sync is None:
        return _Inverse(None, (_NOT_RECORDED,))
    back = restoration.restored(action.live_sync, standing.sync, sent)
    if back.sync is None:
        return _Inverse(None, back.remarks)
    update = replace(
        _back(action, standing),
        kind=ActionKind.UPDATE,
        connection_id=standing.id,
        recovery=Recovery.AUTOMATIC,
        connect=_for_later(action),
        changes=back.changes,
        sync=back.sync,
    )
    return _Inverse(update, back.remarks)


def _changed(action: Action) -> SyncConfig:
    """The directions of its sync config that an update has changed; the other one was sent as it stood."""
    sync, paths = action.sync or SyncConfig(), [change.path for change in action.changes]
    return SyncConfig(
        imports=sync.imports if any(path.startswith(IMPORTS) for path in paths) else None,
        exports=sync.exports if any(path.startswith(EXPORTS) for path in paths) else None,
    )


def _reconnected_back(outcome: Outcome, there: _There) -> _Inverse:
    """Half-way, with the broken connection still there, the new one goes; else what stands gets its config back."""
    action, made = outcome.action, outcome.connection_id
    if action.method is None:
        back = _configured_back(action, action.connection_id, there, sent=action.sync or SyncConfig())
    elif made is None:
        return _Inverse(None, (_NOT_KNOWN,))
    elif made != action.connection_id and action.connection_id in there.standing:
        return _disconnected(outcome, there)
    else:
        back = _configured_back(action, made, there)
        provider = there.providers.get(action.provider_id)
        if back.action is not None and (provider is None or provider.features.fixed_sync_config):
            back = _Inverse(None, ("its sync config can't be set, so it is not brought back",))
    return replace(back, remarks=(_RECONNECTED, *back.remarks))


def _connected_again(action: Action, there: _There, same: Sequence[Action]) -> _Inverse:
    """Connect what was disconnected; `same` are all that were of its key."""
    provider = there.providers.get(action.provider_id)
    if provider is None:
        return _Inverse(None, (f"the site does not offer its provider {action.provider} now",))
    account = shown(action.account)
    remarks: tuple[str, ...] = ()
    method = providers.choose_method(provider.features, has_password=action.password is not None)
    if method is ConnectMethod.OAUTH:
        remarks = (f"{account} must consent again",)
    elif method is None and provider.features.connects_by(ConnectMethod.CREDENTIALS):
        return _Inverse(None, (f"connecting {account} again takes its password, which no manifest refers to",))
    elif method is None:
        return _Inverse(None, (f"its provider {provider.name} offers no way to connect that extcal knows",))
    if action.live_sync is None:
        back = restoration.Restoration(None, (), (_NOT_RECORDED,))
    else:
        back = restoration.anew(action.live_sync, provider.features)
    connect = replace(
        _back(action, None),
        kind=ActionKind.CONNECT,
        connection_id=None,
        disconnected=tuple(sorted(other.connection_id for other in same if other.connection_id is not None)),
        recovery=Recovery.AUTOMATIC,
        connect=_by(method, action.connect),
        changes=back.changes,
        sync=back.sync,
    )
    return _Inverse(connect, (*remarks, *back.remarks))
