"""Tells the connections that a run has made and that the service does not list afterwards.

A key or app may be allowed to see only its own connections. To it, what it made for somebody else looks as if it had
never been made: it would be connected again in each run. So it is left open in the journal of its site.
"""

from dataclasses import replace

from reconciler.execution.trust import note_unlisted
from reconciler.machine import Machine
from reconciler.model.action import ActionKind, Reason
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus, Result

_CONNECTING = {ActionKind.CONNECT, ActionKind.REPLACE, ActionKind.RECONNECT}


def has_made(outcome: Outcome) -> bool:
    """Whether an action has made a connection, just now and as planned."""
    action = outcome.action
    done = outcome.status is OutcomeStatus.DONE and not outcome.already and outcome.connection_id is not None
    return done and action.kind in _CONNECTING and not action.heals


def checked_by_plan(result: Result, remaining: Plan) -> Result:
    """The result with a plan made after it; what that would connect anew is not listed."""
    anew = {
        action.address
        for action in remaining.actions
        if action.kind in {ActionKind.CONNECT, ActionKind.REPLACE} and action.reason is not Reason.WAS_DISCONNECTED
    }
    # One that shows another account is planned as undeclared.
    seen = {(action.site, action.connection_id) for action in remaining.actions}
    unlisted = (
        outcome.action.address
        for outcome in result.outcomes
        if has_made(outcome)
        and outcome.action.address in anew
        and (outcome.action.site, outcome.connection_id) not in seen
    )
    return result.with_remaining(remaining, frozenset(unlisted))


def note_all_unlisted(result: Result, machine: Machine) -> Result:
    """The result, in which what was made and is not listed has failed; it is left open for later runs.

    Whoever calls this holds the locks of the sites that were written to.
    """

    def noted(outcome: Outcome) -> Outcome:
        if outcome.action.address not in result.unlisted or outcome.connection_id is None:
            return outcome
        return note_unlisted(outcome, outcome.connection_id, machine.site(outcome.action.site_id).journal)

    return replace(result, outcomes=tuple(map(noted, result.outcomes))) if result.unlisted else result
