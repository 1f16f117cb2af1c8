"""Plans carried out against ports in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.execution.connect import Reach
from reconciler.execution.consent import ConsentPrompt
from reconciler.execution.executor import Executor, Stop
from reconciler.execution.journal import Journal, UnfinishedLog, Use
from reconciler.execution.settle import Window
from reconciler.execution.site_port import SitePort
from reconciler.execution.site_view import SiteView
from reconciler.model.action import Action, ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, Scope, Site
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome
from reconciler.planning.order import ordered
from reconciler.planning.preconditions import with_precondition
from tests.execution.scripted import MemoryJournal, MemoryUnfinished, ScriptedPort
from tests.support.builders.plans import PRUNING, SITE, live, planned, site_with
from tests.support.passing_time import now, passing


def reach_of(
    port: ScriptedPort,
    journal: Journal,
    window: Window | None = None,
    unfinished: UnfinishedLog | None = None,
    use: Use | None = None,
) -> Reach:
    """What carrying out needs of a site behind `port`."""
    view = SiteView(port)
    return Reach(SitePort(port, view), view, journal, window or Window(), unfinished or MemoryUnfinished(), use)


@dataclass
class Run:
    """One plan carried out once; `told` are the outcomes as they came, with when they did.

    Unless it is `blank`, planning has seen a connection on each site that it leaves alone.
    """

    plan: Plan
    ports: Mapping[str, ScriptedPort]
    consent: ConsentMode = ConsentMode.LINK
    prompt: ConsentPrompt | None = None
    sites_at_once: int = 4
    stop: Stop = field(default_factory=Stop)
    told: list[tuple[float, Outcome]] = field(default_factory=list)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    unfinished: MemoryUnfinished = field(default_factory=MemoryUnfinished)
    blank: bool = False

    async def outcomes(self) -> tuple[Outcome, ...]:
        """Carry it out; there is one outcome for each action that writes, in the plan's order."""
        window = Window()
        executor = Executor(
            self.plan if self.blank else _with_another(self.plan),
            {name: reach_of(port, self.journal, window, self.unfinished) for name, port in self.ports.items()},
            consent=self.consent,
            prompt=self.prompt,
            stop=self.stop,
            on_outcome=lambda outcome: self.told.append((now(), outcome)),
            sites_at_once=self.sites_at_once,
        )
        outcomes = await executor.run()
        assert [o.action for o in outcomes] == [action for action in self.plan.actions if action.kind.writes]
        return outcomes

    def when(self, name: str) -> float:
        """The second at which the outcome of an action came."""
        (when,) = [when for when, outcome in self.told if outcome.action.address.endswith(f"/{name}")]
        return when


def _with_another(plan: Plan) -> Plan:
    scene = replace(SITE, scope=Scope.SITE)
    (seen,) = planned(on=site_with(live("another")), site=scene).actions
    assert seen.kind is ActionKind.UNMANAGED
    return replace(plan, sites=tuple(replace(site, actions=(*site.actions, seen)) for site in plan.sites))


def plan_of(declared: Sequence[DeclaredConnection], live: Sequence[LiveConnection] = (), site: Site = PRUNING) -> Plan:
    """The plan of one site, in order, whatever its guards say."""
    made = planned(*declared, on=site_with(*live), site=replace(site, max_disconnects=100))
    return ordered(Plan((replace(made, violations=()),)))


def plan_with(*actions: Action, live: Sequence[LiveConnection] = ()) -> Plan:
    """A plan of these very actions, resting on `live`."""
    return Plan((SitePlan(SITE, tuple(with_precondition(a, live) for a in actions)),))


def carried_out(plan: Plan, port: ScriptedPort, consent: ConsentMode = ConsentMode.LINK) -> tuple[Outcome, ...]:
    """How the actions of a plan of one site end."""
    return passing(Run(plan, {"harbor": port}, consent).outcomes())


def the_outcome(plan: Plan, port: ScriptedPort, consent: ConsentMode = ConsentMode.LINK) -> Outcome:
    """How the only action of a plan ends."""
    (outcome,) = carried_out(plan, port, consent)
    return outcome
