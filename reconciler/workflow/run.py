"""Runs a plan from beginning to end, and makes the checks that write nothing.

Steps of a run:

1. `prepare` settles the connects that earlier runs left open, plans, and holds back what must not be written to.
2. Whoever calls shows the plan, and may ask whether to go on.
3. `carry_out` applies it, and verifies where anything was done: what still differs is in the result.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from reconciler.errors import ExtcalError
from reconciler.execution.consent import ConsentPrompt, WhyNotAsked
from reconciler.execution.executor import Stop
from reconciler.machine import Machine
from reconciler.model.action import Action
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.live import LiveSite
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.result import Outcome, Result
from reconciler.model.status import FleetStatus, SiteStatus
from reconciler.planning.order import ordered
from reconciler.planning.planner import plan_site
from reconciler.planning.status import status_of, unread_status
from reconciler.workflow.apply_plan import apply
from reconciler.workflow.awaited import note_awaited
from reconciler.workflow.plans import declared_by_site, each_site
from reconciler.workflow.recovery import Faults, recover
from reconciler.workflow.service import Selection, Sessions, selected_sites
from reconciler.workflow.unlisted import note_all_unlisted

_T = TypeVar("_T")


class Work(Protocol):
    """What a run is about: manifests, or a saved plan."""

    @property
    def sites(self) -> Sequence[Site]:
        """The sites that it is about."""
        ...

    async def plan(self, opened: Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Make the plan."""
        ...

    async def verify(self, result: Result, opened: Sessions, allowed: frozenset[Allowance]) -> Result:
        """Add to a result what still differs."""
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

    Whoever calls this holds the locks; `taken` says why some sites are not to be had. `settled` is called with what
    became of each connect that was left open.
    """
    recovered = await recover(work.sites, opened, machine, taken)
    for each in recovered.settled:
        settled(each)
    return recovered.held_back(await work.plan(opened, allowed))


async def carry_out(
    plan: Plan,
    work: Work,
    opened: Sessions,
    machine: Machine,
    *,
    allowed: frozenset[Allowance],
    consent: ConsentMode,
    prompt: ConsentPrompt | None = None,
    why_not_asked: WhyNotAsked | None = None,
    stop: Stop,
    on_outcome: Callable[[Outcome], None],
) -> Result:
    """Apply a plan, and verify where there was anything to do and nobody interrupted it."""
    result = await apply(
        plan,
        opened,
        machine,
        consent=consent,
        prompt=prompt,
        why_not_asked=why_not_asked,
        stop=stop,
        on_outcome=on_outcome,
    )
    with suppress(ExtcalError):
        # Since when somebody is awaited is worth less than the report of what was done.
        note_awaited(result, machine)
    if not to_do(plan) or result.interrupted:
        return result
    verified = await unless_stopped(work.verify(result, opened, allowed), stop)
    return note_all_unlisted(verified, machine) if verified else replace(result, interrupted=True)


def to_do(plan: Plan) -> list[Action]:
    """The actions of a plan that will be applied."""
    return [
        action
        for site in plan.sites
        if site.applyable
        for action in site.actions
        if action.kind.writes and not site.holds_back(action)
    ]


async def unless_stopped(reading: Coroutine[object, object, _T], stop: Stop) -> _T | None:
    """Wait for what reading gives; None where it is stopped before.

    Reading may be given up at any moment.
    """
    tasks = asyncio.create_task(reading), asyncio.create_task(stop.gently.wait())
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
    """Observe and plan every selected site, and say how each connection is; by site name.

    Only reads are sent. A site that can't be read has a plan and a status that say so.
    """
    by_site = declared_by_site(desired, opened)
    seen: dict[str, LiveSite] = {}

    def planned(site: Site, live: LiveSite) -> SitePlan:
        seen[site.name] = live
        return plan_site(site, by_site[site.name], live, allowed=allowed, only=selection.connections)

    def checked(site_plan: SitePlan) -> SiteCheck:
        name = site_plan.site.name
        chosen = [c for c in by_site[name] if selection.connections is None or c.address in selection.connections]
        known = name in seen
        status = status_of(site_plan, chosen, seen[name]) if known else unread_status(site_plan, chosen)
        return SiteCheck(site_plan, status)

    sites = selected_sites(desired, selection)
    plans = await each_site(sites, opened, by_site, planned, selection.connections)
    return {each.site.name: checked(each) for each in ordered(Plan(tuple(plans))).sites}


async def status(desired: Desired, opened: Sessions, selection: Selection) -> FleetStatus:
    """Observe every selected site and say how each declared connection is; only reads are sent.

    A site that can't be read has a status that says so.
    """
    checks = await check_sites(desired, opened, selection)
    return FleetStatus(tuple(checks[name].status for name in sorted(checks)), selection.shards)
