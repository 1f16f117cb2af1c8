"""One action's failure takes no other along, is told, and is made good by a later apply."""

from collections.abc import Sequence
from dataclasses import replace

import httpx
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.apply import exit_code
from reconciler.model.action import ActionKind
from reconciler.model.live import ConnectMethod
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.sandbox.contract import Status
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stages
from tests.support.scenarios.statements import password_variable
from tests.support.scenarios.strategies import Scenario, scenarios

_SETTLED = {OutcomeStatus.DONE, OutcomeStatus.AWAITING_CONSENT}


@examples(6)
@given(scenario=scenarios(), wrong=st.sampled_from(("not the password", "")), data=st.data())
def test_a_failed_action_leaves_the_others_done(
    stages: Stages, scenario: Scenario, wrong: str, data: st.DataObject
) -> None:
    """With wrong passwords, or none, for some: what doesn't need them is done, and what does is named as failed."""
    variables = sorted(scenario.passwords)
    spoilt = data.draw(st.lists(st.sampled_from(variables), min_size=1, unique=True))
    with stages.holding(scenario, environ=dict.fromkeys(spoilt, wrong)) as stage:
        before = stage.live()
        result = stage.apply()
        after = stage.live()
    hit = {
        outcome.action.address
        for outcome in result.outcomes
        if outcome.action.method is ConnectMethod.CREDENTIALS
        and outcome.action.password is not None
        and outcome.action.password.name in spoilt
    }
    for outcome in result.outcomes:
        if outcome.action.address in hit:
            assert outcome.status in {OutcomeStatus.FAILED, OutcomeStatus.SKIPPED}
            assert outcome.error
            if outcome.action.connection_id:
                assert after[outcome.action.connection_id] == before[outcome.action.connection_id]
        elif not _waits_for(outcome, result.outcomes):
            assert outcome.status in _SETTLED, outcome.error
    if hit:
        assert exit_code(result) == 1


@examples(6)
@given(scenario=scenarios())
def test_the_right_password_makes_it_good(stages: Stages, scenario: Scenario) -> None:
    """After an apply in which every password was wrong, one with the right ones leaves nothing but consent."""
    wrong = {password_variable(account): "not the password" for account in scenario.world.accounts}
    with stages.holding(scenario, environ=wrong) as stage:
        stage.apply()
        right = stage.with_environ({**stage.environ, **scenario.passwords})
        result = right.apply()
        plan = right.plan()
    unsettled = [o for o in result.outcomes if o.status not in _SETTLED and not _waits_for(o, result.outcomes)]
    assert unsettled == []
    left = {outcome.action.address for outcome in result.outcomes if outcome.status is not OutcomeStatus.DONE}
    assert {action.address for action in plan.actions if action.kind.writes} == left


def _waits_for(outcome: Outcome, outcomes: Sequence[Outcome]) -> bool:
    """Whether it was skipped since one that must go first was not done."""
    undone = {other.action.address for other in outcomes if other.status is not OutcomeStatus.DONE}
    return outcome.status is OutcomeStatus.SKIPPED and bool(undone & set(outcome.action.depends_on))


@examples(7)
@given(scenario=scenarios(), data=st.data())
def test_what_could_not_be_seen_is_not_connected_anew(stages: Stages, scenario: Scenario, data: st.DataObject) -> None:
    """While providers can't be reached, no connect is planned for a connection that stands, seen or not."""
    ids = [provider.id for site in scenario.world.sites for provider in site.providers]
    down = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    with stages.holding(replace(scenario, down=tuple(down))) as stage:
        plan = stage.plan()
    planned = {action.address for action in plan.actions if action.kind in {ActionKind.CONNECT, ActionKind.REPLACE}}
    standing = {
        stated.address
        for stated in scenario.statements
        for site in scenario.world.sites
        for connection in site.connections
        if site.id == stated.site.id
        and connection.email_shown
        and connection.status != Status.DISCONNECTED
        and stated.means(connection)
    }
    assert not planned & standing


@examples(7)
@given(scenario=scenarios(alike=False))
def test_what_a_provider_cannot_do_is_never_tried(stages: Stages, scenario: Scenario) -> None:
    """What the service would refuse since the provider does not support it fails the plan, before any write."""
    with stages.holding(scenario) as stage:
        stage.apply()
        refused = [request for request in stage.writes() if request.status == httpx.codes.PRECONDITION_REQUIRED]
    assert refused == []
