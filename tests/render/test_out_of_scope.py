"""What is out of scope is told in every format, and no name in it is more than text."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind, Reason
from reconciler.model.plan import Plan
from reconciler.model.status import FleetStatus
from reconciler.render.html.plan_page import plan_html
from reconciler.render.html.status_page import status_html
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.plan_text import plan_text
from reconciler.render.status_text import status_text
from reconciler.render.view import ReportView
from tests.render.hostile import HOSTILE
from tests.support.builders.plans import OTHER_SCHEDULE, declared, live, planned, site_with
from tests.support.builders.reports import MADE, fleet, fleet_renamed, nothing_to_do
from tests.support.inert import Outline, assert_inert_markdown


def kept(count: int) -> Plan:
    """A plan with so many connections on a schedule that no manifest names."""
    outside = (live(f"kept-{n}", schedule_id=OTHER_SCHEDULE, account=f"staff{n}@harbor.example") for n in range(count))
    return Plan((planned(declared(), on=site_with(live(), *outside)),))


def outside(found: FleetStatus) -> FleetStatus:
    """The fleet, whose connections are all out of scope, too."""
    return replace(found, sites=tuple(replace(site, out_of_scope=site.connections) for site in found.sites))


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "1 connection is out of scope and stays connected; see "),
        (2, "2 connections are out of scope and stay connected; see "),
        (1_200, "1,200 connections are out of scope and stay connected; see "),
    ],
)
def test_a_plan_counts_them(count: int, told: str) -> None:
    """Whatever their number, they take one sentence."""
    plan = kept(count)
    assert told in plan_text(plan).splitlines()[-1]
    assert told in plan_markdown(plan)
    assert told in Outline(plan_html(plan, MADE)).text
    assert len(plan_markdown(plan)) < 1_000


def test_nothing_is_said_of_none() -> None:
    """Nor is there an empty line for it."""
    for text in (plan_text(nothing_to_do()), plan_markdown(nothing_to_do()), status_text(fleet())):
        assert "out of scope" not in text
        assert "\n\n\n" not in text


def test_it_is_an_action_that_is_never_carried_out() -> None:
    """Beside the plan's actions, and of a kind that writes nothing."""
    plan = kept(2)
    assert {(action.kind, action.reason) for action in plan.out_of_scope} == {
        (ActionKind.UNMANAGED, Reason.OUT_OF_SCOPE)
    }
    assert not plan.pending
    assert [action.address for action in plan.actions] == ["harbor/lee"]


@pytest.mark.parametrize("command", HOSTILE)
def test_a_command_that_is_told_is_text(command: str) -> None:
    """A path on the command line may be called anything."""
    view = ReportView(status_command=f"extcal status {command}")
    plain = ReportView(status_command="extcal status x")
    assert_inert_markdown(plan_markdown(kept(1), view))
    shown = plan_text(kept(1), view=view)
    assert len(shown.splitlines()) == 1
    assert not set(shown) & {"\x1b", "\u202e", "\x00"}
    assert Outline(plan_html(kept(1), MADE, view)).elements == Outline(plan_html(kept(1), MADE, plain)).elements


@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_a_hostile_name_stays_text(name: str) -> None:
    """In the list of a status, as text and as a page."""
    plain, hostile = (outside(fleet_renamed(fleet(), [each])) for each in ("x", name))
    assert len(status_text(plain).split("\n")) == len(status_text(hostile).split("\n"))
    assert not set(status_text(hostile)) & {"\r", "\x1b", "\u202e", "\x00"}
    assert Outline(status_html(hostile, MADE)).elements == Outline(status_html(plain, MADE)).elements
