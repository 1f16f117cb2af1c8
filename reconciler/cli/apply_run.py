"""A run of apply, in this process or on the workers of a Dask scheduler, and its undo."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler import planfile, workflow
from reconciler.cli.console import Console
from reconciler.cli.dask.options import NO_MAIL, NO_UNDO, NO_WAITING, dask
from reconciler.cli.redaction import redacted
from reconciler.errors import ExtcalError, UsageError
from reconciler.model.consent import ConsentMode
from reconciler.model.intent import Settled
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Outcome, Result
from reconciler.model.traffic import SiteTraffic
from reconciler.planning.undo import Undo
from reconciler.safe_paths import MisplacedError, check_file
from reconciler.workflow import ConsentPrompt, ManifestWork, Run, Stop, WhyNotAsked, Work, open_run
from reconciler.workflow.resolve import described

if TYPE_CHECKING:
    from reconciler.cli.dask.driver import DaskRunner


OnOutcome = Callable[[Outcome], None]


class ApplyRun(Protocol):
    """One run, from the plan to the look back."""

    async def plan(self) -> Plan:
        """The plan, with what must not be written to held back."""
        ...

    async def failing(self, plan: Plan) -> tuple[Outcome, ...]:
        """What of it is known to fail before anything is begun."""
        ...

    async def apply(
        self,
        plan: Plan,
        consent: ConsentMode,
        prompt: ConsentPrompt | None,
        stop: Stop,
        on_outcome: OnOutcome,
        why_not_asked: WhyNotAsked | None,
    ) -> Result:
        """Carry it out, and look again unless it was interrupted."""
        ...

    async def named(self, plan: Plan) -> Plan:
        """The plan with the names of schedules, for people, as far as they can be read."""
        ...

    def traffic(self, site: str) -> SiteTraffic | None:
        """What a site was sent, by its name; None where that is not known here."""
        ...

    async def undo(self, result: Result) -> Undo:
        """How to go back."""
        ...


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

    async def apply(
        self,
        plan: Plan,
        consent: ConsentMode,
        prompt: ConsentPrompt | None,
        stop: Stop,
        on_outcome: OnOutcome,
        why_not_asked: WhyNotAsked | None,
    ) -> Result:
        """Let the workers carry it out and look again; they can't wait for owners."""
        if consent in {ConsentMode.WAIT, ConsentMode.POLL} or prompt is not None:
            raise UsageError(NO_WAITING)
        if consent is ConsentMode.MAIL or why_not_asked is not None:
            raise UsageError(NO_MAIL)
        desired = self.work.desired if isinstance(self.work, ManifestWork) else None
        selection = self.work.selection if isinstance(self.work, ManifestWork) else workflow.Selection()
        return await self.runner.apply(plan, desired, selection, consent=consent, stop=stop, on_outcome=on_outcome)

    async def named(self, plan: Plan) -> Plan:
        """It reads nothing, so it knows none."""
        return plan

    def traffic(self, site: str) -> SiteTraffic | None:
        """The workers know it."""
        del site
        return None

    async def undo(self, result: Result) -> Undo:
        """It would be written from what this process reads, and it reads nothing."""
        del result
        raise UsageError(NO_UNDO)


@asynccontextmanager
async def dask_run(work: Work, scheduler: str, endpoint: str, allowed: frozenset[Allowance]) -> AsyncIterator[DaskRun]:
    """A run by the workers of the scheduler at an address."""
    async with dask(scheduler, endpoint, allowed) as runner:
        yield DaskRun(work, runner, allowed)


def local_run(
    work: Work, service: workflow.Service, allowed: frozenset[Allowance], console: Console
) -> AbstractAsyncContextManager[Run]:
    """A run by this process, with the locks of its sites."""

    def on_settled(settled: Settled) -> None:
        report_settled(settled, console)

    return open_run(work, service, allowed=allowed, on_settled=on_settled, name="extcal apply")


def report_settled(settled: Settled, console: Console) -> None:
    """Report what became of a connect that an earlier run left open."""
    found = described(settled.finding)
    console.note(f"{settled.pending.intent.address}: an earlier connect was left open: {found}")


def new_undo_file(option: str, name: str) -> Path:
    """The file that the undo shall go to; raises UsageError before anything is done where it can't be made.

    One that is there already may be the only way back from an earlier run.
    """
    file = Path(name)
    if file.exists() or file.is_symlink():
        raise UsageError(f"{option} {name}: the file exists already. Name a new one.")
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise UsageError(f"{option} {name}: its folder can't be written to. Name another.")
    try:
        check_file(file)
    except MisplacedError as error:
        raise UsageError(f"{option} {name}: {error}") from error
    return file


async def save_undo(result: Result, running: ApplyRun, file: Path, console: Console) -> bool:
    """Save how to go back: whether that went well. What could not be saved must not cost the report."""
    try:
        inverse = await running.undo(result)
        save_inverse(inverse, file)
    except ExtcalError as error:
        console.error(f"the undo plan was not saved: {error}")
        return False
    report_inverse(inverse, file, console)
    return True


def save_inverse(inverse: Undo, file: Path) -> None:
    """Save a plan that undoes something, if anything can be undone; raises PlanFileError."""
    if inverse.plan.sites:
        planfile.save(workflow.leaving(inverse.plan, redacted), file)


def report_inverse(inverse: Undo, file: Path, console: Console) -> None:
    """Report what it does not undo, and that nothing was saved where it undoes nothing."""
    for note in inverse.remarks:
        console.warning(f"undo: {note}")
    if not inverse.plan.sites:
        why = "nothing that was done can be undone" if inverse.remarks else "nothing was done that could be undone"
        console.note(f"{file} was not written: {why}")
