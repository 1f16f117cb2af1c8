"""Walking a plan: what waits for what, how much goes on at once, and how a run that is ended early is told."""

import asyncio
from dataclasses import replace

import pytest

from reconciler.errors import PreconditionFailedError
from reconciler.execution.executor import Stop
from reconciler.model.action import Action, ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from reconciler.planning.order import ordered
from tests.execution.runs import Run, carried_out, plan_of, the_outcome
from tests.execution.scripted import DENIED, DOWN, ScriptedPort, refusal, scripted
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OTHER_SCHEDULE,
    PRIMARY,
    PRUNING,
    SCHEDULE,
    SITE,
    declared,
    live,
    planned,
    site_with,
)
from tests.support.passing_time import now, passing

DONE, SKIPPED, UNKNOWN = OutcomeStatus.DONE, OutcomeStatus.SKIPPED, OutcomeStatus.UNKNOWN
KIM = "kim@harbor.example"
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
MOVED = "the live state that it rests on has changed since it was planned; plan again"
TOO_LATE = "interrupted before it began"


def many(count: int, site: str = "harbor") -> list[DeclaredConnection]:
    """That many connections to make, of an account each."""
    return [replace(declared(f"c{n}", account=f"c{n}@{site}.example"), site=site) for n in range(count)]


def ended(outcomes: tuple[Outcome, ...]) -> dict[str, tuple[OutcomeStatus, str | None]]:
    """How each action ended, by address."""
    return {outcome.action.address: (outcome.status, outcome.error) for outcome in outcomes}


def test_outcomes_are_told_as_they_come_and_given_in_the_plans_order() -> None:
    """The slow one is the first in the report, and the last that is told of."""
    slow, quick = declared("a"), declared("b", account=KIM, provider="google")
    port = ScriptedPort(pace=1.0)
    run = Run(plan_of([slow, quick]), {"harbor": port}, ConsentMode.SKIP)
    outcomes = passing(run.outcomes())
    assert [outcome.action.address for outcome in outcomes] == ["harbor/a", "harbor/b"]
    assert [(when, outcome.action.address) for when, outcome in run.told] == [(1.0, "harbor/b"), (2.0, "harbor/a")]
    assert {id(outcome) for _, outcome in run.told} == {id(outcome) for outcome in outcomes}


def test_a_site_has_four_actions_under_way_at_a_time() -> None:
    """Independent actions go side by side, and no more of them than a site is asked to bear."""
    port = ScriptedPort(pace=1.0)
    run = Run(plan_of(many(9)), {"harbor": port})
    assert {outcome.status for outcome in passing(run.outcomes())} == {DONE}
    assert port.most == 4
    # One look for all, then a request an action, in three rounds.
    assert [when for when, _ in run.told] == [2.0] * 4 + [3.0] * 4 + [4.0]
    assert len(port.called("list_connections")) == 1


def fleet(*names: str) -> tuple[Plan, dict[str, ScriptedPort]]:
    """A plan of two connects on each of these sites, and their ports."""
    plans = [planned(*many(2, name), site=replace(SITE, name=name, site_id=name)) for name in names]
    return ordered(Plan(tuple(plans))), {name: ScriptedPort(pace=1.0) for name in names}


@pytest.mark.parametrize(("at_once", "took"), [(1, 6.0), (2, 4.0), (3, 2.0)])
def test_only_so_many_sites_are_at_work_at_a_time(at_once: int, took: float) -> None:
    """A site that has begun has all its slots; the next one begins when it rests."""
    plan, ports = fleet("ash", "bay", "cove")
    run = Run(plan, ports, sites_at_once=at_once)

    async def story() -> float:
        await run.outcomes()
        return now()

    assert passing(story()) == took
    assert [port.most for port in ports.values()] == [2, 2, 2]


def test_a_site_is_at_work_until_its_last_action_is_done() -> None:
    """The next one does not begin when the first of them rests, and does begin when the last one does."""
    plan, ports = fleet("ash", "bay", "cove")
    first = plan.sites[0]
    longer = (replace(first.actions[0], sync=SyncConfig(None, DEDICATED)), *first.actions[1:])
    run = Run(Plan((replace(first, actions=longer), *plan.sites[1:])), ports, sites_at_once=1)
    passing(run.outcomes())
    assert [when for when, _ in run.told] == [2.0, 3.0, 5.0, 5.0, 7.0, 7.0]


def test_what_must_go_first_goes_first() -> None:
    """A connect waits for the disconnect that frees its account, however long that takes; others do not wait."""
    plan = plan_of([declared("old", state=State.ABSENT), declared("new", schedule=ELSEWHERE), *many(1)], [live()])
    port = ScriptedPort([live()], pace=1.0)
    run = Run(plan, {"harbor": port})
    assert {outcome.status for outcome in passing(run.outcomes())} == {DONE}
    assert [run.when(name) for name in ("c0", "old", "new")] == [2.0, 2.0, 3.0]


def test_what_waits_holds_no_slot() -> None:
    """Five connects that wait for one disconnect leave room for it to be done."""
    freeing = [declared(f"old{n}", account=f"c{n}@harbor.example", state=State.ABSENT) for n in range(5)]
    standing = [live(f"l{n}", account=f"c{n}@harbor.example") for n in range(5)]
    moving = [replace(connection, schedule=ELSEWHERE) for connection in many(5)]
    plan = plan_of([*moving, *freeing], standing)
    assert sum(len(action.depends_on) for action in plan.actions) == 5
    outcomes = carried_out(plan, ScriptedPort([*standing], pace=1.0))
    assert {outcome.status for outcome in outcomes} == {DONE}


def chain() -> tuple[Plan, list[LiveConnection]]:
    """`a` needs what `b` gives up, which needs what `c` gives up."""
    first, second, third = (f"{name}@harbor.example" for name in ("first", "second", "third"))
    schedules = [ScheduleRef(ScheduleKey.ID, f"3e47ec65-2975-447c-a7ed-75041e850d6{n}") for n in range(3)]
    standing = [
        live("l2", account=first, schedule_id=schedules[1].value),
        live("l3", account=second, schedule_id=schedules[2].value),
    ]
    wanted = [
        declared("a", account=first, schedule=schedules[0]),
        declared("b", account=second, schedule=schedules[1]),
        declared("c", account=third, schedule=schedules[2], provider="google"),
    ]
    plan = plan_of(wanted, standing)
    assert [action.depends_on for action in plan.actions] == [("harbor/b",), ("harbor/c",), ()]
    return plan, standing


def test_dependents_are_skipped_down_the_chain() -> None:
    """Each says which one had to go first and how that ended; what awaits consent holds up, which is no failure."""
    plan, standing = chain()
    outcomes = carried_out(plan, ScriptedPort([*standing]))
    assert ended(outcomes) == {
        "harbor/a": (SKIPPED, "harbor/b, which must go first, is skipped"),
        "harbor/b": (SKIPPED, "harbor/c, which must go first, is awaiting-consent"),
        "harbor/c": (OutcomeStatus.AWAITING_CONSENT, None),
    }
    assert [outcome.held_up for outcome in outcomes] == [True, True, False]


def test_dependents_of_a_failure_are_not_held_up_by_an_owner() -> None:
    """Behind a failure nobody's consent is awaited."""
    plan, standing = chain()
    outcomes = carried_out(plan, ScriptedPort([*standing], scripted(connect_by_oauth=DENIED)))
    assert [outcome.status for outcome in outcomes] == [SKIPPED, SKIPPED, OutcomeStatus.FAILED]
    assert [outcome.held_up for outcome in outcomes] == [False, False, False]


def resting(*after: str) -> tuple[Plan, ScriptedPort]:
    """A connect that must come after these, beside a connection that is as declared, and its port."""
    standing = live("k", account=KIM)
    plan = plan_of([declared("a"), declared("b", account=KIM)], [standing])
    connect, noop = plan.actions
    assert noop.kind is ActionKind.NOOP
    actions = (replace(connect, depends_on=after), noop)
    return Plan((replace(plan.sites[0], actions=actions),)), ScriptedPort([standing])


def test_what_is_not_carried_out_holds_nobody_up() -> None:
    """An action that must come after one which only shows something is done."""
    assert the_outcome(*resting("harbor/b")).status is DONE
    assert the_outcome(*resting("harbor/b", "harbor/elsewhere")).status is SKIPPED


def test_what_another_part_of_the_plan_must_do_first_is_waited_for() -> None:
    """Whoever applies one part can't know how the other fares, so it is skipped, and the report says what to do."""
    plan, port = resting("harbor/elsewhere")
    outcome = the_outcome(plan, port)
    assert outcome.status is SKIPPED
    assert outcome.error == (
        "harbor/elsewhere, which must go first, is in another part of the plan; when every part was applied, apply "
        "the whole plan once more"
    )
    assert port.calls == []


def test_a_dependent_of_several_waits_for_all_of_them() -> None:
    """The second one of those that must go first counts as much as the first."""
    plan = plan_of(many(3))
    actions = [
        replace(action, depends_on=("harbor/c0", "harbor/c1") if n == 2 else ())
        for n, action in enumerate(plan.actions)
    ]
    port = ScriptedPort([], scripted(connect_by_credentials=[None, DENIED]))
    outcomes = carried_out(Plan((replace(plan.sites[0], actions=tuple(actions)),)), port)
    assert ended(outcomes)["harbor/c2"] == (SKIPPED, "harbor/c1, which must go first, is failed")


def test_a_site_without_a_port_is_left_alone() -> None:
    """What is not sound is not carried out, and the message names the site."""
    assert ended(passing(Run(plan_of([declared()]), {}).outcomes())) == {
        "harbor/lee": (SKIPPED, "site harbor is held back; fix its errors, then plan again")
    }


def test_what_it_rests_on_must_be_readable() -> None:
    """Without an answer, or with its provider out of reach, nothing is sent and the report says why."""
    plan = plan_of([declared()])
    port = ScriptedPort([], scripted(list_connections=DOWN))
    error = f"its precondition could not be checked: {DOWN}"
    assert ended(carried_out(plan, port)) == {"harbor/lee": (SKIPPED, error)}
    hidden = ScriptedPort(failed=("p-apple",))
    error = "its precondition could not be checked: the service can't reach the provider"
    assert ended(carried_out(plan, hidden)) == {"harbor/lee": (SKIPPED, error)}
    assert [call[0] for call in port.calls + hidden.calls] == ["list_connections"] * 2
    assert the_outcome(plan, ScriptedPort(failed=("p-google",))).status is DONE


def test_what_has_moved_is_not_acted_upon() -> None:
    """A connection of the same account that appeared since the plan keeps a connect from making a second one."""
    plan = plan_of([declared(sync=SyncConfig(PRIMARY, DEDICATED))])
    port = ScriptedPort([live("rival")])
    assert ended(carried_out(plan, port)) == {
        "harbor/lee": (SKIPPED, "it may be connected already: rival came since it was planned; plan again")
    }
    assert port.calls == [("list_connections", SCHEDULE)]


def test_what_has_come_about_is_done_without_a_call() -> None:
    """The outcome says that nothing was sent for it, and names the connection."""
    plan = plan_of([declared(state=State.ABSENT)], [live()])
    outcome = the_outcome(plan, ScriptedPort())
    (action,) = plan.actions
    assert outcome == Outcome(action, DONE, connection_id="c1", already=True)


def test_what_the_plan_takes_away_itself_is_no_drift() -> None:
    """A connect that waits for its own plan's disconnect on the same schedule finds the ground as it was planned."""
    plan = plan_of([declared()], [live("stray", account=KIM), live("other", GOOGLE)])
    assert sorted(action.kind for action in plan.actions) == ["connect", "disconnect", "disconnect"]
    outcomes = carried_out(plan, ScriptedPort([live("stray", account=KIM), live("other", GOOGLE)]))
    assert {outcome.status for outcome in outcomes} == {DONE}


def test_what_another_site_takes_away_is_not_its_own_doing() -> None:
    """Each site's ground leaves out what its own plan takes away, and nothing of another site's."""
    harbor = planned(declared("lee"), site=SITE)
    bay = replace(PRUNING, name="bay", site_id="bay", max_disconnects=100)
    taking = planned(replace(declared("x", state=State.ABSENT), site="bay"), on=site_with(live("rival")), site=bay)
    plan = Plan((taking, harbor))
    run = Run(plan, {"harbor": ScriptedPort([live("rival", sync=SyncConfig())]), "bay": ScriptedPort([live("rival")])})
    assert ended(passing(run.outcomes()))["bay/x"] == (DONE, None)
    # To be there already is to be done; what counts is that nothing was connected beside it.
    assert run.ports["harbor"].called("connect_by_credentials") == []


def test_a_defect_of_one_action_is_told_and_takes_nothing_along() -> None:
    """What nobody foresaw is unknown, named by its kind and not by its text; the others are done."""
    port = ScriptedPort([], scripted(connect_by_credentials=RuntimeError("pa55word in a message")))
    outcomes = carried_out(plan_of(many(3)), port)
    assert [outcome.status for outcome in outcomes].count(DONE) == 2
    (defect,) = [outcome for outcome in outcomes if outcome.status is not DONE]
    assert defect.status is UNKNOWN
    assert defect.error == "internal error, RuntimeError; please report it. Plan again to see where it stands"


def interrupted(run: Run, after: float, *, at_once: bool) -> tuple[tuple[Outcome, ...], float]:
    """The outcomes of a run that is interrupted, and when it was over."""

    async def story() -> tuple[tuple[Outcome, ...], float]:
        running = asyncio.create_task(run.outcomes())
        await asyncio.sleep(after)
        (run.stop.at_once if at_once else run.stop.gently).set()
        return await running, now()

    return passing(story())


def test_a_run_that_is_ended_gently_finishes_what_is_under_way() -> None:
    """Four were begun and are done; the others say that they were too late."""
    port = ScriptedPort(pace=1.0)
    outcomes, over = interrupted(Run(plan_of(many(6)), {"harbor": port}), 1.5, at_once=False)
    assert over == 2.0
    assert [outcome.status for outcome in outcomes] == [DONE] * 4 + [SKIPPED] * 2
    assert {outcome.error for outcome in outcomes[4:]} == {TOO_LATE}
    assert len(port.called("connect_by_credentials")) == 4


def test_a_run_that_is_ended_at_once_gives_up_what_is_under_way() -> None:
    """What was begun is unknown, what was not is skipped, and no call goes on behind the report."""
    port = ScriptedPort(pace=1.0)
    run = Run(plan_of(many(6)), {"harbor": port})
    outcomes, over = interrupted(run, 1.5, at_once=True)
    assert over == 1.5
    assert [outcome.status for outcome in outcomes] == [UNKNOWN] * 4 + [SKIPPED] * 2
    assert {outcome.error for outcome in outcomes[:4]} == {
        "interrupted while it was under way; apply again, which first looks up what became of it"
    }
    assert {outcome.error for outcome in outcomes[4:]} == {TOO_LATE}
    assert port.connections == []
    assert len(run.journal.left) == 4


def test_what_was_only_being_read_when_the_run_was_ended_was_not_begun() -> None:
    """Until what it rests on was read and found as planned, nothing of an action can have happened."""
    outcomes, _ = interrupted(Run(plan_of(many(1)), {"harbor": ScriptedPort(pace=1.0)}), 0.5, at_once=True)
    assert ended(outcomes) == {"harbor/c0": (SKIPPED, TOO_LATE)}


def test_what_is_done_when_the_run_is_ended_stays_done() -> None:
    """An outcome that was told is not taken back."""
    plan = plan_of([declared("old", state=State.ABSENT), declared("new", schedule=ELSEWHERE)], [live()])
    run = Run(plan, {"harbor": ScriptedPort([live()], pace=1.0)})
    outcomes, _ = interrupted(run, 2.5, at_once=True)
    assert [(outcome.action.address, outcome.status) for outcome in outcomes] == [
        ("harbor/new", UNKNOWN),
        ("harbor/old", DONE),
    ]


def test_a_site_that_waited_for_its_turn_when_the_run_was_ended_leaves_the_others_theirs() -> None:
    """Whoever gives up waiting for a place holds none, so that nobody waits for it for ever."""
    plan, ports = fleet("ash", "bay")
    run = Run(plan, ports, sites_at_once=1)
    outcomes, over = interrupted(run, 1.5, at_once=True)
    assert [outcome.status for outcome in outcomes] == [UNKNOWN] * 2 + [SKIPPED] * 2
    assert over == 1.5


def test_stops_are_apart() -> None:
    """Each run's stop is its own, and neither event is set to begin with."""
    first, second = Stop(), Stop()
    first.gently.set()
    assert not first.at_once.is_set()
    assert not second.gently.is_set()


def the_disconnect(plan: Plan) -> Action:
    """The only disconnect of a plan."""
    (action,) = [action for action in plan.actions if action.kind is ActionKind.DISCONNECT]
    return action


def test_a_failed_disconnect_is_its_own_and_its_dependents_trouble() -> None:
    """The account is not free, so nobody connects it elsewhere; a third one is done."""
    plan = plan_of([declared("old", state=State.ABSENT), declared("new", schedule=ELSEWHERE), *many(1)], [live()])
    refused = refusal(PreconditionFailedError, 428, "LOCKED")
    outcomes = carried_out(plan, ScriptedPort([live()], scripted(disconnect=refused)))
    assert ended(outcomes) == {
        "harbor/c0": (DONE, None),
        "harbor/new": (SKIPPED, "harbor/old, which must go first, is failed"),
        the_disconnect(plan).address: (OutcomeStatus.FAILED, str(refused)),
    }
