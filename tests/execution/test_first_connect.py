"""A site of which planning has seen nothing: its first connect goes alone, and what is not listed is not repeated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection
from reconciler.model.live import ConnectionList
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from tests.execution.runs import Run, plan_of
from tests.execution.scripted import BAD_PASSWORD, DENIED, DOWN, ScriptedPort, scripted
from tests.support.builders.plans import DEDICATED, SITE, declared, live
from tests.support.passing_time import now, passing

DONE, FAILED, SKIPPED = OutcomeStatus.DONE, OutcomeStatus.FAILED, OutcomeStatus.SKIPPED
NOT_LISTED = (
    "connected as new-1, and the service does not list it: the key or app may see only its own connections. Use one "
    "that may see all; it is not connected again until then, or until you close it: extcal resolve PATH --forget "
    "harbor/a"
)
APP_PASSWORD = (
    "Apple takes an app-specific password, not the account's own: its owner makes one at account.apple.com, under "
    "Sign-In and Security, App-Specific Passwords"
)
NOT_BEGUN = "the service does not list what was connected before it; nothing more is connected on this site"
PATIENT = 15.0
"""Seconds for which a connection is looked for."""


@dataclass
class Blind(ScriptedPort):
    """A service that lists nothing before the second `seeing`."""

    seeing: float = 1e6

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List what may be seen."""
        listed = await super().list_connections(schedule_ids, followers=followers)
        return listed if now() >= self.seeing else ConnectionList(())


def people(*names: str, **fields: object) -> list[DeclaredConnection]:
    """A connection to make for each."""
    return [replace(declared(name, account=f"{name}@harbor.example"), **fields) for name in names]  # type: ignore[arg-type] # fields of the value, given by name


def ended(port: ScriptedPort, plan: Plan | None = None) -> tuple[Run, dict[str, Outcome]]:
    """How a plan ends on a site of which nothing was seen: three connects, if no other is given."""
    run = Run(plan or plan_of(people("a", "b", "c")), {"harbor": port}, ConsentMode.LINK, blank=True)
    outcomes = passing(run.outcomes())
    return run, {outcome.action.address.partition("/")[2]: outcome for outcome in outcomes}


def test_the_others_follow_when_the_first_one_is_listed() -> None:
    """One alone, looked for once, then the others side by side, which nobody looks for."""
    port = ScriptedPort(pace=1.0)
    run, outcomes = ended(port)
    assert {outcome.status for outcome in outcomes.values()} == {DONE}
    assert [run.when(name) for name in ("a", "b", "c")] == [3.0, 4.0, 4.0]
    assert len(port.called("list_connections")) == 2
    assert len(port.called("connect_by_credentials")) == 3


def test_nothing_more_is_connected_where_the_first_one_is_not_listed() -> None:
    """It is looked for to the end of the window; the report says which one stands, and what to mend."""
    port = Blind()
    run, outcomes = ended(port)
    assert [(outcomes[name].status, outcomes[name].error) for name in ("a", "b", "c")] == [
        (FAILED, NOT_LISTED),
        (SKIPPED, NOT_BEGUN),
        (SKIPPED, NOT_BEGUN),
    ]
    assert outcomes["a"].connection_id == "new-1"
    assert run.when("a") == PATIENT
    assert len(port.called("connect_by_credentials")) == 1


def test_a_list_that_is_late_is_waited_for() -> None:
    """A stale list is no proof: what shows within the window is trusted from then on."""
    port = Blind(seeing=6.5)
    run, outcomes = ended(port)
    assert {outcome.status for outcome in outcomes.values()} == {DONE}
    # Looked for at 0, 1, 3 and 7 seconds.
    assert [run.when(name) for name in ("a", "b", "c")] == [7.0, 7.0, 7.0]


def test_another_connection_is_not_taken_for_it() -> None:
    """Only the very connection that was made shows that the list can be trusted."""

    @dataclass
    class Narrow(ScriptedPort):
        async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
            await super().list_connections(schedule_ids, followers=followers)
            return ConnectionList((live("stranger", account="x@harbor.example"),))

    _, outcomes = ended(Narrow())
    assert [outcome.status for outcome in outcomes.values()] == [FAILED, SKIPPED, SKIPPED]


def test_a_list_that_can_not_be_read_tells_nothing() -> None:
    """The connect was answered and is done; the next one goes alone as the first did, and is looked for."""
    port = ScriptedPort([], scripted(list_connections=[None, DOWN]), pace=1.0)
    run, outcomes = ended(port)
    assert {outcome.status for outcome in outcomes.values()} == {DONE}
    assert [run.when(name) for name in ("a", "b", "c")] == [3.0, 5.0, 6.0]


def test_what_connected_nothing_tells_nothing() -> None:
    """A refusal is its own; the next one is the first to show whether the list can be trusted."""
    port = Blind([], scripted(connect_by_credentials=BAD_PASSWORD))
    _, outcomes = ended(port)
    assert [(outcome.status, outcome.error) for outcome in outcomes.values()] == [
        (FAILED, f"{BAD_PASSWORD}; {APP_PASSWORD}"),
        (FAILED, NOT_LISTED.replace("harbor/a", "harbor/b")),
        (SKIPPED, NOT_BEGUN),
    ]
    assert len(port.called("connect_by_credentials")) == 2


def test_what_was_not_begun_tells_nothing() -> None:
    """Where the first one's ground could not be read, nothing was connected, and nothing is looked for."""
    port = ScriptedPort([], scripted(list_connections=DOWN), pace=1.0)
    run, outcomes = ended(port)
    assert [outcome.status for outcome in outcomes.values()] == [SKIPPED, DONE, DONE]
    assert outcomes["a"].error == f"its precondition could not be checked: {DOWN}"
    assert [run.when(name) for name in ("a", "b", "c")] == [1.0, 4.0, 5.0]


@pytest.mark.parametrize("seen", [True, False])
def test_a_connection_whose_config_was_refused_is_looked_for_too(*, seen: bool) -> None:
    """It was made all the same: seen, the trouble with its config stands; not seen, that is the greater one."""
    plan = plan_of(people("a", "b", sync=SyncConfig(None, DEDICATED)))
    script = scripted(update_sync_config=DENIED)
    _, outcomes = ended(ScriptedPort([], script) if seen else Blind([], script), plan)
    if seen:
        refused = f"connected, but its sync config was not set; apply again to finish it: {DENIED}"
        assert [(o.status, o.error) for o in outcomes.values()] == [(FAILED, refused), (DONE, None)]
    else:
        assert [(o.status, o.error) for o in outcomes.values()] == [(FAILED, NOT_LISTED), (SKIPPED, NOT_BEGUN)]


def test_what_had_come_about_before_is_not_looked_for() -> None:
    """It was listed to be found; nothing was connected for it."""
    port = ScriptedPort([live("theirs", account="a@harbor.example")], pace=1.0)
    run, outcomes = ended(port)
    assert (outcomes["a"].status, outcomes["a"].already) == (DONE, True)
    assert [run.when(name) for name in ("a", "b", "c")] == [1.0, 3.0, 4.0]


def test_what_needs_an_owner_does_not_wait_for_it() -> None:
    """A link makes no connection, so it neither waits nor is looked for."""
    google = declared("g", provider="google", account="g@harbor.example")
    _, outcomes = ended(Blind(), plan_of([*people("a"), google], site=SITE))
    assert outcomes["g"].status is OutcomeStatus.AWAITING_CONSENT
    assert outcomes["a"].status is FAILED


def test_where_something_was_seen_nothing_is_looked_for() -> None:
    """A site whose plan has a live connection lists what there is: all connects go side by side."""
    port = Blind(pace=1.0)
    run = Run(plan_of(people("a", "b", "c")), {"harbor": port})
    assert {outcome.status for outcome in passing(run.outcomes())} == {DONE}
    assert [when for when, _ in run.told] == [2.0, 2.0, 2.0]
