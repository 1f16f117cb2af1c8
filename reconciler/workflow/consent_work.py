"""The work of finishing consents: of manifests only the connections whose owners are awaited.

An apply that somebody approved has noted whose consent it awaits (`awaited`). What is done later, without anybody who
approves, rests on that: the same connections, their owners asked, or the same sync configs set once they have agreed.
What the manifests say otherwise by now awaits an apply; nothing is disconnected or connected by a password.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.model.action import Action, ActionKind
from reconciler.model.consent_request import ConsentRequest
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.result import Result
from reconciler.model.sync import SyncConfig
from reconciler.planning import diff, overlay
from reconciler.workflow import plans
from reconciler.workflow.apply_plan import verify
from reconciler.workflow.awaited import approval
from reconciler.workflow.service import Selection, Sessions, selected_sites


class ConsentWork:
    """What of the manifests awaits an owner, or has just got their consent; it is planned once."""

    def __init__(self, desired: Desired, selection: Selection) -> None:
        self._desired = desired
        self._selection = selection

    @property
    def sites(self) -> Sequence[Site]:
        """The selected sites."""
        return selected_sites(self._desired, self._selection)

    async def plan(self, opened: Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Plan what is awaited; raises ExtcalError where it is not known who that is."""
        awaited = self._awaited_on(opened)
        chosen = self._selection.connections
        addresses = frozenset(awaited)
        selection = replace(self._selection, connections=addresses if chosen is None else addresses & chosen)
        planned = await plans.plan(self._desired, opened, selection, allowed)
        plan = replace(planned, sites=tuple(self._approved(site, awaited) for site in planned.sites))
        # What was left out is not missed when it is looked what still differs.
        self._selection = replace(selection, connections=frozenset(action.address for action in plan.actions))
        return plan

    async def verify(self, result: Result, opened: Sessions, allowed: frozenset[Allowance]) -> Result:
        """Plan the same connections again."""
        return await verify(result, self._desired, opened, self._selection, allowed)

    def _awaited_on(self, opened: Sessions) -> Mapping[str, ConsentRequest]:
        """The requests by address of the connections that are awaited, on the sites and of the accounts that they are.

        Another site may have their site's name by now.
        """
        if opened.machine is None:
            return {}
        known = {
            (site.name, request.address, request.account): request
            for site in self.sites
            for request in opened.machine.site(site.site_id).consent_requests.read()
        }
        keys = {each.address: (each.site, each.address, each.account) for each in self._desired.connections}
        return {address: known[key] for address, key in keys.items() if key in known}

    def _approved(self, plan: SitePlan, awaited: Mapping[str, ConsentRequest]) -> SitePlan:
        """What of a site's plan may be carried out without anybody who approves it now; the rest is warned of."""
        declared = {each.address: each for each in self._desired.connections}
        about = [action for action in plan.actions if _is_about_consent(action)]
        changed = [
            action.address
            for action in about
            if action.kind.writes
            and awaited[action.address].approved not in _approvals(plan.site, action, declared[action.address])
        ]
        warnings = (f"{address}: not as it was approved, so it awaits an apply; nothing is done" for address in changed)
        actions = tuple(action for action in about if action.address not in changed)
        return replace(plan, actions=actions, warnings=(*plan.warnings, *warnings))


def _approvals(site: Site, action: Action, declared: DeclaredConnection) -> set[str]:
    """What the approval of an action can have been, if its manifest is as it was then."""
    # A sync config that is set has the ids of calendars that could not be known before its owner had agreed.
    kept = diff.managed(declared.sync, declared.lifecycle.ignore_changes)
    configs = {overlay.managed_part(sync) for sync in (declared.sync, kept)}
    return {approval(site, action, None if sync == SyncConfig() else sync) for sync in configs}


def _is_about_consent(action: Action) -> bool:
    """Whether an action may be carried out without anybody who approves it now."""
    if not action.kind.writes:
        return True
    return not action.kind.disconnects and (action.needs_owner or action.kind is ActionKind.UPDATE)
