"""A plan that is made anew for a lost worker: only what was agreed to is carried out of it."""

from dataclasses import replace

from reconciler.model.action import Action, ActionKind
from reconciler.model.plan import Plan, SitePlan
from reconciler.workflow.recovery import as_agreed
from tests.support.builders.plans import SITE, declared, live, planned, site_with, the_action


def plan(*actions: Action) -> Plan:
    """A plan of one site."""
    return Plan((SitePlan(SITE, actions),))


def kind(action: Action, kind_: ActionKind) -> Action:
    """The action, of another kind."""
    return replace(action, kind=kind_)


def test_only_what_was_agreed_to_is_taken_over() -> None:
    """A half-done connect may go on as an update; what nobody agreed to, or would take away, may not."""
    connect = the_action(planned(declared()))
    other = replace(connect, address="harbor/other")
    (unmanaged,) = planned(declared("kim", account="kim@harbor.example"), on=site_with(live())).actions[:1]
    agreed = plan(connect, unmanaged)
    update = kind(connect, ActionKind.UPDATE)
    disconnect = replace(connect, kind=ActionKind.DISCONNECT, connection_id="c1")
    assert as_agreed(plan(update, other), agreed) == plan(update)
    assert as_agreed(plan(disconnect), agreed) == plan()
    assert as_agreed(plan(disconnect), plan(disconnect)) == plan(disconnect)
    noop = kind(other, ActionKind.NOOP)
    assert as_agreed(plan(noop), agreed) == plan(noop)


def test_only_what_was_agreed_to_is_given_up() -> None:
    """A replace that would take another connection than the one that was shown is not what was agreed to."""
    replacing = replace(the_action(planned(declared())), kind=ActionKind.REPLACE, connection_id="kim")
    assert as_agreed(plan(replacing), plan(replacing)) == plan(replacing)
    assert as_agreed(plan(replace(replacing, connection_id="desk")), plan(replacing)) == plan()
