"""The use cases in one call each: what programs call (`import reconciler`), and the command line.

Applying has steps: the sites are locked on this machine, connects that earlier runs left without an answer are
settled, the plan is made (or was made before), carried out, and the live state is read again. `apply` does them all;
`open_run` gives a `Run` for whoever looks at the plan in between.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from reconciler.execution.consent import ConsentPrompt, WhyNotAsked
from reconciler.execution.executor import Stop
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, Site
from reconciler.model.intent import Settled
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Outcome, Result
from reconciler.model.traffic import SiteTraffic
from reconciler.planning.guards import overruled
from reconciler.planning.undo import Undo
from reconciler.workflow import plans
from reconciler.workflow.apply_plan import undo, verify, verify_saved, without_secrets
from reconciler.workflow.recovery import Faults, locked
from reconciler.workflow.run import Work, carry_out, prepare
from reconciler.workflow.schedule_names import with_schedule_names
from reconciler.workflow.service import Selection, Service, Sessions, selected_sites, sessions


async def plan(
    desired: Desired,
    service: Service,
    *,
    selection: Selection | None = None,
    allowed: frozenset[Allowance] = frozenset(),
) -> Plan:
    """The plan that would bring the live state to the desired one; only reads are sent.

    `selection` narrows it to some sites or connections, `allowed` overrules guards, each at one address. A site that
    can't be read has a plan whose fault says why: look at `Plan.whole` before you rely on it. No secret is in it.
    """
    chosen = selection or Selection()
    async with sessions(selected_sites(desired, chosen), service) as opened:
        return plans.leaving(await plans.plan(desired, opened, chosen, allowed), service.secrets.redacted)


async def apply(
    work: Desired | Plan,
    service: Service,
    *,
    selection: Selection | None = None,
    allowed: frozenset[Allowance] = frozenset(),
    consent: ConsentMode = ConsentMode.SKIP,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> Result:
    """Carry out a plan, or what manifests ask for, and read the live state again; the result names what still differs.

    A `Plan` is carried out as far as the live fields that each action rests on are still what they were. What guards
    and faults hold back is not carried out: `Result.plan` says so. `on_outcome` gets each outcome as it comes. Where an
    owner must agree, `consent` says whether a link is made for them. Raises ExtcalError where nothing could be begun;
    what goes wrong with an action is in its outcome. No secret is in the result or in an outcome, though the service
    repeats it.
    """
    redacted = service.secrets.redacted
    async with open_run(work, service, selection=selection, allowed=allowed) as run:
        plan = await run.plan()
        return redacted(await run.apply(plan, consent, on_outcome=lambda outcome: on_outcome(redacted(outcome))))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of apply, which holds the locks of its sites but for those that are `taken` by another run.

    What it gives is as the service said it, since redacted values can't be applied: before you show any of it, pass it
    through `service.secrets.redacted`.
    """

    work: Work
    opened: Sessions
    service: Service
    taken: Faults
    allowed: frozenset[Allowance]
    on_settled: Callable[[Settled], None]

    async def plan(self) -> Plan:
        """Settle what earlier runs left open, and plan, with what must not be written to held back."""
        return await prepare(self.work, self.opened, self.service.machine, self.taken, self.allowed, self.on_settled)

    async def failing(self, plan: Plan) -> tuple[Outcome, ...]:
        """The actions of a plan that lack a secret, and will fail."""
        return await without_secrets(plan, self.opened)

    async def apply(
        self,
        plan: Plan,
        consent: ConsentMode = ConsentMode.SKIP,
        prompt: ConsentPrompt | None = None,
        stop: Stop | None = None,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
        why_not_asked: WhyNotAsked | None = None,
    ) -> Result:
        """Carry out a plan that `plan` gave, and read again unless `stop` was set."""
        return await carry_out(
            plan,
            self.work,
            self.opened,
            self.service.machine,
            allowed=self.allowed,
            consent=consent,
            prompt=prompt,
            why_not_asked=why_not_asked,
            stop=stop or Stop(),
            on_outcome=on_outcome,
        )

    async def named(self, plan: Plan) -> Plan:
        """The plan with the names of schedules, for people, as far as they can be read."""
        return await with_schedule_names(plan, self.opened, lambda _site, _why: None)

    def traffic(self, site: str) -> SiteTraffic | None:
        """What a site was sent, by its name."""
        return self.opened[site].traffic

    async def undo(self, result: Result) -> Undo:
        """The plan that goes back from the live state as it was verified, or is now where it was not."""
        return await undo(result, self.opened)


@asynccontextmanager
async def open_run(
    work: Desired | Plan | Work,
    service: Service,
    *,
    selection: Selection | None = None,
    allowed: frozenset[Allowance] = frozenset(),
    on_settled: Callable[[Settled], None] = lambda _settled: None,
    name: str = "reconciler.apply",
) -> AsyncIterator[Run]:
    """A run of apply for the length of the block; another run on this machine is told that `name` holds the sites."""
    if isinstance(work, Desired):
        work = ManifestWork(work, selection or Selection())
    elif isinstance(work, Plan):
        work = SavedWork(work)
    with locked(work.sites, service.machine, name) as taken:
        async with sessions(work.sites, service) as opened:
            yield Run(work, opened, service, taken, allowed, on_settled)


@dataclass(frozen=True, slots=True)
class ManifestWork:
    """Manifests, planned now and planned again after applying."""

    desired: Desired
    selection: Selection

    @property
    def sites(self) -> Sequence[Site]:
        """The selected sites."""
        return selected_sites(self.desired, self.selection)

    async def plan(self, opened: Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Plan against the live state."""
        return await plans.plan(self.desired, opened, self.selection, allowed)

    async def verify(self, result: Result, opened: Sessions, allowed: frozenset[Allowance]) -> Result:
        """Plan again."""
        return await verify(result, self.desired, opened, self.selection, allowed)


@dataclass(frozen=True, slots=True)
class SavedWork:
    """A plan that was made before; after applying, its own actions are looked up."""

    saved: Plan

    @property
    def sites(self) -> Sequence[Site]:
        """The sites of the plan."""
        return [site.site for site in self.saved.sites]

    async def plan(self, opened: Sessions, allowed: frozenset[Allowance]) -> Plan:
        """The plan as it was made, with the guards that are overruled now."""
        del opened
        return overruled(self.saved, allowed)

    async def verify(self, result: Result, opened: Sessions, allowed: frozenset[Allowance]) -> Result:
        """Look whether what was done is there."""
        del allowed
        return await verify_saved(result, opened)
