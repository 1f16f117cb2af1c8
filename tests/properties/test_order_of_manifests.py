"""The order in which manifests are found means nothing."""

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.render.plan_json import plan_json
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stages
from tests.support.scenarios.statements import Document
from tests.support.scenarios.strategies import Scenario, scenarios


@st.composite
def files(draw: st.DrawFn, documents: Sequence[Document]) -> list[list[Document]]:
    """The documents in any order, in any number of files."""
    shuffled = draw(st.permutations(documents))
    spread: list[list[Document]] = [[] for _ in range(draw(st.integers(1, 5)))]
    for document in shuffled:
        spread[draw(st.integers(0, len(spread) - 1))].append(document)
    return spread


@examples(5)
@given(scenario=scenarios(), data=st.data())
def test_the_order_of_manifests_changes_nothing(stages: Stages, scenario: Scenario, data: st.DataObject) -> None:
    """Shuffled documents in other files give the same plan, to the letter and with the same digest."""
    with stages.holding(scenario) as stage:
        plan = plan_json(stage.plan(frozenset()))
    with stages.holding(scenario, data.draw(files(scenario.documents))) as stage:
        assert plan_json(stage.plan(frozenset())) == plan


@examples(5)
@given(scenario=scenarios(sound=False), data=st.data())
def test_the_order_of_faulty_manifests_changes_nothing(stages: Stages, scenario: Scenario, data: st.DataObject) -> None:
    """Where manifests are at fault, the same actions and the same troubles are found in any order of theirs."""

    def found(layout: list[list[Document]]) -> object:
        with stages.holding(scenario, layout) as stage:
            try:
                plan = stage.plan(frozenset())
            except ManifestError:
                # Of manifests that contradict each other the later one is blamed, so the faults' number may differ.
                return "refused"
        troubles = [
            (sorted(fault.where for fault in site.faults), sorted(fault.where for fault in site.unread))
            for site in plan.sites
        ]
        return (json.loads(plan_json(plan))["actions"], troubles)

    first = found([list(scenario.documents)])
    assert found(data.draw(files(scenario.documents))) == first
