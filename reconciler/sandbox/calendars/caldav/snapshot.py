"""Keeps what is known of a calendar, and brings it up to date with the fewest bytes.

Terms: a snapshot holds the objects that may have to do with a span of time. A sync token (RFC 6578) lets the server say
what changed since; a ctag says whether anything did, and etags what.

Steps: a known snapshot that covers the span is updated by its sync token; without one by ctag, then by etags. Where the
server refuses a token, all is read anew (RFC 6578, 3.2). A first reading asks for no token: finding one takes some
servers as long as the reading, and many a calendar is read once.

A calendar that isn't large is first read whole: to find what lies in a span of time a server must expand recurrences,
and one event with an endless rule (`FREQ=SECONDLY`) keeps Radicale and Xandikos busy for good. A large one is asked for
the span; where that fails too, for everything in parts.

An event with a character that XML doesn't allow, U+FFFE say, breaks each answer that quotes it. Where contents come
broken, the calendar is asked for without them, and `Collection.fetch` finds the one that is to blame.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.caldav.exchange import (
    BrokenAnswerError,
    NotAnsweredError,
    OversizedAnswerError,
    ServerFaultError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.calendars.caldav.collection import Collection, Objects
    from reconciler.sandbox.calendars.caldav.queries import Span

_CANT_SYNC = frozenset({400, 405, 415, 501})
_REREAD_ABOVE = 500
_FAILED = (NotAnsweredError, ServerFaultError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The objects of a calendar that may have to do with `span`, all of them where it is None.

    `syncs` is False once the server has shown that its tokens are good for nothing, `large` is True once the calendar
    has proved too large to be read whole.
    """

    span: Span | None
    objects: Objects
    token: str | None
    ctag: str | None
    syncs: bool = True
    large: bool = False

    def covers(self, span: Span | None) -> bool:
        """Whether nothing of `span` is missing."""
        return self.span is None or (span is not None and self.span.covers(span))

    def missing(self) -> Objects:
        """What is there and could not be had: the server may have been out of order for a moment."""
        return {name: stored for name, stored in self.objects.items() if stored.content is None and stored.etag}

    @property
    def size(self) -> int:
        """How many bytes the contents take."""
        return sum(len(stored.content or b"") for stored in self.objects.values())


async def update_snapshot(
    collection: Collection, known: Snapshot | None, span: Span | None, *, patience: Callable[[], float]
) -> Snapshot:
    """A snapshot of now that covers `span`.

    One search of the server may take `patience()` seconds.
    """
    if known is None:
        return await _read(collection, span, patience, syncs=True, large=False)
    if not known.covers(span):
        return await _read(collection, span, patience, syncs=known.syncs, large=known.large)
    if not known.token or not known.syncs:
        return await _compared(collection, known)
    try:
        changes = await collection.changes(known.token)
    except NotAnsweredError as error:
        syncs = error.status not in _CANT_SYNC
        return await _read(collection, known.span, patience, syncs=syncs, large=known.large)
    if len(changes.changed) > _REREAD_ABOVE:
        return await _read(collection, known.span, patience, syncs=True, large=known.large)
    objects = {name: stored for name, stored in known.objects.items() if name not in changes.removed}
    again = {name: stored for name, stored in known.missing().items() if name in objects}
    merged = await _merged(collection, objects, {**again, **changes.changed})
    return replace(known, objects=merged, token=changes.token)


async def _read(
    collection: Collection, span: Span | None, patience: Callable[[], float], *, syncs: bool, large: bool
) -> Snapshot:
    found: Objects | None = None
    covered: Span | None = None
    if not large:
        try:
            async with asyncio.timeout(patience()):
                found = await collection.whole()
        except OversizedAnswerError:
            large = True
        except BrokenAnswerError:
            found = await collection.listing()
        except _FAILED:
            found = None
    if found is None and span is not None:
        try:
            async with asyncio.timeout(patience()):
                found, covered = await _in_span(collection, span), span
        except _FAILED:
            found = None
    if found is None:
        # A folder that is no calendar can be listed too.
        await collection.change_tags()
        found = await collection.listing()
    return Snapshot(covered, await _merged(collection, {}, found), None, None, syncs, large)


async def _in_span(collection: Collection, span: Span) -> Objects:
    try:
        return await collection.in_span(span, contents=True)
    except BrokenAnswerError:
        return await collection.in_span(span, contents=False)


async def _compared(collection: Collection, known: Snapshot) -> Snapshot:
    # Before the listing: what changes in between is reported once more, and nothing is missed.
    tags = await collection.change_tags()
    if tags.ctag and tags.ctag == known.ctag and not known.missing():
        return known
    listed = await collection.listing() if known.span is None else await collection.in_span(known.span, contents=False)
    kept = {name: stored for name, stored in known.objects.items() if name in listed}
    return replace(known, objects=await _merged(collection, kept, listed), token=tags.token, ctag=tags.ctag)


async def _merged(collection: Collection, known: Objects, found: Objects) -> Objects:
    """`known` and what was `found`.

    The contents of what is new or different are fetched where they did not come.
    """
    wanted, merged = {}, dict(known)
    for name, stored in found.items():
        before = known.get(name)
        if stored.content is not None or (stored.fault and not stored.etag):
            merged[name] = stored
        elif before is None or not stored.etag or before.content is None or before.etag != stored.etag:
            merged.pop(name, None)
            wanted[name] = stored
    if wanted:
        merged.update(await collection.fetch(wanted))
    return merged
