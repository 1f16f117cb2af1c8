"""How a plan is cut into tasks, and what travels: sites whose actions wait for each other stay together."""

from dataclasses import replace
from pathlib import Path

from reconciler.cli.dask.driver import joined, together
from reconciler.cli.dask.worker import Answer, Errand, packed, unpacked
from reconciler.manifests import load
from reconciler.model.action import Action
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.planning.guards import Allowance
from reconciler.workflow import Selection
from tests.support.builders.plans import SITE, declared, planned, the_action
from tests.support.cli.worlds import BUSY, connection, site

_ACTION = the_action(planned(declared()))


def part(name: str, *after: str) -> SitePlan:
    """The plan of a site with one action, which waits for those of other sites."""
    return SitePlan(replace(SITE, name=name), (action(name, *after),))


def action(name: str, *after: str) -> Action:
    """The action of a site."""
    return replace(_ACTION, site=name, address=f"{name}/lee", depends_on=tuple(f"{other}/lee" for other in after))


def test_sites_that_wait_for_each_other_go_together() -> None:
    """However long the chain is; what it waits for in another part of the plan keeps nobody together."""
    plan = Plan((part("a"), part("b", "a"), part("c", "b"), part("d"), part("e", "elsewhere")))
    parts = [[site.site.name for site in each.sites] for each in together(plan)]
    assert sorted(parts) == [["a", "b", "c"], ["d"], ["e"]]


def test_what_the_parts_came_to_is_one_result() -> None:
    """In the plan's order; looked again only where every part was; interrupted where one was."""
    plan = Plan((part("a"), part("b")))
    first, second = (Plan((site,)) for site in plan.sites)
    done = [Result(each, (Outcome(each.actions[0], OutcomeStatus.DONE),), Plan(())) for each in (second, first)]
    result = joined(done, plan, interrupted=False)
    assert [outcome.action.address for outcome in result.outcomes] == ["a/lee", "b/lee"]
    assert (result.plan, result.remaining, result.interrupted) == (plan, Plan(()), False)
    cut_short = replace(done[0], remaining=None, interrupted=True)
    result = joined([cut_short, done[1]], plan, interrupted=False)
    assert (result.remaining, result.interrupted) == (None, True)


def test_what_travels_arrives_as_it_was(tmp_path: Path) -> None:
    """Manifests, plans and results with all that they say, also where in the manifests it was said."""
    (tmp_path / "all.yaml").write_text(site() + connection(0, more=BUSY) + connection(1, provider="google"))
    desired = load([tmp_path])
    agreed = Plan((part("a"), part("b", "a")))
    errand = Errand("run", "https://api.example", desired, ("a/lee",), (Allowance("consent-loss", "a"),), agreed)
    assert unpacked(Errand, packed(errand)) == errand
    assert errand.selection == Selection(None, frozenset({"a/lee"}))
    outcomes = tuple(Outcome(action, OutcomeStatus.UNKNOWN, error="why") for action in agreed.actions)
    answer = Answer(agreed, Result(agreed, outcomes, Plan((SitePlan(desired.sites[0]),))), "none")
    assert unpacked(Answer, packed(answer)) == answer
