"""`--runner dask`: the sites of a run are planned and applied by the workers of a Dask scheduler, each site a task.

Plans and results come back as values. A worker that is lost in the midst of reading costs nothing, another one reads
again; one that is lost in the midst of writing is taken over as `remote.apply` says.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from distributed import Client, Future

from reconciler import workflow
from reconciler.cli import remote
from reconciler.errors import ExtcalError
from reconciler.execution.executor import Stop
from reconciler.execution.steps import Consent
from reconciler.model.desired import Desired, Site
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.source import Fault
from reconciler.planning.guards import Allowance
from reconciler.planning.order import ordered

_CONNECT_SECONDS = 10


class DaskRunner:
    """One run on the workers of a scheduler; `endpoint` is where they find the API."""

    def __init__(self, client: Client, endpoint: str, allowed: frozenset[Allowance]) -> None:
        self._client = client
        self._endpoint = endpoint
        self._allowed = allowed
        self._run = uuid.uuid4().hex

    async def plan(self, desired: Desired, selection: workflow.Selection) -> Plan:
        """Plan every selected site; one that no worker could plan has a fault that says why."""
        sites = workflow.selected_sites(desired, selection)
        futures = [
            self._client.submit(
                remote.plan, self._errand([site], desired, selection), key=f"{self._run}-plan-{site.name}", pure=False
            )
            for site in sites
        ]
        answers = await asyncio.gather(*map(_answer, futures))
        plans: list[SitePlan] = []
        for site, answer in zip(sites, answers, strict=True):
            failed = SitePlan(site, faults=(Fault(site.source, site.name, str(answer)),))
            plans += answer.sites if isinstance(answer, Plan) else [failed]
        return ordered(Plan(tuple(plans), selection.shards))

    async def apply(
        self,
        made: Plan,
        desired: Desired | None,
        selection: workflow.Selection,
        *,
        consent: Consent,
        stop: Stop,
        told: Callable[[Outcome], None],
    ) -> Result:
        """Carry out a plan and look again; `desired` is None for a saved one.

        Sites whose actions wait for each other are one task.
        """
        groups = [group for group in together(made) if any(action.kind.writes for action in group.actions)]
        telling = asyncio.create_task(self._tell(stop))
        try:
            futures = [
                self._client.submit(
                    remote.apply,
                    self._errand([site.site for site in group.sites], desired, selection),
                    group,
                    consent,
                    key=f"{self._run}-apply-{group.sites[0].site.name}",
                    pure=False,
                )
                for group in groups
            ]
            results = await asyncio.gather(*(_ended(*each, told) for each in zip(futures, groups, strict=True)))
            # The scheduler keeps what is set for as long as it lives.
            names = [group.sites[0].site.name for group in groups]
            await asyncio.gather(*(remote.begun_event(self._run, name, self._client).clear() for name in names))
        finally:
            telling.cancel()
            await asyncio.wait([telling])
        return joined(results, made, interrupted=stop.gently.is_set())

    async def _tell(self, stop: Stop) -> None:
        """Let the workers know that nothing new shall be begun."""
        await stop.gently.wait()
        await remote.stop_event(self._run, self._client).set()

    def _errand(self, sites: Sequence[Site], desired: Desired | None, selection: workflow.Selection) -> remote.Errand:
        names = {site.name for site in sites}
        wanted = None
        if desired is not None:
            wanted = Desired(tuple(sites), tuple(c for c in desired.connections if c.site in names))
        return remote.Errand(
            self._run, self._endpoint, wanted, workflow.Selection(None, selection.connections), self._allowed
        )


@asynccontextmanager
async def dask_runner(scheduler: str, endpoint: str, allowed: frozenset[Allowance]) -> AsyncIterator[DaskRunner]:
    """A run on the workers of the scheduler at an address; raises ExtcalError where there is none."""
    try:
        client = await Client(scheduler, asynchronous=True, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ExtcalError(f"--scheduler {scheduler}: no Dask scheduler answers there: {error}") from error
    try:
        if not await client.nthreads():
            raise ExtcalError(f"--scheduler {scheduler}: it has no workers; start some: dask worker {scheduler}")
        yield DaskRunner(client, endpoint, allowed)
    finally:
        await client.close()


async def _answer(future: "Future[Any]") -> object:
    """What a task answered, or the error that it ended with, whatever it is: one site's must not hide the others'."""
    error = await future.exception()
    if error is None:
        return await future.result()
    return error if isinstance(error, ExtcalError) else f"{type(error).__name__}: {error}"


async def _ended(future: "Future[Any]", part: Plan, told: Callable[[Outcome], None]) -> Result:
    """What came of a part of the plan, each outcome told."""
    answer = await _answer(future)
    result = answer if isinstance(answer, Result) else _unknown(part, str(answer))
    for outcome in result.outcomes:
        told(outcome)
    return result


def together(made: Plan) -> Iterator[Plan]:
    """The plan in parts that can be carried out apart: sites whose actions wait for each other are in one."""
    by_address = {action.address: action.site for action in made.actions}
    leader = {site.site.name: site.site.name for site in made.sites}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for action in made.actions:
        for address in action.after:
            if address in by_address:
                leader[find(action.site)] = find(by_address[address])
    for name in sorted({find(site.site.name) for site in made.sites}):
        yield Plan(tuple(site for site in made.sites if find(site.site.name) == name))


def joined(results: Sequence[Result], made: Plan, *, interrupted: bool) -> Result:
    """The results of all parts as one."""
    planned = {site.site.name: site for result in results for site in result.plan.sites}
    looked = [result.remaining for result in results if result.remaining is not None]
    return Result(
        replace(made, sites=tuple(planned.get(site.site.name, site) for site in made.sites)),
        tuple(sorted((o for result in results for o in result.outcomes), key=lambda o: o.action.address)),
        Plan(tuple(site for each in looked for site in each.sites)) if len(looked) == len(results) else None,
        interrupted=interrupted or any(result.interrupted for result in results),
    )


def _unknown(part: Plan, why: str) -> Result:
    error = f"no worker told how it ended ({why}); apply again: what became of it is looked for first"
    outcomes = tuple(Outcome(a, OutcomeStatus.UNKNOWN, error=error) for a in part.actions if a.kind.writes)
    return Result(part, outcomes)
