"""The way back as whole values: the inverse of each action, what it rests on, and what is said where there is none."""

from dataclasses import replace

from reconciler.model.action import (
    Action,
    ActionKind,
    Attribution,
    Change,
    Chosen,
    ConnectSpec,
    Impact,
    Reason,
    Recovery,
)
from reconciler.model.desired import State
from reconciler.model.live import ConnectMethod, LiveConnection
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.sync import SyncConfig
from reconciler.planning.preconditions import fingerprint, holds
from reconciler.planning.undo import Undo, undo
from tests.support.actions import altered
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OFF,
    OTHER_SCHEDULE,
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

KIM = "kim@harbor.example"
IMPORTS, EXPORTS = "syncConfig.listEventFromCalendars", "syncConfig.syncToCalendar"


def done(action: Action, connection_id: str | None = "c1") -> Outcome:
    """The outcome of an action that was done."""
    return Outcome(action, OutcomeStatus.DONE, connection_id=connection_id)


def undone(*outcomes: Outcome, after: tuple[LiveConnection, ...] = ()) -> Undo:
    """The undo of these outcomes on one site, with `after` live since."""
    plan = Plan((SitePlan(SITE, tuple(outcome.action for outcome in outcomes)),))
    return undo(Result(plan, outcomes), {"harbor": site_with(*after)})


def inverse(action: Action, *after: LiveConnection, connection_id: str | None = "c1") -> Action:
    """The only action of an undo, its fingerprint checked and taken off."""
    found = undone(done(action, connection_id), after=after)
    (site,) = found.plan.sites
    assert site.site == SITE
    (back,) = site.actions
    assert back.precondition == fingerprint(back, after)
    return replace(back, precondition="")


def seasoned(action: Action) -> Action:
    """An action as it is after ordering, telling origins apart and weighing impacts."""
    return replace(
        action, depends_on=("harbor/x",), attribution=Attribution.BOTH, impact=Impact(3, 7), disconnected=("x",)
    )


def plain(action: Action, **fields: object) -> Action:
    """What an inverse keeps of its action, with these fields."""
    kept = replace(
        action,
        reason=Reason.UNDO,
        depends_on=(),
        attribution=None,
        impact=None,
        live_sync=None,
        precondition="",
    )
    return altered(kept, **fields)


def test_back_from_an_update() -> None:
    """Each change the other way round, both directions as they were, whole: an off one with its calendar."""
    was = live(sync=SyncConfig(PRIMARY, replace(DEDICATED, enabled=False)))
    action = the_action(planned(declared(sync=SyncConfig(OFF, DEDICATED)), on=site_with(was)))
    now = live(sync=SyncConfig(OFF, DEDICATED))
    assert inverse(seasoned(action), now) == plain(
        action,
        changes=(
            Change(f"{IMPORTS}.enabled", before=False, after=True),
            Change(f"{IMPORTS}.primaryCalendar", None, Chosen.CHOSEN),
            Change(f"{EXPORTS}.enabled", before=True, after=False),
        ),
        sync=SyncConfig(PRIMARY, replace(DEDICATED, enabled=False)),
        live_sync=SyncConfig(OFF, DEDICATED),
    )


def test_back_from_a_connect() -> None:
    """The connection that was made goes, and what it has by now; bringing it back again takes what it took."""
    wanted = SyncConfig(None, DEDICATED)
    for provider, recovery in (("apple", Recovery.PASSWORD), ("google", Recovery.CONSENT)):
        action = the_action(planned(declared(provider=provider, sync=wanted)))
        now = live("new", sync=wanted)
        assert inverse(seasoned(action), now, connection_id="new") == plain(
            action,
            kind=ActionKind.DISCONNECT,
            connection_id="new",
            recovery=recovery,
            method=None,
            changes=(
                Change(f"{EXPORTS}.dedicatedCalendar", Chosen.CHOSEN, None),
                Change(f"{EXPORTS}.enabled", before=True, after=None),
            ),
            sync=None,
            live_sync=wanted,
            disconnected=(),
        )


CHANGES = (
    Change(f"{IMPORTS}.enabled", None, after=True),
    Change(f"{IMPORTS}.primaryCalendar", None, Chosen.CHOSEN),
    Change(f"{EXPORTS}.dedicatedCalendar", None, Chosen.CHOSEN),
    Change(f"{EXPORTS}.enabled", None, after=False),
)
OFF_BUT_CHOSEN = replace(DEDICATED, enabled=False)


def test_back_from_a_disconnect_by_password() -> None:
    """Connected again with the reference that the manifest had, and configured as it was."""
    was = live(sync=SyncConfig(PRIMARY, OFF_BUT_CHOSEN))
    action = the_action(planned(declared(state=State.ABSENT), on=site_with(was)))
    assert inverse(seasoned(action)) == plain(
        action,
        kind=ActionKind.CONNECT,
        connection_id=None,
        disconnected=("c1",),
        recovery=Recovery.AUTOMATIC,
        method=ConnectMethod.CREDENTIALS,
        password=PASSWORD,
        changes=CHANGES,
        sync=SyncConfig(PRIMARY, OFF_BUT_CHOSEN),
    )


def test_back_from_a_disconnect_by_consent() -> None:
    """Its owner is asked, who lands where the site says; a password of the manifest has no say in it."""
    tombstone = declared(provider="google", state=State.ABSENT, password=PASSWORD)
    was = live(provider=GOOGLE, sync=SyncConfig(PRIMARY, OFF_BUT_CHOSEN))
    action = the_action(planned(tombstone, on=site_with(was)))
    back = inverse(action)
    assert back.connect == ConnectSpec(ConnectMethod.OAUTH, redirect_url=SITE.redirect_url)
    assert (back.kind, back.connection_id, back.changes) == (ActionKind.CONNECT, None, CHANGES)
    unknown = inverse(replace(action, live_sync=None))
    assert (unknown.changes, unknown.sync) == ((), None)


def test_what_can_not_be_undone_says_so_in_its_own_words() -> None:
    """A sentence for each, and the others are undone all the same."""
    old, broken = live("old", account=KIM), live("broken", status="ERROR")
    buried = declared("buried", state=State.ABSENT, password=None, account=KIM)
    google = declared("google", "google", state=State.ABSENT)
    outcomes = [
        done(the_action(planned(declared("replaced"), on=site_with(old), site=PRUNING))),
        done(the_action(planned(declared("broken"), on=site_with(broken))), "broken"),
        done(the_action(planned(declared("noop"), on=site_with(live())))),
        Outcome(the_action(planned(declared("failed"))), OutcomeStatus.FAILED),
        replace(done(the_action(planned(declared("already")))), already=True),
        done(the_action(planned(buried, on=site_with(live("kim", account=KIM))))),
        done(the_action(planned(google, on=site_with(live("g", provider=GOOGLE))))),
        done(the_action(planned(declared("last"))), "new"),
    ]
    found = undone(*outcomes, after=(live("new"), live("broken", schedule_id=OTHER_SCHEDULE)))
    assert found.remarks == (
        "harbor/replaced: a replace can't be undone by a plan: declare the former account again and apply",
        "harbor/broken: it stays connected: a reconnect has nothing to go back to",
        "harbor/buried: connecting kim@harbor.example again takes its password, which no manifest refers to",
        "harbor/google: lee@harbor.example must consent again",
        f"harbor/google: {EXPORTS} had no calendar chosen: a new connection may start with one",
    )
    assert [action.address for action in found.plan.actions] == ["harbor/google", "harbor/last"]


def test_each_site_goes_back_by_itself() -> None:
    """What is left of a site's connections counts for its own actions; sites with nothing to undo are left out."""
    bay = replace(SITE, name="bay", site_id="bay-id")
    here, there = the_action(planned(declared())), planned(replace(declared("x"), site="bay"), site=bay)
    quiet = replace(SITE, name="quiet", site_id="quiet-id")
    plan = Plan((there, SitePlan(SITE, (here,)), SitePlan(quiet)))
    result = Result(plan, (done(there.actions[0], "b1"), done(here, "h1")))
    found = undo(result, {"harbor": site_with(live("h1")), "bay": site_with(live("b1"))})
    assert [(site.site, [a.connection_id for a in site.actions]) for site in found.plan.sites] == [
        (bay, ["b1"]),
        (SITE, ["h1"]),
    ]
    assert found.plan.actions[0].precondition == fingerprint(found.plan.actions[0], [live("b1")])
    assert found.plan.actions[1].precondition == fingerprint(found.plan.actions[1], [live("h1")])


def test_a_way_back_rests_on_its_own_schedule_and_its_own_doing() -> None:
    """Connections elsewhere don't matter, and what the undo itself takes away is no hindrance to what it connects."""
    moved = the_action(planned(declared("moved"), on=site_with()))
    buried = the_action(planned(declared("buried", state=State.ABSENT), on=site_with(live("old"))))
    after = (live("new"), live("elsewhere", schedule_id=OTHER_SCHEDULE, account=KIM))
    found = undone(done(moved, "new"), done(buried, "old"), after=after)
    disconnect, connect = found.plan.actions
    assert (disconnect.kind, connect.kind) == (ActionKind.DISCONNECT, ActionKind.CONNECT)
    assert holds(connect, after, frozenset({"new"}))
    assert holds(connect, ())
    upper = live("new", schedule_id=after[0].schedule_id.upper())
    (back,) = undone(done(moved, "new"), after=(upper,)).plan.actions
    assert back.precondition == fingerprint(back, [upper])


def test_a_way_back_counts_its_disconnects_against_what_is_there() -> None:
    """Two of three connections are too many at once, one is not."""
    actions = [the_action(planned(declared(f"c{n}", account=f"c{n}@harbor.example"))) for n in range(2)]
    now = tuple(live(f"c{n}", account=f"c{n}@harbor.example") for n in range(3))
    found = undone(*(done(action, f"c{n}") for n, action in enumerate(actions)), after=now)
    (violation,) = found.plan.sites[0].violations
    assert violation.message.startswith("2 of 3 connections would be disconnected")
    assert undone(done(actions[0], "c0"), after=now).plan.sites[0].violations == ()
