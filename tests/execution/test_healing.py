"""Connections whose dedicated calendar is gone or was never made: a sync config may heal them, or not."""

from dataclasses import replace

import pytest

from reconciler.errors import PreconditionFailedError
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import OutcomeStatus
from reconciler.model.sync import CalendarRef, Direction, SyncConfig
from tests.execution.runs import plan_of, the_outcome
from tests.execution.scripted import ScriptedPort, refusal, scripted
from tests.support.builders.plans import DEDICATED, PRIMARY, chosen, declared, live

DONE, FAILED = OutcomeStatus.DONE, OutcomeStatus.FAILED
NOT_CONNECTED = refusal(PreconditionFailedError, 428, "CONNECTION_NOT_CONNECTED")


def healing(live_imports: Direction | None) -> tuple[Plan, LiveConnection]:
    """A connection whose dedicated calendar was deleted, while its manifest names a calendar."""
    deleted = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED", sync=SyncConfig(live_imports, DEDICATED))
    return plan_of([declared(sync=SyncConfig(chosen("Work"), DEDICATED))], [deleted]), deleted


class Sent(ScriptedPort):
    """A port that keeps the sync configs that it is sent, and heals by them unless it `stays_broken`."""

    stays_broken = False
    configs: tuple[SyncConfig, ...] = ()

    async def update_sync_config(self, connection_id: str, sync: SyncConfig) -> LiveConnection:
        """Heal the connection, and note what was sent."""
        self.configs = (*self.configs, sync)
        answer = await super().update_sync_config(connection_id, sync)
        return answer if self.stays_broken else self._put(replace(answer, status="SYNCED", error_reason=None))


@pytest.mark.parametrize("imports", [PRIMARY, chosen(CalendarRef("w1")), None])
def test_what_is_broken_heals_though_its_calendars_can_not_be_listed(imports: Direction | None) -> None:
    """The export is what heals it; what it imports is sent as it stands, and is the next plan's."""
    plan, deleted = healing(imports)
    port = Sent([deleted], scripted(list_calendars=NOT_CONNECTED))
    assert the_outcome(plan, port).status is DONE
    assert port.configs == (SyncConfig(imports, DEDICATED),)


def test_what_a_config_does_not_heal_is_not_done() -> None:
    """It says that it was sent, and what else there is to do."""
    plan, deleted = healing(PRIMARY)
    port = Sent([deleted])
    port.stays_broken = True
    outcome = the_outcome(plan, port)
    assert (outcome.status, outcome.connection_id) == (FAILED, "c1")
    assert "the service still reports EXTERNAL_CALENDAR_DELETED: apply again later" in (outcome.error or "")
    assert "extcal apply PATH --allow consent-loss:harbor/lee" in (outcome.error or "")
