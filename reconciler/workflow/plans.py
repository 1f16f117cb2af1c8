"""Plans every selected site: alone, against a base, or again to review a saved plan.

One observation of a site is planned for all that is asked of it. It is counted, too, what a plan would take away.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.api.client import EventQuery, Reader
from reconciler.errors import ExtcalError
from reconciler.model.action import Action, ActionKind, Impact
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.live import LiveSite
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.source import Fault
from reconciler.planning import attribution
from reconciler.planning.base_manifests import BaseManifests
from reconciler.planning.order import ordered
from reconciler.planning.planner import plan_site
from reconciler.planning.protection import still_protected, unprotected
from reconciler.planning.providers import word
from reconciler.planning.review import Refusal, refusals
from reconciler.planning.select import narrowable
from reconciler.workflow.observation import observe
from reconciler.workflow.service import Selection, Sessions, run_bounded, selected_sites

_IMPACT_DAYS = 30
_PlanSite = Callable[[Site, LiveSite], SitePlan]


@dataclass(frozen=True, slots=True)
class Base:
    """The manifests before a change; `whole` tells that all of them could be read."""

    desired: Desired
    whole: bool


@dataclass(frozen=True, slots=True)
class AgainstBase:
    """The plan of a change, with the attribution of each action.

    `blamed` is the same plan with only those faults that the change brought in, or that keep a site from being read:
    what a check may fail on.
    `warnings` tell of sites that the change no longer declares, `live` is what was read of each site, by its name.
    """

    plan: Plan
    blamed: Plan
    live: Mapping[str, LiveSite]
    warnings: tuple[str, ...] = ()


async def plan(
    desired: Desired,
    opened: Sessions,
    selection: Selection,
    allowed: frozenset[Allowance] = frozenset(),
    seen: dict[str, LiveSite] | None = None,
) -> Plan:
    """Observe every selected site and plan what would bring it to the desired state.

    Only reads are sent. A site that can't be read has a plan whose fault says why. What was read goes into `seen`, by
    the sites' names.
    """
    by_site = declared_by_site(desired, opened)

    def planned(site: Site, live: LiveSite) -> SitePlan:
        if seen is not None:
            seen[site.name] = live
        return plan_site(site, by_site[site.name], live, allowed=allowed, only=selection.connections)

    plans = await each_site(selected_sites(desired, selection), opened, by_site, planned, selection.connections)
    return ordered(Plan(tuple(plans), selection.shards))


async def plan_against_base(
    head: Desired,
    base: Base,
    opened: Sessions,
    selection: Selection,
    allowed: frozenset[Allowance] = frozenset(),
) -> AgainstBase:
    """Plan both sets of manifests against one observation, and attribute each action.

    A site is the same one whatever it is called. It is read whole whatever is selected of it: the base may have what is
    chosen on another schedule.
    """
    sites = selected_sites(head, selection)
    heads, former = declared_by_site(head, opened), BaseManifests(base.desired, whole=base.whole)
    bases = {site.name: former.of(site) for site in sites}
    blamed: dict[str, SitePlan] = {}
    read: dict[str, LiveSite] = {}

    def planned(site: Site, live: LiveSite) -> SitePlan:
        read[site.name] = live
        now = plan_site(site, heads[site.name], live, allowed=allowed, only=selection.connections)
        before = plan_site(*bases[site.name], live)
        now = attribution.attributed(now, before)
        protected = still_protected(
            now,
            before if former.kept(site) else None,
            former.protecting(site),
            live,
            allowed,
            base_is_whole=base.whole,
        )
        # Of a plan that leaves out most of what is declared it can't be told.
        gone = () if selection.connections is not None else attribution.out_of_scope(now, before)
        bare = unprotected(heads[site.name], bases[site.name][1])
        now = replace(now, violations=(*now.violations, *protected), warnings=(*now.warnings, *gone, *bare))
        blamed[site.name] = replace(now, faults=attribution.new_faults(now.faults, before.faults), unread=())
        return now

    beside = {name: connections for name, (_, connections) in bases.items()}
    plans = await each_site(sites, opened, heads, planned, beside=beside)
    return AgainstBase(
        plan=ordered(Plan(tuple(plans), selection.shards)),
        blamed=Plan(tuple(blamed.get(site.site.name, site) for site in plans)),
        live=read,
        warnings=tuple(_abandoned(name, count) for name, count in former.gone(head.sites)),
    )


def _abandoned(site: str, count: int) -> str:
    return f"{site} is no longer declared: what is connected through its {count} manifests stays connected"


def declared_by_site(desired: Desired, opened: Sessions) -> dict[str, list[DeclaredConnection]]:
    """The declared connections by the name of their site; a site without any has an empty list.

    One that this machine has connected and not configured yet is to get all that its manifest says, for once.
    """
    site_ids = {site.name: site.site_id for site in desired.sites}
    by_site: dict[str, list[DeclaredConnection]] = defaultdict(list)
    for connection in desired.connections:
        given = connection
        if connection.lifecycle.ignore_changes and opened.machine is not None:
            here = opened.machine.site(site_ids[connection.site])
            if here.leaves_unfinished(connection.address, connection.account):
                given = replace(connection, lifecycle=replace(connection.lifecycle, ignore_changes=()))
        by_site[connection.site].append(given)
    return by_site


async def each_site(
    sites: Sequence[Site],
    opened: Sessions,
    declared: Mapping[str, Sequence[DeclaredConnection]],
    planned: _PlanSite,
    only: frozenset[str] | None = None,
    beside: Mapping[str, Sequence[DeclaredConnection]] | None = None,
) -> list[SitePlan]:
    """Observe and plan every site, some at once; the plan of an unread site says so.

    With `only`, no more is read than planning the declared connections of these addresses takes; `beside` holds those
    that each site is to be compared with, too.
    """

    async def one(site: Site) -> SitePlan:
        chosen = narrowable(site, declared[site.name], only)
        session = opened[site.name]
        before = session.lookups
        try:
            others = () if beside is None else beside[site.name]
            file = None if opened.machine is None else opened.machine.site(site.site_id).calendars
            foresee = functools.partial(opened.foresee, site.name)
            live = await observe(declared[site.name], session.reader(), chosen, others, file, foresee)
        except ExtcalError as error:
            return SitePlan(site, faults=(Fault(site.source, site.name, str(error)),))
        finally:
            opened.read(site.name)
        return replace(planned(site, live), lookups=session.lookups - before)

    return await run_bounded(one, sites, opened.at_once)


async def with_impact(plan: Plan, opened: Sessions, now: datetime) -> Plan:
    """Count in a plan the busy blocks that would stop protecting a schedule.

    Raises ApiError where the events can't be read.
    """
    sites = await run_bounded(lambda site: _site_impact(site, opened, now), plan.sites, opened.at_once)
    return replace(plan, sites=tuple(sites))


async def _site_impact(site: SitePlan, opened: Sessions, now: datetime) -> SitePlan:
    losing = [action for action in site.actions if _stops_protecting(action)]
    if not losing:
        return site
    schedules = sorted({action.schedule_id for action in losing})
    counts = await _busy_blocks(opened[site.site.name].reader(), schedules, now)
    impacts = {a.address: Impact(counts[a.schedule_id, _family(a.provider)], _IMPACT_DAYS) for a in losing}
    return replace(site, actions=tuple(replace(a, impact=impacts.get(a.address)) for a in site.actions))


def _stops_protecting(action: Action) -> bool:
    """Whether external events would no longer keep the schedule busy."""
    if action.kind.disconnects:
        return action.live_sync is None or action.live_sync.imports is None or bool(action.live_sync.imports.enabled)
    sent = action.sync.imports if action.kind is ActionKind.UPDATE and action.sync else None
    was_on = action.live_sync is not None and action.live_sync.imports is not None and action.live_sync.imports.enabled
    return sent is not None and sent.enabled is False and bool(was_on)


async def _busy_blocks(reader: Reader, schedules: list[str], now: datetime) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    end = now + timedelta(days=_IMPACT_DAYS)
    # The API takes at most 100 schedules in one question.
    for first in range(0, len(schedules), 100):
        query = EventQuery(now.isoformat(), end.isoformat(), tuple(schedules[first : first + 100]))
        for event in (await reader.list_events(query)).events:
            counts[event.schedule_id, word(event.calendar_type) or ""] += 1
    return counts


def _family(provider: str) -> str:
    return provider if provider in {"google", "microsoft", "apple"} else ""


_WHY = "the service's answers contain a secret in what this action rests on"
_HINT = "find out who runs that service, and change the secret; a plan with [secret] in it can't be applied"


def leaving(plan: Plan, redacted: Callable[[Plan], Plan]) -> Plan:
    """Redact a plan that leaves this process.

    A site with an action that would act on something else for that must not be applied.
    """
    shown = redacted(plan)
    if shown is plan:
        return plan
    return replace(shown, sites=tuple(map(_held_back, plan.sites, shown.sites)))


def _held_back(before: SitePlan, after: SitePlan) -> SitePlan:
    faults = [
        Fault(new.source, new.address, _WHY, _HINT)
        for old, new in zip(before.actions, after.actions, strict=True)
        if new.kind.writes and (_acting(old) != _acting(new) or before.site != after.site)
    ]
    return replace(after, faults=(*after.faults, *faults)) if faults else after


def _acting(action: Action) -> Action:
    """An action but for what is only shown of it."""
    return replace(action, error_reason=None, changes=(), source=None)


@dataclass(frozen=True, slots=True)
class Review:
    """The plan that the manifests yield now, and why the saved one does not stand."""

    fresh: Plan
    refusals: tuple[Refusal, ...]


async def review_saved(
    saved: Plan,
    desired: Desired,
    base: Base | None,
    opened: Sessions,
    selection: Selection,
    allowed: frozenset[Allowance] = frozenset(),
) -> Review:
    """Plan every selected site and compare the saved plan with that; only reads are sent.

    With `base`, what it protects is protected in the new plan.
    """
    if base is not None:
        against = await plan_against_base(desired, base, opened, selection, allowed)
        return Review(against.plan, refusals(saved, against.plan, against.live, desired.connections))
    by_site = declared_by_site(desired, opened)
    live: dict[str, LiveSite] = {}

    def planned(site: Site, seen: LiveSite) -> SitePlan:
        live[site.name] = seen
        return plan_site(site, by_site[site.name], seen, allowed=allowed)

    plans = await each_site(selected_sites(desired, selection), opened, by_site, planned)
    fresh = ordered(Plan(tuple(plans), selection.shards))
    return Review(fresh, refusals(saved, fresh, live, desired.connections))
