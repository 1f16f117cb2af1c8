"""Cuts a plan into partitions, and joins what became of them.

A partition is the part of a plan that is planned or applied apart from the rest: a shard of the fleet on a machine of
its own, or the sites that one worker gets. Two things hold whatever the cut:

1. A site is in one partition, whole: its guards and its requests are counted as one.
2. An action that waits for one of another partition still names it, so that it is not carried out before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from reconciler.model.desired import Site
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Result
from reconciler.model.shards import Shards
from reconciler.planning.order import ordered


def partition_of(plan: Plan, shards: Shards | None) -> Plan:
    """The sites of a plan that are in these shards; None is all of them."""
    if shards is None:
        return plan
    return replace(plan, sites=tuple(site for site in plan.sites if shards.holds(site.site.site_id)), shards=shards)


def independent_partitions(plan: Plan) -> Iterator[Plan]:
    """The plan in as many partitions as can be applied apart: sites whose actions wait for each other are in one."""
    by_address = {action.address: action.site for action in plan.actions}
    leader = {site.site.name: site.site.name for site in plan.sites}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for action in plan.actions:
        for address in action.depends_on:
            if address in by_address:
                leader[find(action.site)] = find(by_address[address])
    for name in sorted({find(site.site.name) for site in plan.sites}):
        yield Plan(tuple(site for site in plan.sites if find(site.site.name) == name))


def joined_plan(sites: Iterable[SitePlan], shards: Shards | None = None) -> Plan:
    """The plan of all these sites, as if they had been planned at once: what waits for another site is found anew."""
    return ordered(Plan(tuple(sorted(sites, key=lambda site: site.site.name)), shards))


def joined_result(results: Sequence[Result], plan: Plan, *, interrupted: bool) -> Result:
    """The results of partitions as that of the whole plan; what remains is known where it is of every partition."""
    planned = {site.site.name: site for result in results for site in result.plan.sites}
    remaining = [result.remaining for result in results if result.remaining is not None]
    return Result(
        replace(plan, sites=tuple(planned.get(site.site.name, site) for site in plan.sites)),
        tuple(sorted((o for result in results for o in result.outcomes), key=lambda o: o.action.address)),
        Plan(tuple(site for each in remaining for site in each.sites)) if len(remaining) == len(results) else None,
        interrupted=interrupted or any(result.interrupted for result in results),
    )


def is_about(plan: Plan, sites: Sequence[Site]) -> bool:
    """Whether a plan is one of these very sites, whose actions don't wait for each other in a circle."""
    theirs = all(
        (action.site, action.site_id) == (each.site.name, each.site.site_id)
        for each in plan.sites
        for action in each.actions
    )
    try:
        TopologicalSorter({action.address: action.depends_on for action in plan.actions}).prepare()
    except CycleError:
        return False
    return theirs and [each.site for each in plan.sites] == list(sites)


def is_result_of(partition: Plan, result: Result) -> bool:
    """Whether a result is about a partition: its sites, and nothing done that was not agreed to."""
    sites = [each.site for each in partition.sites]
    agreed = {(action.address, action.site_id) for action in partition.actions if action.kind.writes}
    return (
        is_about(result.plan, sites)
        and (result.remaining is None or is_about(result.remaining, sites))
        and {(outcome.action.address, outcome.action.site_id) for outcome in result.outcomes} <= agreed
    )
