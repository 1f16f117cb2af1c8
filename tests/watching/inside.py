"""A watch inside this process, whose waits are a test's: each lets the test do something, and costs no time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from reconciler import workflow
from reconciler.api.clock import OnWait
from reconciler.api.secrets import Secrets
from reconciler.machine import Machine
from reconciler.model.desired import Desired
from reconciler.model.intent import Settled
from reconciler.model.result import Outcome
from reconciler.watching.changes import Line
from reconciler.watching.figures import Figures, RoundResult
from reconciler.watching.loop import Watch
from reconciler.watching.round import WatchOptions
from reconciler.watching.site_round import SiteRound
from reconciler.workflow import Stop
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, KEY, PASSWORD_ENV, connection, harbor, site, world

MINUTE = 60.0
_BEGAN = datetime(2030, 1, 15, 9, tzinfo=UTC)

Step = Callable[[], None]


class Waits:
    """A clock on which only waiting takes time; before the nth wait ends the nth step is done, after the last none."""

    def __init__(self, steps: Sequence[Step], stop: Stop) -> None:
        self.pauses: list[float] = []
        self.seconds = 0.0
        self._steps = iter(steps)
        self._stop = stop

    def monotonic(self) -> float:
        """Seconds since it began."""
        return self.seconds

    def now(self) -> datetime:
        """The time of day."""
        return _BEGAN + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.pauses.append(seconds)
        self.seconds += seconds
        step = next(self._steps, self._stop.gently.set)
        step()


class Reports:
    """What was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bad: list[str] = []
        self.rounds: list[RoundResult] = []
        self.site_names: list[list[str]] = []

    def line(self, line: Line) -> None:
        """Something is new."""
        (self.bad if line.bad else self.lines).append(line.text)

    def settled(self, settled: Settled) -> None:
        """A connect was settled."""
        self.lines.append(f"settled {settled.pending.intent.address}")

    def outcome(self, outcome: Outcome) -> None:
        """An action has ended."""
        self.lines.append(f"{outcome.status} {outcome.action.kind} {outcome.action.address}")

    def round(self, result: RoundResult, took: float, site_rounds: Sequence[SiteRound]) -> None:
        """A round has ended."""
        del took
        self.rounds.append(result)
        self.site_names.append([each.first.site.name for each in site_rounds])

    def take(self) -> tuple[list[str], list[str]]:
        """The lines since the last time: those that are well, and those that are bad."""
        found = self.lines, self.bad
        self.lines, self.bad = [], []
        return found


@dataclass
class Inside:
    """A watch of the folder `manifests` of `extcal`; `environ` is where its secrets are."""

    extcal: Extcal
    machine: Machine
    environ: dict[str, str] = field(default_factory=lambda: {"EXTCAL_API_KEY": KEY, **PASSWORD_ENV})
    reports: Reports = field(default_factory=Reports)
    selection: Callable[[Desired], workflow.Selection] = lambda _desired: workflow.Selection()
    endpoint: str | None = None

    def __post_init__(self) -> None:
        """Begin without figures."""
        self.figures = Figures()
        self.pauses: list[float] = []

    def run(self, *steps: Step, applies: bool = False, git_pull: bool = False) -> None:
        """Do a round, then a step and a round for each step, then stop."""
        asyncio.run(self.story(Stop(), steps, applies=applies, git_pull=git_pull))

    async def story(self, stop: Stop, steps: Sequence[Step], *, applies: bool = False, git_pull: bool = False) -> None:
        """The same, where somebody else may stop it, too."""
        clock = self.clock = Waits(steps, stop)
        self.loop = asyncio.get_running_loop()
        self.watch = Watch(
            WatchOptions(
                (self.extcal.folder / "manifests",),
                self._chosen,
                self._service,
                MINUTE,
                applies=applies,
                git_pull=git_pull,
            ),
            self.reports,
            stop,
            clock=clock,
            chance=lambda: 0.5,
        )
        try:
            await self.watch.run()
        finally:
            self.figures, self.pauses = self.watch.figures, clock.pauses

    def _chosen(self, desired: Desired) -> workflow.Selection:
        return self.selection(desired)

    def _service(self, on_wait: OnWait) -> workflow.Service:
        endpoint = self.endpoint or self.extcal.sandbox.endpoint
        service = workflow.Service(endpoint, Secrets(self.environ, None), self.machine)
        return replace(service, on_wait=on_wait)


def agreeing(inside: Inside, *numbers: int) -> None:
    """Manifests that the live connections agree with."""
    inside.extcal.on(world(harbor(*numbers)))
    inside.extcal.write(site(), *(connection(number, more=BUSY) for number in numbers))
