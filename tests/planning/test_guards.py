"""What guards say, whom they protect, and how they are overruled."""

from dataclasses import replace

import pytest

from reconciler.model.action import Reason
from reconciler.model.desired import Lifecycle, Scope, State
from reconciler.model.plan import Allowance, Plan, Violation
from reconciler.model.shards import Shards
from reconciler.planning.guards import GUARDS, consent_losses, overruled
from tests.support.builders.plans import GOOGLE, OTHER_SCHEDULE, PRUNING, SITE, TIDE, declared, live, planned, site_with

KIM = "kim@harbor.example"
PROTECTED = Lifecycle(prevent_disconnect=True)


def strays(count: int) -> list[str]:
    """That many accounts that nobody declares."""
    return [f"s{n}@harbor.example" for n in range(count)]


def lost(percent: int, declared_ones: int, undeclared: int) -> tuple[Violation, ...]:
    """The violations where all undeclared ones are pruned from a site with this limit."""
    wanted = [declared(f"d{n}", account=f"d{n}@harbor.example") for n in range(declared_ones)]
    have = [live(f"d{n}", account=f"d{n}@harbor.example") for n in range(declared_ones)]
    others = [live(f"s{n}", account=account) for n, account in enumerate(strays(undeclared))]
    return planned(*wanted, on=site_with(*have, *others), site=replace(PRUNING, max_disconnects=percent)).violations


def test_too_many_disconnects_say_how_many_of_how_many() -> None:
    """The count, what there is, the limit that follows, and the setting it comes from."""
    assert lost(25, 7, 3) == (
        Violation(
            "max-disconnects",
            "harbor",
            "3 of 10 connections would be disconnected, more than the 2 that guards.maxDisconnects: 25% allows",
        ),
    )


@pytest.mark.parametrize(
    ("percent", "kept", "gone", "stopped"),
    [
        (30, 7, 3, False),
        (29, 7, 3, True),
        (50, 2, 2, False),
        (50, 1, 2, True),
        (100, 1, 9, False),
        (0, 9, 1, False),
        (0, 8, 2, True),
        (20, 12, 3, False),
    ],
)
def test_a_share_is_rounded_down_and_one_is_always_let_through(
    percent: int, kept: int, gone: int, *, stopped: bool
) -> None:
    """A limit is never more than its share of what there is, and never less than one."""
    assert bool(lost(percent, kept, gone)) is stopped


def test_the_share_is_of_what_is_in_scope_and_connected() -> None:
    """Connections of other schedules, and what is disconnected already, don't make room for more disconnects."""
    wanted, have = declared(), [live(), *(live(f"s{n}", account=account) for n, account in enumerate(strays(2)))]
    beside = [live(f"e{n}", account=f"e{n}@x.example", schedule_id=OTHER_SCHEDULE) for n in range(8)]
    gone = [live(f"g{n}", account=f"g{n}@x.example", status="DISCONNECTED") for n in range(8)]
    site = replace(PRUNING, max_disconnects=25)
    (violation,) = planned(wanted, on=site_with(*have, *beside, *gone), site=site).violations
    assert violation.message.startswith("2 of 3 connections")
    whole = replace(site, scope=Scope.SITE)
    (violation,) = planned(wanted, on=site_with(*have, *beside, *gone), site=whole).violations
    assert violation.message.startswith("10 of 11 connections")


def test_a_protected_connection_says_whose_it_is() -> None:
    """The account that would be lost: of a tombstone its own, of a replace the former one, or that it is not shown."""
    buried = declared(state=State.ABSENT, lifecycle=PROTECTED)
    assert planned(buried, on=site_with(live())).violations == (
        Violation(
            "prevent-disconnect",
            "harbor/lee",
            "disconnect of lee@harbor.example: its manifest sets lifecycle.preventDisconnect",
        ),
    )
    replacing = declared(lifecycle=PROTECTED)
    for account, said in ((KIM, KIM), (None, "an account not shown")):
        (violation,) = planned(replacing, on=site_with(live("old", TIDE, account=account)), site=PRUNING).violations
        assert violation.message == f"replace of {said}: its manifest sets lifecycle.preventDisconnect"


def test_what_is_protected_may_be_changed_in_every_other_way() -> None:
    """Only taking a connection away is forbidden."""
    assert planned(declared(lifecycle=PROTECTED)).violations == ()
    assert planned(declared(lifecycle=PROTECTED), on=site_with(live(status="ERROR"))).violations == ()


def consent_lost(said: str) -> Violation:
    """The violation of pruning harbor/id:stray."""
    return Violation(
        "consent-loss",
        "harbor/id:stray",
        f"disconnect of {said}: only its owner can connect it again, by consent; "
        "to disconnect it, declare it with state: absent",
    )


@pytest.mark.parametrize(("account", "said"), [(KIM, KIM), (None, "an account not shown")])
def test_a_consent_is_not_thrown_away_unasked(account: str | None, said: str) -> None:
    """Pruning what only its owner can give again is stopped, and the message says how to mean it."""
    on = site_with(live(), live("stray", GOOGLE, account=account))
    assert planned(declared(), on=on, site=PRUNING).violations == (consent_lost(said),)
    allowed = frozenset({Allowance("consent-loss", "harbor/id:stray")})
    assert planned(declared(), on=on, site=PRUNING, allowed=allowed).violations == ()


def test_a_replaced_consent_is_lost_too() -> None:
    """Another provider takes its place, and the way back leads through its owner."""
    plan = planned(declared(), on=site_with(live("old", GOOGLE, account=KIM)), site=PRUNING)
    (violation,) = plan.violations
    assert (violation.guard, violation.address) == ("consent-loss", "harbor/lee")
    assert violation.message.startswith(f"replace of {KIM}: only its owner can connect it again")


def test_what_is_named_or_comes_back_by_password_loses_no_consent() -> None:
    """A tombstone names its connection; what a password brings back needs nobody; a connect takes nothing away."""
    tombstone = declared(provider="google", state=State.ABSENT)
    plans = [
        planned(tombstone, on=site_with(live(provider=GOOGLE))),
        planned(declared(), on=site_with(live(), live("stray", account=KIM)), site=PRUNING),
        planned(declared(provider="google")),
    ]
    assert [plan.violations for plan in plans] == [(), (), ()]
    pruned = planned(declared(), on=site_with(live(), live("stray", GOOGLE, account=KIM)), site=PRUNING)
    assert [action.reason for action in consent_losses([*plans[0].actions, *pruned.actions])] == [Reason.PRUNED]


def test_one_plan_can_break_every_guard() -> None:
    """Each violation stands by itself, under its guard's name."""
    wanted = declared(lifecycle=PROTECTED, state=State.ABSENT)
    others = [live(f"s{n}", GOOGLE, account=account) for n, account in enumerate(strays(2))]
    plan = planned(wanted, on=site_with(live(), *others), site=PRUNING)
    assert [(violation.guard, violation.address) for violation in plan.violations] == [
        ("max-disconnects", "harbor"),
        ("prevent-disconnect", "harbor/lee"),
        ("consent-loss", "harbor/id:s0"),
        ("consent-loss", "harbor/id:s1"),
    ]
    assert {violation.guard for violation in plan.violations} == set(GUARDS)


def test_a_plan_made_before_is_overruled_by_name_at_a_place() -> None:
    """What is allowed now is let through; every other violation, site and part of the plan stays as it was."""
    site = replace(PRUNING, max_disconnects=0)
    others = [live(f"s{n}", account=account) for n, account in enumerate(strays(2))]
    harbor = planned(declared(lifecycle=PROTECTED, state=State.ABSENT), on=site_with(live(), *others), site=site)
    bay = replace(planned(site=replace(SITE, name="bay")), violations=(Violation("max-disconnects", "bay", "no"),))
    plan = Plan((bay, harbor), Shards(4, (2,)))
    most, protected = harbor.violations
    allowed = frozenset({Allowance("max-disconnects", "harbor"), Allowance("prevent-disconnect", "bay")})
    assert overruled(plan, allowed) == Plan((bay, replace(harbor, violations=(protected,))), plan.shards)
    allowed = frozenset({Allowance("prevent-disconnect", "harbor/lee")})
    assert overruled(plan, allowed).sites[1].violations == (most,)
    assert overruled(plan, frozenset()) == plan


def test_an_allowance_reads_as_it_is_written() -> None:
    """GUARD:ADDRESS, as the command takes it."""
    assert str(Allowance("max-disconnects", "harbor")) == "max-disconnects:harbor"
