"""What becomes of live connections in rarer places: twins, strangers, former ones, and beside what was not read."""

from dataclasses import replace

from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.desired import ScheduleKey, ScheduleRef, Scope, State
from reconciler.model.live import Schedule
from reconciler.model.plan import SitePlan
from tests.support.builders.plans import OTHER_SCHEDULE, PRUNING, SCHEDULE, TIDE, declared, live, planned, site_with

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)


def kinds(plan: SitePlan) -> dict[str, tuple[ActionKind, Reason]]:
    """Kind and reason by address, in order."""
    return {action.address: (action.kind, action.reason) for action in plan.actions}


def test_a_tombstone_takes_every_connection_of_its_key() -> None:
    """The healthy one by name, the broken twin as its duplicate, even without prune."""
    twins = site_with(live("broken", status="ERROR"), live("healthy"))
    assert kinds(planned(declared(state=State.ABSENT), on=twins)) == {
        "harbor/id:broken": (ActionKind.DISCONNECT, Reason.TOMBSTONE),
        "harbor/lee": (ActionKind.DISCONNECT, Reason.TOMBSTONE),
    }


def test_a_duplicate_gives_way_to_nobody_but_its_twin() -> None:
    """Pruned as such, and not taken for what another declared connection takes the place of."""
    twins = site_with(live("broken", status="ERROR"), live("healthy"))
    new = declared("new", account=KIM)
    assert kinds(planned(declared(), new, on=twins, site=PRUNING)) == {
        "harbor/id:broken": (ActionKind.DISCONNECT, Reason.DUPLICATE),
        "harbor/lee": (ActionKind.NOOP, Reason.IN_SYNC),
        "harbor/new": (ActionKind.CONNECT, Reason.NOT_CONNECTED),
    }


def test_only_a_connection_that_is_wanted_takes_anothers_place() -> None:
    """A tombstone of nothing does not, and one that stands neither; each schedule by itself."""
    stray = live("stray", TIDE, account=KIM)
    absent = declared("gone", account="g@harbor.example", state=State.ABSENT)
    plan = planned(absent, declared(), on=site_with(stray, live()), site=PRUNING)
    assert kinds(plan)["harbor/id:stray"] == (ActionKind.DISCONNECT, Reason.PRUNED)
    both = [declared(), declared("there", schedule=ELSEWHERE, account=KIM)]
    strays = [live("s1", TIDE, account="x@a.example"), live("s2", TIDE, schedule_id=OTHER_SCHEDULE.upper())]
    plan = planned(*both, on=site_with(*strays), site=PRUNING)
    assert {action.address: (action.kind, action.connection_id) for action in plan.actions} == {
        "harbor/lee": (ActionKind.REPLACE, "s1"),
        "harbor/there": (ActionKind.REPLACE, "s2"),
    }


def test_two_that_want_one_place_replace_nobody() -> None:
    """Which of them takes it over can't be told, so it is pruned and they are connected."""
    plan = planned(declared(), declared("zoe", account="z@a.example"), on=site_with(live("s", TIDE)), site=PRUNING)
    assert [kind for kind, _ in kinds(plan).values()] == ["disconnect", "connect", "connect"]


def test_nothing_is_pruned_on_a_schedule_that_was_not_read_in_full() -> None:
    """There it is left alone though its own provider answered; on another schedule it goes."""
    google = declared("google", "google")
    strays = [live("beside", account=KIM), live("away", account=KIM, schedule_id=OTHER_SCHEDULE)]
    there = declared("there", account="t@harbor.example", schedule=ELSEWHERE)
    standing = live("t", account="t@harbor.example", schedule_id=OTHER_SCHEDULE)
    on = site_with(*strays, standing, failed_provider_ids=("p-google",))
    plan = planned(google, there, on=on, site=PRUNING)
    assert kinds(plan) == {
        "harbor/id:away": (ActionKind.DISCONNECT, Reason.PRUNED),
        "harbor/id:beside": (ActionKind.UNMANAGED, Reason.NOT_DECLARED),
        "harbor/there": (ActionKind.NOOP, Reason.IN_SYNC),
    }


def test_a_schedule_whose_manifests_can_not_be_planned_is_still_in_scope() -> None:
    """A fault of the provider leaves the schedule named; one that was never found names none."""
    on = site_with(live("stray", account=KIM), schedules=(Schedule(SCHEDULE, "Dr. Lee", None, "ACTIVE"),))
    by_name = ScheduleRef(ScheduleKey.NAME, "Dr. Lee")
    lost = declared(provider="google", schedule=by_name)
    no_google = replace(on, providers=tuple(p for p in on.providers if p.id != "p-google"))
    assert list(kinds(planned(lost, on=no_google))) == ["harbor/id:stray"]
    assert kinds(planned(declared(schedule=ScheduleRef(ScheduleKey.NAME, "Nobody")), on=on)) == {}


def action(plan: SitePlan, address: str) -> Action:
    """The action at an address."""
    return {each.address: each for each in plan.actions}[address]


def test_two_healthy_and_one_broken_of_a_key_are_ambiguous() -> None:
    """One healthy one decides; two don't, and all of them are named."""
    three = site_with(live("a"), live("b"), live("c", status="ERROR"))
    (fault,) = planned(declared(), on=three).faults
    assert fault.message.startswith("3 live connections fit this one: a ")
    broken = site_with(live("a", status="ERROR"), live("b", status="ERROR"))
    (fault,) = planned(declared(), on=broken).faults
    assert fault.message.startswith("2 live connections fit this one: a ")
    assert planned(declared(), on=broken).actions == ()


def test_a_tombstone_does_not_guess() -> None:
    """A connection that shows no account is not taken away, though nothing else fits."""
    plan = planned(declared(state=State.ABSENT), on=site_with(live(account=None)))
    assert kinds(plan) == {
        "harbor/id:c1": (ActionKind.UNMANAGED, Reason.NOT_DECLARED),
        "harbor/lee": (ActionKind.NOOP, Reason.ABSENT),
    }
    both = planned(declared(state=State.ABSENT, account=KIM, name="kim"), declared(), on=site_with(live(account=None)))
    assert action(both, "harbor/lee").connection_id == "c1"


def test_what_was_disconnected_is_told_of_its_own_key_alone() -> None:
    """Another account's, another schedule's or another provider's former connection says nothing."""
    for gone in (
        live("g", account=KIM, status="DISCONNECTED"),
        live("g", schedule_id=OTHER_SCHEDULE, status="DISCONNECTED"),
        live("g", TIDE, status="DISCONNECTED"),
        live("g", account=None, status="DISCONNECTED"),
    ):
        assert action(planned(declared(), on=site_with(gone)), "harbor/lee").reason is Reason.NOT_CONNECTED
    back = site_with(live("g", account=LEE.upper(), schedule_id=SCHEDULE.upper(), status="DISCONNECTED"))
    assert action(planned(declared(), on=back), "harbor/lee").reason is Reason.WAS_DISCONNECTED


def test_what_gives_way_hides_no_other() -> None:
    """Beside a replaced connection every other one in scope is planned for, wherever it is listed."""
    strays = [live("a", account=KIM, schedule_id=OTHER_SCHEDULE), live("b", TIDE), live("c", schedule_id="third")]
    plan = planned(declared(), on=site_with(*strays), site=replace(PRUNING, scope=Scope.SITE))
    assert kinds(plan) == {
        "harbor/id:a": (ActionKind.DISCONNECT, Reason.PRUNED),
        "harbor/id:c": (ActionKind.DISCONNECT, Reason.PRUNED),
        "harbor/lee": (ActionKind.REPLACE, Reason.PROVIDER_CHANGED),
    }


def test_every_twin_is_told_as_a_duplicate() -> None:
    """Of each declared connection that has one; it goes."""
    twins = [
        live(f"{name}-{status}", account=name, status=status) for name in (LEE, KIM) for status in ("ERROR", "SYNCED")
    ]
    plan = planned(declared(), declared("kim", account=KIM), on=site_with(*twins))
    assert kinds(plan) == {
        f"harbor/id:{KIM}-ERROR": (ActionKind.DISCONNECT, Reason.DUPLICATE),
        f"harbor/id:{LEE}-ERROR": (ActionKind.DISCONNECT, Reason.DUPLICATE),
        "harbor/kim": (ActionKind.NOOP, Reason.IN_SYNC),
        "harbor/lee": (ActionKind.NOOP, Reason.IN_SYNC),
    }


def test_a_nameless_connection_is_found_behind_one_that_is_missing() -> None:
    """That nothing stands for the first manifest says nothing of the second."""
    plan = planned(declared("a", "google"), declared(), on=site_with(live(account=None)))
    assert action(plan, "harbor/a").kind is ActionKind.CONNECT
    assert action(plan, "harbor/lee").connection_id == "c1"


def test_a_connection_of_an_installation_that_is_not_listed_any_more() -> None:
    """By its type it is the declared one, which goes on at the provider that is listed."""
    plan = planned(declared(), on=site_with(replace(live(), provider_id="p-gone")))
    found = action(plan, "harbor/lee")
    assert (found.kind, found.connection_id, found.provider_id) == (ActionKind.NOOP, "c1", "p-apple")
