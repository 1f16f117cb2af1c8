"""What becomes of live connections that no manifest declares, and what the guards let through."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind, Change, Reason, Recovery
from reconciler.model.desired import Lifecycle, Scope, State
from reconciler.model.live import LiveConnection, Provider
from reconciler.model.plan import Allowance, SitePlan
from reconciler.model.sync import SyncConfig
from tests.support.builders.plans import (
    GOOGLE,
    MICROSOFT,
    OTHER_SCHEDULE,
    PRIMARY,
    PROVIDERS,
    PRUNING,
    SITE,
    declared,
    live,
    planned,
    site_with,
)

KIM = "kim@harbor.example"


def kinds(plan: SitePlan) -> dict[str, tuple[ActionKind, Reason]]:
    """Kind and reason by address."""
    return {action.address: (action.kind, action.reason) for action in plan.actions}


def test_without_prune_the_undeclared_is_shown_and_left_alone() -> None:
    """Unmanaged connections are in the plan and never carried out."""
    plan = planned(declared(), on=site_with(live(), live("stray", account=KIM)))
    assert kinds(plan)["harbor/id:stray"] == (ActionKind.UNMANAGED, Reason.NOT_DECLARED)
    assert not ActionKind.UNMANAGED.writes


def test_prune_disconnects_what_nobody_declares() -> None:
    """With prune an undeclared connection in scope is planned for disconnect, with what it takes to undo."""
    plan = planned(declared(), on=site_with(live(), live("stray", GOOGLE, account=KIM)), site=PRUNING)
    assert kinds(plan)["harbor/id:stray"] == (ActionKind.DISCONNECT, Reason.PRUNED)
    assert next(a for a in plan.actions if a.connection_id == "stray").recovery is Recovery.CONSENT


def test_scope_schedules_leaves_other_schedules_alone() -> None:
    """Connections on a schedule that no manifest names are out of scope: not pruned, not shown."""
    on = site_with(live(), live("elsewhere", account=KIM, schedule_id=OTHER_SCHEDULE))
    assert list(kinds(planned(declared(), on=on, site=PRUNING))) == ["harbor/lee"]
    whole = replace(PRUNING, scope=Scope.SITE)
    assert kinds(planned(declared(), on=on, site=whole))["harbor/id:elsewhere"][0] is ActionKind.DISCONNECT


def test_disconnected_leftovers_are_gone_already() -> None:
    """What is listed as DISCONNECTED is neither shown nor pruned."""
    plan = planned(declared(), on=site_with(live(), live("gone", account=KIM, status="DISCONNECTED")), site=PRUNING)
    assert list(kinds(plan)) == ["harbor/lee"]


def test_empty_set_never_prunes() -> None:
    """A site for which nothing is declared loses nothing, and a warning says so."""
    plan = planned(on=site_with(live()), site=replace(PRUNING, scope=Scope.SITE))
    assert kinds(plan) == {"harbor/id:c1": (ActionKind.UNMANAGED, Reason.NOTHING_DECLARED)}
    assert plan.warnings == ("harbor: no connection is declared, so nothing is pruned: 1 live connection stays",)


def test_what_could_not_be_read_is_not_planned_and_not_pruned() -> None:
    """A provider that failed is neither connected to again nor pruned; the rest of the plan stands."""
    google = declared("google", provider="google")
    on = site_with(live(), live("stray", GOOGLE, account=KIM), failed_provider_ids=("p-google",))
    plan = planned(declared(), google, on=on, site=PRUNING)
    assert kinds(plan) == {
        "harbor/lee": (ActionKind.NOOP, Reason.IN_SYNC),
        "harbor/id:stray": (ActionKind.UNMANAGED, Reason.NOT_DECLARED),
    }
    assert [fault.where for fault in plan.unread] == ["harbor/google"]


def test_replace_where_prune_frees_exactly_one() -> None:
    """Another account on the schedule of exactly one pruned connection takes its place."""
    plan = planned(declared(sync=SyncConfig(PRIMARY)), on=site_with(live("old", account=KIM)), site=PRUNING)
    (action,) = plan.actions
    assert (action.kind, action.reason, action.connection_id) == (ActionKind.REPLACE, Reason.ACCOUNT_CHANGED, "old")
    assert (action.recovery, action.changes[0]) == (Recovery.PASSWORD, Change("account", KIM, "lee@harbor.example"))


def test_replace_by_another_provider() -> None:
    """A changed provider is told as such, and undoing it takes what the old provider asks for."""
    plan = planned(declared(), on=site_with(live("old", GOOGLE)), site=PRUNING)
    (action,) = plan.actions
    assert (action.reason, action.recovery) == (Reason.PROVIDER_CHANGED, Recovery.CONSENT)
    assert action.changes == (Change("provider", "google", "apple"),)


def test_no_replace_without_prune_or_with_a_choice() -> None:
    """With prune off, or with more than one candidate, nothing is taken for a replacement."""
    on = site_with(live("old", account=KIM))
    assert {kind for kind, _ in kinds(planned(declared(), on=on)).values()} == {
        ActionKind.CONNECT,
        ActionKind.UNMANAGED,
    }
    two = site_with(live("old", account=KIM), live("older", account="third@harbor.example"))
    plan = planned(declared(), on=two, site=PRUNING)
    assert sorted(kind for kind, _ in kinds(plan).values()) == ["connect", "disconnect", "disconnect"]


def test_replace_that_can_not_connect_is_one_fault() -> None:
    """A replacement without credentials is the declared connection's fault, told once."""
    plan = planned(declared(password=None), on=site_with(live("old", account=KIM)), site=PRUNING)
    assert len(plan.faults) == 1
    assert all(plan.holds_back(action) for action in plan.actions if action.kind.writes)


def many(count: int) -> tuple[LiveConnection, ...]:
    """That many undeclared connections, and the declared one."""
    return (live(), *(live(f"s{n}", account=f"s{n}@harbor.example") for n in range(count)))


@pytest.mark.parametrize(
    ("percent", "strays", "stopped"), [(25, 1, False), (25, 2, True), (75, 2, False), (0, 1, False)]
)
def test_max_disconnects(percent: int, strays: int, *, stopped: bool) -> None:
    """A site loses at most max(1, its share) of its live connections in scope."""
    plan = planned(declared(), on=site_with(*many(strays)), site=replace(PRUNING, max_disconnects=percent))
    assert [violation.guard for violation in plan.violations] == (["max-disconnects"] if stopped else [])
    assert plan.applyable is not stopped


def test_guards_are_overruled_by_name_at_a_place() -> None:
    """An allowance opens one guard at one address and no other."""
    site = replace(PRUNING, max_disconnects=0)
    on = site_with(*many(3))
    assert planned(declared(), on=on, site=site, allowed=frozenset({Allowance("max-disconnects", "harbor")})).applyable
    for wrong in (Allowance("max-disconnects", "other"), Allowance("prevent-disconnect", "harbor")):
        assert not planned(declared(), on=on, site=site, allowed=frozenset({wrong})).applyable


def test_prevent_disconnect_holds_against_tombstone_and_replace() -> None:
    """`preventDisconnect` forbids a plan that takes the connection away, unless it is named."""
    guarded = declared(state=State.ABSENT, lifecycle=Lifecycle(prevent_disconnect=True))
    plan = planned(guarded, on=site_with(live()))
    assert [(v.guard, v.address) for v in plan.violations] == [("prevent-disconnect", "harbor/lee")]
    allowed = frozenset({Allowance("prevent-disconnect", "harbor/lee")})
    assert planned(guarded, on=site_with(live()), allowed=allowed).applyable
    replacing = declared(lifecycle=Lifecycle(prevent_disconnect=True))
    plan = planned(replacing, on=site_with(live(account=KIM)), site=PRUNING)
    assert [v.guard for v in plan.violations] == ["prevent-disconnect"]


def test_narrowing_keeps_the_others_declared() -> None:
    """A narrowed plan names only the chosen connections, and the others do not look undeclared."""
    other = declared("kim", account=KIM)
    on = site_with(live(), live("c2", account=KIM), live("stray", account="x@harbor.example"))
    plan = planned(declared(), other, on=on, site=PRUNING, only=frozenset({"harbor/kim"}))
    assert list(kinds(plan)) == ["harbor/kim"]
    broken = declared("broken", password=None, account="y@harbor.example")
    assert planned(declared(), broken, on=on, site=SITE, only=frozenset({"harbor/lee"})).faults == ()


def test_what_may_be_at_a_failed_provider_is_not_connected_anew() -> None:
    """By type, a connection may stand at an older installation that could not be read: it is not planned."""
    old = Provider("p-old", "Old", "OFFICE_365", MICROSOFT.features)
    wanted = declared(provider="microsoft")
    on = site_with(providers=(*PROVIDERS, old), failed_provider_ids=("p-old",))
    plan = planned(wanted, on=on)
    assert (plan.actions, [fault.where for fault in plan.unread]) == ((), ["harbor/lee"])
    seen = replace(on, connections=(live(provider=MICROSOFT),))
    assert kinds(planned(wanted, on=seen)) == {"harbor/lee": (ActionKind.NOOP, Reason.IN_SYNC)}


def test_what_is_declared_is_not_pruned_while_another_provider_is_down() -> None:
    """A connection that a manifest means is never a leftover, nor is anything pruned beside what could not be read."""
    old = Provider("p-old", "Old", "OUTLOOK", MICROSOFT.features)
    on = site_with(live("c1", old), providers=(*PROVIDERS, old), failed_provider_ids=("p-microsoft",))
    plan = planned(declared(provider="microsoft"), on=on, site=PRUNING)
    assert kinds(plan) == {"harbor/lee": (ActionKind.NOOP, Reason.IN_SYNC)}
    beside = replace(on, connections=(live("stray", account=KIM),))
    plan = planned(declared(provider="microsoft"), on=beside, site=PRUNING)
    assert kinds(plan) == {"harbor/id:stray": (ActionKind.UNMANAGED, Reason.NOT_DECLARED)}
    assert [fault.where for fault in plan.unread] == ["harbor/lee"]
