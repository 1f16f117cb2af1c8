"""The work of finishing consents: of manifests only the connections whose owners are awaited.

An apply that somebody approved has noted whose consent it awaits (`awaited`). What is done later, without anybody who
approves, rests on that: the same addresses and accounts, their owners asked, or their sync configs set once they have
agreed. Nothing is disconnected or connected by a password, whatever the manifests say by now.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import Desired, Site
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Result
from reconciler.workflow import plans
from reconciler.workflow.apply_plan import verify
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
        selection = replace(self._selection, connections=awaited if chosen is None else awaited & chosen)
        planned = await plans.plan(self._desired, opened, selection, allowed)
        sites = (replace(site, actions=tuple(filter(_is_about_consent, site.actions))) for site in planned.sites)
        plan = replace(planned, sites=tuple(sites))
        # What was left out is not missed when it is looked what still differs.
        self._selection = replace(selection, connections=frozenset(action.address for action in plan.actions))
        return plan

    async def verify(self, result: Result, opened: Sessions, allowed: frozenset[Allowance]) -> Result:
        """Plan the same connections again."""
        return await verify(result, self._desired, opened, self._selection, allowed)

    def _awaited_on(self, opened: Sessions) -> frozenset[str]:
        """The addresses of the connections that are awaited, of the accounts that they are awaited for."""
        if opened.machine is None:
            return frozenset()
        known = {
            (request.address, request.account)
            for site in self.sites
            for request in opened.machine.site(site.site_id).consent_requests.read()
        }
        return frozenset(each.address for each in self._desired.connections if (each.address, each.account) in known)


def _is_about_consent(action: Action) -> bool:
    """Whether an action may be carried out without anybody who approves it now."""
    if not action.kind.writes:
        return True
    return not action.kind.disconnects and (action.needs_owner or action.kind is ActionKind.UPDATE)
