"""Owners who are found by listing: what is taken for theirs, what a look costs, and how the wait ends."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from reconciler.errors import (
    ApiError,
    ExtcalError,
    MalformedAnswerError,
    NotFoundError,
    OutageError,
    RateLimitedError,
    SecretError,
)
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from tests.execution.runs import Run, plan_of
from tests.execution.scripted import DENIED, DOWN, LOST, ScriptedPort, Step, scripted
from tests.execution.scripted_owners import TIMEOUT, ScriptedPrompt
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OTHER_SCHEDULE,
    SCHEDULE,
    SITE,
    declared,
    live,
)
from tests.support.passing_time import now, passing

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
DONE, FAILED, AWAITING, UNKNOWN = (
    OutcomeStatus.DONE,
    OutcomeStatus.FAILED,
    OutcomeStatus.AWAITING_CONSENT,
    OutcomeStatus.UNKNOWN,
)
WANTED = SyncConfig(None, DEDICATED)
LINK = "https://consent.example/p-google"
TIMED_OUT = "its owner did not answer within 60 s; their link stays good: apply again to finish what they connect"


class Polled:
    """A plan carried out with POLL; `at` says what happens at which second."""

    def __init__(
        self,
        plan: Plan,
        *standing: LiveConnection,
        script: dict[str, list[Step]] | None = None,
        timeout: float = TIMEOUT,
        **at: Callable[["Polled"], object],
    ) -> None:
        self.port = ScriptedPort(list(standing), script or {})
        self.prompt = ScriptedPrompt({}, timeout, here=False)
        self.run = Run(plan, {"harbor": self.port}, ConsentMode.POLL, self.prompt)
        self._at = {float(second.removeprefix("s").replace("_", ".")): what for second, what in at.items()}
        self.over = 0.0

    def outcomes(self) -> dict[str, Outcome]:
        """How each action ends, by its name."""

        async def story() -> tuple[Outcome, ...]:
            loop = asyncio.get_running_loop()
            for second, what in self._at.items():
                loop.call_later(second, what, self)
            outcomes = await self.run.outcomes()
            self.over = now()
            return outcomes

        outcomes = passing(story())
        assert self.prompt.pending == set()
        return {outcome.action.address.partition("/")[2]: outcome for outcome in outcomes}

    def ended(self) -> Outcome:
        """How harbor/lee ends."""
        return self.outcomes()["lee"]

    def appears(self, *connections: LiveConnection) -> None:
        """Let connections be there from now on, in the place of those with their ids."""
        ids = {connection.id for connection in connections}
        self.port.connections = [c for c in self.port.connections if c.id not in ids] + list(connections)

    @property
    def looks(self) -> list[tuple[str, ...]]:
        """The schedules of each list after the links were asked for."""
        calls = [call for call in self.port.calls if call[0] in {"list_connections", "connect_by_oauth"}]
        asked = max((n for n, call in enumerate(calls) if call[0] == "connect_by_oauth"), default=0)
        return [call[1:] for call in calls[asked + 1 :]]


def appearing(*connections: LiveConnection) -> Callable[[Polled], None]:
    """What lets connections appear."""
    return lambda polled: polled.appears(*connections)


def asking(*more: DeclaredConnection, live: Sequence[LiveConnection] = ()) -> Plan:
    """An OAuth connect of lee, and what else is declared."""
    return plan_of([declared(provider="google", sync=WANTED), *more], live, site=SITE)


def kim(schedule: str = SCHEDULE) -> DeclaredConnection:
    """Kim's connection at Google."""
    return declared("kim", "google", account=KIM, schedule=ScheduleRef(ScheduleKey.ID, schedule), sync=WANTED)


def made(id_: str = "made", **fields: str | None) -> LiveConnection:
    """What an owner has made; lee's unless it says otherwise."""
    return live(id_, GOOGLE, **fields)


def test_what_an_owner_connects_anywhere_is_found_and_configured() -> None:
    """The link leads to the Site's page; the connection is found by its place and account, and configured."""
    polled = Polled(asking(), s3=appearing(made()))
    outcome = polled.ended()
    assert (outcome.status, outcome.connection_id, outcome.error) == (DONE, "made", None)
    assert polled.prompt.shown == [("harbor/lee", LINK)]
    assert polled.prompt.landing == ["harbor/lee"]
    assert polled.port.calls == [
        ("list_connections", SCHEDULE),
        ("connect_by_oauth", "p-google", SCHEDULE, SITE.redirect_url),
        ("list_connections", SCHEDULE),
        ("list_connections", SCHEDULE),
        ("update_sync_config", "made"),
    ]
    assert polled.over == 5.0


def test_owners_of_a_site_share_each_look() -> None:
    """Two schedules are one request; who was found is not asked for any more, and the others go on being awaited."""
    polled = Polled(asking(kim(OTHER_SCHEDULE)), s1=appearing(made("k", account=KIM, schedule_id=OTHER_SCHEDULE)))
    outcomes = polled.outcomes()
    assert (outcomes["kim"].status, outcomes["lee"].status) == (DONE, AWAITING)
    assert polled.looks[0] == (SCHEDULE, OTHER_SCHEDULE)
    assert set(polled.looks[1:]) == {(SCHEDULE,)}


def test_pauses_grow_to_half_a_minute() -> None:
    """In ten minutes a site is asked 25 times at the most, however many owners it has; the last look ends the wait."""
    people = [
        declared(f"o{n}", "google", account=f"o{n}@harbor.example", schedule=ScheduleRef(ScheduleKey.ID, f"s-{n}"))
        for n in range(30)
    ]
    polled = Polled(plan_of(people, site=SITE), timeout=600.0)
    assert {outcome.status for outcome in polled.outcomes().values()} == {AWAITING}
    assert 15 <= len(polled.looks) <= 25
    assert polled.over == 600.0


def test_owners_of_very_many_schedules_are_one_request_too() -> None:
    """A list of more than a hundred schedules would be several requests; one of all is one."""
    people = [
        declared(f"o{n}", "google", account=f"o{n}@harbor.example", schedule=ScheduleRef(ScheduleKey.ID, f"s-{n}"))
        for n in range(101)
    ]
    polled = Polled(plan_of(people, site=SITE))
    assert {outcome.status for outcome in polled.outcomes().values()} == {AWAITING}
    assert set(polled.looks) == {()}


BROKEN = made("old", status="ERROR", error_reason="TOKEN_REVOKED")


@pytest.mark.parametrize("healthy", [made("old"), made("new")], ids=["same id", "new id"])
def test_a_reconnect_is_done_under_whatever_id(healthy: LiveConnection) -> None:
    """What is in ERROR is not taken for an answer; the broken one goes where the healthy one has an id of its own."""
    polled = Polled(asking(live=[BROKEN]), BROKEN, s10=appearing(healthy))
    outcome = polled.ended()
    assert (outcome.status, outcome.connection_id) == (DONE, healthy.id)
    assert polled.port.called("disconnect") == ([("old",)] if healthy.id == "new" else [])


def test_a_reconnect_that_nobody_answers_awaits_its_owner() -> None:
    """That it goes on reporting an error, be it another one, is no answer, and nothing is disconnected."""
    another = replace(BROKEN, error_reason="EXTERNAL_CALENDAR_DELETED")
    polled = Polled(asking(live=[BROKEN]), BROKEN, s10=appearing(another))
    assert polled.ended().status is AWAITING
    assert polled.port.called("disconnect") == []


def test_another_account_is_told_and_left_alone() -> None:
    """It is not adopted or disconnected, though it was connected before; undoing the run has nothing of it to undo."""
    before = made("before", account=KIM)
    polled = Polled(asking(live=[before]), before, s1=appearing(made(account=KIM)))
    outcome = polled.ended()
    assert (outcome.status, outcome.connection_id) == (FAILED, None)
    assert (outcome.error or "").startswith(f"{KIM} was connected, but its manifest says {LEE}: not adopted")
    assert [call[0] for call in polled.port.calls if call[0] not in {"list_connections", "connect_by_oauth"}] == []


def test_a_broken_connection_that_comes_back_with_another_account_is_told() -> None:
    """Its id is that of the declared one, its account is not."""
    polled = Polled(asking(live=[BROKEN]), BROKEN, s1=appearing(made("old", account=KIM)))
    outcome = polled.ended()
    assert outcome.status is FAILED
    assert f"{KIM} was connected, but its manifest says {LEE}" in (outcome.error or "")
    assert polled.port.called("disconnect") == polled.port.called("update_sync_config") == []


def test_owners_of_one_schedule_are_told_apart_by_their_accounts() -> None:
    """What one of them connects is not held against the other."""
    polled = Polled(asking(kim()), s1=appearing(made("k", account=KIM)), s20=appearing(made()))
    outcomes = polled.outcomes()
    assert {name: (each.status, each.connection_id) for name, each in outcomes.items()} == {
        "lee": (DONE, "made"),
        "kim": (DONE, "k"),
    }


def test_a_stranger_beside_two_owners_is_nobodys() -> None:
    """Nobody knows whose answer it is: both go on being awaited, and who has not answered learns of it in the end."""
    stranger = made("x", account="ann@harbor.example")
    polled = Polled(asking(kim()), s1=appearing(stranger), s20=appearing(made("k", account=KIM)))
    outcomes = polled.outcomes()
    assert (outcomes["kim"].status, outcomes["lee"].status) == (DONE, AWAITING)
    assert outcomes["lee"].error == (
        "its owner did not answer within 60 s, but ann@harbor.example, which no manifest declares, was connected to "
        "its schedule meanwhile; their link stays good: apply again to finish what they connect"
    )


def test_what_another_action_brings_about_is_no_stranger() -> None:
    """One that fails, or is done by now, may bring its own connection at any time."""
    plan = asking(kim(), live=[made("k", account=KIM, status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED")])
    polled = Polled(plan, *[made("k", account=KIM, status="ERROR")], s5=appearing(made("k2", account=KIM)))
    assert polled.outcomes()["lee"].status is AWAITING


@pytest.mark.parametrize("late", [made(schedule_id=OTHER_SCHEDULE), live("made")], ids=["schedule", "provider"])
def test_what_is_elsewhere_is_not_believed(late: LiveConnection) -> None:
    """Another schedule's and another provider's connection of the account are none of this action."""
    assert Polled(asking(), s1=appearing(late)).ended().error == TIMED_OUT


def test_an_account_that_shows_late_is_waited_for() -> None:
    """A connection that does not say yet whose it is is looked at again and again."""
    outcome = Polled(asking(), s1=appearing(made(account=None)), s40=appearing(made())).ended()
    assert (outcome.status, outcome.connection_id) == (DONE, "made")


def test_an_account_that_does_not_show_is_not_believed() -> None:
    """It still awaits its owner, and its link is not shown again: it was used, as far as can be seen."""
    polled = Polled(asking(), s1=appearing(made(account=None)))
    outcome = polled.ended()
    assert (outcome.status, outcome.consent_url) == (AWAITING, None)
    assert outcome.error == (
        "its owner may have agreed, but the service does not show the account yet; apply again later to finish"
    )
    assert polled.port.called("update_sync_config") == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "ERROR", "error_reason": "TOKEN_REVOKED"}, "TOKEN_REVOKED"),
        ({"status": "ERROR"}, "ERROR"),
        ({"status": "DISCONNECTED"}, "DISCONNECTED"),
    ],
)
def test_what_does_not_work_is_not_called_connected(fields: dict[str, str], told: str) -> None:
    """The service's reason, or its status where it gives none."""
    outcome = Polled(asking(), s1=appearing(made(**fields))).ended()
    assert outcome.status is FAILED
    assert outcome.error == f"its owner agreed, but the service reports {told}; apply again for a new link"


def test_several_are_not_guessed_among() -> None:
    """Two healthy connections of the account where one was meant: both are named, and nothing is done to either."""
    polled = Polled(asking(), s1=appearing(made("a"), made("b")))
    outcome = polled.ended()
    assert outcome.status is UNKNOWN
    assert outcome.error == f"2 connections of {LEE} appeared where one was meant: a, b; plan again"
    assert polled.port.called("update_sync_config") == polled.port.called("disconnect") == []


LIMITED = RateLimitedError("slow down", method="ListConnections", status=429)
BROKEN_JSON = MalformedAnswerError("not JSON", method="ListConnections")


@pytest.mark.parametrize("error", [DOWN, LOST, LIMITED, BROKEN_JSON], ids=lambda error: type(error).__name__)
def test_a_look_that_fails_for_a_while_ends_nothing(error: ApiError) -> None:
    """The next one may see more."""
    script = scripted(list_connections=[None, error, error])
    assert Polled(asking(), script=script, s1=appearing(made())).ended().status is DONE


NO_SUCH = NotFoundError("no such site", method="ListConnections", status=404)
OUTAGE = OutageError("not sent", method="ListConnections")


@pytest.mark.parametrize(
    "error", [DENIED, NO_SUCH, OUTAGE, SecretError("the key is gone")], ids=lambda error: type(error).__name__
)
def test_a_look_that_will_never_work_ends_the_wait(error: ExtcalError) -> None:
    """Nobody waits for what can't be seen."""
    polled = Polled(asking(kim(OTHER_SCHEDULE)), script=scripted(list_connections=[None, error]))
    outcomes = polled.outcomes()
    assert {each.status for each in outcomes.values()} == {UNKNOWN}
    why = f"whether its owner agreed could not be read; apply again to check it: {error}"
    assert {each.error for each in outcomes.values()} == {why}
    assert polled.over == 2.0


def test_a_last_look_that_fails_leaves_it_unknown() -> None:
    """Whether somebody has agreed by then can't be told."""
    outcome = Polled(asking(), script=scripted(list_connections=[None, *[DOWN] * 20])).ended()
    assert (outcome.status, DOWN.args[0] in (outcome.error or "")) == (UNKNOWN, True)


def test_where_the_provider_is_out_of_reach_it_is_unknown() -> None:
    """A list in which connections may be missing is no proof that nobody has agreed."""

    def out_of_reach(polled: Polled) -> None:
        polled.port.failed = (GOOGLE.id,)

    outcome = Polled(asking(), s1=out_of_reach).ended()
    assert outcome.status is UNKNOWN
    assert (outcome.error or "").endswith("the service can't reach the provider")


def test_nobody_came() -> None:
    """After the timeout it is looked once more; then it awaits its owner, whose link goes on being good."""
    polled = Polled(asking())
    outcome = polled.ended()
    assert (outcome.status, outcome.error, outcome.consent_url) == (AWAITING, TIMED_OUT, LINK)
    assert polled.over == TIMEOUT
    assert polled.port.calls[-1] == ("list_connections", SCHEDULE)


def test_who_agrees_at_the_last_moment_counts() -> None:
    """The look at the end of their time sees them."""
    assert Polled(asking(), s59_5=appearing(made())).ended().status is DONE


def test_interrupted_while_waiting() -> None:
    """The wait ends at once, nothing more is asked, and the link is in the report."""
    polled = Polled(asking(), s10=lambda polled: polled.run.stop.gently.set())
    outcome = polled.ended()
    assert (outcome.status, outcome.consent_url, polled.over) == (AWAITING, LINK, 10.0)
    assert outcome.error == (
        "interrupted before its owner answered; their link stays good: apply again to finish what they connect"
    )


def test_abandoned_while_waiting() -> None:
    """A second interruption ends it as well."""
    polled = Polled(asking(), s10=lambda polled: polled.run.stop.at_once.set())
    assert (polled.ended().status, polled.over) == (UNKNOWN, 10.0)


def test_who_needs_no_owner_goes_ahead() -> None:
    """A connect by password is made while owners are awaited."""
    polled = Polled(asking(declared("ann", account="ann@harbor.example")))
    assert polled.outcomes()["ann"].status is DONE
    assert polled.run.when("ann") == 0.0


def test_a_site_without_a_page_is_told_before_any_link_is_made() -> None:
    """What is missing, where it belongs, and what makes it; nothing is asked of the service for it."""
    polled = Polled(plan_of([declared(provider="google")], site=replace(SITE, redirect_url=None)))
    outcome = polled.ended()
    assert outcome.status is FAILED
    assert outcome.error == (
        "its owner's browser has nowhere to land: give the Site an oauth.redirectUrl; extcal consent-page makes the "
        "page to put there"
    )
    assert polled.port.called("connect_by_oauth") == []
    assert polled.run.unfinished.addresses == set()
