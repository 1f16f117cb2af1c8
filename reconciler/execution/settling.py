"""Finding out what became of a connect whose answer was lost: list again, for a while, before anything is believed.

A connect is not idempotent, so it is never sent again on a guess. The service may carry it out late, so that it is
not there yet is no proof that it will not be: it is looked for several times over the settle window.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ExtcalError
from reconciler.execution.journal import Journal
from reconciler.execution.port import Lister
from reconciler.model.intent import Adopted, Fate, Finding, Intent, Nothing, Pending, Settled, Several, Unlisted
from reconciler.planning.appearing import appeared


@dataclass(frozen=True, slots=True)
class Window:
    """How long it is looked for: at once, after `first` seconds, twice that later and so on, until `length` seconds."""

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


async def look_for(intent: Intent, port: Lister, window: Window, *, sent_twice: bool = False) -> Finding:
    """What the intent has made, as far as can be told.

    One connection ends the search, unless it was sent twice: then the other sending may still take effect.
    """
    found: Finding = Nothing()
    for pause in window.pauses:
        await asyncio.sleep(pause)
        found = await look(intent, port)
        if not isinstance(found, Nothing) and not (sent_twice and isinstance(found, Adopted)):
            return found
    return found


async def look(intent: Intent, port: Lister) -> Finding:
    """What there is of it right now."""
    try:
        listed = await port.list_connections((intent.schedule_id,))
    except ExtcalError as error:
        return Unlisted(str(error))
    new = appeared(intent, listed.connections)
    if len(new) == 1:
        return Adopted(new[0])
    if new:
        return Several(new)
    if intent.provider_id in listed.failed_provider_ids:
        return Unlisted("the service can't reach the provider")
    return Nothing()


async def look_for_all(pending: Sequence[Pending], port: Lister, window: Window) -> tuple[Settled, ...]:
    """Look for everything that an earlier run has left open; nothing is closed."""
    findings = await asyncio.gather(*(look_for(each.intent, port, window.after(each.age)) for each in pending))
    return tuple(Settled(each, finding) for each, finding in zip(pending, findings, strict=True))


async def settle(port: Lister, journal: Journal, window: Window) -> tuple[Settled, ...]:
    """Look for what was left open, and close what is clear; raises ExtcalError."""
    found = await look_for_all(journal.pending(), port, window)
    for settled in found:
        match settled.finding:
            case Adopted(connection):
                journal.end(settled.pending.intent, Fate.ADOPTED, connection.id)
            case Nothing():
                journal.end(settled.pending.intent, Fate.NOTHING)
            case Several() | Unlisted():
                pass
    return found
