"""Plans a site: its manifests and one observation of it in, its plan out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.desired import DeclaredConnection, Site, State
from reconciler.model.live import Calendar, ConnectMethod, LiveConnection, LiveSite, Status
from reconciler.model.plan import Allowance, SitePlan
from reconciler.model.source import Fault
from reconciler.model.sync import Direction, SyncConfig
from reconciler.planning import actions, diff, guards, lookup, preconditions, providers
from reconciler.planning.account_warnings import account_warnings, connected_elsewhere, other_accounts
from reconciler.planning.pinned_names import renamed
from reconciler.planning.resolve import ResolvedSite, resolve_declared
from reconciler.planning.schedule_names import known_names, named_actions
from reconciler.planning.undeclared import changed_with_new_ids, out_of_scope, with_undeclared


@dataclass(frozen=True, slots=True)
class ConnectionLookups:
    """The ids of live connections with a direction that the list does not show, and that a plan rests on.

    One of `to_work` is taken for off, and would be switched on, or disconnected with no way back to what it had; one of
    `to_be_off` is taken for being as declared.
    """

    to_work: tuple[str, ...] = ()
    to_be_off: tuple[str, ...] = ()

    def beside(self, other: "ConnectionLookups") -> "ConnectionLookups":
        """Those of two plans."""
        to_work = dict.fromkeys((*self.to_work, *other.to_work))
        to_be_off = dict.fromkeys((*self.to_be_off, *other.to_be_off))
        return ConnectionLookups(tuple(to_work), tuple(each for each in to_be_off if each not in to_work))


def connection_lookups(
    declared: Sequence[DeclaredConnection], live: LiveSite, *, only: frozenset[str] | None = None
) -> ConnectionLookups:
    """Which connections have to be asked for by themselves; with `only`, of the declared ones of these addresses."""
    if all(connection.sync.whole for connection in live.connections):
        return ConnectionLookups()
    found: dict[bool, list[str]] = {True: [], False: []}
    for item, connection in resolve_declared(declared, live).matching.pairs:
        narrowed = only is not None and item.declared.address not in only
        if connection is None or narrowed or connection.status == Status.ERROR:
            continue
        if item.declared.state is State.ABSENT:
            # Undoing it takes all that it had.
            found[True] += [] if connection.sync.whole else [connection.id]
            continue
        wanted = diff.managed(item.declared.sync, item.declared.lifecycle.ignore_changes)
        missing = [one for _, one, shown in diff.directions(wanted, connection.sync) if one is not None and not shown]
        if missing:
            found[any(one.enabled is not False for one in missing)].append(connection.id)
    return ConnectionLookups(tuple(found[True]), tuple(found[False]))


@dataclass(frozen=True, slots=True)
class CalendarLookup:
    """A live connection whose manifest names a calendar that its live sync config leaves open."""

    declared: DeclaredConnection
    connection: LiveConnection

    def is_settled_by(self, calendars: tuple[Calendar, ...]) -> bool:
        """Whether these calendars of its account, listed some time ago, will do: with them it is as declared.

        A change, or a fault, must rest on what the account has now.
        """
        return actions.is_in_sync(self.declared, self.connection, calendars)


def calendar_lookups(
    declared: Sequence[DeclaredConnection], live: LiveSite, *, only: frozenset[str] | None = None
) -> tuple[CalendarLookup, ...]:
    """The live connections whose account's calendars must be known to tell which their manifests name.

    With `only`, none but the declared connections of these addresses are looked at.
    """
    naming = [
        connection
        for connection in declared
        if lookup.named_calendars(diff.managed(connection.sync, connection.lifecycle.ignore_changes).imports)
    ]
    if not naming:
        return ()
    resolved = resolve_declared(naming, live)
    return tuple(
        CalendarLookup(item.declared, connection)
        for item, connection in resolved.matching.pairs
        if connection is not None
        and (only is None or item.declared.address in only)
        and _needs_calendars(item.declared, connection)
    )


def _needs_calendars(declared: DeclaredConnection, connection: LiveConnection) -> bool:
    """Whether a manifest names a calendar that the live sync config leaves open."""
    if connection.status == Status.ERROR or declared.state is State.ABSENT:
        return False
    sync = diff.managed(declared.sync, declared.lifecycle.ignore_changes)
    named = lookup.named_calendars(sync.imports, connection.sync.imports or Direction())
    return bool(lookup.calendars_unresolved(named, actions.known_calendars(connection, None)))


def plan_site(
    site: Site,
    declared: Sequence[DeclaredConnection],
    live: LiveSite,
    *,
    allowed: frozenset[Allowance] = frozenset(),
    only: frozenset[str] | None = None,
) -> SitePlan:
    """Plan one site.

    `only` narrows the plan to the declared connections of these addresses; the others are still taken into
    account, so that none of them looks undeclared.
    """
    resolved = resolve_declared(declared, live)
    anew = frozenset(each.address for each in allowed if each.guard == guards.CONSENT_LOSS)
    planned, faults, unlisted = _declared_actions(site, resolved, live, anew)
    shortcomings = [
        fault
        for item, connection in resolved.matching.pairs
        if item.declared.state is State.PRESENT
        for fault in providers.shortcomings(item.declared, item.provider, _asked(item.declared, connection), connection)
    ]
    names = known_names(declared, live)
    planned = list(named_actions(with_undeclared(site, planned, resolved, live), names))
    every = [*resolved.faults, *resolved.matching.faults, *shortcomings, *faults]
    if only is not None:
        buried = {id_ for id_, twin in resolved.matching.duplicates.items() if _buries(twin) and twin.address in only}
        planned = [action for action in planned if action.address in only or action.connection_id in buried]
        every = [*(fault for fault in every if fault.where in only), *_unsure(planned, every, resolved)]
    active = [connection for connection in live.connections if connection.status != Status.DISCONNECTED]
    in_scope = sum(resolved.in_scope(site, connection) for connection in active)
    # A plan that is narrowed may rest on an observation that is, too, and must not depend on that.
    elsewhere = () if only is not None else connected_elsewhere(planned, resolved)
    renewed = () if only is not None else changed_with_new_ids(resolved)
    outside = () if only is not None else out_of_scope(site, declared, resolved, live)
    lookalikes = account_warnings(one for one in declared if only is None or one.address in only)
    return SitePlan(
        site=site,
        actions=tuple(sorted(_with_preconditions(planned, live), key=lambda action: action.address)),
        faults=tuple(sorted(set(every), key=lambda fault: (fault.where, str(fault)))),
        violations=guards.violations(site, planned, in_scope, allowed),
        unread=tuple(fault for fault in (*resolved.unread, *unlisted) if only is None or fault.where in only),
        warnings=(
            *_warnings(site, planned),
            *map(str, other_accounts(planned)),
            *elsewhere,
            *renewed,
            *map(str, lookalikes),
            *(str(one) for one in renamed(resolved, live) if only is None or one.address in only),
        ),
        out_of_scope=named_actions(outside, names),
    )


def _buries(declared: DeclaredConnection) -> bool:
    return declared.state is State.ABSENT


def _unsure(planned: Iterable[Action], faults: Iterable[Fault], resolved: ResolvedSite) -> Iterator[Fault]:
    """A fault for each replace on whose schedule another declared connection may be what is disconnected."""
    by_schedule: dict[str | None, Fault] = {}
    for fault in faults:
        by_schedule.setdefault(resolved.schedule_ids.get(fault.where), fault)
    for action in planned:
        found = by_schedule.get(action.schedule_id) or by_schedule.get(None)
        if action.kind is ActionKind.REPLACE and found is not None and found.where != action.address:
            message = f"what it replaces may be what {found.where} declares, which has errors: not carried out"
            yield Fault(action.source, action.address, message, f"fix {found.where} first")


def _asked(declared: DeclaredConnection, live: LiveConnection | None) -> SyncConfig:
    """What a manifest asks its provider for: all that it says of a new connection, of a live one what it manages."""
    if live is None:
        return declared.sync
    return diff.managed_over(declared.sync, declared.lifecycle.ignore_changes, live.sync)


def _declared_actions(
    site: Site, resolved: ResolvedSite, live: LiveSite, anew: frozenset[str]
) -> tuple[list[Action], list[Fault], list[Fault]]:
    planned: list[Action] = []
    faults: list[Fault] = []
    unlisted: list[Fault] = []
    for item, connection in resolved.matching.pairs:
        # The list may have been asked for on behalf of other manifests, which this plan is compared with.
        if connection and connection.id in live.unlisted and _needs_calendars(item.declared, connection):
            message = f"its account's calendars could not be listed: {live.unlisted[connection.id]}: not planned"
            hint = "plan again later, or name its calendars by id"
            unlisted.append(Fault(item.declared.sources.root, item.declared.address, message, hint))
            continue
        listed = live.calendars.get(connection.id) if connection else None
        was_connected = item.declared.address in resolved.matching.was_connected
        reconnect = item.declared.address in anew
        outcome = actions.for_declared(site, item, connection, listed, was_connected=was_connected, anew=reconnect)
        if isinstance(outcome, Fault):
            faults.append(outcome)
        else:
            planned.append(outcome)
    return planned, faults, unlisted


def _with_preconditions(planned: Sequence[Action], live: LiveSite) -> Iterator[Action]:
    """The actions, each one that writes with the fingerprint of what it rests on."""
    by_schedule: dict[str, list[LiveConnection]] = defaultdict(list)
    for connection in live.connections:
        by_schedule[connection.schedule_id].append(connection)
    for action in planned:
        if action.kind.writes:
            nearby = by_schedule[action.schedule_id]
            yield preconditions.with_precondition(action, nearby)
        else:
            yield action


def _warnings(site: Site, planned: Sequence[Action]) -> tuple[str, ...]:
    warnings: list[str] = [*site.warnings]
    kept = sum(action.reason is Reason.NOTHING_DECLARED for action in planned)
    if kept:
        live = f"{kept} live connections stay" if kept > 1 else "1 live connection stays"
        warnings.append(f"{site.name}: no connection is declared, so nothing is pruned: {live}")
    if site.redirect_url is None and any(action.method is ConnectMethod.OAUTH for action in planned):
        warnings.append(
            f"{site.name}: owners must consent, and the Site has no oauth.redirectUrl, which --consent poll and "
            "link need"
        )
    return tuple(warnings)
