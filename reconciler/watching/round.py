"""Does one round: pulls, loads, reconciles the sites that are due, and reports.

Steps: pull the repositories of the manifests, if asked; load the manifests; end the backoff of sites whose manifests
changed; reconcile the sites that are due; report what is new; count.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler import git, workflow
from reconciler.api.clock import Clock, OnWait
from reconciler.errors import ExtcalError, ManifestError, UsageError
from reconciler.manifests import Limits, load
from reconciler.model.desired import Desired
from reconciler.model.plan import Allowance
from reconciler.watching.alert_state import Condition
from reconciler.watching.alerts import AlertOptions, Alerts
from reconciler.watching.backoff import SiteBackoff
from reconciler.watching.changes import ChangeReporter, Line, Reporter
from reconciler.watching.figures import Figures, Readiness, RoundResult, SiteFigures
from reconciler.watching.reconcile import RoundListener, WatchScope, reconcile
from reconciler.watching.site_round import SiteRound
from reconciler.workflow import Stop


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What is watched, and how.

    `chosen` makes the selection for the manifests as they are, or raises UsageError; `service` makes a service for
    one round, in a thread; it tells of its waits. Nothing is written unless `applies`. `interval` is in seconds.
    """

    paths: tuple[Path, ...]
    chosen: Callable[[Desired], workflow.Selection]
    service: Callable[[OnWait], workflow.Service]
    interval: float
    allowed: frozenset[Allowance] = frozenset()
    applies: bool = False
    git_pull: bool = False
    limits: Limits = field(default_factory=Limits)
    alerts: AlertOptions | None = None


class Rounds:
    """Does rounds, one after the other, and keeps their figures, which other threads may read.

    `writing` tells whether the round that is under way may change something.
    """

    def __init__(
        self,
        options: WatchOptions,
        reporter: Reporter,
        backoff: SiteBackoff,
        readiness: Readiness,
        *,
        stop: Stop,
        clock: Clock,
    ) -> None:
        self.figures = Figures()
        self.writing = False
        self._options = options
        self._reporter = reporter
        self._changes = ChangeReporter(reporter)
        self._alerts = None if options.alerts is None else Alerts(options.alerts, reporter, clock, self._count_alert)
        self._backoff = backoff
        self._readiness = readiness
        self._stop = stop
        self._clock = clock
        self._desired = Desired()
        self._first = True

    async def round(self) -> None:
        """Do one round; raises UsageError where the first one shows that the options are wrong."""
        began = self._clock.monotonic()
        site_rounds: Sequence[SiteRound] | None = ()
        errors = await self._pull()
        conditions = dict.fromkeys([Condition.REPOSITORY] if errors else [], " ".join(errors))
        try:
            await self._load()
            site_rounds = await self._reconcile(began)
            failure = (
                "every site failed; see the log" if site_rounds and all(each.failed for each in site_rounds) else ""
            )
        except ManifestError as error:
            self.figures = replace(self.figures, manifests_valid=False)
            errors += [str(fault) for fault in error.faults]
            conditions[Condition.MANIFESTS] = str(error.faults[0])
            count = len(error.faults)
            failure = f"the manifests have {count} error{'' if count == 1 else 's'}; see the log"
        except UsageError as error:
            if self._first:
                raise
            errors.append(str(error))
            conditions[Condition.MANIFESTS] = str(error)
            failure = "a selected site or connection is no longer declared; see the log"
        except (ExtcalError, OSError) as error:
            errors.append(str(error))
            conditions[Condition.MACHINE] = str(error)
            failure = "an error on this machine; see the log"
        self._first = False
        self._changes.report_errors(errors)
        if site_rounds is not None:
            self._close(failure, site_rounds, self._clock.monotonic() - began)
            if self._alerts is not None:
                self._alerts.end_round(conditions)

    async def end(self) -> None:
        """Let an alert that is on its way arrive, for a moment."""
        if self._alerts is not None:
            await self._alerts.end()

    async def _pull(self) -> list[str]:
        """Pull where that is asked; what is wrong with that. What was pulled last goes on."""
        if not self._options.git_pull:
            return []
        try:
            for pulled in await pull_repositories(self._options.paths):
                self._reporter.line(Line(str(pulled)))
        except ExtcalError as error:
            self.figures = self.figures.after_pull(self._time(), well=False)
            return [str(error)]
        self.figures = self.figures.after_pull(self._time(), well=True)
        return []

    async def _load(self) -> None:
        """Load the manifests, and end the backoff of sites that are declared differently now."""
        # In a thread, so that the loop turns meanwhile: a large fleet takes seconds.
        desired = await asyncio.to_thread(load, self._options.paths, self._options.limits)
        self.figures = replace(self.figures, manifests_valid=True)
        # What is about a site is told with its plan.
        self._changes.report_warnings([str(one.warning) for one in desired.overlooked if not one.sites])
        if desired != self._desired:
            before, now = _by_site(self._desired), _by_site(desired)
            self._backoff.end(name for name, declared in now.items() if before.get(name) != declared)
            self._desired = desired

    async def _reconcile(self, began: float) -> list[SiteRound] | None:
        chosen = self._options.chosen(self._desired)
        names = frozenset(site.name for site in workflow.selected_sites(self._desired, chosen))
        self._backoff.keep_only(names)
        self._changes.keep_only(names)
        selection = replace(chosen, sites=names - self._backoff.sites)
        scope = WatchScope(self._desired, selection, self._options.allowed, self._options.applies)
        listener = RoundListener(self._reporter.settled, self._reporter.outcome, self._begin_writing)
        # In a thread, too: it looks for the manifests' commit, and git may take its time.
        service = await asyncio.to_thread(self._options.service, self._count_wait)
        try:
            site_rounds = await reconcile(scope, service, self._stop, listener)
        finally:
            self.writing = False
        self._changes.report_sites(site_rounds or (), self._clock.monotonic())
        self._note(site_rounds or (), names, began, service)
        if self._alerts is not None and site_rounds is not None:
            self._alerts.observe(site_rounds, self._desired, applies=self._options.applies)
        return site_rounds

    def _begin_writing(self) -> None:
        self.writing = True

    def _count_wait(self, seconds: float, why: str) -> None:
        del why
        self.figures = replace(self.figures, waits=self.figures.waits + 1, waited=self.figures.waited + seconds)

    def _count_alert(self, arrived: bool) -> None:  # noqa: FBT001 - a callback
        self.figures = self.figures.after_alert(arrived=arrived)

    def _note(
        self, site_rounds: Sequence[SiteRound], names: frozenset[str], began: float, service: workflow.Service
    ) -> None:
        """Back off from the sites that failed, and count."""
        # What can't be read is as if it had not been written: the watch knows since when it has seen it.
        actions = (each.action for site_round in site_rounds for each in site_round.status.connections if each.action)
        requests = workflow.known_requests(actions, service.machine, lambda _site, _why: None)
        sites = {name: self.figures.sites.get(name, SiteFigures()) for name in sorted(names)}
        for each in site_rounds:
            name = each.first.site.name
            if each.failed:
                self._backoff.failed(name, began)
            else:
                self._backoff.succeeded(name)
            failures, stuck = self._backoff.failures(name), self._changes.stuck(name)
            sites[name] = sites[name].after(each, requests, failures=failures, stuck=stuck, now=self._time())
        self.figures = replace(self.figures, sites=sites)

    def _close(self, failure: str, site_rounds: Sequence[SiteRound], took: float) -> None:
        """Count a round; one in which no site was due says nothing of them."""
        if failure:
            ended = RoundResult.FAILED
            self._readiness.failed(failure)
        elif not site_rounds and self._backoff.sites:
            return
        else:
            ended = RoundResult.PARTIAL if any(each.failed for each in site_rounds) else RoundResult.GOOD
            self._readiness.went_well()
        self.figures = self.figures.after_round(ended, took, self._time())
        self._reporter.round(ended, took, site_rounds)

    def _time(self) -> float:
        return self._clock.now().timestamp()


def _by_site(desired: Desired) -> dict[str, list[object]]:
    """What is declared of each site."""
    declared: dict[str, list[object]] = {site.name: [site] for site in desired.sites}
    for connection in desired.connections:
        declared.setdefault(connection.site, []).append(connection)
    return declared


@dataclass(frozen=True, slots=True)
class Pulled:
    """A repository whose commit has changed; both are abbreviated."""

    root: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.root}: pulled {self.before}..{self.after}"


async def pull_repositories(paths: Sequence[Path], timeout: float = git.TIMEOUT) -> list[Pulled]:  # noqa: ASYNC109 - that of each call
    """Pull every repository that a path lies in, and say which have changed; raises GitError.

    `timeout` is in seconds, for each call of git. What lies there is what was pulled last.
    """
    changed = []
    for root in dict.fromkeys(git.root_of(path) for path in paths):
        before = await _head(root, timeout)
        await git.call(root, "pull", "--quiet", "--ff-only", "--no-recurse-submodules", timeout=timeout)
        after = await _head(root, timeout)
        if after != before:
            changed.append(Pulled(str(root), before, after))
    return changed


async def _head(root: Path, timeout: float) -> str:  # noqa: ASYNC109 - as above
    return await git.call(root, "rev-parse", "--short", "HEAD", timeout=timeout)
