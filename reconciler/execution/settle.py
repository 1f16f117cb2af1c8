"""Settles a connect whose answer was lost: lists again, for a while, until it is known.

A connect is not idempotent, so it is never sent again on a guess. The service may carry it out late, so that it is
not there yet is no proof that it will not be: it is looked for several times over the settle window.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ExtcalError
from reconciler.execution.journal import Journal
from reconciler.execution.port import Observer, ProviderLister
from reconciler.model.intent import (
    Adopted,
    Fate,
    Finding,
    Intent,
    Nothing,
    Pending,
    Settled,
    Several,
    Unclear,
    Unlisted,
)
from reconciler.model.live import LiveConnection, Status
from reconciler.planning import providers
from reconciler.planning.preconditions import appeared

_SEES_ITS_OWN = "the key or app may see only its own connections"


@dataclass(frozen=True, slots=True)
class Window:
    """How long it is looked for: at once, after `first` seconds, twice that later and so on, until `length` seconds."""

    # examples/recovery repeats it.
    length: float = 15.0
    first: float = 1.0

    @property
    def pauses(self) -> Iterator[float]:
        """Seconds before each look."""
        yield 0.0
        left, pause = self.length, self.first
        while left > 0:
            yield min(pause, left)
            left, pause = left - pause, pause * 2

    def after(self, age: float) -> "Window":
        """What is left of the window `age` seconds after it was opened; it is looked once at least."""
        return replace(self, length=max(0.0, self.length - age))


async def look_for(
    intent: Intent,
    port: Observer,
    window: Window,
    *,
    rivals: Callable[[], bool],
    made: Collection[str] = (),
    sent_twice: bool = False,
) -> Finding:
    """What the intent has made, as far as can be told.

    One connection of its account ends the search, unless it was sent twice: then the other sending may still take
    effect. What shows no account is waited for, and believed to be its own where it is alone and `rivals` tells that no
    other connect can have made it. `made` are the ids of what other connects of this run have made.
    """
    found: Finding = Nothing()
    for pause in window.pauses:
        await asyncio.sleep(pause)
        found = await look(intent, port, made)
        if isinstance(found, Several | Unlisted) or (isinstance(found, Adopted) and not sent_twice):
            return found
    if isinstance(found, Unclear) and not (sent_twice or intent.blind or rivals()):
        match found.connections:
            # What another connect has made may have been listed before its answer came.
            case (connection,) if not connection.account and connection.id not in made:
                return Adopted(connection)
    return found


async def look(intent: Intent, port: Observer, made: Collection[str] = ()) -> Finding:
    """What there is of it right now."""
    try:
        listed = await port.list_connections((intent.key.schedule_id,))
        hidden = await may_hide(intent.provider_id, intent.key.provider, listed.failed_provider_ids, port)
    except ExtcalError as error:
        return Unlisted(str(error))
    if intent.answered is not None:
        return _listed_since(intent, intent.answered, listed.connections, hidden=hidden)
    new = appeared(intent, [connection for connection in listed.connections if connection.id not in made])
    if new.own and (new.unshown or len(new.own) > 1):
        return Several(tuple(sorted((*new.own, *new.unshown), key=lambda connection: connection.id)))
    if new.own:
        return Adopted(new.own[0])
    if hidden:
        return Unlisted("the service can't reach the provider")
    others = (*new.unshown, *new.foreign)
    return Unclear(others) if others else Nothing()


def _listed_since(
    intent: Intent, connection_id: str, connections: Sequence[LiveConnection], *, hidden: bool
) -> Finding:
    """What there is of a connection that was made, and was not listed then.

    That it is not listed now either is no sign that it is gone.
    """
    listed = next((connection for connection in connections if connection.id == connection_id), None)
    if listed is not None:
        return Nothing() if listed.status == Status.DISCONNECTED else Adopted(listed)
    if own := appeared(intent, connections).own:
        return Adopted(own[0])
    if hidden:
        return Unlisted("the service can't reach the provider")
    return Unlisted(f"the service does not list {connection_id}; {_SEES_ITS_OWN}")


def not_listed(address: str, connection_id: str) -> str:
    """What a connection that was made and is not listed tells of the key, and what to do."""
    return (
        f"connected as {connection_id}, and the service does not list it: {_SEES_ITS_OWN}. Use one that may see all; "
        f"it is not connected again until then, or until you close it: extcal resolve PATH --forget {address}"
    )


async def may_hide(provider_id: str, provider: str, failed: Sequence[str], port: ProviderLister) -> bool:
    """Whether connections at a provider, or at another installation of it, may be missing in a list.

    `provider` is the word for it, `failed` are the ids of those whose connections could not be listed. Which of them is
    an installation of the same is asked only where one failed; of one that is not listed nobody knows it.
    """
    if not failed or provider_id in failed:
        return bool(failed)
    known = {each.id: each for each in await port.list_providers()}
    return any(each not in known or providers.word(known[each].calendar_type) == provider for each in failed)


async def look_for_all(pending: Sequence[Pending], port: Observer, window: Window) -> tuple[Settled, ...]:
    """Look for everything that an earlier run has left open; nothing is closed."""

    def one(each: Pending) -> Awaitable[Finding]:
        rivals = rivals_of(each.intent, pending)
        return look_for(each.intent, port, window.after(each.age), rivals=lambda: rivals)

    findings = await asyncio.gather(*map(one, pending))
    return tuple(Settled(each, finding) for each, finding in zip(pending, findings, strict=True))


def rivals_of(intent: Intent, pending: Iterable[Pending]) -> bool:
    """Whether another connect that is open can have made what the intent may have made."""
    return any(each.intent.place == intent.place and each.intent.key != intent.key for each in pending)


async def settle(port: Observer, journal: Journal, window: Window) -> tuple[Settled, ...]:
    """Look for what was left open, and close what is clear; raises ExtcalError."""
    found = await look_for_all(journal.pending(), port, window)
    for settled in found:
        match settled.finding:
            case Adopted(connection):
                journal.end(settled.pending.intent, Fate.ADOPTED, connection.id, connection.account)
            case Nothing():
                journal.end(settled.pending.intent, Fate.NOTHING)
            case Several() | Unclear() | Unlisted():
                pass
    return found
