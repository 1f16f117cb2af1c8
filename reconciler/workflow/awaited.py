"""Notes whose consent a run has found to be awaited, and forgets that of those who have agreed, or need not.

Who has agreed is known until their connection is as declared: nobody else may look after it (`consent_work`).
"""

from datetime import UTC, datetime

from reconciler.machine import Machine
from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import Site
from reconciler.model.encoding import digest, encoded
from reconciler.model.plan import SitePlan
from reconciler.model.result import OutcomeStatus, Result
from reconciler.model.sync import SyncConfig


def note_awaited(result: Result, machine: Machine) -> None:
    """Note since when owners are awaited, site by site; raises ExtcalError.

    Whoever calls this holds the locks of the sites that were written to. Of an address that the plan says nothing of
    nothing is known.
    """
    for site in result.plan.sites:
        if site.applyable:
            _note(site, result, machine)


def approval(site: Site, action: Action, sync: SyncConfig | None) -> str:
    """The digest of what is approved with an action: which connection it is about, its sync config, where owners land.

    Two are the same only where carrying out the second does nothing that the first would not do.
    """
    return digest([encoded(action.key), encoded(sync), site.redirect_url])


def _note(site: SitePlan, result: Result, machine: Machine) -> None:
    asking = [
        outcome.action
        for outcome in result.outcomes
        if outcome.action.site == site.site.name and outcome.status is OutcomeStatus.AWAITING_CONSENT
    ]
    awaited: dict[str, Account | None] = {action.address: action.account for action in asking}
    requests = machine.site(site.site.site_id).consent_requests
    done = {outcome.action.address for outcome in result.outcomes if outcome.status is OutcomeStatus.DONE}
    standing = {action.address for action in site.actions if not _may_follow_consent(action)}
    now = datetime.now(UTC).replace(microsecond=0)
    for action in asking:
        requests.await_consent(action.address, action.account, now, approval(site.site, action, action.sync))
    requests.keep_only(
        lambda request: (
            request.address not in done | standing
            and (request.address not in awaited or awaited[request.address] == request.account)
        )
    )


def _may_follow_consent(action: Action) -> bool:
    """Whether an action awaits an owner, or may be what is left to do once they have agreed."""
    return action.kind.writes and (action.needs_owner or action.kind is ActionKind.UPDATE)
