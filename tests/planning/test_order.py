"""An account is freed before it is connected elsewhere."""

from dataclasses import replace
from graphlib import TopologicalSorter

from reconciler.model.action import ActionKind
from reconciler.model.desired import DeclaredConnection, ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveConnection, Provider
from reconciler.model.plan import Plan
from reconciler.planning.order import ordered
from reconciler.planning.preconditions import fingerprint
from tests.support.builders.plans import (
    MICROSOFT,
    OTHER_SCHEDULE,
    PROVIDERS,
    PRUNING,
    SITE,
    declared,
    live,
    planned,
    site_with,
)

ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
KIM = "kim@harbor.example"


def waits(plan: Plan) -> dict[str, tuple[str, ...]]:
    """What each action waits for, where it waits."""
    return {action.address: action.depends_on for action in ordered(plan).actions if action.depends_on}


def test_connect_waits_for_the_disconnect_that_frees_its_account() -> None:
    """Moving an account to another schedule disconnects it first."""
    moved = declared("new", schedule=ELSEWHERE)
    plan = planned(declared("old", state=State.ABSENT), moved, on=site_with(live()))
    assert waits(Plan((plan,))) == {"harbor/new": ("harbor/old",)}


def test_across_sites() -> None:
    """An account that moves to another site waits all the same."""
    here = planned(declared("old", state=State.ABSENT), on=site_with(live()))
    bay = replace(SITE, name="bay", site_id="8a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b")
    there = planned(replace(declared("new", schedule=ELSEWHERE), site="bay"), site=bay)
    assert waits(Plan((there, here))) == {"bay/new": ("harbor/old",)}


def test_another_account_waits_for_nothing() -> None:
    """Actions on different accounts are independent."""
    other = declared("new", schedule=ELSEWHERE, account=KIM)
    plan = planned(declared("old", state=State.ABSENT), other, on=site_with(live()))
    assert waits(Plan((plan,))) == {}


def swap() -> tuple[tuple[DeclaredConnection, ...], tuple[LiveConnection, ...]]:
    """Two schedules that exchange their accounts."""
    wanted = (declared("a"), declared("b", schedule=ELSEWHERE, account=KIM))
    have = (live("c1", account=KIM), live("c2", schedule_id=OTHER_SCHEDULE))
    return wanted, have


def test_replaces_that_swap_accounts_do_not_wait_for_each_other() -> None:
    """Of two replaces that exchange accounts only one waits, so that both are done."""
    wanted, have = swap()
    plan = planned(*wanted, on=site_with(*have), site=replace(PRUNING, max_disconnects=100))
    assert [action.kind.value for action in plan.actions] == ["replace", "replace"]
    assert waits(Plan((plan,))) == {"harbor/a": ("harbor/b",)}


def test_what_is_pruned_waits_for_what_is_connected_beside_it() -> None:
    """Two give way to one; where one of them frees the account of another connect, that one waits in turn."""
    wanted = (declared("a"), declared("b", schedule=ELSEWHERE, account=KIM))
    have = (live("c1", account=KIM), live("c2", account="desk@harbor.example"))
    plan = planned(*wanted, on=site_with(*have), site=replace(PRUNING, max_disconnects=100))
    assert waits(Plan((plan,))) == {
        "harbor/b": ("harbor/id:c1",),
        "harbor/id:c1": ("harbor/a",),
        "harbor/id:c2": ("harbor/a",),
    }


def test_connects_and_prunes_never_wait_in_a_circle() -> None:
    """Two schedules that exchange their accounts, with another to prune on each: whatever waits comes to its turn."""
    wanted, have = swap()
    others = (live("c3", account="x@harbor.example"), live("c4", account="y@harbor.example"))
    have = (*have, others[0], replace(others[1], schedule_id=OTHER_SCHEDULE))
    plan = planned(*wanted, on=site_with(*have), site=replace(PRUNING, max_disconnects=100))
    assert sorted(action.kind.value for action in plan.actions) == ["connect"] * 2 + ["disconnect"] * 4
    TopologicalSorter(waits(Plan((plan,)))).prepare()


def test_a_connect_is_not_hindered_by_what_its_own_plan_takes_away() -> None:
    """The same account at an older installation is pruned first, and its going is no moved ground."""
    old = Provider("p-old", "Old", "OUTLOOK", MICROSOFT.features)
    by_id = declared("new", provider=ProviderRef(ProviderKey.ID, MICROSOFT.id))
    beside = declared("kim", account=KIM)
    before = (live("c1", old), live("c2", account=KIM), live("c3", account="x@harbor.example"))
    site = replace(PRUNING, max_disconnects=100)
    plan = planned(by_id, beside, on=site_with(*before, providers=(*PROVIDERS, old)), site=site)
    connect = next(action for action in ordered(Plan((plan,))).actions if action.address == "harbor/new")
    assert (connect.kind, connect.depends_on) == (ActionKind.CONNECT, ("harbor/id:c1",))
    assert fingerprint(connect, before[1:]) == connect.precondition
