"""What a fault of one connection keeps from being carried out, and what not."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind, Reason
from reconciler.model.desired import ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.planning.planner import plan_site
from tests.support.builders.plans import OTHER_SCHEDULE, PASSWORD, SCHEDULE, SITE, declared, live, planned, site_with

KIM = "kim@harbor.example"
PRUNING = replace(SITE, prune=True)


def test_a_tombstone_takes_all_that_fit() -> None:
    """Of duplicates none is left, each is named and counted by the guards, and the list's order decides nothing."""
    there = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
    duplicates = [live("broken", status="ERROR"), live("b"), live("a"), live("gone", status="DISCONNECTED")]
    others = [live(f"k{n}", account=f"k{n}@harbor.example", schedule_id=OTHER_SCHEDULE) for n in range(20)]
    buried, kim = declared(state=State.ABSENT), declared("kim", schedule=there, account="k0@harbor.example")
    plan = planned(buried, kim, on=site_with(*duplicates, *others))
    assert plan == planned(kim, buried, on=site_with(*others, *reversed(duplicates)))
    assert {(a.address, a.connection_id, a.reason) for a in plan.actions if a.kind is ActionKind.DISCONNECT} == {
        ("harbor/lee", "a", Reason.TOMBSTONE),
        ("harbor/id:b", "b", Reason.TOMBSTONE),
        ("harbor/id:broken", "broken", Reason.TOMBSTONE),
    }
    assert (plan.faults, plan.violations) == ((), ())
    few = planned(buried, on=site_with(*duplicates))
    assert [violation.guard for violation in few.violations] == ["max-disconnects"]
    narrowed = plan_site(SITE, [buried, kim], site_with(*duplicates, *others), only=frozenset({"harbor/lee"}))
    assert {a.connection_id for a in narrowed.actions} == {"a", "b", "broken"}


def test_a_fault_holds_back_its_connection_and_what_nobody_asked_to_disconnect() -> None:
    """What is connected or changed goes on, as does a tombstone; what prune takes waits until nothing is unclear."""
    doubled = [live("c1"), live("c2")]
    new, buried = declared("kim", account=KIM), declared("pat", account="pat@harbor.example", state=State.ABSENT)
    on = site_with(*doubled, live("p", account="pat@harbor.example"), live("stray", account="s@harbor.example"))
    plan = planned(declared(), new, buried, on=on, site=replace(PRUNING, max_disconnects=100))
    assert {fault.where for fault in plan.faults} == {"harbor/lee"}
    assert plan.applyable
    assert {(a.address, a.kind, plan.holds_back(a)) for a in plan.actions} == {
        ("harbor/kim", ActionKind.REPLACE, True),
        ("harbor/pat", ActionKind.DISCONNECT, False),
    }
    unpruned = planned(declared(), new, buried, on=on)
    assert {(a.address, a.kind, unpruned.holds_back(a)) for a in unpruned.actions if a.kind.writes} == {
        ("harbor/kim", ActionKind.CONNECT, False),
        ("harbor/pat", ActionKind.DISCONNECT, False),
    }


def test_a_replace_waits_for_what_may_be_what_it_gives_up() -> None:
    """Chosen alone it is held back by a manifest on its schedule that can't be told, and not by one elsewhere."""
    new = declared("kim", account=KIM)
    on = site_with(live("c1", account=KIM, schedule_id=OTHER_SCHEDULE), live("stray", account="s@harbor.example"))
    for schedule, held_back in ((SCHEDULE, True), (OTHER_SCHEDULE, False)):
        place = ScheduleRef(ScheduleKey.ID, schedule)
        unclear = declared("pat", ProviderRef(ProviderKey.NAME, "Zoho"), schedule=place)
        plan = plan_site(PRUNING, [new, unclear], on, only=frozenset({"harbor/kim"}))
        (action,) = plan.actions
        assert (action.kind, plan.holds_back(action)) == (ActionKind.REPLACE, held_back)


@pytest.mark.parametrize(
    ("ref", "unread"),
    [
        (ProviderRef(ProviderKey.TYPE, "apple"), True),
        (ProviderRef(ProviderKey.NAME, "Apple"), False),
        (ProviderRef(ProviderKey.ID, "p-apple"), False),
    ],
)
def test_a_provider_that_failed_and_is_not_listed(ref: ProviderRef, unread: bool) -> None:  # noqa: FBT001 - a case
    """Nobody knows its type, so what is declared by type may be connected there; by name or id it can't be."""
    plan = planned(declared(provider=ref, password=PASSWORD), on=site_with(failed_provider_ids=("p-nobody-knows",)))
    assert [fault.where for fault in plan.unread] == (["harbor/lee"] if unread else [])
    assert [action.kind for action in plan.actions] == ([] if unread else [ActionKind.CONNECT])
    seen = planned(declared(provider=ref), on=site_with(live(), failed_provider_ids=("p-nobody-knows",)))
    assert [action.kind for action in seen.actions] == [ActionKind.NOOP]
