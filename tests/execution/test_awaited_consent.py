"""Awaiting callbacks: what is believed of them, how long they are awaited, and what goes on meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.errors import ApiError, ExtcalError, InvalidRequestError
from reconciler.model.account import Account
from reconciler.model.action import ActionKind
from reconciler.model.consent import (
    CallbackResult,
    CallbackStatus,
    ConsentMode,
    ConsentRefusal,
)
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from tests.execution.runs import Run, plan_of
from tests.execution.scripted import DENIED, DOWN, ScriptedPort, Step, refusal, scripted
from tests.execution.scripted_owners import TIMEOUT, ScriptedConsent, ScriptedPrompt
from tests.support.builders.plans import DEDICATED, GOOGLE, OTHER_SCHEDULE, SCHEDULE, SITE, declared, live
from tests.support.passing_time import now, passing

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
DONE, FAILED, AWAITING = OutcomeStatus.DONE, OutcomeStatus.FAILED, OutcomeStatus.AWAITING_CONSENT


class Owners:
    """A plan carried out while the owner of harbor/lee brings `answers`."""

    def __init__(
        self,
        plan: Plan,
        *answers: str | ConsentRefusal,
        standing: Sequence[LiveConnection] = (),
        script: dict[str, list[Step]] | None = None,
    ) -> None:
        self.consent = ScriptedConsent("harbor/lee", list(answers))
        self.prompt = ScriptedPrompt({"harbor/lee": self.consent})
        self.port = ScriptedPort(list(standing), script or {})
        self.run = Run(plan, {"harbor": self.port}, ConsentMode.WAIT, self.prompt)
        self.over = 0.0

    def ended(self, *, interrupted_after: float | None = None) -> Outcome:
        """How harbor/lee ends, and at which second all was over."""

        async def story() -> tuple[Outcome, ...]:
            loop = asyncio.get_running_loop()
            if interrupted_after is not None:
                loop.call_later(interrupted_after, self.run.stop.gently.set)
            outcomes = await self.run.outcomes()
            self.over = now()
            return outcomes

        outcomes = passing(story())
        assert self.prompt.pending == set()
        (outcome,) = [outcome for outcome in outcomes if outcome.action.address == "harbor/lee"]
        return outcome

    def failure(self) -> str:
        """What a failure says."""
        outcome = self.ended()
        assert outcome.status is FAILED
        return outcome.error or ""


WANTED = SyncConfig(None, DEDICATED)


def asking() -> Plan:
    """An OAuth connect."""
    return plan_of([declared(provider="google", sync=WANTED)])


def made(**fields: str | None) -> LiveConnection:
    """What lee's owner has made."""
    return live("made", GOOGLE, **fields)


def agreed(
    *answers: str | ConsentRefusal,
    connection: LiveConnection | None = None,
    script: dict[str, list[Step]] | None = None,
) -> Owners:
    """Owners whose consent has made `connection` before their browser comes."""
    owners = Owners(asking(), *answers, script=script)

    def agree() -> None:
        owners.port.connections.append(connection or made())

    owners.port.script["connect_by_oauth"] = [agree]
    return owners


def test_what_an_owner_made_is_read_configured_and_told() -> None:
    """The link leads back to the callback address; the connection is read once, configured, and shown to its owner."""
    owners = agreed("made")
    outcome = owners.ended()
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "made", None)
    assert owners.prompt.shown == [("harbor/lee", "https://consent.example/p-google")]
    assert owners.port.calls == [
        ("list_connections", SCHEDULE),
        ("connect_by_oauth", "p-google", SCHEDULE, "http://127.0.0.1/harbor/lee"),
        ("get_connection", "made"),
        ("update_sync_config", "made"),
    ]
    assert owners.consent.results == [CallbackResult(CallbackStatus.CONNECTED, Account(LEE))]
    assert owners.over == 1.0


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        (
            ConsentRefusal.REJECT,
            CallbackStatus.REJECTED,
            "its owner refused access; ask them and apply again, or remove its manifest",
        ),
        (
            ConsentRefusal.UNSUPPORTED,
            CallbackStatus.UNSUPPORTED,
            "the provider does not connect this kind of account; declare another account, or ask its administrator",
        ),
        (
            ConsentRefusal.INTERNAL,
            CallbackStatus.INTERNAL,
            (
                "the service or the provider failed; apply again after 5 to 10 minutes for a new link. If it fails "
                "again, let its owner open it in a private window, or try another oauth.redirectUrl, then another "
                "schedule"
            ),
        ),
    ],
)
def test_a_refusal_ends_the_wait(answer: ConsentRefusal, status: CallbackStatus, why: str) -> None:
    """The owner is told what the report says, and nothing is read or written."""
    owners = Owners(asking(), answer, "made")
    assert owners.failure() == why
    assert owners.consent.results == [CallbackResult(status)]
    assert [call[0] for call in owners.port.calls] == ["list_connections", "connect_by_oauth"]


NO_ID = refusal(InvalidRequestError, 400)


@pytest.mark.parametrize(
    ("standing", "reading"),
    [
        (None, None),
        (None, NO_ID),
        (live("forged", GOOGLE, schedule_id=OTHER_SCHEDULE), None),
        (live("forged", account=KIM), None),
    ],
    ids=["of nothing", "that is no id", "of another schedule", "of another provider"],
)
def test_what_is_not_of_this_action_is_not_believed(standing: LiveConnection | None, reading: Step) -> None:
    """Whoever brought it is told nothing more than that, and the true answer still counts."""
    owners = agreed("forged", "made", script=scripted(get_connection=reading))
    owners.port.connections.extend([standing] if standing else [])
    outcome = owners.ended()
    assert (outcome.status, outcome.connection_id) == (DONE, "made")
    assert owners.consent.results == [
        CallbackResult(CallbackStatus.FOREIGN),
        CallbackResult(CallbackStatus.CONNECTED, Account(LEE)),
    ]
    assert owners.port.called("update_sync_config") == [("made",)]


@pytest.mark.parametrize("count", [4, 5])
def test_only_so_many_forged_answers_are_looked_at(count: int) -> None:
    """After five the wait is over: nobody gets more requests out of an address than that."""
    owners = agreed(*[f"forged-{n}" for n in range(count)], "made")
    outcome = owners.ended()
    assert len(owners.port.called("get_connection")) == 5
    if count < 5:
        assert outcome.status is DONE
    else:
        assert outcome.status is FAILED
        assert outcome.error == "5 callbacks named other connections; apply again for a new link"


def test_its_schedule_in_another_case_and_its_provider_by_type_are_its_own() -> None:
    """GUIDs that differ in case alone are one; a Google connection of an older installation is Google's."""
    own = replace(made(schedule_id=SCHEDULE.upper()), provider_id="p-google-of-old")
    assert agreed("made", connection=own).ended().status is DONE


@pytest.mark.parametrize("account", ["LEE@Harbor.example", " lee@harbor.example "])
def test_an_account_is_the_same_in_any_case(account: str) -> None:
    """How the service writes an address does not make it another one."""
    assert agreed("made", connection=made(account=account)).ended().status is DONE


def test_another_account_is_named_and_left_alone() -> None:
    """Both addresses and the way out are told; its sync config is not set."""
    owners = agreed("made", connection=made(account=KIM))
    assert owners.failure() == (
        f"{KIM} was connected, but its manifest says {LEE}: not adopted, no sync config set. If {KIM} is right, "
        f"declare account: {KIM}. If not, disconnect it in the site's dashboard, or with a manifest that has state: "
        "absent, and apply again for a new link"
    )
    assert owners.consent.results == [CallbackResult(CallbackStatus.WRONG_ACCOUNT, Account(KIM))]
    assert owners.port.called("update_sync_config") == []


@pytest.mark.parametrize(("refused", "left"), [(None, ["before"]), (DENIED, ["before", "made"])], ids=str)
def test_another_account_that_was_connected_before_is_not_connected_twice(
    refused: ApiError | None, left: list[str]
) -> None:
    """What this consent has made is disconnected again, as far as that can be done; the one before it stays."""
    owners = agreed("made", connection=made(account=KIM), script=scripted(disconnect=refused))
    owners.port.connections.append(live("before", GOOGLE, account="Kim@harbor.example"))
    error = owners.failure()
    assert f"{KIM} was connected, but its manifest says {LEE}" in error
    ending = f"a second connection may be left: {refused}" if refused else "the second connection was disconnected"
    assert error.endswith(ending)
    assert sorted(c.id for c in owners.port.connections if c.status != "DISCONNECTED") == left


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("ERROR", "TOKEN_REVOKED", "TOKEN_REVOKED"),
        ("ERROR", "ACCOUNT_SUSPENDED", "ACCOUNT_SUSPENDED"),
        ("ERROR", "UNDEFINED", "ERROR"),
        ("ERROR", None, "ERROR"),
        ("DISCONNECTED", None, "DISCONNECTED"),
    ],
)
def test_what_does_not_work_is_not_called_connected(status: str, reason: str | None, told: str) -> None:
    """The service's reason, or its status where it gives none."""
    owners = agreed("made", connection=made(status=status, error_reason=reason))
    assert owners.failure() == f"its owner agreed, but the service reports {told}; apply again for a new link"
    assert owners.consent.results == [CallbackResult(CallbackStatus.BROKEN, Account(LEE))]


def test_an_account_that_shows_late_is_waited_for() -> None:
    """A connection that does not say yet whose it is is read again, a second later each time."""
    owners = agreed("made", connection=made(account=None))

    def shown() -> None:
        owners.port.connections = [made()]

    owners.port.script["get_connection"] = [None, None, None, shown]
    assert owners.ended().status is DONE
    assert owners.over == 4.0
    assert len(owners.port.called("get_connection")) == 4


@pytest.mark.parametrize("account", [None, ""])
def test_an_account_that_does_not_show_is_not_believed(account: str | None) -> None:
    """Four looks, then it still awaits its owner: a later run will see."""
    owners = agreed("made", connection=made(account=account))
    outcome = owners.ended()
    assert outcome.status is AWAITING
    assert outcome.error == (
        "its owner agreed, but the service does not show the account yet; apply again later to finish"
    )
    assert owners.consent.results == [CallbackResult(CallbackStatus.NO_ACCOUNT_YET)]
    assert (owners.over, len(owners.port.called("get_connection"))) == (4.0, 4)
    assert owners.port.called("update_sync_config") == []


@pytest.mark.parametrize("error", [DOWN, DENIED, ExtcalError("not read")], ids=str)
def test_what_can_not_be_read_is_unknown(error: ExtcalError) -> None:
    """The owner is told that it was not checked, the report why."""
    owners = agreed("made", script=scripted(get_connection=error))
    outcome = owners.ended()
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert outcome.error == (
        f"its owner answered, but the connection could not be read; apply again to check it: {error}"
    )
    assert owners.consent.results == [CallbackResult(CallbackStatus.UNREAD)]


def test_nobody_came_back() -> None:
    """After the timeout it is looked once more; where nothing is there, it still awaits consent."""
    owners = Owners(asking())
    outcome = owners.ended()
    assert outcome.status is AWAITING
    assert outcome.error == "its owner did not answer within 60 s; apply again for a new link"
    assert owners.over == TIMEOUT
    assert owners.port.calls[-1] == ("list_connections", SCHEDULE)


def test_a_forged_answer_at_the_last_moment_wins_no_time() -> None:
    """However often somebody else comes, the wait ends when it was to end."""
    owners = Owners(asking(), "forged")
    owners.consent.every = TIMEOUT - 0.25
    outcome = owners.ended()
    assert outcome.status is AWAITING
    assert "its browser came back with forged, which is another's, or is not shown to this key or app" in (
        outcome.error or ""
    )
    assert (owners.over, owners.consent.results) == (TIMEOUT, [CallbackResult(CallbackStatus.FOREIGN)])


@pytest.mark.parametrize(
    ("there", "status"),
    [
        ([made()], DONE),
        ([made(), live("another", GOOGLE)], AWAITING),
        ([made(account=KIM)], AWAITING),
        ([made(status="ERROR")], AWAITING),
    ],
    ids=["one", "two", "another account", "broken"],
)
def test_who_agreed_elsewhere_is_found_when_the_wait_ends(there: list[LiveConnection], status: OutcomeStatus) -> None:
    """A browser that could not come back here leaves a connection: exactly one of this account is finished."""
    owners = Owners(asking())

    def agree() -> None:
        owners.port.connections.extend(there)

    owners.port.script["connect_by_oauth"] = [agree]
    outcome = owners.ended()
    assert outcome.status is status
    assert owners.port.called("update_sync_config") == ([("made",)] if status is DONE else [])


@pytest.mark.parametrize(("error", "status"), [(DENIED, FAILED), (DOWN, OutcomeStatus.UNKNOWN)], ids=str)
def test_the_last_look_that_fails(error: ExtcalError, status: OutcomeStatus) -> None:
    """Its trouble is the action's."""
    outcome = Owners(asking(), script=scripted(list_connections=[None, error])).ended()
    assert (outcome.status, outcome.error) == (status, str(error))


def test_interrupted_while_waiting() -> None:
    """The wait ends at once, nothing more is asked, and the report says so."""
    owners = Owners(asking())
    outcome = owners.ended(interrupted_after=10.0)
    assert (outcome.status, outcome.error) == (AWAITING, "interrupted before its owner answered")
    assert owners.over == 10.0
    assert [call[0] for call in owners.port.calls] == ["list_connections", "connect_by_oauth"]


def test_an_owner_who_came_before_the_interruption_counts() -> None:
    """A callback that has come is finished."""
    owners = agreed("made")
    owners.port.pace = 1.0
    outcome = owners.ended(interrupted_after=3.5)
    assert (outcome.status, owners.port.called("update_sync_config")) == (DONE, [("made",)])


def test_who_is_waited_for_is_waited_for_from_when_the_link_was_shown() -> None:
    """A slow service takes nothing from the owner's time, and every forged answer leaves them the rest of it."""
    owners = Owners(asking(), "forged")
    owners.consent.every = 50.0
    owners.port.pace = 5.0
    owners.ended()
    # Two calls, the link; its time; the last look.
    assert owners.over == 5.0 + 5.0 + TIMEOUT + 5.0


def test_waiting_holds_no_slot_and_no_place_among_the_sites() -> None:
    """Six owners of a site and one of another are asked at once, though one site may be at work at a time."""
    people = [declared(f"o{n}", provider="google", account=f"o{n}@harbor.example") for n in range(6)]
    harbor = plan_of(people, site=SITE)
    bay = plan_of([declared("b", provider="google")], site=replace(SITE, name="bay", site_id="bay"))
    bay = Plan(
        tuple(replace(s, actions=tuple(replace(a, site="bay", address="bay/b") for a in s.actions)) for s in bay.sites)
    )
    plan = Plan((*harbor.sites, *bay.sites))
    prompt = ScriptedPrompt({})
    ports = {"harbor": ScriptedPort(pace=1.0), "bay": ScriptedPort(pace=1.0)}
    run = Run(plan, ports, ConsentMode.WAIT, prompt, sites_at_once=1)
    outcomes = passing(run.outcomes())
    assert {outcome.status for outcome in outcomes} == {AWAITING}
    assert len(prompt.shown) == 7
    # Links in three rounds of two calls, the wait, and the last looks: nobody waited for somebody else's owner.
    assert max(when for when, _ in run.told) < 6.0 + TIMEOUT + 4.0


def test_a_replace_gives_up_the_old_one_when_the_owner_has_agreed() -> None:
    """And not before: until then the old connection works."""
    old = live("old", GOOGLE, account=KIM)
    plan = plan_of([declared(provider="google", sync=WANTED)], [old])
    assert [action.kind for action in plan.actions] == [ActionKind.REPLACE]
    owners = Owners(plan, "made", standing=[old])
    at: list[str] = []

    def agree() -> None:
        at.append(owners.port.connections[0].status)
        owners.port.connections.append(made())

    owners.port.script["connect_by_oauth"] = [agree]
    outcome = owners.ended()
    assert (outcome.status, outcome.connection_id, at) == (DONE, "made", ["SYNCED"])
    assert [call[0] for call in owners.port.calls[-2:]] == ["update_sync_config", "disconnect"]


def test_what_an_owner_made_without_its_config_is_remembered() -> None:
    """Its sync config was refused: the next run knows that it is yet to come, whatever `ignoreChanges` says."""
    owners = agreed("made", script=scripted(update_sync_config=DENIED))
    assert owners.ended().status is FAILED
    assert owners.run.unfinished.addresses == {"harbor/lee"}


def test_nobody_is_asked_for_what_has_moved() -> None:
    """Where what the action rests on has changed, no link is made and nobody's time is taken."""
    owners = Owners(asking(), standing=[made()])
    outcome = owners.ended()
    assert outcome.status is OutcomeStatus.SKIPPED
    assert owners.prompt.shown == []
    assert owners.port.called("connect_by_oauth") == []


def test_a_link_that_is_not_to_be_had() -> None:
    """The service's words; nobody is shown anything."""
    owners = Owners(asking(), script=scripted(connect_by_oauth=DENIED))
    assert owners.failure() == str(DENIED)
    assert owners.prompt.shown == []


def test_who_needs_no_owner_does_not_come_to_the_door() -> None:
    """While owners are waited for, a connect by password is made as ever."""
    owners = Owners(plan_of([declared()]))
    assert owners.ended().status is DONE
    assert owners.over == 0.0
    assert owners.prompt.shown == []
