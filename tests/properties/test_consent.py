"""What its owner agrees to is finished by the next apply."""

from hypothesis import given

from reconciler.model.result import OutcomeStatus
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stages
from tests.support.scenarios.strategies import Scenario, scenarios

AWAITING = OutcomeStatus.AWAITING_CONSENT


@examples(5)
@given(scenario=scenarios())
def test_consent_is_finished_by_the_applies_that_follow(stages: Stages, scenario: Scenario) -> None:
    """Where every owner agrees each time, the applies that follow configure what came of it until nothing is left."""
    with stages.holding(scenario) as stage:
        result = stage.apply()
        # What waits for an account to be freed is asked for only then, so there may be a round for each action.
        for _ in result.plan.actions:
            for outcome in result.outcomes:
                if outcome.status is AWAITING:
                    stage.grant(outcome)
            result = stage.apply()
        assert {outcome.status for outcome in result.outcomes} <= {OutcomeStatus.DONE}
        plan = stage.plan(frozenset())
    assert plan.whole
    assert not plan.pending


@examples(5)
@given(scenario=scenarios())
def test_consent_is_finished_by_one_apply_where_nothing_waits_for_it(stages: Stages, scenario: Scenario) -> None:
    """Where no other action waits for a consent, one apply after it is enough, and it asks for nothing more."""
    with stages.holding(scenario) as stage:
        first = stage.apply()
        for outcome in first.outcomes:
            if outcome.status is AWAITING:
                stage.grant(outcome)
        second = stage.apply()
        plan = stage.plan(frozenset())
    if all(outcome.status in {OutcomeStatus.DONE, AWAITING} for outcome in first.outcomes):
        assert {outcome.status for outcome in second.outcomes} <= {OutcomeStatus.DONE}
        assert plan.whole
        assert not plan.pending
