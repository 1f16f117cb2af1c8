"""Walks a plan: what depends on nothing runs concurrently, what depends on another waits for it."""

import asyncio
from collections.abc import Callable, Mapping

from reconciler.errors import ExtcalError
from reconciler.execution.port import Port
from reconciler.execution.steps import Consent, carry_out
from reconciler.model.plan import Action, Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.ground import already_done, fingerprint

_PER_SITE = 4


class Executor:
    """Carries out one plan once.

    `ports` holds a port for each applyable site by its name. `told` hears of each outcome as it comes. When
    `stop` is set, nothing new is begun and what is under way is finished.
    """

    def __init__(
        self,
        plan: Plan,
        ports: Mapping[str, Port],
        *,
        consent: Consent,
        stop: asyncio.Event,
        told: Callable[[Outcome], None],
    ) -> None:
        self._plan = plan
        self._ports = ports
        self._consent = consent
        self._stop = stop
        self._told = told
        self._slots = {name: asyncio.Semaphore(_PER_SITE) for name in ports}
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}

    async def run(self) -> tuple[Outcome, ...]:
        """Carry it out; every action that writes has its outcome, in the plan's order."""
        todo = [action for action in self._plan.actions if action.kind.writes]
        async with asyncio.TaskGroup() as group:
            for action in todo:
                self._tasks[action.address] = group.create_task(self._settle(action))
        return tuple(self._tasks[action.address].result() for action in todo)

    async def _settle(self, action: Action) -> Outcome:
        outcome = await self._when_ready(action)
        self._told(outcome)
        return outcome

    async def _when_ready(self, action: Action) -> Outcome:
        # Every task is created before the first one runs, so those waited for are known by now.
        await asyncio.sleep(0)
        for address in action.after:
            if (before := self._tasks.get(address)) is None:
                continue
            outcome = await asyncio.shield(before)
            if outcome.status is not OutcomeStatus.DONE:
                return _skipped(action, f"{address}, which must go first, is {outcome.status}")
        port = self._ports.get(action.site)
        if port is None:
            return _skipped(action, f"nothing of site {action.site} is carried out, since its plan is not sound")
        async with self._slots[action.site]:
            if self._stop.is_set():
                return _skipped(action, "interrupted before it began")
            return await self._safely(action, port)

    async def _safely(self, action: Action, port: Port) -> Outcome:
        try:
            return await self._unless_moved(action, port)
        except Exception as error:  # noqa: BLE001 - one action's defect must not take the others' report along
            message = f"internal error, {type(error).__name__}; please report it. Plan again to see where it stands"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=message)

    async def _unless_moved(self, action: Action, port: Port) -> Outcome:
        """Carry it out if the live fields that it rests on are still what they were when it was planned."""
        try:
            answer = await port.list_connections((action.schedule_id,))
        except ExtcalError as error:
            return _skipped(action, f"what it rests on could not be read again: {error}")
        if action.provider_id in answer.failed_provider_ids:
            return _skipped(action, "what it rests on could not be read again: the service can't reach the provider")
        if fingerprint(action, answer.connections) == action.ground:
            return await carry_out(action, port, self._consent)
        if already_done(action, answer.connections):
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id, already=True)
        return _skipped(action, "the live state that it rests on has changed since it was planned; plan again")


def _skipped(action: Action, why: str) -> Outcome:
    return Outcome(action, OutcomeStatus.SKIPPED, error=why)
