"""Applying brings about what the manifests state, and then leaves it alone."""

from hypothesis import example, given

from reconciler.cli.apply import exit_code
from reconciler.model.consent import ConsentMode
from reconciler.model.result import OutcomeStatus, Result
from tests.properties.found import IGNORED_AND_ON
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stages
from tests.support.scenarios.strategies import Scenario, scenarios

AWAITING = OutcomeStatus.AWAITING_CONSENT


def waiting(result: Result) -> set[str]:
    """The actions that await consent, or wait for one that does."""
    found = {outcome.action.address for outcome in result.outcomes if outcome.status is AWAITING}
    while (
        more := {
            outcome.action.address
            for outcome in result.outcomes
            if outcome.status is OutcomeStatus.SKIPPED and found & set(outcome.action.depends_on)
        }
        - found
    ):
        found |= more
    return found


@examples(6)
@example(scenario=IGNORED_AND_ON)
@given(scenario=scenarios())
def test_after_applying_nothing_is_left_but_what_awaits_consent(stages: Stages, scenario: Scenario) -> None:
    """Whatever the world and the manifests, apply leaves a plan that holds what awaits consent and nothing else."""
    with stages.holding(scenario) as stage:
        result = stage.apply()
        assert result.plan.whole, result.plan
        left = waiting(result)
        assert {o.action.address for o in result.outcomes if o.status is not OutcomeStatus.DONE} == left, (
            result.outcomes
        )
        again = stage.plan()
    assert again.whole
    assert {action.address for action in again.actions if action.kind.writes} == left
    assert result.unsettled == ()


@examples(6)
@example(scenario=IGNORED_AND_ON)
@given(scenario=scenarios())
def test_the_exit_code_tells_done_from_awaiting_consent(stages: Stages, scenario: Scenario) -> None:
    """Where nothing failed the exit code is 0, or 3 where somebody must consent."""
    with stages.holding(scenario) as stage:
        result = stage.apply()
    assert exit_code(result) == (3 if waiting(result) else 0)


@examples(6)
@example(scenario=IGNORED_AND_ON)
@given(scenario=scenarios())
def test_a_second_apply_writes_nothing_but_asks_for_consent_again(stages: Stages, scenario: Scenario) -> None:
    """What was applied is not written again; only for consent that is still missing a new link is asked for."""
    with stages.holding(scenario) as stage:
        asked = stage.apply().count(AWAITING)
        stage.sandbox.requests.clear()
        stage.apply()
        again = [request.path.rpartition(":")[2] for request in stage.writes()]
        assert again == ["connectByOAuth"] * asked
        stage.sandbox.requests.clear()
        stage.apply(consent=ConsentMode.SKIP)
        assert stage.writes() == []
