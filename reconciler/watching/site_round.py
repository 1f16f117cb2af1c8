"""Keeps what one round has found and done on one site."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.plan import SitePlan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.source import Fault
from reconciler.model.status import SiteStatus
from reconciler.render import words

# What a message says anew each time: whose request it was, when, how long, how many.
_FLEETING = re.compile(r" \(request id [^)]*\)|[0-9]+")
_WENT_WRONG = {OutcomeStatus.FAILED, OutcomeStatus.SKIPPED, OutcomeStatus.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Alert:
    """An error or a held back action, at a site or an address; `text` is a whole message."""

    where: str
    text: str

    @property
    def gist(self) -> tuple[str, str]:
        """What tells it from others: where it is, and what it says but for ids, times and counts."""
        return self.where, _FLEETING.sub("", self.text)


@dataclass(frozen=True, slots=True)
class SiteRound:
    """One site in one round.

    `first` is the plan at the beginning, which is applied with `--apply`; `final` and `status` are of the last check,
    after applying where anything was done. `requests` counts what was sent.
    """

    first: SitePlan
    final: SitePlan
    status: SiteStatus
    outcomes: tuple[Outcome, ...] = ()
    requests: int = 0

    @property
    def failed(self) -> bool:
        """Whether it was not read in full, or an action failed.

        What a guard holds back has not failed.
        """
        return any(True for _ in self._failures())

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Why it failed, and what guards hold back."""
        held = (Alert(v.address, f"{v.address}: guard {v.guard}: {v.message}") for v in self.first.violations)
        return (*self._failures(), *held)

    @property
    def pending(self) -> int:
        """How many actions are still to do."""
        return sum(action.kind.writes for action in self.final.actions)

    def _failures(self) -> Iterator[Alert]:
        for fault in dict.fromkeys((*_faults(self.first), *_faults(self.final))):
            yield Alert(fault.where, str(fault))
        for outcome in self.outcomes:
            # Where a guard or a fault holds something back, that is said once, and not again by each of its actions.
            held_back = outcome.held_up or not self.first.applyable or self.first.holds_back(outcome.action)
            if outcome.status in _WENT_WRONG and not held_back:
                action = outcome.action
                yield Alert(action.address, f"{action.address}: {action.kind} {outcome.status}: {outcome.error}")
        done = {outcome.action.address for outcome in self.outcomes if outcome.status is OutcomeStatus.DONE}
        for action in self.final.actions:
            if action.kind.writes and action.address in done:
                why = f"{action.address}: still different after applying: {words.reason(action)}"
                yield Alert(action.address, why)


def _faults(plan: SitePlan) -> Iterator[Fault]:
    yield from plan.faults
    yield from plan.unread
