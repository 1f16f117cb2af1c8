"""A saved plan is for one use: applied again it does nothing, whatever was taken away in between."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.machine import Machine
from reconciler.model.result import OutcomeStatus, Result
from reconciler.sandbox.contract import Status
from tests.support.machines import fresh_machine
from tests.support.profiles import examples
from tests.support.scenarios.stage import Live, Stage, Stages
from tests.support.scenarios.strategies import Scenario, scenarios

_PLAN_ID = "5eed" * 8


def applied_twice(
    stage: Stage, elsewhere: Machine | None, taken: st.DataObject | None = None
) -> tuple[Result, Result, Live, Live]:
    """What comes of the first and the second use, and what is live before and after the second.

    The second is on the same machine, or `elsewhere`; some connections are `taken` away in between.
    """
    plan = stage.plan()
    saved = plan.with_ids(dict.fromkeys((site.site.name for site in plan.sites), _PLAN_ID))
    first = stage.apply_saved(saved, stage.machine)
    if taken is not None:
        there = sorted(id_ for id_, found in stage.live().items() if found["status"] != Status.DISCONNECTED)
        stage.take_away(taken.draw(st.sets(st.sampled_from(there))) if there else ())
    before = stage.live()
    stage.sandbox.requests.clear()
    second = stage.apply_saved(saved, elsewhere or stage.machine)
    return first, second, before, stage.live()


@examples(6)
@given(scenario=scenarios())
def test_applying_a_saved_plan_twice_is_applying_it_once(stages: Stages, scenario: Scenario) -> None:
    """The second time nothing is sent, and what was done counts as done."""
    with stages.holding(scenario) as stage:
        first, second, before, after = applied_twice(stage, None)
        assert stage.writes() == []
    assert after == before
    assert [outcome.status for outcome in second.outcomes] == [outcome.status for outcome in first.outcomes]
    assert all(outcome.already for outcome in second.outcomes if outcome.status is OutcomeStatus.DONE)


@examples(6)
@given(scenario=scenarios(), elsewhere=st.booleans(), taken=st.data())
def test_what_was_taken_away_in_between_stays_away(
    stages: Stages, scenario: Scenario, taken: st.DataObject, *, elsewhere: bool
) -> None:
    """On the same machine, or another one that reads what was taken away: nothing is sent and nothing comes back."""
    with stages.holding(scenario) as stage:
        _, _, before, after = applied_twice(stage, fresh_machine() if elsewhere else None, taken)
        assert stage.writes() == []
    assert after == before
