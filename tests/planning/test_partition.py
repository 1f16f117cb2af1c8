"""How a plan is cut into partitions, and joined again."""

from dataclasses import replace

from reconciler.model.action import Action
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.shards import Shards, shard_of
from reconciler.planning.partition import independent_partitions, joined_result, partition_of
from tests.support.builders.plans import SITE, declared, planned, the_action

_ACTION = the_action(planned(declared()))


def site_plan(name: str, *after: str) -> SitePlan:
    """The plan of a site with one action, which waits for those of other sites."""
    return SitePlan(replace(SITE, name=name), (action(name, *after),))


def action(name: str, *after: str) -> Action:
    """The action of a site."""
    return replace(_ACTION, site=name, address=f"{name}/lee", depends_on=tuple(f"{other}/lee" for other in after))


def test_a_shard_of_a_plan_is_its_sites_and_says_so() -> None:
    """Every site is in one shard; what is left out is not forgotten by those that wait for it."""
    plans = [planned(site=replace(SITE, name=f"s{n}", site_id=f"site-{n}")) for n in range(6)]
    plan = Plan(tuple(plans))
    assert partition_of(plan, None) == plan
    partitions = [partition_of(plan, Shards(2, (number,))) for number in (1, 2)]
    for number, partition in enumerate(partitions, 1):
        assert partition.shards == Shards(2, (number,))
        assert list(partition.sites) == [site for site in plans if shard_of(site.site.site_id, 2) == number]
    assert all(partition.sites for partition in partitions)


def test_sites_that_wait_for_each_other_go_together() -> None:
    """However long the chain is; what it waits for in another plan keeps nobody together."""
    plan = Plan((site_plan("a"), site_plan("b", "a"), site_plan("c", "b"), site_plan("d"), site_plan("e", "elsewhere")))
    names = [[site.site.name for site in each.sites] for each in independent_partitions(plan)]
    assert sorted(names) == [["a", "b", "c"], ["d"], ["e"]]


def test_the_results_of_partitions_are_one_result() -> None:
    """In the plan's order; what remains is known where it is of every partition; interrupted where one was."""
    plan = Plan((site_plan("a"), site_plan("b")))
    first, second = (Plan((site,)) for site in plan.sites)
    done = [Result(each, (Outcome(each.actions[0], OutcomeStatus.DONE),), Plan(())) for each in (second, first)]
    result = joined_result(done, plan, interrupted=False)
    assert [outcome.action.address for outcome in result.outcomes] == ["a/lee", "b/lee"]
    assert (result.plan, result.remaining, result.interrupted) == (plan, Plan(()), False)
    cut_short = replace(done[0], remaining=None, interrupted=True)
    result = joined_result([cut_short, done[1]], plan, interrupted=False)
    assert (result.remaining, result.interrupted) == (None, True)
