"""Walks a plan: what depends on nothing runs concurrently, what depends on another waits for it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.errors import ExtcalError
from reconciler.execution.consent import Patience, Waiting, heard
from reconciler.execution.port import Port
from reconciler.execution.steps import Consent, carry_out, ending, finish
from reconciler.model.plan import Action, Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.ground import already_done, fingerprint, taken_away

_PER_SITE = 4


class Executor:
    """Carries out one plan once.

    `ports` holds a port for each applyable site by its name. `consent` says what is done where an owner must agree.
    `told` hears of each outcome as it comes. When `stop` is set, nothing new is begun, what is under way is finished,
    and nobody is waited for any longer.
    """

    def __init__(
        self,
        plan: Plan,
        ports: Mapping[str, Port],
        *,
        consent: Consent | Waiting,
        stop: asyncio.Event,
        told: Callable[[Outcome], None],
    ) -> None:
        self._plan = plan
        self._leaving = {site.site.name: taken_away(site.actions) for site in plan.sites}
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
                held_up = outcome.held_up or outcome.status is OutcomeStatus.AWAITING_CONSENT
                return replace(
                    _skipped(action, f"{address}, which must go first, is {outcome.status}"), held_up=held_up
                )
        port = self._ports.get(action.site)
        if port is None:
            return _skipped(action, f"nothing of site {action.site} is carried out, since its plan is not sound")
        return await self._safely(action, port)

    async def _safely(self, action: Action, port: Port) -> Outcome:
        try:
            return await ending(action, self._carried_out(action, port))
        except Exception as error:  # noqa: BLE001 - one action's defect must not take the others' report along
            message = f"internal error, {type(error).__name__}; please report it. Plan again to see where it stands"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=message)

    async def _carried_out(self, action: Action, port: Port) -> Outcome:
        if isinstance(self._consent, Waiting) and action.needs_owner:
            return await self._with_its_owner(action, port, self._consent)
        consent = Consent.SKIP if isinstance(self._consent, Waiting) else self._consent
        async with self._slots[action.site]:
            return await self._obstacle(action, port) or await carry_out(action, port, consent)

    async def _with_its_owner(self, action: Action, port: Port, waiting: Waiting) -> Outcome:
        """Ask the owner and wait for them, without holding a slot that others could use meanwhile."""
        slots = self._slots[action.site]
        with waiting.door.expect(action) as visit:
            async with slots:
                if (obstacle := await self._obstacle(action, port)) is not None:
                    return obstacle
                url = await port.connect_by_oauth(action.provider_id, action.schedule_id, visit.redirect_url)
            waiting.door.asked(action, url)
            until = asyncio.get_running_loop().time() + waiting.timeout
            made = await heard(action, port, visit, slots, Patience(until, self._stop, waiting.timeout))
        if isinstance(made, Outcome):
            return made
        async with slots:
            return await finish(action, port, made.id)

    async def _obstacle(self, action: Action, port: Port) -> Outcome | None:
        """Why it is not carried out: interrupted, or what it rests on is no longer what it was when it was planned."""
        if self._stop.is_set():
            return _skipped(action, "interrupted before it began")
        try:
            answer = await port.list_connections((action.schedule_id,))
        except ExtcalError as error:
            return _skipped(action, f"what it rests on could not be read again: {error}")
        if action.provider_id in answer.failed_provider_ids:
            return _skipped(action, "what it rests on could not be read again: the service can't reach the provider")
        if fingerprint(action, answer.connections, self._leaving[action.site]) == action.ground:
            return None
        if already_done(action, answer.connections):
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id, already=True)
        return _skipped(action, "the live state that it rests on has changed since it was planned; plan again")


def _skipped(action: Action, why: str) -> Outcome:
    return Outcome(action, OutcomeStatus.SKIPPED, error=why)
