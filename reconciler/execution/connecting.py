"""Connecting by credentials so that nothing is connected twice: written down first, sent once, looked for on doubt."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ApiError, ExtcalError
from reconciler.execution.journal import Journal, Use
from reconciler.execution.port import Port
from reconciler.execution.settling import Window, look_for
from reconciler.model.intent import Adopted, Fate, Finding, Intent, Several, Unlisted
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Action
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.appearing import intent_of


@dataclass(frozen=True, slots=True)
class Reach:
    """What carrying out needs of one site: its port, its journal, and for how long a lost answer is looked for.

    `use` is what the plan has been used for before; None where it was planned just now, and is for no other time.
    """

    port: Port
    journal: Journal
    window: Window
    use: Use | None = None


async def connect(action: Action, reach: Reach, standing: Sequence[LiveConnection]) -> LiveConnection | Outcome:
    """The connection that was made, or how the action ends without one; `standing` are those of its schedule.

    Raises ExtcalError where the service or the journal refuses, and nothing was connected.
    """
    if action.password is None or action.account is None:
        return Outcome(action, OutcomeStatus.FAILED, error="its plan holds no credentials; plan again")
    plan_id = reach.use.plan_id if reach.use is not None else ""
    intent = replace(intent_of(action, uuid.uuid4().hex, standing), plan_id=plan_id)
    doubt: ApiError | None = None
    for sent_twice in (False, True):
        # Before the second sending anew: should this process end with it, the window begins there.
        try:
            reach.journal.begin(intent)
        except ExtcalError as error:
            if doubt is None:
                raise
            why = f"its answer was lost ({doubt}), and it was not sent again: {error}"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=why)
        try:
            made = await reach.port.connect_by_credentials(
                action.provider_id, action.schedule_id, action.account, action.password
            )
        except ApiError as error:
            if not error.doubtful:
                reach.journal.end(intent, Fate.REFUSED)
                raise
            doubt = error
            found = await look_for(intent, reach.port, reach.window, sent_twice=sent_twice)
            if (settled := _settled(action, reach.journal, intent, found, error)) is not None:
                return settled
        except ExtcalError:
            # A secret that can't be resolved: nothing was sent.
            reach.journal.end(intent, Fate.REFUSED)
            raise
        else:
            return await _made(action, reach, intent, made, sent_twice=sent_twice)
    why = (
        f"its answer was lost twice, and no connection was there {reach.window.length:.0f} s later: {doubt}; "
        "apply again: what became of it is looked for first"
    )
    return Outcome(action, OutcomeStatus.UNKNOWN, error=why)


async def _made(
    action: Action, reach: Reach, intent: Intent, made: LiveConnection, *, sent_twice: bool
) -> LiveConnection | Outcome:
    """The connection of an answer; after a second sending it is looked whether the first came about late."""
    if sent_twice:
        found = await look_for(intent, reach.port, reach.window, sent_twice=True)
        if isinstance(found, Several):
            return _undecided(action, found.connections)
    reach.journal.end(intent, Fate.DONE, made.id)
    return made


def _settled(
    action: Action, journal: Journal, intent: Intent, found: Finding, doubt: ApiError
) -> LiveConnection | Outcome | None:
    """What a look after a lost answer leads to, or None where nothing has appeared."""
    match found:
        case Adopted(connection):
            journal.end(intent, Fate.ADOPTED, connection.id)
            return connection
        case Several(connections):
            return _undecided(action, connections)
        case Unlisted(why):
            error = f"its answer was lost ({doubt}), and it could not be looked for: {why}; apply again to settle it"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=error)
        case _:
            return None


def _undecided(action: Action, connections: Sequence[LiveConnection]) -> Outcome:
    ids = ", ".join(connection.id for connection in connections)
    error = (
        f"{len(connections)} connections appeared where one was meant: {ids}; say which one stays: "
        f"extcal resolve PATH --keep {action.address}=ID"
    )
    return Outcome(action, OutcomeStatus.UNKNOWN, error=error)
