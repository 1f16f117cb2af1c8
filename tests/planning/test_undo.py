"""Undoing what was applied: the inverse of every action, or why there is none."""

from reconciler.model.action import Action, ActionKind, Change, Reason
from reconciler.model.desired import Lifecycle, State
from reconciler.model.live import ConnectMethod, LiveConnection
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.sync import SyncConfig
from reconciler.planning.guards import overruled
from reconciler.planning.preconditions import fingerprint
from reconciler.planning.undo import Undo, undo
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OFF,
    PASSWORD,
    PRIMARY,
    PRUNING,
    SITE,
    declared,
    live,
    planned,
    site_with,
    the_action,
)


def undone(action: Action, *after: LiveConnection, connection_id: str | None = "c1", already: bool = False) -> Undo:
    """The undo of one action that was done, with `after` live since."""
    outcome = Outcome(action, OutcomeStatus.DONE, connection_id=connection_id, already=already)
    return undo(Result(Plan((SitePlan(SITE, (action,)),)), (outcome,)), {"harbor": site_with(*after)})


def test_an_update_goes_back_to_what_was() -> None:
    """The inverse of an update sends the former values of what it changed, and the other direction as it stands."""
    now = live(sync=SyncConfig(PRIMARY, DEDICATED))
    found = undone(the_action(planned(declared(sync=SyncConfig(PRIMARY, DEDICATED)), on=site_with(live()))), now)
    (action,) = found.plan.actions
    assert (action.kind, action.reason, action.sync) == (ActionKind.UPDATE, Reason.UNDO, SyncConfig(PRIMARY, OFF))
    assert action.changes == (Change("syncConfig.syncToCalendar.enabled", before=True, after=False),)
    assert action.precondition == fingerprint(action, [now])


def test_a_connect_is_disconnected() -> None:
    """The inverse of a connect disconnects the very connection that it made."""
    found = undone(the_action(planned(declared(sync=SyncConfig(PRIMARY)))), live("new"), connection_id="new")
    (action,) = found.plan.actions
    assert (action.kind, action.connection_id, action.sync) == (ActionKind.DISCONNECT, "new", None)
    assert found.remarks == ()


def test_a_disconnect_is_connected_again_as_it_was() -> None:
    """With a reference to the password, the inverse of a disconnect connects and sets the former config."""
    tombstone = declared(state=State.ABSENT)
    found = undone(the_action(planned(tombstone, on=site_with(live()))))
    (action,) = found.plan.actions
    assert (action.kind, action.method, action.password) == (ActionKind.CONNECT, ConnectMethod.CREDENTIALS, PASSWORD)
    assert action.sync == SyncConfig(PRIMARY, OFF)


def test_who_must_consent_again_is_said() -> None:
    """Going back from a disconnect at an OAuth provider asks its owner, and says whom."""
    was = live(provider=GOOGLE, sync=SyncConfig(PRIMARY, PRIMARY))
    found = undone(the_action(planned(declared(provider="google", state=State.ABSENT), on=site_with(was))))
    assert found.plan.actions[0].method is ConnectMethod.OAUTH
    assert found.remarks == ("harbor/lee: lee@harbor.example must consent again",)


def test_what_can_not_be_undone_is_said() -> None:
    """A lost password, a replace and a reconnect have no inverse, and the remark says what to do."""
    tombstone = declared(state=State.ABSENT, password=None)
    found = undone(the_action(planned(tombstone, on=site_with(live()))))
    assert found.plan.actions == ()
    assert found.remarks == (
        "harbor/lee: connecting lee@harbor.example again takes its password, which no manifest refers to",
    )
    old = live("old", account="kim@harbor.example")
    assert (
        "declare the former account again"
        in undone(the_action(planned(declared(), on=site_with(old), site=PRUNING))).remarks[0]
    )
    broken = live(status="ERROR", error_reason="TOKEN_REVOKED")
    reconnect = the_action(planned(declared(), on=site_with(broken)))
    assert "nothing to go back to" in undone(reconnect, live()).remarks[0]


def test_what_was_not_done_is_not_undone() -> None:
    """Outcomes other than done, and what had come about before, are left out."""
    action = the_action(planned(declared()))
    failed = Result(Plan((SitePlan(SITE, (action,)),)), (Outcome(action, OutcomeStatus.FAILED),))
    assert undo(failed, {}) == Undo(Plan(()), ())
    assert undone(action, already=True) == Undo(Plan(()), ())


def test_guards_hold_for_undoing_too() -> None:
    """An undo that disconnects more than a site's share is stopped like any plan."""
    actions = tuple(the_action(planned(declared(f"c{n}", account=f"c{n}@harbor.example"))) for n in range(3))
    outcomes = tuple(Outcome(a, OutcomeStatus.DONE, connection_id=a.address) for a in actions)
    now = tuple(live(a.address, account=a.account) for a in actions)
    found = undo(Result(Plan((SitePlan(SITE, actions),)), outcomes), {"harbor": site_with(*now)})
    assert [violation.guard for violation in found.plan.sites[0].violations] == ["max-disconnects"]


def test_a_protected_connection_is_not_disconnected_by_an_undo() -> None:
    """What its manifest protects when it is connected stays protected when that is undone; --allow names it."""
    protected = declared(sync=SyncConfig(PRIMARY), lifecycle=Lifecycle(prevent_disconnect=True))
    found = undone(the_action(planned(protected)), live("new"), connection_id="new")
    (violation,) = found.plan.sites[0].violations
    assert (violation.guard, violation.address) == ("prevent-disconnect", "harbor/lee")
    assert overruled(found.plan, frozenset({Allowance("prevent-disconnect", "harbor/lee")})).sites[0].applyable
