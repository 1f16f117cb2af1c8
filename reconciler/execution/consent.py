"""Awaits the callback of a pending consent, and believes only what the service says of it.

An owner opens an authorization link; when they have answered, the service sends their browser to the callback address
of their pending consent. A callback proves nothing by itself: whoever knows its address can send one. Steps:

1. Wait for a callback, until the owner's time is over or the run is stopped; then look up once whether they have
   agreed all the same, in a browser that could not come back to this machine.
2. A refusal ends the action. A connection id is looked up at the service.
3. A connection of another action is foreign: the next callback is awaited, a few times at most.
4. One of this action must have the declared account; what connects another one is not adopted.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.errors import ExtcalError, InvalidRequestError, NotFoundError
from reconciler.execution.connect import Reach, disconnect_seen
from reconciler.execution.port import Port
from reconciler.execution.site_view import Seen, SiteView, now
from reconciler.execution.slots import Slots
from reconciler.model.account import Account, shown
from reconciler.model.action import Action
from reconciler.model.consent import Callback, CallbackResult, CallbackStatus, ConsentRefusal
from reconciler.model.live import LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.preconditions import same_account, same_key, same_provider
from reconciler.text import cut, one_line

WhyNotAsked = Callable[[Action], str | None]
"""Says why the owner that an action needs is not asked by mail now; None where they are. It may raise ExtcalError."""

_MOST_TRIES = 5
_ACCOUNT_LOOKUPS = 3
_ACCOUNT_PAUSE = 1.0
_LONGEST_ID = 100

_REFUSED = {
    ConsentRefusal.REJECT: (
        CallbackStatus.REJECTED,
        "its owner refused access; ask them and apply again, or remove its manifest",
    ),
    ConsentRefusal.UNSUPPORTED: (
        CallbackStatus.UNSUPPORTED,
        "the provider does not connect this kind of account; declare another account, or ask its administrator",
    ),
    ConsentRefusal.INTERNAL: (
        CallbackStatus.INTERNAL,
        (
            "the service or the provider failed; apply again after 5 to 10 minutes for a new link. If it fails again, "
            "let its owner open it in a private window, or try another oauth.redirectUrl, then another schedule"
        ),
    ),
}


class CallbackChannel(Protocol):
    """Where the callback of one pending consent arrives, and its result is shown."""

    @property
    def redirect_url(self) -> str:
        """Where the owner's browser is sent: an address that nobody can guess, for this alone."""
        ...

    async def receive(self) -> Callback:
        """Wait until a browser comes to that address."""
        ...

    def reply(self, result: CallbackResult) -> None:
        """Show the result to the browser; only after a foreign callback another may come."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class AuthorizationLink:
    """The link that an owner must open; `returns_here` tells whether it leads their browser back to this machine."""

    url: str
    returns_here: bool


class ConsentPrompt(Protocol):
    """Asks owners for their consent and awaits their callbacks."""

    @property
    def timeout(self) -> float:
        """How many seconds each owner has, from when their link was shown."""
        ...

    def open(self, action: Action) -> AbstractContextManager[CallbackChannel | None]:
        """A pending consent for an action, until the block ends; None where no browser comes back to this machine."""
        ...

    def show_link(self, action: Action, link: AuthorizationLink) -> None:
        """Show the authorization link that the owner must open."""
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """What ends the wait for an owner: the time `until`, and whatever sets `stop`.

    `until` is in seconds of the event loop's clock.
    """

    until: float
    stop: asyncio.Event
    timeout: float


async def await_callback(
    action: Action,
    reach: Reach,
    channel: CallbackChannel,
    slots: Slots,
    deadline: Deadline,
    earlier: Sequence[LiveConnection],
) -> LiveConnection | Outcome:
    """Await the connection that the owner makes, or how the action ends without one.

    `earlier` are the connections of its schedule before the owner was asked. A slot is taken only while something is
    asked of the service. Raises ExtcalError where that fails.
    """
    port, foreign = reach.port, list[str]()
    for _ in range(_MOST_TRIES):
        callback = await _next_callback(channel, deadline)
        if callback is None:
            return _not_shown(await _without_callback(action, reach.view, slots, deadline), foreign)
        if isinstance(callback.answer, ConsentRefusal):
            status, why = _REFUSED[callback.answer]
            channel.reply(CallbackResult(status))
            return Outcome(action, OutcomeStatus.FAILED, error=why)
        connection = await _looked_up(action, port, channel, slots, callback.answer)
        if isinstance(connection, Outcome) and connection.status is OutcomeStatus.FAILED:
            return await _unless_duplicate(connection, port, slots, earlier)
        if connection is not None:
            return connection
        foreign.append(callback.answer)
    why = f"{_MOST_TRIES} callbacks named other connections; apply again for a new link"
    return Outcome(action, OutcomeStatus.FAILED, error=why)


def _not_shown(found: LiveConnection | Outcome, foreign: Sequence[str]) -> LiveConnection | Outcome:
    """What is said at the end of the wait where callbacks came that named other connections, or hidden ones."""
    if not foreign or not isinstance(found, Outcome):
        return found
    named = ", ".join(cut(one_line(each), _LONGEST_ID) for each in foreign)
    why = (
        f"its browser came back with {named}, which is another's, or is not shown to this key or app, which may see "
        "only its own connections: look in the site's dashboard whether its owner has consented"
    )
    return replace(found, error=f"{found.error}; {why}")


async def _unless_duplicate(outcome: Outcome, port: Port, slots: Slots, earlier: Sequence[LiveConnection]) -> Outcome:
    """End with a wrong account; where that was connected before, disconnect the second."""
    connection_id = outcome.connection_id
    if connection_id is None or connection_id in {connection.id for connection in earlier}:
        return outcome
    try:
        async with slots:
            seen = Seen(await port.get_connection(connection_id), now())
            if not any(same_key(seen.connection, other) for other in earlier):
                return outcome
            await disconnect_seen(seen, port)
    except ExtcalError as error:
        return replace(outcome, error=f"{outcome.error}; a second connection may be left: {error}")
    why = f"{outcome.error}; the account was connected before, so the second connection was disconnected"
    return replace(outcome, error=why, connection_id=None)


async def _next_callback(channel: CallbackChannel, deadline: Deadline) -> Callback | None:
    """The next callback, or None where the wait is over."""
    callback, stop = asyncio.create_task(channel.receive()), asyncio.create_task(deadline.stop.wait())
    left = max(0.0, deadline.until - asyncio.get_running_loop().time())
    try:
        await asyncio.wait((callback, stop), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return callback.result() if callback.done() else None
    finally:
        for task in (callback, stop):
            task.cancel()
        await asyncio.wait((callback, stop))


async def _without_callback(
    action: Action, view: SiteView, slots: Slots, deadline: Deadline
) -> LiveConnection | Outcome:
    """Look up whether the owner has agreed in a browser that could not come back here."""
    if deadline.stop.is_set():
        return awaiting(action, "interrupted before its owner answered")
    async with slots:
        standing = await view.standing(action.schedule_id, anew=True)
    found = same_account(action, standing.connections)
    if len(found) == 1:
        return found[0]
    return awaiting(action, f"its owner did not answer within {deadline.timeout:.0f} s; apply again for a new link")


def awaiting(action: Action, why: str) -> Outcome:
    """How an action ends whose owner may still agree."""
    return Outcome(action, OutcomeStatus.AWAITING_CONSENT, error=why)


async def _looked_up(
    action: Action, port: Port, channel: CallbackChannel, slots: Slots, connection_id: str
) -> LiveConnection | Outcome | None:
    """Look up the connection that a callback names; None where it is not of this action."""
    try:
        async with slots:
            connection = await _look_up(port, connection_id)
    except (NotFoundError, InvalidRequestError):
        channel.reply(CallbackResult(CallbackStatus.FOREIGN))
        return None
    except ExtcalError as error:
        channel.reply(CallbackResult(CallbackStatus.UNREAD))
        why = f"its owner answered, but the connection could not be read; apply again to check it: {error}"
        return Outcome(action, OutcomeStatus.UNKNOWN, error=why)
    if connection.schedule_id != action.schedule_id or not same_provider(action, connection):
        channel.reply(CallbackResult(CallbackStatus.FOREIGN))
        return None
    result, outcome = result_of(action, connection)
    channel.reply(result)
    return outcome or connection


async def _look_up(port: Port, connection_id: str) -> LiveConnection:
    """The connection; one that does not show its account yet is looked up again."""
    connection = await port.get_connection(connection_id)
    for _ in range(_ACCOUNT_LOOKUPS):
        if connection.account:
            break
        await asyncio.sleep(_ACCOUNT_PAUSE)
        connection = await port.get_connection(connection_id)
    return connection


def result_of(action: Action, connection: LiveConnection) -> tuple[CallbackResult, Outcome | None]:
    """Judge a connection: what its owner is shown, and the outcome where it is wrong."""
    if connection.status in {Status.DISCONNECTED, Status.ERROR}:
        state = connection.error_word or connection.status
        why = f"its owner agreed, but the service reports {state}; apply again for a new link"
        return CallbackResult(CallbackStatus.BROKEN, connection.account), Outcome(
            action, OutcomeStatus.FAILED, error=why
        )
    if not connection.account:
        why = "its owner agreed, but the service does not show the account yet; apply again later to finish"
        return CallbackResult(CallbackStatus.NO_ACCOUNT_YET), awaiting(action, why)
    if connection.account != action.account:
        outcome = _wrong_account(action, connection.account)
        return CallbackResult(CallbackStatus.WRONG_ACCOUNT, connection.account), replace(
            outcome, connection_id=connection.id
        )
    return CallbackResult(CallbackStatus.CONNECTED, connection.account), None


def _wrong_account(action: Action, account: Account) -> Outcome:
    found = shown(account)
    why = (
        f"{found} was connected, but its manifest says {shown(action.account)}: not adopted, no sync config set. If "
        f"{found} is right, declare account: {account}. If not, disconnect it in the site's dashboard, or with a "
        "manifest that has state: absent, and apply again for a new link"
    )
    return Outcome(action, OutcomeStatus.FAILED, error=why)
