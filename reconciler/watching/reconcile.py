"""One round over the sites that are to be visited: look, or make it so and look again."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reconciler import workflow
from reconciler.execution.executor import Stop
from reconciler.execution.steps import Consent
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.planning.guards import Allowance
from reconciler.watching.site_round import Visit
from reconciler.workflow.run import Look, carry_out, look, prepare, to_do

_OWNER = "extcal watch"
_NOTHING_SENT = {OutcomeStatus.SKIPPED, OutcomeStatus.AWAITING_CONSENT}


@dataclass(frozen=True, slots=True)
class Tidings:
    """Who hears what is done while it is done; `writing` hears that from here on something may be changed."""

    settled: Callable[[Settled], None]
    outcome: Callable[[Outcome], None]
    writing: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What is reconciled; nothing is written unless `applies`."""

    desired: Desired
    selection: workflow.Selection
    allowed: frozenset[Allowance]
    applies: bool

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that are visited."""
        return workflow.selected_sites(self.desired, self.selection)


async def reconcile(task: Task, service: workflow.Service, stop: Stop, tidings: Tidings) -> list[Visit] | None:
    """Visit the sites; None where it was stopped while something was written, so that nothing can be said of them.

    Raises ExtcalError where this machine has no place for locks, or the service no address.
    """
    if task.applies:
        return await _apply(task, service, stop, tidings)
    async with workflow.sessions(task.sites, service) as opened:
        found = await look(task.desired, opened, task.selection, task.allowed)
        return [Visit(each.plan, each.plan, each.status, (), opened[name].requests) for name, each in found.items()]


async def _apply(task: Task, service: workflow.Service, stop: Stop, tidings: Tidings) -> list[Visit] | None:
    work = _Watched(task)
    with workflow.locked(task.sites, service.machine, _OWNER) as taken:
        async with workflow.sessions(task.sites, service) as opened:
            made = await prepare(work, opened, service.machine, taken, task.allowed, tidings.settled)
            if to_do(made):
                tidings.writing()
            result = await carry_out(
                made,
                work,
                opened,
                service.machine,
                allowed=task.allowed,
                # Nobody is there to be asked, and a link in a log could be opened by anybody who reads it.
                consent=Consent.SKIP,
                stop=stop,
                told=tidings.outcome,
            )
            requests = {name: session.requests for name, session in opened.items()}
    if result.interrupted:
        return None
    by_site: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in result.outcomes:
        by_site[outcome.action.site].append(outcome)
    return [work.visit(first, by_site[first.site.name], requests[first.site.name]) for first in result.plan.sites]


class _Watched:
    """The sites as work to be carried out, with the last look at each of them."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._found: dict[str, Look] = {}

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that are visited."""
        return self._task.sites

    async def plan(self, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Look at all of them."""
        self._found = await look(self._task.desired, opened, self._task.selection, allowed)
        return self._planned()

    async def verify(self, result: Result, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Result:
        """Look again, only where something was done: the others are as they were a moment ago."""
        touched = {outcome.action.site for outcome in result.outcomes if outcome.status not in _NOTHING_SENT}
        selection = replace(self._task.selection, sites=frozenset(touched))
        self._found |= await look(self._task.desired, opened, selection, allowed)
        return result.with_remaining(self._planned())

    def visit(self, first: SitePlan, outcomes: Sequence[Outcome], requests: int) -> Visit:
        """What came of the plan of a site."""
        last = self._found[first.site.name]
        return Visit(first, last.plan, last.status, tuple(outcomes), requests)

    def _planned(self) -> Plan:
        return Plan(tuple(each.plan for each in self._found.values()))
