"""Plans held against each other, warnings, and what becomes of live connections in rarer places."""

from dataclasses import replace

import pytest

from reconciler.model.desired import DeclaredConnection, Lifecycle, ScheduleKey, ScheduleRef, Scope, State
from reconciler.model.live import LiveConnection, Schedule
from reconciler.model.plan import Action, ActionKind, Origin, Reason, SitePlan, Violation
from reconciler.model.sync import SyncConfig
from reconciler.planning.guards import Allowance
from reconciler.planning.origin import new_faults, out_of_scope, still_protected, told_apart
from tests.planning.build import (
    GOOGLE,
    MICROSOFT,
    OFF,
    OTHER_SCHEDULE,
    PRUNING,
    SCHEDULE,
    SITE,
    TIDE,
    declared,
    live,
    planned,
    site_with,
)

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)


def origin(head: SitePlan, base: SitePlan) -> Origin | None:
    """The origin of the head's only action."""
    (action,) = told_apart(head, base).actions
    return action.origin


def test_the_same_manifest_on_another_account_is_the_same_one() -> None:
    """Found by its name where neither connection nor account is common to both: it was drifting, and differently."""
    head, base = planned(declared(account=KIM)), planned(declared())
    assert origin(head, base) is Origin.DRIFT
    head = planned(declared(account=KIM, sync=SyncConfig(OFF)))
    assert origin(head, base) is Origin.BOTH
    assert origin(planned(declared("other", account=KIM)), base) is Origin.THIS_CHANGE


def test_a_rename_without_a_connection_is_found_by_its_account() -> None:
    """On its schedule, in whatever case; an account elsewhere is another one, and so is one at another provider."""
    base = planned(declared("former"))
    upper = ScheduleRef(ScheduleKey.ID, SCHEDULE.upper())
    head = planned(declared("renamed", account=LEE.upper(), schedule=upper))
    head = replace(head, actions=tuple(replace(a, schedule_id=SCHEDULE.upper()) for a in head.actions))
    assert origin(head, base) is Origin.DRIFT
    assert origin(planned(declared("renamed", schedule=ELSEWHERE)), base) is Origin.THIS_CHANGE
    assert origin(planned(declared("renamed", "google")), base) is Origin.THIS_CHANGE
    assert origin(planned(declared("renamed", account=KIM)), base) is Origin.THIS_CHANGE


def test_a_connection_counts_for_more_than_an_account() -> None:
    """What acts on the connection in the base is its counterpart, whatever else bears its account there."""
    on = site_with(live())
    drifting = planned(declared("a", sync=SyncConfig(OFF)), on=on)
    (former,) = drifting.actions
    decoy = replace(former, address="harbor/z", connection_id=None, kind=ActionKind.NOOP)
    base = replace(drifting, actions=(former, decoy))
    assert origin(planned(declared("renamed", sync=SyncConfig(OFF)), on=on), base) is Origin.DRIFT


def protected(head: SitePlan, base: SitePlan, *allowed: Allowance) -> tuple[Violation, ...]:
    """What the base's harbor/kim protects."""
    return still_protected(head, base, ["harbor/kim"], frozenset(allowed))


BASE_KIM = declared("kim", account=KIM, lifecycle=Lifecycle(prevent_disconnect=True))


def test_protection_says_who_is_lost_and_who_said_so() -> None:
    """Only what the base protects: another pruned connection of the base is not meant, nor one without an id."""
    on = site_with(live(), live("k", account=KIM), live("p", account="pat@harbor.example"))
    head = planned(declared(), on=on, site=replace(PRUNING, max_disconnects=100))
    absent = declared("nobody", account="nobody@harbor.example", state=State.ABSENT)
    base = planned(declared(), BASE_KIM, declared("pat", account="pat@harbor.example"), absent, on=on, site=PRUNING)
    said = "harbor/kim said lifecycle.preventDisconnect before this change"
    assert protected(head, base) == (Violation("prevent-disconnect", "harbor/id:k", f"disconnect of {KIM}: {said}"),)
    assert protected(head, base, Allowance("prevent-disconnect", "harbor/id:p")) == protected(head, base)
    assert still_protected(head, base, [], frozenset()) == ()


def test_protection_forbids_nothing_but_taking_away() -> None:
    """An update of a formerly protected connection is let through."""
    on = site_with(live("k", account=KIM))
    head = planned(declared("kim", account=KIM, sync=SyncConfig(OFF)), on=on)
    assert [action.kind for action in head.actions] == [ActionKind.UPDATE]
    assert protected(head, planned(BASE_KIM, on=on)) == ()


def test_another_guard_does_not_speak_for_protection() -> None:
    """A violation of something else at its address leaves it standing."""
    on = site_with(live("k", GOOGLE, account=KIM), live())
    head = planned(declared(), on=on, site=PRUNING)
    assert [violation.guard for violation in head.violations] == ["consent-loss"]
    base = planned(declared(), replace(BASE_KIM, provider=declared(provider="google").provider), on=on, site=PRUNING)
    assert [violation.address for violation in protected(head, base)] == ["harbor/id:k"]


def test_what_falls_out_of_scope_says_what_to_do() -> None:
    """Declared before, connected, and nobody's any more; what the base only showed or never had is not told."""
    on = site_with(live(), live("stray", account=KIM))
    missing = declared("missing", account="m@harbor.example")
    base = planned(declared(), missing, on=on)
    assert out_of_scope(planned(on=on), base) == (
        (
            f"harbor/lee is no longer declared and its schedule is out of scope: {LEE} stays connected; "
            "to disconnect it, keep its manifest with state: absent"
        ),
    )


def test_a_fault_that_says_something_else_is_new() -> None:
    """Of one connection, another trouble; where it stands in the files makes no difference."""
    before = planned(declared(password=None)).faults
    after = planned(declared(provider="google", password=declared().password)).faults
    assert new_faults(after, before) == after
    moved = tuple(replace(fault, source=None) for fault in before)
    assert new_faults(moved, before) == ()


def other(connection: LiveConnection, *wanted: DeclaredConnection) -> tuple[str, ...]:
    """The warnings of a plan with this connection undeclared."""
    return planned(*wanted, on=site_with(connection)).warnings


MINE = declared(provider="google")


def test_an_owner_who_agreed_with_another_account_is_told_of() -> None:
    """Both addresses and the way out; of every connect that awaits its owner there."""
    warning = (
        f"{KIM} is connected, but its manifest says {LEE}: not adopted; declare account: {KIM} if that is right, else "
        f"disconnect {KIM} (a manifest for it with state: absent, or the site's dashboard)"
    )
    assert other(live("k", GOOGLE, account=KIM), MINE) == (f"harbor/lee: {warning}",)
    assert other(live("k", GOOGLE, account=KIM, schedule_id=SCHEDULE.upper()), MINE) == (f"harbor/lee: {warning}",)
    apple = declared("apple", account="a@harbor.example")
    found = other(live("k", GOOGLE, account=KIM), apple, MINE, replace(MINE, name="zoe", account="z@harbor.example"))
    assert [text.split(":")[0] for text in found] == ["harbor/lee", "harbor/zoe"]


@pytest.mark.parametrize(
    "connection",
    [
        live("k", account=KIM),
        live("k", GOOGLE, account=KIM, schedule_id=OTHER_SCHEDULE),
        live("k", GOOGLE, account=KIM, status="DISCONNECTED"),
        live("k", MICROSOFT, account=None),
    ],
    ids=["of another provider", "on another schedule", "disconnected", "without an account"],
)
def test_who_has_nothing_to_do_with_it_is_not_told_of(connection: LiveConnection) -> None:
    """Only an undeclared account of the same provider on the same schedule may be the owner's."""
    elsewhere = declared("elsewhere", account="e@harbor.example", schedule=ELSEWHERE)
    assert other(connection, MINE, elsewhere) == ()


def test_nobody_is_told_of_whose_connect_needs_no_owner() -> None:
    """A connect by password, what is there already, and what takes another's place say it themselves."""
    assert other(live("k", account=KIM), declared()) == ()
    assert planned(MINE, on=site_with(live(provider=GOOGLE), live("k", GOOGLE, account=KIM))).warnings == ()
    assert planned(MINE, on=site_with(live("k", GOOGLE, account=KIM)), site=PRUNING).warnings == ()


def test_a_site_without_a_place_to_land_is_warned_where_an_owner_is_needed() -> None:
    """And only there."""
    bare = replace(SITE, redirect_url=None)
    warning = (
        "harbor: owners must consent, and the Site gives no oauth.redirectUrl for them to land on: "
        "apply --consent link needs one"
    )
    assert planned(MINE, site=bare).warnings == (warning,)
    assert planned(declared(), site=bare).warnings == planned(MINE, site=SITE).warnings == ()


@pytest.mark.parametrize(("count", "stay"), [(1, "1 live connection stays"), (3, "3 live connections stay")])
def test_an_empty_set_says_how_much_it_leaves_alone(count: int, stay: str) -> None:
    """With prune on and nothing declared."""
    on = site_with(*(live(f"c{n}", account=f"c{n}@harbor.example") for n in range(count)))
    plan = planned(on=on, site=replace(PRUNING, scope=Scope.SITE))
    assert plan.warnings == (f"harbor: no connection is declared, so prune is not honoured and {stay}",)
    assert planned(on=on, site=replace(SITE, scope=Scope.SITE)).warnings == ()


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
