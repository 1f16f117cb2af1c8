"""Sync configs sent to a service that replaces what stands, and whose answers are not what was sent."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from reconciler.model.action import ActionKind
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Allowance
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.guards import CONSENT_LOSS
from tests.execution.runs import plan_of, the_outcome
from tests.execution.scripted import DOWN, LOST, After, ScriptedPort, scripted
from tests.support.builders.plans import DEDICATED, OFF, PRIMARY, chosen, declared, live, planned, site_with, the_action

BUFFERED = Direction(enabled=True, arm=Arm.DEDICATED, unknown='{"includeBufferTime": true}')
STANDING = SyncConfig(chosen(CalendarRef("w1", "Work")), BUFFERED, '{"since": 5}')


@dataclass
class Answering(ScriptedPort):
    """A port that stores what it is sent, and answers or lists something else.

    `stored` makes what it has of what was sent, `answered` what it says of that, `listed` what its lists say.
    """

    stored: Callable[[SyncConfig], SyncConfig] = lambda sent: sent
    answered: Callable[[SyncConfig], SyncConfig] = lambda stored: stored

    async def update_sync_config(self, connection_id: str, sync: SyncConfig) -> LiveConnection:
        """Store and answer."""
        answer = await super().update_sync_config(connection_id, self.stored(sync))
        return replace(answer, sync=self.answered(answer.sync))

    @property
    def sync(self) -> SyncConfig:
        """What stands of its one connection."""
        (one,) = self.connections
        return one.sync


def run(wanted: SyncConfig, port: ScriptedPort) -> Outcome:
    """The outcome of giving the one connection of the port a sync config."""
    return the_outcome(plan_of([declared(sync=wanted)], port.connections), port)


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (SyncConfig(PRIMARY), replace(STANDING, imports=PRIMARY)),
        (SyncConfig(None, OFF), replace(STANDING, exports=replace(BUFFERED, enabled=False))),
        (
            SyncConfig(Direction(enabled=False)),
            replace(STANDING, imports=replace(chosen(CalendarRef("w1", "Work")), enabled=False)),
        ),
        (
            SyncConfig(OFF, OFF),
            SyncConfig(
                replace(chosen(CalendarRef("w1", "Work")), enabled=False),
                replace(BUFFERED, enabled=False),
                STANDING.unknown,
            ),
        ),
    ],
)
def test_what_is_not_managed_stands_after_an_update(wanted: SyncConfig, left: SyncConfig) -> None:
    """The other direction, the calendars of one that is switched off, and fields that nobody here knows."""
    port = Answering([live(sync=STANDING)])
    outcome = run(wanted, port)
    assert (outcome.status, outcome.error) == (OutcomeStatus.DONE, None)
    assert port.sync == left
    assert [call[0] for call in port.calls] == ["list_connections", "update_sync_config"]


def test_what_has_changed_since_it_was_planned_stands_too() -> None:
    """What is not managed is sent as it stands just now, not as it stood when it was planned."""
    port = Answering([live(sync=STANDING)])
    plan = plan_of([declared(sync=SyncConfig(PRIMARY))], port.connections)
    port.connections = [live(sync=SyncConfig(STANDING.imports, OFF))]
    assert the_outcome(plan, port).status is OutcomeStatus.DONE
    assert port.sync == SyncConfig(PRIMARY, OFF)


def test_a_new_connection_is_configured_over_what_it_started_with() -> None:
    """What its connect answered is the ground."""

    class Starting(Answering):
        async def connect_by_credentials(self, *given: str) -> LiveConnection:  # type: ignore[override]
            """Connect, with a default that exports."""
            made = await super().connect_by_credentials(*given)  # type: ignore[arg-type]
            return self._put(replace(made, sync=STANDING))

    port = Starting()
    assert run(SyncConfig(PRIMARY), port).status is OutcomeStatus.DONE
    assert port.sync == SyncConfig(PRIMARY, BUFFERED, STANDING.unknown)
    assert "get_connection" not in [call[0] for call in port.calls]


def test_a_direction_that_a_list_leaves_out_is_looked_up() -> None:
    """It may be on, and would be switched off if it were not sent."""

    class Terse(Answering):
        async def list_connections(self, schedule_ids: object = (), *, followers: int = 0) -> object:  # type: ignore[override]
            """List without exports."""
            found = await super().list_connections(schedule_ids, followers=followers)  # type: ignore[arg-type]
            return replace(
                found, connections=tuple(replace(c, sync=replace(c.sync, exports=None)) for c in found.connections)
            )

    port = Terse([live(sync=STANDING)])
    assert run(SyncConfig(PRIMARY), port).status is OutcomeStatus.DONE
    assert port.sync == SyncConfig(PRIMARY, BUFFERED, STANDING.unknown)


@pytest.mark.parametrize("listed", [STANDING, SyncConfig(), SyncConfig(imports=STANDING.imports)])
@pytest.mark.parametrize("started", [SyncConfig(PRIMARY, OFF), SyncConfig(OFF, DEDICATED), SyncConfig(), STANDING])
@pytest.mark.parametrize("wanted", [SyncConfig(PRIMARY), SyncConfig()])
def test_what_is_connected_again_goes_on_as_it_was(wanted: SyncConfig, started: SyncConfig, listed: SyncConfig) -> None:
    """Its export, which no manifest manages, is neither lost nor switched on with an id and defaults that are new."""

    class Again(Answering):
        async def list_connections(self, schedule_ids: object = (), *, followers: int = 0) -> object:  # type: ignore[override]
            """List what was broken with a part of its config."""
            found = await super().list_connections(schedule_ids, followers=followers)  # type: ignore[arg-type]
            shown = tuple(replace(c, sync=listed) if c.id == "c1" else c for c in found.connections)
            return replace(found, connections=shown)

        async def connect_by_credentials(self, *given: str) -> LiveConnection:  # type: ignore[override]
            """Connect anew."""
            made = await super().connect_by_credentials(*given)  # type: ignore[arg-type]
            return self._put(replace(made, sync=started))

    broken = live(status="ERROR", error_reason="TOKEN_REVOKED", sync=STANDING)
    port = Again([broken])
    outcome = the_outcome(plan_of([declared(sync=wanted)], [replace(broken, sync=listed)]), port)
    assert (outcome.status, outcome.error) == (OutcomeStatus.DONE, None)
    (again,) = (one for one in port.connections if one.id == outcome.connection_id)
    assert again.id != broken.id
    assert again.sync == replace(STANDING, imports=wanted.imports or STANDING.imports)


@pytest.mark.parametrize("answered", [SyncConfig(), SyncConfig(imports=STANDING.imports)])
def test_what_a_connect_does_not_answer_stands_under_what_is_managed(answered: SyncConfig) -> None:
    """A managed direction, too, may have started with fields that nobody here knows."""

    class Terse(Answering):
        async def connect_by_credentials(self, *given: str) -> LiveConnection:  # type: ignore[override]
            """Connect, and show only a part of what it started with."""
            made = await super().connect_by_credentials(*given)  # type: ignore[arg-type]
            return replace(self._put(replace(made, sync=STANDING)), sync=answered)

    port = Terse()
    assert run(SyncConfig(PRIMARY, DEDICATED), port).status is OutcomeStatus.DONE
    assert port.sync == SyncConfig(PRIMARY, BUFFERED, STANDING.unknown)


def test_a_direction_that_can_not_be_looked_up_is_not_risked() -> None:
    """Nothing is sent where it is not known what would be replaced."""
    port = Answering([live(sync=SyncConfig(chosen(CalendarRef("w1"))))], scripted(get_connection=DOWN))
    assert run(SyncConfig(PRIMARY), port).status is OutcomeStatus.FAILED
    assert not port.called("update_sync_config")


@pytest.mark.parametrize(
    ("stored", "status", "error"),
    [
        (
            lambda sent: replace(sent, imports=STANDING.imports),
            OutcomeStatus.FAILED,
            "syncConfig.listEventFromCalendars.primaryCalendar: none, sent {}; plan again",
        ),
        (
            lambda sent: replace(sent, exports=OFF),
            OutcomeStatus.FAILED,
            "syncConfig.syncToCalendar.enabled: false, sent true, which is not managed",
        ),
        (
            lambda sent: replace(sent, exports=DEDICATED, unknown=""),
            OutcomeStatus.DONE,
            "done, but the service answered syncConfig.since, syncConfig.syncToCalendar.includeBufferTime otherwise",
        ),
    ],
)
def test_what_was_answered_otherwise_is_told(
    stored: Callable[[SyncConfig], SyncConfig], status: OutcomeStatus, error: str
) -> None:
    """As a failure where a managed field did not take or something stopped, else beside what was done."""
    outcome = run(SyncConfig(PRIMARY), Answering([live(sync=STANDING)], stored=stored))
    assert outcome.status is status
    assert error in (outcome.error or "")


def test_what_an_answer_leaves_out_is_looked_up() -> None:
    """An answer with only the direction that was changed is no deviation."""
    port = Answering([live(sync=STANDING)], answered=lambda stored: SyncConfig(stored.imports, None, stored.unknown))
    outcome = run(SyncConfig(PRIMARY), port)
    assert (outcome.status, outcome.error) == (OutcomeStatus.DONE, None)
    assert len(port.called("get_connection")) == 1


def test_an_answer_that_says_nothing_of_what_was_to_work_is_a_failure() -> None:
    """Where looking does not show it either."""
    port = Answering([live(sync=STANDING)], stored=lambda sent: replace(sent, imports=None))
    outcome = run(SyncConfig(PRIMARY), port)
    assert outcome.status is OutcomeStatus.FAILED
    assert "syncConfig.listEventFromCalendars.enabled: false, sent true" in (outcome.error or "")


def test_a_lost_answer_is_compared_too() -> None:
    """Looking shows what took, and what stopped."""
    port = Answering(
        [live(sync=STANDING)], scripted(update_sync_config=After(LOST)), stored=lambda sent: replace(sent, exports=OFF)
    )
    outcome = run(SyncConfig(PRIMARY), port)
    assert outcome.status is OutcomeStatus.FAILED
    assert "which is not managed" in (outcome.error or "")


BROKEN = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_CREATION_FAILED", sync=SyncConfig(PRIMARY, None))


def test_an_export_that_nobody_states_is_not_guessed() -> None:
    """Its calendar could not be created; what is to be sent must be declared."""
    port = Answering([BROKEN])
    outcome = the_outcome(plan_of([declared()], [BROKEN]), port)
    assert outcome.status is OutcomeStatus.FAILED
    assert "declare syncConfig.syncToCalendar" in (outcome.error or "")
    assert not port.called("update_sync_config")


def test_what_a_config_does_not_heal_can_be_connected_anew() -> None:
    """Where that is allowed by the guard's name, the plan connects it again instead, and needs what that needs."""
    healing = the_action(planned(declared(), on=site_with(BROKEN)))
    assert (healing.kind, healing.heals) == (ActionKind.RECONNECT, True)
    allowed = frozenset({Allowance(CONSENT_LOSS, healing.address)})
    anew = the_action(planned(declared(), on=site_with(BROKEN), allowed=allowed))
    assert (anew.kind, anew.heals, anew.password) == (ActionKind.RECONNECT, False, declared().password)
