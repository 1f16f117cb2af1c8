"""Finds what owners have connected by listing, for those whose browsers do not come back to this machine.

All pending consents of a site share each look. What is listed is new for an action if it did not stand there when its
owner was asked, or was in ERROR then. Steps:

1. Wait: a little longer each time, but no longer than until an owner's time is over.
2. Look: one ListConnections of the schedules of all that are pending.
3. End each action that is decided. One new healthy connection of its account is what its owner made, whatever its id.
4. One that is broken, or of an account that nobody has declared, is told. It is never disconnected, since nobody can
   tell whose it is; one that shows no account yet is waited for.
5. End those whose time is over.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ExtcalError, MalformedAnswerError, RateLimitedError, ServiceError, TransportError
from reconciler.execution.consent import AuthorizationLink, Deadline, awaiting, result_of
from reconciler.execution.port import Port
from reconciler.execution.settle import may_hide
from reconciler.execution.slots import Slots
from reconciler.model.account import shown
from reconciler.model.action import Action, ActionKind
from reconciler.model.intent import Intent
from reconciler.model.live import LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.preconditions import Appeared, appeared, intent_of, same_provider

_FIRST_PAUSE = 2.0
_GROWTH = 1.5
# examples/consent repeats it.
_LONGEST_PAUSE = 30.0
_SHORTEST_PAUSE = 1.0
_MOST_SCHEDULES = 100
_PASSING = (TransportError, MalformedAnswerError, RateLimitedError, ServiceError)
_NOT_WANTED = {ActionKind.DISCONNECT, ActionKind.UNMANAGED}
_STAYS_GOOD = "their link stays good: apply again to finish what they connect"


@dataclass(frozen=True, slots=True)
class PolledConsent:
    """A consent that was asked for: the link, and the connections of its schedule before."""

    action: Action
    link: AuthorizationLink
    earlier: Sequence[LiveConnection]
    deadline: Deadline


@dataclass(slots=True)
class _Pending:
    consent: PolledConsent
    intent: Intent
    answer: "asyncio.Future[LiveConnection | Outcome]"


class SitePoll:
    """Looks for what the owners of one site connect; `planned` are all actions of the site's plan."""

    def __init__(self, port: Port, slots: Slots, planned: Sequence[Action]) -> None:
        self._port = port
        self._slots = slots
        self._planned = planned
        self._pending: dict[str, _Pending] = {}
        self._unclear: set[str] = set()
        self._looking: asyncio.Task[None] | None = None

    async def await_connection(self, consent: PolledConsent) -> LiveConnection | Outcome:
        """Await the connection that the owner makes, or how the action ends without one."""
        action = consent.action
        pending = _Pending(consent, intent_of(action, "", consent.earlier), asyncio.get_running_loop().create_future())
        self._pending[action.address] = pending
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        stop = asyncio.create_task(consent.deadline.stop.wait())
        try:
            await asyncio.wait((pending.answer, stop), return_when=asyncio.FIRST_COMPLETED)
            if pending.answer.done():
                return pending.answer.result()
            return _unanswered(consent, "interrupted before its owner answered")
        finally:
            stop.cancel()
            pending.answer.cancel()
            del self._pending[action.address]
            await self._rest()

    async def _rest(self) -> None:
        """Look no longer where nobody is awaited."""
        if self._looking is not None and not self._pending:
            looking, self._looking = self._looking, None
            looking.cancel()
            await asyncio.wait((looking,))

    async def _look_on(self) -> None:
        """Look again and again until nobody is awaited."""
        loop, pause = asyncio.get_running_loop(), _FIRST_PAUSE
        last = loop.time()
        try:
            while awaited := self._awaited():
                first_over = min(each.consent.deadline.until for each in awaited)
                at = max(min(last + pause, first_over), last + _SHORTEST_PAUSE)
                await asyncio.sleep(at - loop.time())
                await self._look(at)
                last, pause = loop.time(), min(pause * _GROWTH, _LONGEST_PAUSE)
        except Exception as error:  # noqa: BLE001 - those who wait must not wait for ever
            for each in self._awaited():
                each.answer.set_exception(error)

    def _awaited(self) -> list[_Pending]:
        return [each for each in self._pending.values() if not each.answer.done()]

    async def _look(self, at: float) -> None:
        """Look once, for everybody; `at` is when, in seconds of the event loop's clock."""
        awaited = self._awaited()
        over = [each for each in awaited if each.consent.deadline.until <= at]
        schedules = sorted({each.consent.action.schedule_id for each in awaited})
        try:
            async with self._slots:
                # Beyond that a list of these takes several requests, and one of all takes one.
                listed = await self._port.list_connections(schedules if len(schedules) <= _MOST_SCHEDULES else ())
                hidden = await self._hidden(over, listed.failed_provider_ids)
        except ExtcalError as error:
            for each in over if isinstance(error, _PASSING) else awaited:
                _end(each, _unread(each.consent, str(error)))
            return
        for each in awaited:
            new = appeared(each.intent, listed.connections)
            strangers = self._strangers(each, new)
            rivals = [other for other in awaited if other is not each and other.intent.place == each.intent.place]
            if rivals:
                self._unclear.update(connection.id for connection in strangers)
            theirs = [connection for connection in strangers if connection.id not in self._unclear]
            answer = _decided(each.consent, new, listed.connections, theirs)
            if answer is None and each in over:
                answer = _over(each.consent, new, strangers, hidden=each.consent.action.provider_id in hidden)
            if answer is not None:
                _end(each, answer)

    async def _hidden(self, over: Sequence[_Pending], failed: Sequence[str]) -> set[str]:
        """The ids of the providers of those whose time is over at which connections may be missing in the list."""
        asked = {each.consent.action.provider_id: each.consent.action.provider for each in over}
        return {id_ for id_, word in asked.items() if failed and await may_hide(id_, word, failed, self._port)}

    def _strangers(self, pending: _Pending, new: Appeared) -> list[LiveConnection]:
        """The healthy new connections at an action's place that no action of the plan is about."""
        others = [other for other in self._planned if other.address != pending.consent.action.address]
        ids = {other.connection_id for other in others}
        wanted = [other.key for other in others if other.kind not in _NOT_WANTED]
        accounts = {key.account for key in wanted if (key.schedule_id, key.provider) == pending.intent.place}
        return [
            connection
            for connection in new.foreign
            if connection.status != Status.ERROR and connection.id not in ids and connection.account not in accounts
        ]


def _end(pending: _Pending, answer: LiveConnection | Outcome) -> None:
    if not pending.answer.done():
        pending.answer.set_result(answer)


def _decided(
    consent: PolledConsent, new: Appeared, connections: Sequence[LiveConnection], strangers: Sequence[LiveConnection]
) -> LiveConnection | Outcome | None:
    """What an owner has made, or how their action ends; None where that is still open."""
    healthy = [connection for connection in new.own if connection.status != Status.ERROR]
    if len(healthy) == 1:
        return healthy[0]
    if healthy:
        return _several(consent.action, healthy)
    told = [*new.own, *_gone(consent, connections), *strangers]
    if not told:
        return None
    _, outcome = result_of(consent.action, told[0])
    # Whose it is nobody knows: undoing the run must not disconnect it.
    return None if outcome is None else replace(outcome, connection_id=None)


def _over(consent: PolledConsent, new: Appeared, strangers: Sequence[LiveConnection], *, hidden: bool) -> Outcome:
    """How an action ends whose owner's time is over."""
    if hidden:
        return _unread(consent, "the service can't reach the provider")
    if new.unshown:
        why = "its owner may have agreed, but the service does not show the account yet; apply again later to finish"
        return awaiting(consent.action, why)
    why = f"its owner did not answer within {consent.deadline.timeout:.0f} s"
    if strangers:
        found = ", ".join(shown(connection.account) for connection in strangers)
        why = f"{why}, but {found}, which no manifest declares, was connected to its schedule meanwhile"
    return _unanswered(consent, why)


def _gone(consent: PolledConsent, connections: Sequence[LiveConnection]) -> list[LiveConnection]:
    """What has come and gone again of the action's account since its owner was asked."""
    action, known = consent.action, {connection.id for connection in consent.earlier}
    return [
        connection
        for connection in connections
        if connection.status == Status.DISCONNECTED
        and connection.id not in known
        and connection.schedule_id == action.schedule_id
        and same_provider(action, connection)
        and connection.account
        and connection.account == action.account
    ]


def _several(action: Action, connections: Sequence[LiveConnection]) -> Outcome:
    ids = ", ".join(connection.id for connection in connections)
    why = f"{len(connections)} connections of {shown(action.account)} appeared where one was meant: {ids}; plan again"
    return Outcome(action, OutcomeStatus.UNKNOWN, error=why)


def _unread(consent: PolledConsent, why: str) -> Outcome:
    error = f"whether its owner agreed could not be read; apply again to check it: {why}"
    return Outcome(consent.action, OutcomeStatus.UNKNOWN, error=error)


def _unanswered(consent: PolledConsent, why: str) -> Outcome:
    """Its link is handed on, since it goes on being good."""
    return Outcome(
        consent.action,
        OutcomeStatus.AWAITING_CONSENT,
        error=f"{why}; {_STAYS_GOOD}",
        consent_url=consent.link.url,
    )
