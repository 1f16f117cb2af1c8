"""The part of a plan that one shard carries out."""

from dataclasses import replace

from reconciler.model.plan import Plan
from reconciler.model.shards import Shards


def part_of(plan: Plan, shards: Shards | None) -> Plan:
    """The sites of a plan that are in these shards; None is all of them.

    An action that waits for one of another shard still names it, so that it is not carried out before.
    """
    if shards is None:
        return plan
    return replace(plan, sites=tuple(site for site in plan.sites if shards.holds(site.site.site_id)), shards=shards)
