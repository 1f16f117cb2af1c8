"""Whether what a site lists can be trusted: a key that may connect but not see would connect everything anew each run.

So where planning has seen no connection of a site its first connect goes alone, and the others follow when it is seen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from reconciler.errors import ExtcalError
from reconciler.execution.connect import Reach
from reconciler.model.action import Action
from reconciler.model.result import Outcome, OutcomeStatus


class SiteTrust:
    """What is known of one site; `listed` is None until something was seen, or looked for in vain."""

    def __init__(self, actions: Iterable[Action]) -> None:
        seen = any(action.connection_id is not None for action in actions)
        self.listed: bool | None = True if seen else None
        self._alone = asyncio.Lock()

    async def connect(self, action: Action, reach: Reach, carry_out: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Carry out a connect in its turn, or say why it is better not done."""
        if self.listed is None:
            async with self._alone:
                if self.listed is None:
                    return await self._first(action, reach, await carry_out())
        if self.listed is False:
            why = "the service does not list what was connected before it; nothing more is connected on this site"
            return Outcome(action, OutcomeStatus.SKIPPED, error=why)
        return await carry_out()

    async def _first(self, action: Action, reach: Reach, outcome: Outcome) -> Outcome:
        if outcome.connection_id is None or outcome.already:
            return outcome
        await self._look(outcome.connection_id, action, reach)
        if self.listed is not False:
            return outcome
        why = (
            f"connected as {outcome.connection_id}, but the service does not list it: the key may not be allowed to "
            "see connections. Grant that permission before you apply again, or it is connected once more"
        )
        return replace(outcome, status=OutcomeStatus.FAILED, error=why)

    async def _look(self, connection_id: str, action: Action, reach: Reach) -> None:
        """Look for a connection that was made just now; a list that can't be read tells nothing."""
        for pause in reach.window.pauses:
            await asyncio.sleep(pause)
            try:
                found = await reach.port.list_connections((action.schedule_id,))
            except ExtcalError:
                return
            if any(connection.id == connection_id for connection in found.connections):
                self.listed = True
                return
        self.listed = False
