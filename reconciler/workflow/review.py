"""Planning anew to see whether a plan that was made before still stands."""

from dataclasses import dataclass

from reconciler.model.desired import Desired, Site
from reconciler.model.live import LiveSite
from reconciler.model.plan import Plan, SitePlan
from reconciler.planning.guards import Allowance
from reconciler.planning.order import ordered
from reconciler.planning.planner import plan_site
from reconciler.planning.review import Refusal, refusals
from reconciler.workflow.plans import Base, declared_by_site, each_site, plan_against_base
from reconciler.workflow.service import Selection, Sessions, selected_sites


@dataclass(frozen=True, slots=True)
class Review:
    """The plan that the manifests yield now, and why the one made before does not stand; empty where it does."""

    fresh: Plan
    refusals: tuple[Refusal, ...]


async def review_saved(
    saved: Plan,
    desired: Desired,
    base: Base | None,
    opened: Sessions,
    selection: Selection,
    allowed: frozenset[Allowance] = frozenset(),
) -> Review:
    """Plan every selected site as a whole and compare the saved plan with that; only reads are sent.

    With `base`, what it protects is protected in the new plan.
    """
    if base is not None:
        against = await plan_against_base(desired, base, opened, selection, allowed)
        return Review(against.plan, refusals(saved, against.plan, against.live, desired.connections))
    by_site = declared_by_site(desired, opened)
    live: dict[str, LiveSite] = {}

    def planned(site: Site, seen: LiveSite) -> SitePlan:
        live[site.name] = seen
        return plan_site(site, by_site[site.name], seen, allowed=allowed)

    plans = await each_site(selected_sites(desired, selection), opened, by_site, planned)
    fresh = ordered(Plan(tuple(plans), selection.shards))
    return Review(fresh, refusals(saved, fresh, live, desired.connections))
