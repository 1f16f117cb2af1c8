"""How a run of apply goes: what it carries out, here or on the workers of a Dask scheduler."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler import planfile, workflow
from reconciler.cli.consent import ConsentSession
from reconciler.cli.console import Console
from reconciler.cli.dask.options import NO_UNDO, NO_WAITING, dask
from reconciler.cli.resolve import tell_settled
from reconciler.errors import UsageError
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, Result
from reconciler.model.shards import Shards
from reconciler.planning.guards import Allowance, overruled
from reconciler.planning.partition import partition_of
from reconciler.planning.undo import Undo
from reconciler.workflow import Stop, Work, without_secrets

if TYPE_CHECKING:
    from reconciler.cli.dask.driver import DaskRunner


@dataclass(frozen=True, slots=True)
class Manifests:
    """Manifests, planned now and planned again after applying."""

    desired: Desired
    selection: workflow.Selection

    @property
    def sites(self) -> Sequence[Site]:
        """The selected sites."""
        return workflow.selected_sites(self.desired, self.selection)

    async def plan(self, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Plan against the live state."""
        return await workflow.plan(self.desired, opened, self.selection, allowed)

    async def verify(self, result: Result, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Result:
        """Plan again."""
        return await workflow.verify(result, self.desired, opened, self.selection, allowed)


class Saved:
    """A plan that `plan --out` saved, or the part of it that is in `shards`; `digest` is what its must be.

    `whole` is all of it.

    After applying, its own actions are looked at.
    """

    def __init__(self, file: Path, shards: Shards | None = None, digest: str | None = None) -> None:
        self.whole = planfile.load(file, digest)
        self._plan = partition_of(self.whole, shards)

    @property
    def sites(self) -> Sequence[Site]:
        """The sites of the plan."""
        return [site.site for site in self._plan.sites]

    async def plan(self, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Plan:
        """The plan as it was made, with the guards that are overruled now."""
        del opened
        return overruled(self._plan, allowed)

    async def verify(self, result: Result, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Result:
        """Look whether what was done is there."""
        del allowed
        return await workflow.verify_saved(result, opened)


Told = Callable[[Outcome], None]


class Running(Protocol):
    """One run, from the plan to the look back."""

    async def plan(self) -> Plan:
        """The plan, with what must not be written to held back."""
        ...

    async def failing(self, made: Plan) -> tuple[Outcome, ...]:
        """What of it is known to fail before anything is begun."""
        ...

    async def apply(self, made: Plan, consent: ConsentSession, stop: Stop, told: Told) -> Result:
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

        return await workflow.prepare(self.work, self.opened, self.service.machine, self.taken, self.allowed, settled)

    async def failing(self, made: Plan) -> tuple[Outcome, ...]:
        """The actions that lack a secret."""
        return await without_secrets(made, self.opened)

    async def apply(self, made: Plan, consent: ConsentSession, stop: Stop, told: Told) -> Result:
        """Carry it out with the journals of this machine."""
        machine = self.service.machine
        return await workflow.carry_out(
            made,
            self.work,
            self.opened,
            machine,
            allowed=self.allowed,
            consent=consent.mode,
            prompt=consent.prompt,
            stop=stop,
            told=told,
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

    async def apply(self, made: Plan, consent: ConsentSession, stop: Stop, told: Told) -> Result:
        """Let the workers carry it out and look again."""
        if consent.mode is ConsentMode.WAIT:
            raise UsageError(NO_WAITING)
        desired = self.work.desired if isinstance(self.work, Manifests) else None
        selection = self.work.selection if isinstance(self.work, Manifests) else workflow.Selection()
        return await self.runner.apply(made, desired, selection, consent=consent.mode, stop=stop, told=told)

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
