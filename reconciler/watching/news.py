"""Reports of rounds: only what is new, a line each, and never a flood."""

from collections.abc import Collection, Sequence
from typing import Protocol

from reconciler.model.intent import Settled
from reconciler.model.result import Outcome
from reconciler.watching.figures import RoundResult
from reconciler.watching.site_round import SiteRound
from reconciler.watching.site_state import NEW, Line, SiteState, changes, state_after

_MOST_LINES = 50


class Reporter(Protocol):
    """Writes what happens for people."""

    def line(self, line: Line) -> None:
        """Something is new."""
        ...

    def settled(self, settled: Settled) -> None:
        """It is known what became of a connect that an earlier run left open."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """An action has ended."""
        ...

    def round(self, result: RoundResult, took: float, site_rounds: Sequence[SiteRound]) -> None:
        """A round has ended."""
        ...


class ChangeReporter:
    """Reports what has changed since the last round, of which it remembers the state of the sites and of the watch."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._states: dict[str, SiteState] = {}
        self._errors: frozenset[str] = frozenset()
        self._warnings: frozenset[str] = frozenset()

    def keep_only(self, sites: Collection[str]) -> None:
        """Forget all other sites."""
        self._states = {name: each for name, each in self._states.items() if name in sites}

    def report_sites(self, site_rounds: Sequence[SiteRound]) -> None:
        """Report in what the sites differ from the round before."""
        self._tell([line for each in site_rounds for line in self._site(each)])

    def report_errors(self, errors: Sequence[str]) -> None:
        """Report errors of the watch itself that were not there in the round before."""
        self._tell([Line(error, bad=True) for error in errors if error not in self._errors])
        if self._errors and not errors:
            self._reporter.line(Line("manifests, repository and machine are in order again"))
        self._errors = frozenset(errors)

    def report_warnings(self, warnings: Sequence[str]) -> None:
        """Report warnings about the manifests as a whole that were not there in the round before."""
        self._tell([Line(warning) for warning in warnings if warning not in self._warnings])
        self._warnings = frozenset(warnings)

    def _site(self, site_round: SiteRound) -> list[Line]:
        name = site_round.first.site.name
        before = self._states.get(name, NEW)
        now = self._states[name] = state_after(site_round, before)
        return list(changes(site_round, before, now))

    def _tell(self, lines: Sequence[Line]) -> None:
        for line in lines[:_MOST_LINES]:
            self._reporter.line(line)
        if len(lines) > _MOST_LINES:
            bad = any(line.bad for line in lines[_MOST_LINES:])
            self._reporter.line(Line(f"and {len(lines) - _MOST_LINES} more like these; extcal status shows all", bad))
