"""Notes whose consent a run has found to be awaited, and forgets that of those who have agreed, or need not.

Who has agreed is known until their connection is as declared: nobody else may look after it (`consent_work`).
"""

from datetime import UTC, datetime

from reconciler.machine import Machine
from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind
from reconciler.model.plan import SitePlan
from reconciler.model.result import OutcomeStatus, Result


def note_awaited(result: Result, machine: Machine) -> None:
    """Note since when owners are awaited, site by site; raises ExtcalError.

    Whoever calls this holds the locks of the sites that were written to. Of an address that the plan says nothing of
    nothing is known.
    """
    for site in result.plan.sites:
        if site.applyable:
            _note(site, result, machine)


def _note(site: SitePlan, result: Result, machine: Machine) -> None:
    awaited: dict[str, Account | None] = {
        outcome.action.address: outcome.action.account
        for outcome in result.outcomes
        if outcome.action.site == site.site.name and outcome.status is OutcomeStatus.AWAITING_CONSENT
    }
    requests = machine.site(site.site.site_id).consent_requests
    done = {outcome.action.address for outcome in result.outcomes if outcome.status is OutcomeStatus.DONE}
    standing = {action.address for action in site.actions if not _may_follow_consent(action)}
    now = datetime.now(UTC).replace(microsecond=0)
    for address, account in awaited.items():
        requests.await_consent(address, account, now)
    requests.keep_only(
        lambda request: (
            request.address not in done | standing
            and (request.address not in awaited or awaited[request.address] == request.account)
        )
    )


def _may_follow_consent(action: Action) -> bool:
    """Whether an action awaits an owner, or may be what is left to do once they have agreed."""
    return action.kind.writes and (action.needs_owner or action.kind is ActionKind.UPDATE)
