"""The part of a plan that one shard carries out."""

from dataclasses import replace

from reconciler.model.plan import Plan
from reconciler.model.shards import Shards, shard_of
from reconciler.planning.select import part_of
from tests.support.builders.plans import SITE, planned


def test_a_part_of_a_plan_is_its_sites_and_says_so() -> None:
    """Every site is in one part; what is left out is not forgotten by those that wait for it."""
    plans = [planned(site=replace(SITE, name=f"s{n}", site_id=f"site-{n}")) for n in range(6)]
    plan = Plan(tuple(plans))
    assert part_of(plan, None) == plan
    parts = [part_of(plan, Shards(2, (number,))) for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        assert part.shards == Shards(2, (number,))
        assert list(part.sites) == [site for site in plans if shard_of(site.site.site_id, 2) == number]
    assert all(part.sites for part in parts)
