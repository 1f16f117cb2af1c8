"""What a saved plan was used for before is not done again, whatever its ground says; what was not done is."""

from dataclasses import dataclass, field

import pytest

from reconciler.errors import ExtcalError
from reconciler.execution.executor import Executor, Stop
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import State
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from tests.execution.runs import plan_of, reach_of
from tests.execution.scripted import DENIED, After, MemoryJournal, ScriptedPort, scripted
from tests.support.builders.plans import DEDICATED, declared, live
from tests.support.passing_time import passing

DONE, FAILED, SKIPPED, UNKNOWN = (
    OutcomeStatus.DONE,
    OutcomeStatus.FAILED,
    OutcomeStatus.SKIPPED,
    OutcomeStatus.UNKNOWN,
)
USED = "this plan was used for it on a day, and its result does not stand now: a saved plan is for one use; plan again"


@dataclass
class MemoryUse:
    """What a plan was used for; `broken` says that it can't be written down."""

    plan_id: str = "plan-1"
    used: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def when(self, address: str) -> str | None:
        """When an action was carried out."""
        return self.used.get(address)

    def add(self, address: str) -> None:
        """Write down that it was."""
        if self.broken:
            raise ExtcalError("it was not written down")
        self.used[address] = "a day"


def use(plan: Plan, port: ScriptedPort, memory: MemoryUse, journal: MemoryJournal | None = None) -> Outcome:
    """How the only action of a plan ends this time."""
    reaches = {"harbor": reach_of(port, journal or MemoryJournal(), use=memory)}
    executor = Executor(
        plan, reaches, consent=ConsentMode.LINK, stop=Stop(), on_outcome=lambda _outcome: None, sites_at_once=1
    )
    (outcome,) = passing(executor.run())
    return outcome


def test_a_connection_that_came_back_under_its_id_is_not_taken_away_again() -> None:
    """A service may keep ids: the plan's ground is what it was, and the plan was used."""
    plan, memory, port = plan_of([declared(state=State.ABSENT)], [live()]), MemoryUse(), ScriptedPort([live()])
    assert use(plan, port, memory).status is DONE
    assert use(plan, port, memory).already
    port.connections[:] = [live()]
    again = use(plan, port, memory)
    assert (again.status, again.error) == (SKIPPED, USED)
    assert port.called("disconnect") == [("c1",)]


def test_a_connection_that_came_and_went_under_an_id_that_was_gone_before_is_not_made_again() -> None:
    """The list looks as it did when it was planned; it was used all the same."""
    gone = live(status="DISCONNECTED")
    plan, memory, port = plan_of([declared()], [gone]), MemoryUse(), ScriptedPort([gone])
    assert use(plan, port, memory).status is DONE
    port.connections[:] = [gone]
    assert use(plan, port, memory).error == USED


@pytest.mark.parametrize("step", [DENIED, After(DENIED)])
def test_an_action_that_failed_is_not_used(step: After | Exception) -> None:
    """It may be applied again."""
    plan = plan_of([declared(sync=SyncConfig(None, DEDICATED))], [live()])
    memory, port = MemoryUse(), ScriptedPort([live()], scripted(update_sync_config=[step]))
    assert use(plan, port, memory).status is FAILED
    assert memory.used == {}
    port.connections[:] = [live()]
    assert use(plan, port, memory).status is DONE
    assert memory.used == {"harbor/lee": "a day"}


def test_what_is_done_and_can_not_be_written_down_fails() -> None:
    """Its message says that it was done, and why it must not be applied again."""
    plan, memory = plan_of([declared(state=State.ABSENT)], [live()]), MemoryUse(broken=True)
    outcome = use(plan, ScriptedPort([live()]), memory)
    assert (outcome.status, outcome.error) == (FAILED, "done, but it was not written down")


def test_a_connect_is_written_down_with_its_plan() -> None:
    """Whoever finds it open knows which plan has sent it."""
    journal, memory = MemoryJournal(), MemoryUse()
    port = ScriptedPort(script=scripted(connect_by_credentials=[DENIED]))
    use(plan_of([declared()]), port, memory, journal)
    assert [intent.plan_id for intent in journal.intents] == ["plan-1"]


def test_what_is_seen_connected_is_used() -> None:
    """Somebody connected the account, with another config: when that is taken away, the plan does not connect it."""
    plan, memory = plan_of([declared(sync=SyncConfig(None, DEDICATED))]), MemoryUse()
    port = ScriptedPort([live("other")])
    assert use(plan, port, memory).status is SKIPPED
    port.connections.clear()
    assert use(plan, port, memory).error == USED
