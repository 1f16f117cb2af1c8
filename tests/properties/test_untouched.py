"""Nothing that the plan does not name is touched."""

from hypothesis import given

from reconciler.model.action import ActionKind
from reconciler.sandbox.contract import Status
from tests.support.profiles import examples
from tests.support.scenarios.stage import Live, Stages
from tests.support.scenarios.statements import EXPORTS, IMPORTS, Statement
from tests.support.scenarios.strategies import Scenario, scenarios


@examples(6)
@given(scenario=scenarios())
def test_a_connection_that_no_action_names_stays_as_it_is(stages: Stages, scenario: Scenario) -> None:
    """What was listed before and is named by no action that was carried out is listed the same after."""
    _stays_as_it_is(stages, scenario)


@examples(6)
@given(scenario=scenarios(sound=False))
def test_faulty_manifests_touch_nothing_that_no_action_names(stages: Stages, scenario: Scenario) -> None:
    """The same where manifests are ambiguous, ask for too much, or providers can't be reached."""
    _stays_as_it_is(stages, scenario)


def _stays_as_it_is(stages: Stages, scenario: Scenario) -> None:
    with stages.holding(scenario) as stage:
        before = stage.live()
        result = stage.apply_if_valid()
        after = stage.live()
    outcomes = result.outcomes if result else ()
    named = {outcome.action.connection_id for outcome in outcomes}
    untouched = {id_: connection for id_, connection in before.items() if id_ not in named}
    assert {id_: connection for id_, connection in after.items() if id_ in untouched} == untouched
    made = sum(outcome.action.method is not None for outcome in outcomes)
    assert len(after.keys() - before.keys()) <= made


@examples(6)
@given(scenario=scenarios())
def test_a_disconnect_changes_nothing_but_the_status(stages: Stages, scenario: Scenario) -> None:
    """Of a connection that is given up, everything but its status is as before."""
    with stages.holding(scenario) as stage:
        before = stage.live()
        result = stage.apply()
        after = stage.live()
    for outcome in result.outcomes:
        action = outcome.action
        if action.kind is ActionKind.DISCONNECT and action.connection_id:
            gone = before[action.connection_id] | {"status": Status.DISCONNECTED}
            gone.pop("errorReason", None)
            assert after[action.connection_id] == gone


@examples(6)
@given(scenario=scenarios())
def test_what_a_manifest_ignores_or_leaves_out_keeps_its_value(stages: Stages, scenario: Scenario) -> None:
    """A sync config's fields that are ignored, or in no manifest, are after an apply what they were before."""
    with stages.holding(scenario) as stage:
        before = stage.live()
        result = stage.apply()
        after = stage.live()
    stated = {stated.address: stated for stated in scenario.statements}
    for outcome in result.outcomes:
        action = outcome.action
        statement = stated.get(action.address)
        if statement and action.connection_id and action.kind in {ActionKind.UPDATE, ActionKind.RECONNECT}:
            for path in unmanaged(statement):
                assert _at(after, action.connection_id, path) == _at(before, action.connection_id, path), path


def unmanaged(statement: Statement) -> set[str]:
    """The directions of the sync config that no manifest speaks of, and the fields that one ignores."""
    specs = [document["spec"] for document in statement.documents]
    spoken = {direction for spec in specs if isinstance(spec, dict) for direction in spec.get("syncConfig", {})}
    left_out = {f"syncConfig.{direction}" for direction in {IMPORTS, EXPORTS} - spoken}
    return left_out | {path for path in statement.ignored if path.count(".") <= 1 or path.endswith(".enabled")}


def _at(live: Live, connection_id: str, path: str) -> object:
    value: object = live[connection_id]
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
