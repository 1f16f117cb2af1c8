"""Reconciles the sites that are due in one round.

Each is observed and planned; with `--apply` the plan is carried out, and sites where anything was done are checked
again.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reconciler import workflow
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.watching.site_round import SiteRound
from reconciler.workflow import SiteCheck, Stop, carry_out, check_sites, prepare, to_do

_OWNER = "extcal watch"
_NOTHING_SENT = {OutcomeStatus.SKIPPED, OutcomeStatus.AWAITING_CONSENT}


@dataclass(frozen=True, slots=True)
class RoundListener:
    """What is called while a round goes on; `writing` before anything may be changed."""

    settled: Callable[[Settled], None]
    outcome: Callable[[Outcome], None]
    writing: Callable[[], None]


@dataclass(frozen=True, slots=True)
class WatchScope:
    """What one round reconciles; nothing is written unless `applies`."""

    desired: Desired
    selection: workflow.Selection
    allowed: frozenset[Allowance]
    applies: bool

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that are due."""
        return workflow.selected_sites(self.desired, self.selection)


async def reconcile(
    scope: WatchScope, service: workflow.Service, stop: Stop, listener: RoundListener
) -> list[SiteRound] | None:
    """Reconcile the sites; None where it was stopped while something was written.

    Raises ExtcalError where this machine has no place for locks, or the service no address.
    """
    if scope.applies:
        return await _apply(scope, service, stop, listener)
    async with workflow.sessions(scope.sites, service) as opened:
        found = await check_sites(scope.desired, opened, scope.selection, scope.allowed)
        return [SiteRound(each.plan, each.plan, each.status, (), opened[name].requests) for name, each in found.items()]


async def _apply(
    scope: WatchScope, service: workflow.Service, stop: Stop, listener: RoundListener
) -> list[SiteRound] | None:
    work = _WatchedSites(scope)
    with workflow.locked(scope.sites, service.machine, _OWNER) as taken:
        async with workflow.sessions(scope.sites, service) as opened:
            plan = await prepare(work, opened, service.machine, taken, scope.allowed, listener.settled)
            if to_do(plan):
                listener.writing()
            result = await carry_out(
                plan,
                work,
                opened,
                service.machine,
                allowed=scope.allowed,
                # Nobody is there to be asked, and a link in a log could be opened by anybody who reads it.
                consent=ConsentMode.SKIP,
                stop=stop,
                on_outcome=listener.outcome,
            )
            requests = {name: session.requests for name, session in opened.items()}
    if result.interrupted:
        return None
    by_site: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in result.outcomes:
        by_site[outcome.action.site].append(outcome)
    return [work.site_round(first, by_site[first.site.name], requests[first.site.name]) for first in result.plan.sites]


class _WatchedSites:
    """The sites as work to be carried out, with the last check of each of them."""

    def __init__(self, scope: WatchScope) -> None:
        self._scope = scope
        self._checks: dict[str, SiteCheck] = {}

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that are due."""
        return self._scope.sites

    async def plan(self, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Check all of them."""
        self._checks = await check_sites(self._scope.desired, opened, self._scope.selection, allowed)
        return self._planned()

    async def verify(self, result: Result, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Result:
        """Check again, only where something was done: the others are as they were a moment ago."""
        touched = {outcome.action.site for outcome in result.outcomes if outcome.status not in _NOTHING_SENT}
        selection = replace(self._scope.selection, sites=frozenset(touched))
        self._checks |= await check_sites(self._scope.desired, opened, selection, allowed)
        return workflow.checked_by_plan(result, self._planned())

    def site_round(self, first: SitePlan, outcomes: Sequence[Outcome], requests: int) -> SiteRound:
        """What came of the plan of a site."""
        last = self._checks[first.site.name]
        return SiteRound(first, last.plan, last.status, tuple(outcomes), requests)

    def _planned(self) -> Plan:
        return Plan(tuple(each.plan for each in self._checks.values()))
