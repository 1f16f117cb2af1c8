"""Waiting for an account's owner: ask, hear what their browser brings back, and believe only what was read.

A callback proves nothing by itself: whoever knows its address can send one. What it says is read from the service
before it counts (contract: OAuth connect).
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.errors import ExtcalError, InvalidRequestError, NotFoundError
from reconciler.execution.connect import disconnect
from reconciler.execution.port import Port
from reconciler.execution.slots import Slots
from reconciler.model.account import folded, shown
from reconciler.model.consent import Callback, Finding, Refusal, Verdict
from reconciler.model.live import LiveConnection, Status
from reconciler.model.plan import Action
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.preconditions import same_account, same_key, same_provider

_MOST_TRIES = 5
_ACCOUNT_LOOKS = 3
_ACCOUNT_PAUSE = 1.0

_REFUSED = {
    Refusal.REJECT: (Finding.REJECTED, "its owner said no; agree with them and apply again, or remove its manifest"),
    Refusal.UNSUPPORTED: (
        Finding.UNSUPPORTED,
        "the provider can't connect this kind of account; declare another one, or ask the account's administrator",
    ),
    Refusal.INTERNAL: (Finding.INTERNAL, "something went wrong at the provider; apply again for a new link"),
}


class Visit(Protocol):
    """One owner who is waited for; `redirect_url` is where their browser is to be sent."""

    @property
    def redirect_url(self) -> str:
        """An address that nobody can guess, for this visit alone."""
        ...

    async def arrival(self) -> Callback:
        """Wait until a browser comes to that address."""
        ...

    def tell(self, verdict: Verdict) -> None:
        """Show the browser that came what was found; only after a foreign callback another one may come."""
        ...


class Door(Protocol):
    """Where owners are shown their links and come back to."""

    def expect(self, action: Action) -> AbstractContextManager[Visit]:
        """Expect an action's owner, until the block ends."""
        ...

    def asked(self, action: Action, url: str) -> None:
        """Show the link that the owner must open."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """Wait for owners at a door, for each at most `timeout` seconds from when their link was shown."""

    door: Door
    timeout: float


@dataclass(frozen=True, slots=True)
class Patience:
    """What ends a wait: `until` in seconds of the event loop's clock, and whatever sets `stop`."""

    until: float
    stop: asyncio.Event
    timeout: float


async def heard(
    action: Action, port: Port, visit: Visit, slots: Slots, patience: Patience, standing: Sequence[LiveConnection]
) -> LiveConnection | Outcome:
    """The connection that the owner has made, read and found right, or how the action ends without one.

    `standing` are the connections of its schedule before the owner was asked. A slot is taken only while something is
    asked of the service. Raises ExtcalError where that fails.
    """
    for _ in range(_MOST_TRIES):
        callback = await _next(visit, patience)
        if callback is None:
            return await _unheard(action, port, slots, patience)
        if isinstance(callback.answer, Refusal):
            finding, why = _REFUSED[callback.answer]
            visit.tell(Verdict(finding))
            return Outcome(action, OutcomeStatus.FAILED, error=why)
        found = await _checked(action, port, visit, slots, callback.answer)
        if isinstance(found, Outcome) and found.status is OutcomeStatus.FAILED:
            return await _unless_double(found, port, slots, standing)
        if found is not None:
            return found
    why = "what came back was not the connection that was asked for, again and again; apply again for a new link"
    return Outcome(action, OutcomeStatus.FAILED, error=why)


async def _unless_double(outcome: Outcome, port: Port, slots: Slots, standing: Sequence[LiveConnection]) -> Outcome:
    """The outcome of a wrong account; where that was connected before, what was made just now is disconnected again."""
    made = outcome.connection_id
    if made is None or made in {connection.id for connection in standing}:
        return outcome
    try:
        async with slots:
            connection = await port.get_connection(made)
            if not any(same_key(connection, other) for other in standing):
                return outcome
            await disconnect(port, made)
    except ExtcalError as error:
        return replace(outcome, error=f"{outcome.error}; a second connection may stand: {error}")
    why = f"{outcome.error}; it was connected before, so the second connection was disconnected again"
    return replace(outcome, error=why, connection_id=None)


async def _next(visit: Visit, patience: Patience) -> Callback | None:
    """What a browser brings, or None where nobody is waited for any longer."""
    arrival, stop = asyncio.create_task(visit.arrival()), asyncio.create_task(patience.stop.wait())
    left = max(0.0, patience.until - asyncio.get_running_loop().time())
    try:
        await asyncio.wait((arrival, stop), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return arrival.result() if arrival.done() else None
    finally:
        for task in (arrival, stop):
            task.cancel()
        await asyncio.wait((arrival, stop))


async def _unheard(action: Action, port: Port, slots: Slots, patience: Patience) -> LiveConnection | Outcome:
    """Look a last time whether the owner has agreed all the same, in a browser that could not come back here."""
    if patience.stop.is_set():
        return _awaiting(action, "interrupted before its owner came back")
    async with slots:
        standing = same_account(action, (await port.list_connections((action.schedule_id,))).connections)
    if len(standing) == 1:
        return standing[0]
    return _awaiting(action, f"its owner did not come back within {patience.timeout:.0f} s; apply again for a new link")


def _awaiting(action: Action, why: str) -> Outcome:
    return Outcome(action, OutcomeStatus.AWAITING_CONSENT, error=why)


async def _checked(
    action: Action, port: Port, visit: Visit, slots: Slots, connection_id: str
) -> LiveConnection | Outcome | None:
    """The connection that a browser names, if it is the one asked for; None where it is not even of this action."""
    try:
        async with slots:
            connection = await _read(port, connection_id)
    except (NotFoundError, InvalidRequestError):
        visit.tell(Verdict(Finding.FOREIGN))
        return None
    except ExtcalError as error:
        visit.tell(Verdict(Finding.UNREAD))
        why = f"its owner came back, but what they connected could not be read; apply again to see: {error}"
        return Outcome(action, OutcomeStatus.UNKNOWN, error=why)
    if connection.schedule_id.lower() != action.schedule_id.lower() or not same_provider(action, connection):
        visit.tell(Verdict(Finding.FOREIGN))
        return None
    verdict, outcome = _judged(action, connection)
    visit.tell(verdict)
    return outcome or connection


async def _read(port: Port, connection_id: str) -> LiveConnection:
    """The connection; one that does not show its account yet is looked at again."""
    connection = await port.get_connection(connection_id)
    for _ in range(_ACCOUNT_LOOKS):
        if connection.account:
            break
        await asyncio.sleep(_ACCOUNT_PAUSE)
        connection = await port.get_connection(connection_id)
    return connection


def _judged(action: Action, connection: LiveConnection) -> tuple[Verdict, Outcome | None]:
    """What to tell the owner of a connection of this action, and the outcome where it is not the right one."""
    if connection.status in {Status.DISCONNECTED, Status.ERROR}:
        state = connection.error_reason or connection.status
        why = f"its owner agreed, but the service reports {state}; apply again for a new link"
        return Verdict(Finding.BROKEN, connection.account), Outcome(action, OutcomeStatus.FAILED, error=why)
    if not connection.account:
        why = "its owner agreed, but the service does not show yet with which account; apply again later to finish it"
        return Verdict(Finding.NO_ACCOUNT_YET), _awaiting(action, why)
    if folded(connection.account) != folded(action.account or ""):
        outcome = _wrong_account(action, connection.account)
        return Verdict(Finding.WRONG_ACCOUNT, connection.account), replace(outcome, connection_id=connection.id)
    return Verdict(Finding.CONNECTED, connection.account), None


def _wrong_account(action: Action, account: str) -> Outcome:
    found = shown(account)
    why = (
        f"connected with {found}, but its manifest says {shown(action.account)}: not adopted, its sync config "
        f"not set; declare account: {account} if that is right, else disconnect {found} (a manifest for it with "
        "state: absent, or the site's dashboard) and apply again for a new link"
    )
    return Outcome(action, OutcomeStatus.FAILED, error=why)
