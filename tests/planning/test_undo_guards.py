"""The guard on what an undo takes away: a share of what the manifests answer for, as it stands before the undo."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import Scope, Site
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan, SitePlan, Violation
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.planning.undo import undo
from tests.support.actions import altered
from tests.support.builders.plans import OTHER_SCHEDULE, SITE, declared, live, planned, site_with, the_action

KIM = "kim@harbor.example"


def violations(
    *outcomes: Outcome, after: Iterable[LiveConnection], site: Site = SITE, beside: Iterable[Action] = ()
) -> tuple[Violation, ...]:
    """What the undo of outcomes breaks with `after` live since, where the plan holds the actions `beside`, too."""
    plan = Plan((SitePlan(site, (*(outcome.action for outcome in outcomes), *beside)),))
    return undo(Result(plan, outcomes), {site.name: site_with(*after)}).plan.sites[0].violations


def connects(count: int) -> tuple[list[Outcome], list[LiveConnection]]:
    """So many connects that were done, and what they made."""
    accounts = [f"c{n}@harbor.example" for n in range(count)]
    outcomes = [
        Outcome(the_action(planned(declared(f"c{n}", account=account))), OutcomeStatus.DONE, connection_id=f"c{n}")
        for n, account in enumerate(accounts)
    ]
    return outcomes, [live(f"c{n}", account=account) for n, account in enumerate(accounts)]


GONE = [live(f"gone-{n}", status="DISCONNECTED", account=KIM) for n in range(40)]
ELSEWHERE = [live(f"else-{n}", schedule_id=OTHER_SCHEDULE, account=KIM) for n in range(40)]
BESIDE = [live(f"beside-{n}", account=f"b{n}@harbor.example") for n in range(40)]


@pytest.mark.parametrize(
    ("also", "scope", "message"),
    [
        (GONE, Scope.SITE, "5 of 5 connections would be disconnected, more than the 1 "),
        (ELSEWHERE, Scope.SCHEDULES, "5 of 5 connections would be disconnected, more than the 1 "),
        (ELSEWHERE, Scope.SITE, None),
        (BESIDE, Scope.SCHEDULES, None),
        (BESIDE[:1], Scope.SCHEDULES, "5 of 6 connections would be disconnected, more than the 1 "),
    ],
)
def test_a_share_is_one_of_what_the_manifests_answer_for(
    also: list[LiveConnection], scope: Scope, message: str | None
) -> None:
    """The guard's base is what is connected and in scope before the undo: no DISCONNECTED rows, no other schedules."""
    outcomes, made = connects(5)
    found = violations(*outcomes, after=[*made, *also], site=replace(SITE, scope=scope))
    assert [violation.guard for violation in found] == (["max-disconnects"] if message else [])
    assert not message or found[0].message.startswith(message)


def test_a_schedule_is_named_by_what_is_declared_on_it_alone() -> None:
    """A schedule counts for the guard where the plan holds a declared connection of it, changed or not."""
    outcomes, made = connects(5)
    stray = planned(declared(), on=site_with(live(), *ELSEWHERE), site=replace(SITE, scope=Scope.SITE))
    unmanaged = [action for action in stray.actions if action.kind is ActionKind.UNMANAGED]
    assert len(unmanaged) == 40
    assert violations(*outcomes, after=[*made, *ELSEWHERE], beside=unmanaged)
    noop = altered(stray.actions[-1], kind=ActionKind.NOOP, address="harbor/else", schedule_id=OTHER_SCHEDULE)
    assert violations(*outcomes, after=[*made, *ELSEWHERE], beside=[noop]) == ()
