"""What a worker of `--runner dask` does: it plans or applies a few sites as the command would do it there.

Secrets are resolved from the worker's own environment and never travel; values go in and come back. The state folder
is the worker's, so the journal of a run that was killed is found by a worker that shares its folder, and by no other.
"""

import asyncio
from dataclasses import dataclass

from distributed import Client, Event

from reconciler import workflow
from reconciler.cli.options import Globals
from reconciler.cli.target import target
from reconciler.execution.executor import Stop
from reconciler.execution.steps import Consent
from reconciler.model.desired import Desired
from reconciler.model.plan import Plan
from reconciler.model.result import Result
from reconciler.planning.guards import Allowance
from reconciler.workflow.recovering import as_agreed

_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is told: where the API is, and what a few sites shall be like; references to secrets, no values.

    `desired` is None where a saved plan is carried out; `run` tells the runs of a scheduler apart.
    """

    run: str
    endpoint: str
    desired: Desired | None
    selection: workflow.Selection
    allowed: frozenset[Allowance]


def plan(errand: Errand) -> Plan:
    """Plan the sites of an errand; whoever is asked again after a worker was lost may simply do it again."""
    assert errand.desired is not None  # noqa: S101 - a saved plan is not planned
    desired = errand.desired

    async def story() -> Plan:
        with target(Globals(endpoint=errand.endpoint, quiet=True)) as found:
            async with workflow.sessions(desired.sites, found.service) as opened:
                made = await workflow.plan(desired, opened, errand.selection, errand.allowed)
                return workflow.leaving(made, found.service.secrets.redacted)

    return asyncio.run(story())


def stop_event(run: str, client: Client | None = None) -> Event:
    """Set by whoever started a run, when its workers shall begin nothing new."""
    return Event(f"extcal-stop-{run}", client)


def begun_event(run: str, site: str, client: Client | None = None) -> Event:
    """Set by the worker that begins to write to a site, or to the sites that go with it."""
    return Event(f"extcal-begun-{run}-{site}", client)


def apply(errand: Errand, made: Plan, consent: Consent) -> Result:
    """Carry out the plan of a few sites and look again.

    Should a worker be lost in the midst of it, another one is given the same task. It sees that it was begun, looks
    for what each connect of the plan may have made, for as long as for a lost answer, and goes on from there.
    """
    sites = [site.site for site in made.sites]
    begun = begun_event(errand.run, sites[0].name)
    taken_over = begun.is_set()
    begun.set()
    return asyncio.run(_apply(errand, made, consent, taken_over=taken_over))


async def _apply(errand: Errand, made: Plan, consent: Consent, *, taken_over: bool) -> Result:
    sites = [site.site for site in made.sites]
    with (
        target(Globals(endpoint=errand.endpoint, quiet=True)) as found,
        workflow.locked(sites, found.service.machine, f"extcal apply, run {errand.run}") as taken,
    ):
        machine = found.service.machine
        async with workflow.sessions(sites, found.service) as opened:
            recovered = await workflow.recover(sites, opened, machine, taken, lost=made if taken_over else None)
            if taken_over and errand.desired is not None:
                anew = await workflow.plan(errand.desired, opened, errand.selection, errand.allowed)
                made = as_agreed(anew, made)
            made = workflow.held_back(made, recovered.faults)
            stop = Stop()
            watching = asyncio.create_task(_stop_with(errand.run, stop))
            try:
                result = await workflow.apply(
                    made, opened, machine, consent=consent, stop=stop, told=lambda _outcome: None
                )
            finally:
                watching.cancel()
                await asyncio.wait([watching])
            if errand.desired is None and not result.interrupted:
                result = await workflow.verify_saved(result, opened)
            elif errand.desired is not None and not result.interrupted:
                result = await workflow.verify(result, errand.desired, opened, errand.selection, errand.allowed)
            # Whoever has asked knows no secret, and could take none out.
            return found.service.secrets.redacted(result)


async def _stop_with(run: str, stop: Stop) -> None:
    event = stop_event(run)
    # The event is the scheduler's: it can only be asked for, not waited for in this loop.
    while not await asyncio.to_thread(event.is_set):  # noqa: ASYNC110
        await asyncio.sleep(_STOP_SECONDS)
    stop.gently.set()
