"""How a run of apply is done: by this process, or by the workers of a Dask scheduler. The story is the same."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reconciler import workflow
from reconciler.cli.console import Console
from reconciler.cli.resolve import tell_settled
from reconciler.cli.runner import NO_UNDO, NO_WAITING, dask
from reconciler.cli.work import Manifests
from reconciler.errors import UsageError
from reconciler.execution.consent import Waiting
from reconciler.execution.executor import Stop
from reconciler.execution.steps import Consent
from reconciler.model.intent import Settled
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, Result
from reconciler.planning.guards import Allowance
from reconciler.planning.undo import Undo
from reconciler.workflow import rounds
from reconciler.workflow.missing_secrets import without_secrets
from reconciler.workflow.rounds import Work

if TYPE_CHECKING:
    from reconciler.cli.dask_runner import DaskRunner

Told = Callable[[Outcome], None]


class Running(Protocol):
    """One run, from the plan to the look back."""

    async def plan(self) -> Plan:
        """The plan, with what must not be written to held back."""
        ...

    async def failing(self, made: Plan) -> tuple[Outcome, ...]:
        """What of it is known to fail before anything is begun."""
        ...

    async def apply(self, made: Plan, consent: Consent | Waiting, stop: Stop, told: Told) -> Result:
        """Carry it out, and look again unless it was interrupted."""
        ...

    async def undo(self, result: Result) -> Undo:
        """How to go back."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """A run by this process, which holds the locks of all sites that are not `taken` by another one."""

    work: Work
    opened: workflow.Sessions
    service: workflow.Service
    taken: workflow.Faults
    allowed: frozenset[Allowance]
    console: Console

    async def plan(self) -> Plan:
        """Settle what earlier runs left open, tell of it, and plan."""

        def settled(found: Settled) -> None:
            tell_settled(found, self.console)

        return await rounds.prepare(self.work, self.opened, self.service.machine, self.taken, self.allowed, settled)

    async def failing(self, made: Plan) -> tuple[Outcome, ...]:
        """The actions that lack a secret."""
        return await without_secrets(made, self.opened)

    async def apply(self, made: Plan, consent: Consent | Waiting, stop: Stop, told: Told) -> Result:
        """Carry it out with the journals of this machine."""
        machine = self.service.machine
        return await rounds.carry_out(
            made, self.work, self.opened, machine, allowed=self.allowed, consent=consent, stop=stop, told=told
        )

    async def undo(self, result: Result) -> Undo:
        """How to go back from the live state as it is now."""
        return await workflow.undo(result, self.opened)


@dataclass(frozen=True, slots=True)
class ByWorkers:
    """A run by the workers of a scheduler; locks and journals are theirs."""

    work: Work
    runner: "DaskRunner"
    allowed: frozenset[Allowance]

    async def plan(self) -> Plan:
        """Let the workers plan; a saved plan is there already."""
        if isinstance(self.work, Manifests):
            return await self.runner.plan(self.work.desired, self.work.selection)
        return await self.work.plan(workflow.Sessions({}), self.allowed)

    async def failing(self, made: Plan) -> tuple[Outcome, ...]:
        """The secrets are the workers', who look before they begin."""
        del made
        return ()

    async def apply(self, made: Plan, consent: Consent | Waiting, stop: Stop, told: Told) -> Result:
        """Let the workers carry it out and look again."""
        if isinstance(consent, Waiting):
            raise UsageError(NO_WAITING)
        desired = self.work.desired if isinstance(self.work, Manifests) else None
        selection = self.work.selection if isinstance(self.work, Manifests) else workflow.Selection()
        return await self.runner.apply(made, desired, selection, consent=consent, stop=stop, told=told)

    async def undo(self, result: Result) -> Undo:
        """It would be written from what this process reads, and it reads nothing."""
        del result
        raise UsageError(NO_UNDO)


@asynccontextmanager
async def by_workers(
    work: Work, scheduler: str, endpoint: str, allowed: frozenset[Allowance]
) -> AsyncIterator[ByWorkers]:
    """A run by the workers of the scheduler at an address."""
    async with dask(scheduler, endpoint, allowed) as runner:
        yield ByWorkers(work, runner, allowed)


@asynccontextmanager
async def here(
    work: Work, service: workflow.Service, allowed: frozenset[Allowance], console: Console
) -> AsyncIterator[Here]:
    """A run by this process."""
    with workflow.locked(work.sites, service.machine, "extcal apply") as taken:
        async with workflow.sessions(work.sites, service) as opened:
            yield Here(work, opened, service, taken, allowed, console)
