"""Models what came of applying a plan."""

from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.model.action import Action
from reconciler.model.plan import Plan
from reconciler.model.source import Fault


class OutcomeStatus(StrEnum):
    """How an action ended (`status` in schemas/plan.schema.json)."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    AWAITING_CONSENT = "awaiting-consent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One action and how it ended.

    `error` says what went wrong and what to do; `consent_url` is the link an owner must open. The link lets
    whoever holds it attach a calendar, so it is kept out of `repr`. `already` says that it had come about before
    this run, which sent nothing for it; `held_up` that it was skipped only since one that goes first awaits consent.
    """

    action: Action
    status: OutcomeStatus
    error: str | None = None
    consent_url: str | None = None
    connection_id: str | None = None
    already: bool = False
    held_up: bool = False

    def __repr__(self) -> str:
        return f"Outcome({self.action.kind} {self.action.address}: {self.status})"


@dataclass(frozen=True, slots=True)
class Result:
    """All outcomes, and what a fresh plan after applying still finds to do (None: it was not looked at).

    `unlisted` are the addresses of connections that were made, and that the service does not list afterwards.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...]
    remaining: Plan | None = None
    interrupted: bool = False
    unlisted: frozenset[str] = frozenset()

    def with_remaining(self, remaining: Plan, unlisted: frozenset[str] = frozenset()) -> "Result":
        """The same result, checked against a plan made after applying."""
        return replace(self, remaining=remaining, unlisted=unlisted)

    def count(self, status: OutcomeStatus) -> int:
        """How many actions ended as `status`."""
        return sum(outcome.status is status for outcome in self.outcomes)

    @property
    def unsettled(self) -> tuple[Action, ...]:
        """What still differs after applying though the result does not say so: nobody's failure, yet not as planned."""
        if self.remaining is None:
            return ()
        excused = {outcome.action.address for outcome in self.outcomes if outcome.status is not OutcomeStatus.DONE}
        return tuple(
            action for action in self.remaining.actions if action.kind.writes and action.address not in excused
        )

    @property
    def unchecked(self) -> tuple[Fault, ...]:
        """Why sites or connections could not be read or planned again after applying.

        What the plan says itself is not said anew.
        """
        if self.remaining is None:
            return ()
        known = {fault for site in self.plan.sites for fault in (*site.faults, *site.unread)}
        return tuple(
            fault for site in self.remaining.sites for fault in (*site.faults, *site.unread) if fault not in known
        )
