"""How each kind of action is carried out, above all where the service's answer leaves something in doubt."""

from dataclasses import replace

import pytest

from reconciler.errors import (
    ApiError,
    ExtcalError,
    InvalidRequestError,
    MalformedAnswerError,
    PreconditionFailedError,
    RateLimitedError,
)
from reconciler.execution.site_view import Standing
from reconciler.execution.steps import carry_out
from reconciler.model.action import ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import State
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.execution.runs import carried_out, plan_of, plan_with, reach_of, the_outcome
from tests.execution.scripted import (
    BAD_PASSWORD,
    DENIED,
    DOWN,
    GONE,
    LOST,
    After,
    MemoryJournal,
    ScriptedPort,
    Step,
    refusal,
    scripted,
)
from tests.support.builders.plans import DEDICATED, PASSWORD, PRIMARY, SCHEDULE, SITE, chosen, declared, live
from tests.support.passing_time import passing

DONE, FAILED, UNKNOWN = OutcomeStatus.DONE, OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN
STANDING = (live(),)
ALREADY = refusal(PreconditionFailedError, 428, "CONNECTION_ALREADY_DISCONNECTED")
OTHER_428 = refusal(PreconditionFailedError, 428, "SOMETHING_ELSE")
SAME_CODE = refusal(InvalidRequestError, 400, "CONNECTION_ALREADY_DISCONNECTED")
BROKEN = MalformedAnswerError("not JSON", method="Disconnect")
UNSENT = refusal(RateLimitedError, 429)


def removal() -> Plan:
    """A tombstone's disconnect."""
    return plan_of([declared(state=State.ABSENT)], STANDING)


def test_a_disconnect_is_sent_once() -> None:
    """Its connection is taken away, and the outcome names it."""
    port = ScriptedPort([*STANDING])
    outcome = the_outcome(removal(), port)
    assert (outcome.status, outcome.connection_id, outcome.error, outcome.already) == (DONE, "c1", None, False)
    assert port.calls == [("list_connections", SCHEDULE), ("disconnect", "c1")]


@pytest.mark.parametrize("error", [GONE, ALREADY], ids=str)
def test_a_disconnect_of_what_somebody_else_took_away_at_that_moment(error: ApiError) -> None:
    """404, and 428 with its code, say that what was wanted is so; nothing more is asked."""
    port = ScriptedPort([*STANDING], scripted(disconnect=error))
    outcome = the_outcome(removal(), port)
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "c1", None)
    assert port.called("get_connection") == []


@pytest.mark.parametrize("error", [OTHER_428, SAME_CODE, DENIED, UNSENT], ids=str)
def test_a_disconnect_that_is_refused(error: ApiError) -> None:
    """Any other refusal is a failure with the service's words; the connection stands, so nobody needs to look."""
    port = ScriptedPort([*STANDING], scripted(disconnect=error))
    outcome = the_outcome(removal(), port)
    assert (outcome.status, outcome.error) == (FAILED, str(error))
    assert port.called("get_connection") == []


@pytest.mark.parametrize("error", [LOST, DOWN, BROKEN], ids=str)
@pytest.mark.parametrize("listed", [True, False])
def test_a_disconnect_whose_answer_was_lost_and_that_has_come_about(error: ApiError, *, listed: bool) -> None:
    """Its connection is read: DISCONNECTED or not listed any more, it is done."""

    def unlist() -> None:
        port.connections.clear()

    reading: Step = None if listed else unlist
    port = ScriptedPort([*STANDING], scripted(disconnect=After(error), get_connection=reading))
    outcome = the_outcome(removal(), port)
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "c1", None)
    assert port.called("disconnect") == port.called("get_connection") == [("c1",)]


@pytest.mark.parametrize("reading", [None, DOWN, DENIED, ExtcalError("not read")], ids=str)
def test_a_disconnect_whose_answer_was_lost_and_that_has_not_come_about(reading: Step) -> None:
    """Still there, or not to be read: unknown, with the first trouble, and it is not sent again."""
    port = ScriptedPort([*STANDING], scripted(disconnect=LOST, get_connection=reading))
    outcome = the_outcome(removal(), port)
    assert (outcome.status, outcome.error) == (UNKNOWN, str(LOST))
    assert port.called("disconnect") == [("c1",)]


WANTED = SyncConfig(PRIMARY, DEDICATED)


def update(sync: SyncConfig = WANTED, have: SyncConfig = STANDING[0].sync) -> Plan:
    """An update of the sync config of c1."""
    return plan_of([declared(sync=sync)], [live(sync=have)])


def test_an_update_is_sent_once() -> None:
    """The sync config is as declared, the outcome names the connection, and nothing else is asked."""
    port = ScriptedPort([*STANDING])
    outcome = the_outcome(update(), port)
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "c1", None)
    assert port.connections[0].sync == WANTED
    assert [call[0] for call in port.calls] == ["list_connections", "update_sync_config"]


def test_an_update_whose_answer_was_lost_and_that_has_come_about() -> None:
    """The connection is read, and where it is as it should be it is done."""
    port = ScriptedPort([*STANDING], scripted(update_sync_config=After()))
    outcome = the_outcome(update(), port)
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "c1", None)
    assert port.called("update_sync_config") == port.called("get_connection") == [("c1",)]


@pytest.mark.parametrize("reading", [None, DOWN, GONE], ids=str)
def test_an_update_whose_answer_was_lost_and_that_has_not_come_about(reading: Step) -> None:
    """As it was, or not to be read: unknown, with the first trouble."""
    port = ScriptedPort([*STANDING], scripted(update_sync_config=LOST, get_connection=reading))
    outcome = the_outcome(update(), port)
    assert (outcome.status, outcome.error) == (UNKNOWN, str(LOST))


def test_an_update_that_is_refused() -> None:
    """It fails with the service's words, and nobody needs to look."""
    port = ScriptedPort([*STANDING], scripted(update_sync_config=DENIED))
    outcome = the_outcome(update(), port)
    assert (outcome.status, outcome.error) == (FAILED, str(DENIED))
    assert port.called("get_connection") == []


def test_the_account_is_asked_for_its_calendars_only_where_one_is_named() -> None:
    """Calendars whose ids the plan knows cost no request, whatever else of the config is sent."""
    known = chosen(CalendarRef("w1", "Work"))
    port = ScriptedPort([*STANDING])
    (action,) = update(SyncConfig(None, DEDICATED)).actions
    plan = plan_with(replace(action, sync=SyncConfig(known, DEDICATED)), live=STANDING)
    assert the_outcome(plan, port).status is DONE
    assert port.called("list_calendars") == []
    assert port.connections[0].sync == SyncConfig(known, DEDICATED)


def test_calendars_by_name_get_their_ids_once_connected() -> None:
    """Only the calendars are settled: whether the import is on, and the export, are sent as declared."""
    named = Direction(enabled=True, arm=Arm.CALENDARS, calendars=(CalendarRef(name="Work"), CalendarRef("h1")))
    port = ScriptedPort()
    outcome = the_outcome(plan_of([declared(sync=SyncConfig(named, DEDICATED))]), port)
    assert (outcome.status, outcome.connection_id) == (DONE, "new-1")
    assert port.called("list_calendars") == [("new-1",)]
    settled = (CalendarRef("h1", "Home"), CalendarRef("w1", "Work"))
    assert port.connections[0].sync == SyncConfig(replace(named, calendars=settled), DEDICATED)


def test_a_calendar_that_is_not_there_sends_nothing() -> None:
    """The message says what to mend, and the outcome names the connection that stands."""
    port = ScriptedPort()
    outcome = the_outcome(plan_of([declared(sync=SyncConfig(chosen("Wrok"), DEDICATED))]), port)
    assert (outcome.status, outcome.connection_id) == (FAILED, "new-1")
    assert outcome.error == (
        "connected, but its sync config was not set; change the manifest and apply again: "
        "the account has no calendar Wrok; did you mean Work?"
    )
    assert port.called("update_sync_config") == []


def test_a_connect_without_a_config_sends_none() -> None:
    """Where a manifest leaves the sync config to the service, connecting is all."""
    port = ScriptedPort()
    outcome = the_outcome(plan_of([declared()]), port)
    assert (outcome.status, outcome.connection_id) == (DONE, "new-1")
    assert port.called("connect_by_credentials") == [("p-apple", SCHEDULE, "lee@harbor.example", str(PASSWORD))]
    assert [call[0] for call in port.calls] == ["list_connections", "connect_by_credentials"]


@pytest.mark.parametrize(("error", "status"), [(DENIED, FAILED), (LOST, UNKNOWN)], ids=str)
def test_connected_and_not_configured(error: ApiError, status: OutcomeStatus) -> None:
    """A config that fails after the connect says that the connection stands, which one, and what to do."""
    port = ScriptedPort([], scripted(update_sync_config=error))
    outcome = the_outcome(plan_of([declared(sync=WANTED)]), port)
    assert (outcome.status, outcome.connection_id) == (status, "new-1")
    was = "was not set" if status is FAILED else "may not have been set"
    assert outcome.error == f"connected, but its sync config {was}; apply again to finish it: {error}"


OLD = live("old", account="kim@harbor.example")


def replacing() -> Plan:
    """Lee takes the place of kim."""
    plan = plan_of([declared(sync=SyncConfig(None, DEDICATED))], [OLD])
    assert [action.kind for action in plan.actions] == [ActionKind.REPLACE]
    return plan


def statuses(port: ScriptedPort) -> dict[str, str]:
    """The status of each connection by id."""
    return {connection.id: connection.status for connection in port.connections}


def test_a_replace_connects_configures_and_only_then_gives_up() -> None:
    """The order of its calls, and an outcome that names the new connection."""
    port = ScriptedPort([OLD])
    outcome = the_outcome(replacing(), port)
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "new-1", None)
    assert [call[0] for call in port.calls] == [
        "list_connections",
        "connect_by_credentials",
        "update_sync_config",
        "disconnect",
    ]
    assert statuses(port) == {"old": "DISCONNECTED", "new-1": "CONNECTED"}


@pytest.mark.parametrize(("error", "status"), [(DENIED, FAILED), (OTHER_428, FAILED), (LOST, UNKNOWN)], ids=str)
def test_a_replace_whose_old_one_can_not_be_given_up(error: ApiError, status: OutcomeStatus) -> None:
    """The report says what was done, what was not, of which connection, and names the new one."""
    port = ScriptedPort([OLD], scripted(disconnect=error))
    outcome = the_outcome(replacing(), port)
    assert (outcome.status, outcome.connection_id) == (status, "new-1")
    assert outcome.error == f"connected and configured, but old was not disconnected: {error}"
    assert statuses(port) == {"old": "SYNCED", "new-1": "CONNECTED"}


@pytest.mark.parametrize("error", [GONE, ALREADY, After()], ids=str)
def test_a_replace_whose_old_one_goes_by_itself(error: Step) -> None:
    """Somebody else was faster, or the answer was lost: what was wanted is so."""
    port = ScriptedPort([OLD], scripted(disconnect=error))
    outcome = the_outcome(replacing(), port)
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "new-1", None)


def test_a_replace_whose_new_one_is_not_configured_gives_up_nothing() -> None:
    """The old connection goes on until the new one does its work."""
    port = ScriptedPort([OLD], scripted(update_sync_config=DENIED))
    assert the_outcome(replacing(), port).status is FAILED
    assert statuses(port) == {"old": "SYNCED", "new-1": "CONNECTED"}


def test_a_replace_that_is_left_in_doubt_gives_up_nothing() -> None:
    """Where nobody knows whether the new one stands, the old one does."""
    port = ScriptedPort([OLD], scripted(connect_by_credentials=[LOST, LOST]))
    outcome = the_outcome(replacing(), port)
    assert (outcome.status, outcome.connection_id) == (UNKNOWN, None)
    assert (outcome.error or "").startswith("its answer was lost twice, and no connection was there")
    assert statuses(port) == {"old": "SYNCED"}


FAILING = live(status="ERROR", error_reason="TOKEN_REVOKED")


def reconnect(broken: LiveConnection = FAILING) -> Plan:
    """A reconnect by credentials."""
    plan = plan_of([declared(sync=SyncConfig(PRIMARY))], [broken])
    assert [action.kind for action in plan.actions] == [ActionKind.RECONNECT]
    return plan


def test_a_reconnect_that_makes_another_connection_gives_up_the_broken_one() -> None:
    """One connection is left, the one that works."""
    port = ScriptedPort([FAILING])
    outcome = the_outcome(reconnect(), port)
    assert (outcome.status, outcome.connection_id) == (DONE, "new-1")
    assert statuses(port) == {"c1": "DISCONNECTED", "new-1": "CONNECTED"}


def test_a_reconnect_that_heals_its_connection_keeps_it() -> None:
    """Where the service brings the same connection back to life, it is not taken away again."""
    port = ScriptedPort([FAILING], scripted(connect_by_credentials=After()))

    def healed() -> None:
        port.connections = [live(status="CONNECTED")]

    port.script["list_connections"].extend([None, healed])
    outcome = the_outcome(reconnect(), port)
    assert (outcome.status, outcome.connection_id) == (DONE, "c1")
    assert statuses(port) == {"c1": "CONNECTED"}
    assert port.called("disconnect") == []


def test_a_reconnect_by_its_config_signs_nobody_in() -> None:
    """A lost dedicated calendar is asked for by the config alone, of the very connection."""
    lost = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED", sync=WANTED)
    port = ScriptedPort([lost])
    outcome = the_outcome(plan_of([declared()], [lost]), port)
    assert outcome.connection_id == "c1"
    assert port.calls == [("list_connections", SCHEDULE), ("update_sync_config", "c1")]


def test_a_refused_password_is_the_services_word() -> None:
    """A clear no is a failure, with the code that says why, and nothing is configured."""
    port = ScriptedPort([], scripted(connect_by_credentials=BAD_PASSWORD))
    outcome = the_outcome(plan_of([declared(sync=WANTED)]), port)
    assert (outcome.status, outcome.connection_id) == (FAILED, None)
    assert (outcome.error or "").startswith(str(BAD_PASSWORD))
    assert port.called("update_sync_config") == []


def test_a_link_is_asked_for_the_right_place() -> None:
    """An OAuth connect ends with its link, which leads back to where the site says; nothing exists yet."""
    port = ScriptedPort()
    plan = plan_of([declared(provider="google")])
    (action,) = plan.actions
    link = "https://consent.example/p-google"
    assert the_outcome(plan, port) == Outcome(action, OutcomeStatus.AWAITING_CONSENT, consent_url=link)
    assert port.called("connect_by_oauth") == [("p-google", SCHEDULE, SITE.redirect_url)]


def test_a_link_that_is_not_asked_for() -> None:
    """With `skip` the service is not asked, and the outcome says why there is no link."""
    port = ScriptedPort()
    outcome = the_outcome(plan_of([declared(provider="google")]), port, ConsentMode.SKIP)
    assert outcome.status is OutcomeStatus.AWAITING_CONSENT
    assert (outcome.error, outcome.consent_url) == ("its owner was not asked for consent", None)
    assert port.called("connect_by_oauth") == []


def test_a_link_that_leads_nowhere_is_not_asked_for() -> None:
    """Without a redirect URL it fails, and says what to add to which manifest."""
    port = ScriptedPort()
    plan = plan_of([declared(provider="google")], site=replace(SITE, redirect_url=None))
    outcome = the_outcome(plan, port)
    assert outcome.status is FAILED
    assert outcome.error == (
        "its owner's browser has nowhere to land: give the Site an oauth.redirectUrl; extcal consent-page makes the "
        "page to put there"
    )
    assert port.called("connect_by_oauth") == []


@pytest.mark.parametrize(
    ("error", "words"), [(DENIED, ""), (LOST, "its link was lost; apply again for another: ")], ids=str
)
def test_a_link_that_is_refused(error: ApiError, words: str) -> None:
    """The service's words; of a link that nobody has, nothing can have come."""
    port = ScriptedPort([], scripted(connect_by_oauth=error))
    outcome = the_outcome(plan_of([declared(provider="google")]), port)
    assert (outcome.status, outcome.error, outcome.consent_url) == (FAILED, f"{words}{error}", None)


def test_an_update_of_no_connection_is_not_sent() -> None:
    """A saved plan whose update names no connection is told to be planned again."""
    (action,) = update().actions
    port = ScriptedPort([*STANDING])
    outcome = the_outcome(plan_with(replace(action, connection_id=None), live=STANDING), port)
    assert (outcome.status, outcome.error) == (FAILED, "its plan names no connection; plan again")
    assert [call[0] for call in port.calls] == ["list_connections"]


def test_what_is_only_shown_is_not_carried_out() -> None:
    """A noop and an unmanaged connection have no outcome and cost nothing; who insists is told that all is well."""
    stray = live("stray", account="kim@harbor.example")
    port = ScriptedPort([*STANDING, stray])
    plan = plan_of([declared()], [*STANDING, stray], SITE)
    assert {action.kind for action in plan.actions} == {ActionKind.NOOP, ActionKind.UNMANAGED}
    assert carried_out(plan, port) == ()
    for action in plan.actions:
        reach = reach_of(port, MemoryJournal())
        done = Outcome(action, DONE, connection_id=action.connection_id)
        standing = Standing((*STANDING,), (), 0.0)
        assert passing(carry_out(action, reach, ConsentMode.LINK, standing)) == done
    assert port.calls == []
