"""Connections that show another account than was asked for, or none: whose are they, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.errors import ApiError
from reconciler.execution.site_view import LOOK_SECONDS
from reconciler.model.account import Account
from reconciler.model.action import ActionKind
from reconciler.model.desired import SecretRef
from reconciler.model.intent import Fate, Made, Pending
from reconciler.model.live import ConnectionList, LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from reconciler.planning.preconditions import intent_of
from tests.execution.runs import Run, plan_of
from tests.execution.scripted import DENIED, DOWN, LOST, After, ScriptedPort, Step, Waits, scripted
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OTHER_SCHEDULE,
    PRIMARY,
    SITE,
    declared,
    live,
    planned,
    the_action,
)
from tests.support.passing_time import passing

ALIAS, KIM = "lee@icloud.example", "kim@harbor.example"
FAILED, UNKNOWN, DONE, SKIPPED = (
    OutcomeStatus.FAILED,
    OutcomeStatus.UNKNOWN,
    OutcomeStatus.DONE,
    OutcomeStatus.SKIPPED,
)
DECLARE = f"declare account: {ALIAS} if that is the right one"


class Spelling(ScriptedPort):
    """A port that lists accounts under `spelt`; after `shown_after` lists, or at once."""

    spelt: Account | None = Account(ALIAS)
    shown_after = 0

    async def connect_by_credentials(
        self, provider_id: str, schedule_id: str, email: str, password: SecretRef
    ) -> LiveConnection:
        """Establish a connection that shows another spelling of its account."""
        try:
            await super().connect_by_credentials(provider_id, schedule_id, email, password)
        finally:
            self.connections = [
                replace(c, account=None if self.shown_after else self.spelt) if c.id.startswith("new") else c
                for c in self.connections
            ]
        return self.connections[-1]

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List the connections; the account of a new one may be shown by now."""
        self.shown_after -= any(c.account is None for c in self.connections)
        if self.shown_after <= 0:
            self.connections = [replace(c, account=self.spelt) if c.account is None else c for c in self.connections]
        return await super().list_connections(schedule_ids, followers=followers)


def run_of(port: ScriptedPort, plan: Plan | None = None) -> Run:
    """A connect of lee@harbor.example, unless another plan is given, on that port."""
    return Run(plan or plan_of([declared(sync=SyncConfig(PRIMARY, DEDICATED))], port.connections), {"harbor": port})


def outcome_of(run: Run) -> Outcome:
    """Its only outcome."""
    (outcome,) = passing(run.outcomes())
    return outcome


def standing(port: ScriptedPort) -> list[str]:
    """The ids of the connections that stand."""
    return sorted(connection.id for connection in port.connections if connection.status != "DISCONNECTED")


def test_what_another_account_answers_is_disconnected_again_and_remembered() -> None:
    """The action fails with both addresses and the way out; with that journal it is not sent a second time."""
    run = run_of(port := Spelling())
    outcome = outcome_of(run)
    assert (outcome.status, standing(port)) == (FAILED, [])
    gives = f"connecting lee@harbor.example gives a connection of {ALIAS} (new-1)"
    assert outcome.error == f"{gives}, which was disconnected again; {DECLARE}"
    assert port.called("update_sync_config") == []
    again = outcome_of(Run(run.plan, run.ports, journal=run.journal))
    gave = f"connecting lee@harbor.example gave a connection of {ALIAS} (new-1) before"
    assert (again.status, again.error) == (FAILED, f"not sent: {gave}; {DECLARE}")
    assert len(port.called("connect_by_credentials")) == 1


def test_another_account_of_a_lost_answer_keeps_it_from_being_sent_again() -> None:
    """It may be another spelling, or somebody else's: nobody can tell, so nothing is sent and nothing taken away."""
    run = run_of(port := Spelling([], scripted(connect_by_credentials=After())))
    outcome = outcome_of(run)
    assert (outcome.status, standing(port)) == (UNKNOWN, ["new-1"])
    assert f"what appeared since may be another's: new-1 ({ALIAS}); {DECLARE}" in (outcome.error or "")
    assert len(port.called("connect_by_credentials")) == 1
    assert [pending.intent.address for pending in run.journal.pending()] == ["harbor/lee"]


def test_what_stood_there_before_is_not_disconnected() -> None:
    """The service may answer with a connection that it has already: it was not made by this call."""
    stood = live("new-0", account=ALIAS)

    class Idempotent(ScriptedPort):
        async def connect_by_credentials(
            self, provider_id: str, schedule_id: str, email: str, password: SecretRef
        ) -> LiveConnection:
            """The one that stands."""
            await super().connect_by_credentials(provider_id, schedule_id, email, password)
            self.connections = [stood]
            return stood

    run = run_of(port := Idempotent([stood]), plan_of([declared()], [stood], site=SITE))
    outcome = outcome_of(run)
    assert (outcome.status, standing(port)) == (FAILED, ["new-0"])
    assert "which stood there before: nothing was changed" in (outcome.error or "")


@pytest.mark.parametrize("error", [DENIED, DOWN], ids=str)
def test_what_can_not_be_disconnected_again_is_said(error: ApiError) -> None:
    """Its id is in the outcome, so that an undo knows of it; and it is remembered all the same."""
    run = run_of(port := Spelling([], scripted(disconnect=error, get_connection=[DOWN])))
    outcome = outcome_of(run)
    assert (outcome.status, outcome.connection_id, standing(port)) == (FAILED, "new-1", ["new-1"])
    assert f"which could not be disconnected again: {error}; {DECLARE}" in (outcome.error or "")
    assert list(run.journal.otherwise.values()) == [Made("new-1", Account(ALIAS))]


def test_what_is_another_account_s_by_then_is_not_disconnected_again() -> None:
    """The rate limit may hold the disconnect back for a minute; the connection may be somebody else's after that."""
    port = Spelling()

    def taken() -> None:
        port.connections = [replace(each, account=Account(KIM)) for each in port.connections]

    port.script = scripted(disconnect=Waits(LOOK_SECONDS + 1, taken))
    outcome = outcome_of(run_of(port))
    assert (outcome.status, outcome.connection_id, standing(port)) == (FAILED, "new-1", ["new-1"])
    assert "which could not be disconnected again: it is another's since" in (outcome.error or "")


@pytest.mark.parametrize("lists", [1, 2, 4])
def test_an_account_that_is_shown_late_is_compared_then(lists: int) -> None:
    """However long it takes while the run lasts; what shows the account that was asked for is done."""
    port = Spelling()
    port.shown_after = lists
    outcome = outcome_of(run_of(port))
    assert (outcome.status, standing(port)) == (FAILED, [])
    right = Spelling()
    right.spelt, right.shown_after = Account("LEE@harbor.example"), lists
    assert outcome_of(run_of(right)).status is DONE


def test_an_account_that_is_shown_after_the_run_is_known_by_its_id() -> None:
    """The next run sends nothing beside what the first one has made."""
    port = Spelling()
    port.shown_after = 100
    run = run_of(port)
    assert outcome_of(run).status is DONE
    port.shown_after = 0
    plan = plan_of([declared()], [replace(c, account=Account(ALIAS)) for c in port.connections], site=SITE)
    assert [a.kind for a in plan.actions if a.kind.writes] == [ActionKind.CONNECT]
    again = outcome_of(Run(plan, {"harbor": port}, journal=run.journal))
    assert (again.status, standing(port)) == (FAILED, ["new-1"])
    assert "not sent: " in (again.error or "")


def test_a_lost_connect_does_not_adopt_what_another_connect_has_made() -> None:
    """Two accounts on one schedule, none of them shown: what the one has made is never given the other's config."""
    port = Spelling([], scripted(connect_by_credentials=[LOST, None]))
    port.spelt, port.shown_after = Account("kim@harbor.example"), 1000
    plan = plan_of([declared(), declared("kim", account=KIM)])
    outcomes = passing(Run(plan, {"harbor": port}).outcomes())
    assert [outcome.status for outcome in outcomes] == [DONE, DONE]
    assert {outcome.connection_id for outcome in outcomes} == {"new-1", "new-2"}
    assert len(port.called("connect_by_credentials")) == 3


def test_what_shows_no_account_is_adopted_where_it_can_be_no_other_s() -> None:
    """At the window's end; with another connect open there, it is nobody's."""
    port = Spelling([], scripted(connect_by_credentials=After()))
    port.shown_after = 1000
    run = run_of(port)
    assert outcome_of(run).status is DONE
    rival = intent_of(the_action(planned(declared("kim", account=KIM))), "another", [])
    rivalled = Spelling([], scripted(connect_by_credentials=After()))
    rivalled.shown_after = 1000
    run = run_of(rivalled)
    run.journal.left.append(Pending(rival, 0.0))
    outcome = outcome_of(run)
    assert outcome.status is UNKNOWN
    assert "what appeared since may be another's: new-1 (account not shown)" in (outcome.error or "")
    assert rivalled.called("update_sync_config") == []


@pytest.mark.parametrize("step", [After(), After(DOWN)], ids=str)
def test_what_is_in_error_at_once_is_not_sent_twice(step: Step) -> None:
    """A lost answer whose connection is broken from the start: it is adopted, and said to be broken."""
    port = ScriptedPort([], scripted(connect_by_credentials=step))
    port.script["list_connections"] = [None, lambda: _break(port)]
    run = run_of(port, plan_of([declared()]))
    outcome = outcome_of(run)
    assert (outcome.status, len(port.called("connect_by_credentials"))) == (FAILED, 1)
    assert outcome.error == "connected, but the service reports ERROR; plan again to see what it takes"
    assert run.journal.lines[-1] == ("end", "harbor/lee", Fate.ADOPTED, "new-1")


def _break(port: ScriptedPort) -> None:
    port.connections = [replace(connection, status="ERROR") for connection in port.connections]


def test_a_reconnect_is_void_where_somebody_has_reconnected() -> None:
    """The broken one may stay listed: a second healthy connection is not made beside the new one."""
    broken = live(status="ERROR", error_reason="TOKEN_REVOKED")
    plan = plan_of([declared(sync=SyncConfig(PRIMARY, DEDICATED))], [broken])
    port = ScriptedPort([broken, live("again", account=None)])
    outcome = outcome_of(run_of(port, plan))
    assert (outcome.status, port.called("connect_by_credentials")) == (SKIPPED, [])
    assert outcome.error == "it may be connected already: again came since it was planned; plan again"


@pytest.mark.parametrize("refused", [None, DENIED], ids=str)
def test_a_reconnect_gives_up_the_broken_one_however_the_new_one_fares(refused: ApiError | None) -> None:
    """Else the next plan would find two of one key."""
    broken = live(status="ERROR", error_reason="TOKEN_REVOKED")
    port = ScriptedPort([broken], scripted(update_sync_config=refused))
    outcome = outcome_of(run_of(port, plan_of([declared(sync=SyncConfig(PRIMARY, DEDICATED))], [broken])))
    assert (outcome.status, standing(port)) == (FAILED if refused else DONE, ["new-1"])


def test_a_connect_waits_where_an_installation_that_nobody_knows_is_out_of_reach() -> None:
    """Its connections may be hidden; those of another provider hide nothing."""
    plan = plan_of([declared()])
    hidden = outcome_of(run_of(ScriptedPort([], failed=("p-nobody-knows",)), plan))
    assert (hidden.status, hidden.error) == (
        SKIPPED,
        "its precondition could not be checked: the service can't reach the provider",
    )
    assert outcome_of(run_of(ScriptedPort([], failed=(GOOGLE.id,)), plan)).status is DONE


def test_a_run_knows_its_own_connections_that_show_no_account() -> None:
    """They keep no other connect of that schedule from being carried out."""
    port = Spelling()
    port.spelt, port.shown_after, port.pace = None, 1000, 0.5
    plan = plan_of([declared(), declared("kim", account=KIM), declared("pat", account="pat@harbor.example")])
    outcomes = passing(Run(plan, {"harbor": port}, blank=True).outcomes())
    assert [outcome.status for outcome in outcomes] == [DONE] * 3
    assert OTHER_SCHEDULE not in {c.schedule_id for c in port.connections}
