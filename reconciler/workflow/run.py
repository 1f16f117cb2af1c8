"""One round of reconciling: settle what was left open, plan, carry it out, look again; and looking without writing."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from reconciler.execution.consent import ConsentPrompt
from reconciler.execution.executor import Stop
from reconciler.machine import Machine
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.live import LiveSite
from reconciler.model.plan import Action, Plan, SitePlan
from reconciler.model.result import Outcome, Result
from reconciler.model.status import FleetStatus, SiteStatus
from reconciler.planning.guards import Allowance
from reconciler.planning.order import ordered
from reconciler.planning.planner import plan_site
from reconciler.planning.status import status_of, unread_status
from reconciler.workflow.apply_plan import apply
from reconciler.workflow.plans import declared_by_site, each_site
from reconciler.workflow.recovery import Faults, recover
from reconciler.workflow.service import Selection, Sessions, selected_sites

_T = TypeVar("_T")


class Work(Protocol):
    """What is to be carried out."""

    @property
    def sites(self) -> Sequence[Site]:
        """The sites that it is about."""
        ...

    async def plan(self, opened: Sessions, allowed: frozenset[Allowance]) -> Plan:
        """The plan to carry out."""
        ...

    async def verify(self, result: Result, opened: Sessions, allowed: frozenset[Allowance]) -> Result:
        """The result with what still differs."""
        ...


async def prepare(
    work: Work,
    opened: Sessions,
    machine: Machine,
    taken: Faults,
    allowed: frozenset[Allowance],
    settled: Callable[[Settled], None],
) -> Plan:
    """Settle what earlier runs left open, and plan, with what must not be written to held back.

    Whoever calls this holds the locks; `taken` says why some sites are not to be had. `settled` hears what became of
    each connect that was left open.
    """
    recovered = await recover(work.sites, opened, machine, taken)
    for each in recovered.settled:
        settled(each)
    return recovered.held_back(await work.plan(opened, allowed))


async def carry_out(
    made: Plan,
    work: Work,
    opened: Sessions,
    machine: Machine,
    *,
    allowed: frozenset[Allowance],
    consent: ConsentMode,
    prompt: ConsentPrompt | None = None,
    stop: Stop,
    told: Callable[[Outcome], None],
) -> Result:
    """Carry out what `prepare` made, and look again where there was anything to do and nobody interrupted it."""
    result = await apply(made, opened, machine, consent=consent, prompt=prompt, stop=stop, told=told)
    if not to_do(made) or result.interrupted:
        return result
    verified = await unless_stopped(work.verify(result, opened, allowed), stop)
    return verified or replace(result, interrupted=True)


def to_do(made: Plan) -> list[Action]:
    """What will be carried out of a plan."""
    return [
        action
        for site in made.sites
        if site.applyable
        for action in site.actions
        if action.kind.writes and not site.holds_back(action)
    ]


async def unless_stopped(looking: Coroutine[object, object, _T], stop: Stop) -> _T | None:
    """What looking gives, or None where it is stopped before; looking may be given up at any moment."""
    tasks = asyncio.create_task(looking), asyncio.create_task(stop.gently.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return None if stop.gently.is_set() else await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@dataclass(frozen=True, slots=True)
class SiteCheck:
    """What was observed of a site: the plan that follows, and how each connection is."""

    plan: SitePlan
    status: SiteStatus


async def check_sites(
    desired: Desired, opened: Sessions, selection: Selection, allowed: frozenset[Allowance] = frozenset()
) -> dict[str, SiteCheck]:
    """Observe every selected site, plan, and say how each connection is; by the names of the sites.

    Only reads are sent. A site that can't be read has a plan and a status that say so.
    """
    by_site = declared_by_site(desired, opened)
    seen: dict[str, LiveSite] = {}

    def planned(site: Site, live: LiveSite) -> SitePlan:
        seen[site.name] = live
        return plan_site(site, by_site[site.name], live, allowed=allowed, only=selection.connections)

    def judged(made: SitePlan) -> SiteCheck:
        name = made.site.name
        chosen = [c for c in by_site[name] if selection.connections is None or c.address in selection.connections]
        return SiteCheck(made, status_of(made, chosen, seen[name]) if name in seen else unread_status(made, chosen))

    sites = selected_sites(desired, selection)
    plans = await each_site(sites, opened, by_site, planned, selection.connections)
    return {made.site.name: judged(made) for made in ordered(Plan(tuple(plans))).sites}


async def status(desired: Desired, opened: Sessions, selection: Selection) -> FleetStatus:
    """Read the live state of every selected site and say how each declared connection is; only reads are sent.

    A site that can't be read has a status that says so.
    """
    checks = await check_sites(desired, opened, selection)
    return FleetStatus(tuple(checks[name].status for name in sorted(checks)), selection.shards)
