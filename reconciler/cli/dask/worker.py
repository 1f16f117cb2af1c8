"""What a worker of `--runner dask` does: it plans or applies a few sites as the command would do it there.

Secrets are resolved from the worker's own environment and never travel. Requests go in and replies come back as JSON
text, which is checked on either side: nothing that travels is code. The state folder is the worker's, so the journal
of a run that was killed is found by a worker that shares its folder, and by no other.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from distributed import Client, Event

from reconciler import workflow
from reconciler.cli.options import GlobalOptions
from reconciler.cli.target import target
from reconciler.errors import ExtcalError
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired
from reconciler.model.encoding import DecodingError, canonical, decoded, encoded
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Result
from reconciler.workflow import Stop, as_agreed

_STOP_SECONDS = 1.0
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """What a worker is to do: where the API is, and what a few sites shall be like; references to secrets, no values.

    `desired` is None where a saved plan is carried out; `agreed` is what an apply carries out. `run` tells the runs of
    a scheduler apart. `named` asks for the names of the schedules that a plan shows.
    """

    run: str
    endpoint: str
    desired: Desired | None
    connections: tuple[str, ...] | None
    allowed: tuple[Allowance, ...]
    agreed: Plan | None = None
    consent: ConsentMode = ConsentMode.SKIP
    named: bool = False

    @property
    def selection(self) -> workflow.Selection:
        """What of the sites is meant."""
        return workflow.Selection(None, None if self.connections is None else frozenset(self.connections))

    @property
    def overruled(self) -> frozenset[Allowance]:
        """The guards that are overruled."""
        return frozenset(self.allowed)


@dataclass(frozen=True, slots=True)
class WorkerReply:
    """What a worker replies: what it planned or did, or why it did nothing."""

    plan: Plan | None = None
    result: Result | None = None
    error: str | None = None


def packed(value: object) -> str:
    """A value as the text that travels."""
    return canonical(encoded(value, sources=True))


def unpacked(wanted: type[_Value], text: str) -> _Value:
    """The value of type `wanted` that a text describes; raises ExtcalError where it does not."""
    try:
        return decoded(wanted, json.loads(text))
    # Values of the right types may still not go together.
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, DecodingError) else "no JSON"
        raise ExtcalError(f"not understood ({why}): install the same version of extcal on the workers") from error


def plan(request: str) -> str:
    """Plan the sites of a request; whoever is asked again after a worker was lost may simply do it again."""
    return _reply(lambda: WorkerReply(plan=asyncio.run(_plan(unpacked(WorkerRequest, request)))))


def apply(request: str) -> str:
    """Carry out the plan of a few sites and look again.

    Should a worker be lost in the midst of it, another one is given the same task. It sees that it was begun, looks
    for what each connect of the plan may have made, for as long as for a lost answer, and goes on from there.
    """

    def work() -> WorkerReply:
        wanted = unpacked(WorkerRequest, request)
        assert wanted.agreed is not None  # noqa: S101 - what is carried out
        begun = begun_event(wanted.run, wanted.agreed.sites[0].site.name)
        taken_over = begun.is_set()
        begun.set()
        return WorkerReply(result=asyncio.run(_apply(wanted, wanted.agreed, taken_over=taken_over)))

    return _reply(work)


def stop_event(run: str, client: Client | None = None) -> Event:
    """Set by whoever started a run, when its workers shall begin nothing new."""
    return Event(f"extcal-stop-{run}", client)


def begun_event(run: str, site: str, client: Client | None = None) -> Event:
    """Set by the worker that begins to write to a site, or to the sites that go with it."""
    return Event(f"extcal-begun-{run}-{site}", client)


def _reply(work: Callable[[], WorkerReply]) -> str:
    """What came of it; an error that nobody foresaw is for the worker's log alone."""
    try:
        return packed(work())
    except ExtcalError as error:
        return packed(WorkerReply(error=str(error)))


async def _plan(request: WorkerRequest) -> Plan:
    desired = request.desired
    assert desired is not None  # noqa: S101 - a saved plan is not planned
    with target(GlobalOptions(endpoint=request.endpoint, quiet=True)) as found:
        async with workflow.sessions(desired.sites, found.service) as opened:
            plan = await workflow.plan(desired, opened, request.selection, request.overruled)
            if request.named:
                plan = await workflow.with_schedule_names(plan, opened, lambda _site, _why: None)
            # Whoever has asked knows no secret, and could take none out.
            return workflow.leaving(plan, found.service.secrets.redacted)


async def _apply(request: WorkerRequest, plan: Plan, *, taken_over: bool) -> Result:
    sites = [site.site for site in plan.sites]
    with (
        target(GlobalOptions(endpoint=request.endpoint, quiet=True)) as found,
        workflow.locked(sites, found.service.machine, f"extcal apply, run {request.run}") as taken,
    ):
        machine = found.service.machine
        async with workflow.sessions(sites, found.service) as opened:
            recovered = await workflow.recover(sites, opened, machine, taken, lost=plan if taken_over else None)
            if taken_over and request.desired is not None:
                anew = await workflow.plan(request.desired, opened, request.selection, request.overruled)
                plan = as_agreed(anew, plan)
            plan = recovered.held_back(plan)
            stop = Stop()
            stopping = asyncio.create_task(_stop_with(request.run, stop))
            try:
                result = await workflow.apply(
                    plan, opened, machine, consent=request.consent, stop=stop, on_outcome=lambda _outcome: None
                )
            finally:
                stopping.cancel()
                await asyncio.wait([stopping])
            if request.desired is None and not result.interrupted:
                result = await workflow.verify_saved(result, opened)
            elif request.desired is not None and not result.interrupted:
                result = await workflow.verify(result, request.desired, opened, request.selection, request.overruled)
            return found.service.secrets.redacted(workflow.note_all_unlisted(result, machine))


async def _stop_with(run: str, stop: Stop) -> None:
    event = stop_event(run)
    # The event is the scheduler's: it can only be asked for, not waited for in this loop.
    while not await asyncio.to_thread(event.is_set):  # noqa: ASYNC110
        await asyncio.sleep(_STOP_SECONDS)
    stop.gently.set()
