"""One round, from the repository to the figures: pull, load, visit the sites that do not rest, tell what is new."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler import workflow
from reconciler.api.clock import Clock, OnWait
from reconciler.errors import ExtcalError, ManifestError, UsageError
from reconciler.execution.executor import Stop
from reconciler.manifests import Limits, load
from reconciler.model.desired import Desired
from reconciler.planning.guards import Allowance
from reconciler.watching import repository
from reconciler.watching.backoff import Rests
from reconciler.watching.figures import Ended, Figures, SiteFigures
from reconciler.watching.news import News, Voice
from reconciler.watching.readiness import Readiness
from reconciler.watching.reconcile import Task, Tidings, reconcile
from reconciler.watching.site_round import Visit
from reconciler.watching.site_state import Line


@dataclass(frozen=True, slots=True)
class Orders:
    """What is watched, and how.

    `chosen` makes the selection for the manifests as they are, or raises UsageError; `service` makes a service for
    one round, which tells of its waits. Nothing is written unless `applies`. `interval` is in seconds.
    """

    paths: tuple[Path, ...]
    chosen: Callable[[Desired], workflow.Selection]
    service: Callable[[OnWait], workflow.Service]
    interval: float
    allowed: frozenset[Allowance] = frozenset()
    applies: bool = False
    git_pull: bool = False
    limits: Limits = field(default_factory=Limits)


class Rounds:
    """Does rounds, one after the other, and keeps their figures, which other threads may read.

    `writing` tells whether the round that is under way may change something.
    """

    def __init__(
        self, orders: Orders, voice: Voice, rests: Rests, readiness: Readiness, *, stop: Stop, clock: Clock
    ) -> None:
        self.figures = Figures()
        self.writing = False
        self._orders = orders
        self._voice = voice
        self._news = News(voice)
        self._rests = rests
        self._readiness = readiness
        self._stop = stop
        self._clock = clock
        self._desired = Desired()
        self._first = True

    async def round(self) -> None:
        """Do one round; raises UsageError where the first one shows that the orders are wrong."""
        began = self._clock.monotonic()
        visits: Sequence[Visit] | None = ()
        troubles = await self._pull()
        try:
            await self._load()
            visits = await self._visit(began)
            failure = "every site failed; the log says why" if visits and all(visit.failed for visit in visits) else ""
        except ManifestError as error:
            self.figures = replace(self.figures, manifests_valid=False)
            troubles += [str(fault) for fault in error.faults]
            failure = f"the manifests have {len(error.faults)} faults; the log names them"
        except UsageError as error:
            if self._first:
                raise
            troubles.append(str(error))
            failure = "what is to be watched is no longer declared; the log says what"
        except (ExtcalError, OSError) as error:
            troubles.append(str(error))
            failure = "this machine is in the way; the log says why"
        self._first = False
        self._news.troubled(troubles)
        if visits is not None:
            self._close(failure, visits, self._clock.monotonic() - began)

    async def _pull(self) -> list[str]:
        """Pull where that is asked; what is wrong with that. What was pulled last goes on."""
        if not self._orders.git_pull:
            return []
        try:
            for pulled in await repository.pull(self._orders.paths):
                self._voice.line(Line(str(pulled)))
        except ExtcalError as error:
            self.figures = self.figures.after_pull(self._time(), well=False)
            return [str(error)]
        self.figures = self.figures.after_pull(self._time(), well=True)
        return []

    async def _load(self) -> None:
        """Read the manifests; sites that are declared in another way than before need rest no longer."""
        # In a thread, so that the loop turns meanwhile: a large fleet takes seconds.
        desired = await asyncio.to_thread(load, self._orders.paths, self._orders.limits)
        self.figures = replace(self.figures, manifests_valid=True)
        # What is about a site is told with its plan.
        self._news.remarked([str(one.warning) for one in desired.overlooked if not one.sites])
        if desired != self._desired:
            before, now = _by_site(self._desired), _by_site(desired)
            self._rests.wake(name for name, stated in now.items() if before.get(name) != stated)
            self._desired = desired

    async def _visit(self, began: float) -> list[Visit] | None:
        chosen = self._orders.chosen(self._desired)
        names = frozenset(site.name for site in workflow.selected_sites(self._desired, chosen))
        self._rests.keep(names)
        self._news.keep(names)
        selection = replace(chosen, sites=names - self._rests.resting)
        task = Task(self._desired, selection, self._orders.allowed, self._orders.applies)
        tidings = Tidings(self._voice.settled, self._voice.outcome, self._begin_writing)
        try:
            visits = await reconcile(task, self._orders.service(self._count_wait), self._stop, tidings)
        finally:
            self.writing = False
        self._note(visits or (), names, began)
        self._news.visited(visits or ())
        return visits

    def _begin_writing(self) -> None:
        self.writing = True

    def _count_wait(self, seconds: float, why: str) -> None:
        del why
        self.figures = replace(self.figures, waits=self.figures.waits + 1, waited=self.figures.waited + seconds)

    def _note(self, visits: Sequence[Visit], names: frozenset[str], began: float) -> None:
        """Let those rest that failed, and count."""
        sites = {name: self.figures.sites.get(name, SiteFigures()) for name in sorted(names)}
        for visit in visits:
            name = visit.first.site.name
            if visit.failed:
                self._rests.failed(name, began)
            else:
                self._rests.well(name)
            sites[name] = sites[name].after(visit, failures=self._rests.failures(name), now=self._time())
        self.figures = replace(self.figures, sites=sites)

    def _close(self, failure: str, visits: Sequence[Visit], took: float) -> None:
        """Count a round; one in which every site rests says nothing of them."""
        if failure:
            ended = Ended.FAILED
            self._readiness.failed(failure)
        elif not visits and self._rests.resting:
            return
        else:
            ended = Ended.PARTIAL if any(visit.failed for visit in visits) else Ended.GOOD
            self._readiness.went_well()
        self.figures = self.figures.after_round(ended, took, self._time())
        self._voice.round(ended, took, visits)

    def _time(self) -> float:
        return self._clock.now().timestamp()


def _by_site(desired: Desired) -> dict[str, list[object]]:
    """What is stated of each site."""
    stated: dict[str, list[object]] = {site.name: [site] for site in desired.sites}
    for connection in desired.connections:
        stated.setdefault(connection.site, []).append(connection)
    return stated
