"""`--runner dask`: the sites of a run are planned and applied by the workers of a Dask scheduler, each site a task.

Requests go out and replies come back as JSON text, and what a reply says is believed only of the sites that it was
asked about. A worker that is lost in the midst of reading costs nothing, another one reads again; one that is lost in
the midst of writing is taken over as `worker.apply` says.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from distributed import Client, Future

from reconciler import workflow
from reconciler.cli.dask import worker
from reconciler.cli.dask.client import connected
from reconciler.errors import ExtcalError
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.source import Fault
from reconciler.planning.partition import (
    independent_partitions,
    is_about,
    is_result_of,
    joined_plan,
    joined_result,
)
from reconciler.workflow import Stop

LARGEST_ANSWER = 256 * 1024 * 1024
"""Characters that a worker's reply may have."""
_UNRELATED = "its worker replied about another site"
_FAILED = "its workers failed or were lost. See their logs."
_GIVEN_UP = "the Dask scheduler is gone, or sent something that is not data"


class DaskRunner:
    """One run on the workers of a scheduler; `endpoint` is where they find the API."""

    def __init__(self, client: Client, endpoint: str, allowed: frozenset[Allowance]) -> None:
        self._client = client
        self._endpoint = endpoint
        self._allowed = allowed
        self._run = uuid.uuid4().hex

    async def plan(self, desired: Desired, selection: workflow.Selection, *, named: bool = False) -> Plan:
        """Plan every selected site; one that no worker could plan has a fault that says why.

        With `named`, workers ask for the names of the schedules that are shown.
        """
        sites = workflow.selected_sites(desired, selection)
        futures = [
            self._submitted(
                worker.plan, replace(self._request([site], desired, selection), named=named), f"plan-{site.name}"
            )
            for site in sites
        ]
        plans = await asyncio.gather(*(_planned(*each) for each in zip(futures, sites, strict=True)))
        return joined_plan(plans, selection.shards)

    async def apply(
        self,
        plan: Plan,
        desired: Desired | None,
        selection: workflow.Selection,
        *,
        consent: ConsentMode,
        stop: Stop,
        on_outcome: Callable[[Outcome], None],
    ) -> Result:
        """Carry out a plan and look again; `desired` is None for a saved one.

        Each of the independent partitions is one task.
        """
        partitions = [each for each in independent_partitions(plan) if any(a.kind.writes for a in each.actions)]
        names = [each.sites[0].site.name for each in partitions]
        stopping = asyncio.create_task(self._stop_workers(stop))
        try:
            requests = [
                replace(
                    self._request([site.site for site in each.sites], desired, selection), agreed=each, consent=consent
                )
                for each in partitions
            ]
            futures = [
                self._submitted(worker.apply, request, f"apply-{name}")
                for request, name in zip(requests, names, strict=True)
            ]
            results = await asyncio.gather(
                *(_applied(*each, on_outcome) for each in zip(futures, partitions, strict=True))
            )
            # The scheduler keeps what is set for as long as it lives, and may live no more.
            await asyncio.gather(
                *(worker.begun_event(self._run, name, self._client).clear() for name in names), return_exceptions=True
            )
        finally:
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
        return joined_result(results, plan, interrupted=stop.gently.is_set())

    def _submitted(self, task: Callable[[str], str], request: worker.WorkerRequest, name: str) -> "Future[Any]":
        return self._client.submit(task, worker.packed(request), key=f"{self._run}-{name}", pure=False)

    async def _stop_workers(self, stop: Stop) -> None:
        """Let the workers know that nothing new shall be begun."""
        await stop.gently.wait()
        await worker.stop_event(self._run, self._client).set()

    def _request(
        self, sites: Sequence[Site], desired: Desired | None, selection: workflow.Selection
    ) -> worker.WorkerRequest:
        names = {site.name for site in sites}
        wanted = None
        if desired is not None:
            wanted = Desired(tuple(sites), tuple(c for c in desired.connections if c.site in names))
        return worker.WorkerRequest(
            self._run,
            self._endpoint,
            wanted,
            None if selection.connections is None else tuple(sorted(selection.connections)),
            tuple(sorted(self._allowed, key=str)),
        )


@asynccontextmanager
async def dask_runner(scheduler: str, endpoint: str, allowed: frozenset[Allowance]) -> AsyncIterator[DaskRunner]:
    """A run on the workers of the scheduler at an address; raises ExtcalError where there is none."""
    async with connected(scheduler) as client:
        yield DaskRunner(client, endpoint, allowed)


async def _reply(future: "Future[Any]") -> worker.WorkerReply:
    """What a worker replied, or why there is no reply, whatever came: one site's must not hide the others'."""
    # The error of a task is a pickle, and was not read.
    await future.exception()
    if future.status != "finished":
        return worker.WorkerReply(error=_FAILED if future.status == "error" else _GIVEN_UP)
    try:
        text = await future.result()
    except Exception as error:  # noqa: BLE001 - what came is no data, or the scheduler is gone
        return worker.WorkerReply(error=f"its worker's reply can't be read: {type(error).__name__}")
    if not isinstance(text, str) or len(text) > LARGEST_ANSWER:
        mib = LARGEST_ANSWER // 1024 // 1024
        return worker.WorkerReply(error=f"its worker's reply is not a text of at most {mib} MiB")
    try:
        return worker.unpacked(worker.WorkerReply, text)
    except ExtcalError as error:
        return worker.WorkerReply(error=f"its worker's reply is {error}")


async def _planned(future: "Future[Any]", site: Site) -> SitePlan:
    """The plan of a site, or one with a fault that says why there is none."""
    reply = await _reply(future)
    why = reply.error or _UNRELATED
    if reply.error is None and reply.plan is not None and is_about(reply.plan, [site]):
        return reply.plan.sites[0]
    return SitePlan(site, faults=(Fault(site.source, site.name, why),))


async def _applied(future: "Future[Any]", partition: Plan, on_outcome: Callable[[Outcome], None]) -> Result:
    """What came of a partition, each outcome reported."""
    reply = await _reply(future)
    result = reply.result
    if reply.error is not None or result is None or not is_result_of(partition, result):
        result = _unknown(partition, reply.error or _UNRELATED)
    for outcome in result.outcomes:
        on_outcome(outcome)
    return result


def _unknown(partition: Plan, why: str) -> Result:
    error = f"its outcome is unknown ({why}). Apply again: it first looks up what became of this action."
    outcomes = tuple(Outcome(a, OutcomeStatus.UNKNOWN, error=error) for a in partition.actions if a.kind.writes)
    return Result(partition, outcomes)
