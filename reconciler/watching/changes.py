"""Reports what is new since the last round, and nothing of what is as it was."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.model.intent import Settled
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.status import Health
from reconciler.render import status_text
from reconciler.text import inert
from reconciler.watching.figures import RoundResult
from reconciler.watching.site_round import SiteRound
from reconciler.watching.site_state import NEW, ConnectionState, SiteState, state_after, why_lost


@dataclass(frozen=True, slots=True)
class Line:
    """A line to tell; `bad` where somebody should look."""

    text: str
    bad: bool = False


def changes(site_round: SiteRound, before: SiteState, now: SiteState) -> Iterator[Line]:
    """What is new since the round before, a line each; nothing where all is as it was."""
    if now.seen and not before.seen:
        yield Line(f"{site_round.first.site.name}: can be read again")
    for alert in site_round.alerts:
        if alert.gist not in before.alerts:
            yield Line(inert(alert.text), bad=True)
    for warning in sorted(now.warnings - before.warnings):
        yield Line(inert(warning))
    yield from _connected_again(site_round, before)
    for address, state in now.connections.items():
        former = before.connections.get(address)
        yield from _change(address, former, state)
        yield from _stuck(address, state, was_stuck=former is not None and former.stuck)


def _connected_again(site_round: SiteRound, before: SiteState) -> Iterator[Line]:
    """What was lost since the round before, and connected in this one: it looks as if nothing had been."""
    for outcome in site_round.outcomes:
        address, former = outcome.action.address, before.connections.get(outcome.action.address)
        if outcome.status is not OutcomeStatus.DONE or (former is not None and former.lost):
            continue
        if why := why_lost(outcome.action, None if former is None else former.stood):
            yield Line(inert(f"{address}: {why}; connected again"), bad=True)


def _change(address: str, before: ConnectionState | None, now: ConnectionState) -> Iterator[Line]:
    if before == now or now.faulty:
        return
    if now.health.needs_attention:
        why = f": {now.why}" if now.why else ""
        yield Line(inert(f"{address}: {status_text.WORD[now.health]}{why}"), bad=now.lost or now.health is Health.ERROR)
    elif before is not None and before.health.needs_attention:
        yield Line(inert(f"{address}: healed, {status_text.WORD[now.health]}"))
    elif now.health is Health.UNMANAGED and before is None:
        yield Line(inert(f"{address}: {status_text.WORD[now.health]}: {now.why}"))


_STUCK = (
    "stuck: its sync has not ended in over 30 minutes, and a first one takes 5 to 10. Look at it in the site's "
    "dashboard; the last resort is to disconnect it, which deletes the events that were exported, and connect it again"
)
_TELLING = {Health.ERROR, Health.MISSING, Health.UNKNOWN, Health.AWAITING_CONSENT}


def _stuck(address: str, now: ConnectionState, *, was_stuck: bool) -> Iterator[Line]:
    if now.stuck and not was_stuck:
        yield Line(inert(f"{address}: {_STUCK}"), bad=True)
    elif was_stuck and not now.stuck and now.health not in _TELLING:
        yield Line(inert(f"{address}: no longer stuck, {status_text.WORD[now.health]}"))


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
    """Reports what has changed since the last round.

    It remembers the state of the sites, and the errors and warnings of the watch itself.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._states: dict[str, SiteState] = {}
        self._errors: frozenset[str] = frozenset()
        self._warnings: frozenset[str] = frozenset()

    def keep_only(self, sites: Collection[str]) -> None:
        """Forget all other sites."""
        self._states = {name: each for name, each in self._states.items() if name in sites}

    def stuck(self, site: str) -> int:
        """How many connections of a site are stuck, as far as is known."""
        return self._states.get(site, NEW).stuck

    def report_sites(self, site_rounds: Sequence[SiteRound], seconds: float) -> None:
        """Report in what the sites differ from the round before; `seconds` is when, of a clock that never goes back."""
        self._tell([line for each in site_rounds for line in self._site(each, seconds)])

    def report_errors(self, errors: Sequence[str]) -> None:
        """Report errors of the watch itself that were not there in the round before."""
        self._tell([Line(error, bad=True) for error in errors if error not in self._errors])
        if self._errors and not errors:
            self._reporter.line(Line("manifests, repository and this machine have no errors now"))
        self._errors = frozenset(errors)

    def report_warnings(self, warnings: Sequence[str]) -> None:
        """Report warnings about the manifests as a whole that were not there in the round before."""
        self._tell([Line(warning) for warning in warnings if warning not in self._warnings])
        self._warnings = frozenset(warnings)

    def _site(self, site_round: SiteRound, seconds: float) -> list[Line]:
        name = site_round.first.site.name
        before = self._states.get(name, NEW)
        now = self._states[name] = state_after(site_round, before, seconds)
        return list(changes(site_round, before, now))

    def _tell(self, lines: Sequence[Line]) -> None:
        for line in lines[:_MOST_LINES]:
            self._reporter.line(line)
        if len(lines) > _MOST_LINES:
            bad = any(line.bad for line in lines[_MOST_LINES:])
            self._reporter.line(Line(f"and {len(lines) - _MOST_LINES} more; extcal status shows all", bad))
