"""A run of apply: what it carries out, in this process or on the workers of a Dask scheduler, and its undo."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler import planfile, workflow
from reconciler.cli.consent import ConsentSession
from reconciler.cli.console import Console
from reconciler.cli.dask.options import NO_UNDO, NO_WAITING, dask
from reconciler.cli.redaction import redacted
from reconciler.errors import ExtcalError, UsageError
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, Result
from reconciler.model.shards import Shards
from reconciler.planning.guards import Allowance, overruled
from reconciler.planning.partition import partition_of
from reconciler.planning.undo import Undo
from reconciler.safe_paths import MisplacedError, check_file
from reconciler.workflow import Stop, Work, without_secrets
from reconciler.workflow.resolve import described

if TYPE_CHECKING:
    from reconciler.cli.dask.driver import DaskRunner


@dataclass(frozen=True, slots=True)
class ManifestWork:
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


class SavedPlanWork:
    """A plan that `plan --out` saved (`whole`), of which the sites in `shards` are applied.

    `digest` is the one that it must have. After applying, its own actions are looked at.
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


class ApplyRun(Protocol):
    """One run, from the plan to the look back."""

    async def plan(self) -> Plan:
        """The plan, with what must not be written to held back."""
        ...

    async def failing(self, plan: Plan) -> tuple[Outcome, ...]:
        """What of it is known to fail before anything is begun."""
        ...

    async def apply(self, plan: Plan, consent: ConsentSession, stop: Stop, told: Told) -> Result:
        """Carry it out, and look again unless it was interrupted."""
        ...

    async def undo(self, result: Result) -> Undo:
        """How to go back."""
        ...


@dataclass(frozen=True, slots=True)
class LocalRun:
    """A run by this process, which holds the locks of all sites that are not `taken` by another one."""

    work: Work
    opened: workflow.Sessions
    service: workflow.Service
    taken: workflow.Faults
    allowed: frozenset[Allowance]
    console: Console

    async def plan(self) -> Plan:
        """Settle what earlier runs left open, report it, and plan."""

        def settled(found: Settled) -> None:
            report_settled(found, self.console)

        return await workflow.prepare(self.work, self.opened, self.service.machine, self.taken, self.allowed, settled)

    async def failing(self, plan: Plan) -> tuple[Outcome, ...]:
        """The actions that lack a secret."""
        return await without_secrets(plan, self.opened)

    async def apply(self, plan: Plan, consent: ConsentSession, stop: Stop, told: Told) -> Result:
        """Carry it out with the journals of this machine."""
        machine = self.service.machine
        return await workflow.carry_out(
            plan,
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
class DaskRun:
    """A run by the workers of a scheduler; locks and journals are theirs."""

    work: Work
    runner: "DaskRunner"
    allowed: frozenset[Allowance]

    async def plan(self) -> Plan:
        """Let the workers plan; a saved plan is there already."""
        if isinstance(self.work, ManifestWork):
            return await self.runner.plan(self.work.desired, self.work.selection)
        return await self.work.plan(workflow.Sessions({}), self.allowed)

    async def failing(self, plan: Plan) -> tuple[Outcome, ...]:
        """The secrets are the workers', who look before they begin."""
        del plan
        return ()

    async def apply(self, plan: Plan, consent: ConsentSession, stop: Stop, told: Told) -> Result:
        """Let the workers carry it out and look again."""
        if consent.mode is ConsentMode.WAIT:
            raise UsageError(NO_WAITING)
        desired = self.work.desired if isinstance(self.work, ManifestWork) else None
        selection = self.work.selection if isinstance(self.work, ManifestWork) else workflow.Selection()
        return await self.runner.apply(plan, desired, selection, consent=consent.mode, stop=stop, told=told)

    async def undo(self, result: Result) -> Undo:
        """It would be written from what this process reads, and it reads nothing."""
        del result
        raise UsageError(NO_UNDO)


@asynccontextmanager
async def dask_run(work: Work, scheduler: str, endpoint: str, allowed: frozenset[Allowance]) -> AsyncIterator[DaskRun]:
    """A run by the workers of the scheduler at an address."""
    async with dask(scheduler, endpoint, allowed) as runner:
        yield DaskRun(work, runner, allowed)


@asynccontextmanager
async def local_run(
    work: Work, service: workflow.Service, allowed: frozenset[Allowance], console: Console
) -> AsyncIterator[LocalRun]:
    """A run by this process, with the locks of its sites."""
    with workflow.locked(work.sites, service.machine, "extcal apply") as taken:
        async with workflow.sessions(work.sites, service) as opened:
            yield LocalRun(work, opened, service, taken, allowed, console)


def report_settled(settled: Settled, console: Console) -> None:
    """Report what became of a connect that an earlier run left open."""
    found = described(settled.finding)
    console.note(f"{settled.pending.intent.address}: an earlier connect was left open: {found}")


def new_undo_file(name: str) -> Path:
    """The file that the undo shall go to; raises UsageError before anything is done where it can't be made.

    One that is there already may be the only way back from an earlier run.
    """
    file = Path(name)
    if file.exists() or file.is_symlink():
        raise UsageError(f"--undo-out {name}: the file exists already. Name a new one.")
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise UsageError(f"--undo-out {name}: its folder can't be written to. Name another.")
    try:
        check_file(file)
    except MisplacedError as error:
        raise UsageError(f"--undo-out {name}: {error}") from error
    return file


async def save_undo(result: Result, running: ApplyRun, file: Path, console: Console) -> bool:
    """Save how to go back: whether that went well. What could not be saved must not cost the report."""
    try:
        inverse = await running.undo(result)
        if inverse.plan.sites:
            planfile.save(workflow.leaving(inverse.plan, redacted), file)
    except ExtcalError as error:
        console.error(f"the undo plan was not saved: {error}")
        return False
    for note in inverse.remarks:
        console.warning(f"undo: {note}")
    if not inverse.plan.sites:
        why = "nothing that was done can be undone" if inverse.remarks else "nothing was done that could be undone"
        console.note(f"{file} was not written: {why}")
    return True
