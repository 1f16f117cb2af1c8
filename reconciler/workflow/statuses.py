"""The health of every declared connection: the plan of each site beside the observation that it was made from."""

import asyncio

from reconciler.model.desired import Desired, Site
from reconciler.model.live import LiveSite
from reconciler.model.plan import SitePlan
from reconciler.model.status import FleetStatus, SiteStatus
from reconciler.planning.planner import plan_site
from reconciler.planning.status import status_of, unread_status
from reconciler.workflow.plans import declared_by_site, each_site
from reconciler.workflow.service import Selection, Sessions, selected_sites


async def status(desired: Desired, opened: Sessions, selection: Selection) -> FleetStatus:
    """Read the live state of every selected site and say how each declared connection is; only reads are sent.

    A site that can't be read has a status that says so.
    """
    by_site = declared_by_site(desired)
    seen: dict[str, LiveSite] = {}

    def planned(site: Site, live: LiveSite) -> SitePlan:
        seen[site.name] = live
        return plan_site(site, by_site[site.name], live, only=selection.connections)

    def judged(made: SitePlan) -> SiteStatus:
        name = made.site.name
        chosen = [c for c in by_site[name] if selection.connections is None or c.address in selection.connections]
        return status_of(made, chosen, seen[name]) if name in seen else unread_status(made, chosen)

    plans = await asyncio.gather(*each_site(selected_sites(desired, selection), opened, by_site, planned))
    return FleetStatus(tuple(judged(made) for made in sorted(plans, key=lambda made: made.site.name)))
