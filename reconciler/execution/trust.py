"""Whether what a site lists can be trusted: a key that may connect but not see would connect everything anew each run.

So where planning has seen no connection of a site its first connect goes alone, and the others follow when it is seen.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from reconciler.errors import ExtcalError
from reconciler.execution.connect import Reach
from reconciler.execution.journal import Journal
from reconciler.execution.settle import not_listed
from reconciler.model.action import Action
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.preconditions import intent_of


def note_unlisted(outcome: Outcome, connection_id: str, journal: Journal) -> Outcome:
    """The outcome of an action that has made a connection which the service does not list.

    It is left open in the journal, so that no later run on this machine connects it again.
    """
    action = outcome.action
    why = not_listed(action.address, connection_id)
    try:
        journal.begin(replace(intent_of(action, uuid.uuid4().hex, None), answered=connection_id))
    except ExtcalError as error:
        why = f"{why}. That could not be recorded, so another run may connect it once more: {error}"
    return replace(outcome, status=OutcomeStatus.FAILED, error=why)


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
        return note_unlisted(outcome, outcome.connection_id, reach.journal)

    async def _look(self, connection_id: str, action: Action, reach: Reach) -> None:
        """Look for a connection that was made just now; a list that can't be read tells nothing."""
        for pause in reach.window.pauses:
            await asyncio.sleep(pause)
            try:
                found = await reach.view.standing(action.schedule_id, anew=True)
            except ExtcalError:
                return
            if any(connection.id == connection_id for connection in found.connections):
                self.listed = True
                return
        self.listed = False
