"""Counts the requests that actions ask of their site, as the executor sends them: what an apply waits for.

What actions rest on is read for many at once, and comes on top; so does what is tried again.
"""

from collections.abc import Mapping

from reconciler.model.action import Action, ActionKind
from reconciler.model.plan import Plan, SitePlan
from reconciler.planning.preconditions import calendars_by_name

READ_AGAIN = 1
"""What it takes to read again a site where something was done; its providers are known by then."""


def requests_of(action: Action) -> int:
    """How many requests carrying it out takes; of one that awaits its owner only the one for its link is foreseen."""
    if not action.kind.writes:
        return 0
    if action.kind is ActionKind.DISCONNECT or action.needs_owner:
        return 1
    configured = 0 if action.sync is None else 1 + calendars_by_name(action.sync)
    connected = action.kind is not ActionKind.UPDATE and not action.heals
    return connected + configured + (action.kind is ActionKind.REPLACE)


def requests_of_site(site: SitePlan) -> int:
    """How many requests applying the plan of a site takes, and reading it again; what is held back takes none."""
    if not any(action.kind.writes for action in site.actions):
        return 0
    if not site.applyable:
        return READ_AGAIN
    return READ_AGAIN + sum(requests_of(action) for action in site.actions if not site.holds_back(action))


def requests_by_site(plan: Plan) -> Mapping[str, int]:
    """How many requests applying a plan takes, by the names of its sites."""
    return {site.site.name: requests_of_site(site) for site in plan.sites}
