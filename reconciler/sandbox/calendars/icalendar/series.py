"""Groups the events of a calendar by UID: what recurs, with its changes (RFC 5545, 3.8).

Terms: a master is an event that stands for itself; a change has a RECURRENCE-ID and replaces one instance of a master.
Versions are events of one UID and one RECURRENCE-ID.

Steps: events are grouped by UID, then by RECURRENCE-ID. Of the versions those with the highest SEQUENCE count; of the
changes of one instance the last in the file counts. What is left out by that is named as a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.sandbox.calendars.icalendar.events import Event

_MAX_SHOWN = 200


@dataclass(slots=True)
class Series:
    """The events that share a UID: mostly one `master` and `changes` of its instances.

    Where a file holds several events of one UID that are not versions of each other, each is a master. `number` tells
    apart the series of a stream that have one UID, each in a calendar of its own.
    """

    uid: str
    number: int = 0
    masters: list[Event] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)

    @property
    def single(self) -> Event | None:
        """The event that happens once and is all that there is."""
        both = [*self.masters, *self.changes]
        return both[0] if len(both) == 1 and not both[0].recurs else None


def group(events: Iterable[Event], faults: list[str]) -> list[Series]:
    """The series that the events of one calendar make.

    What an event of a later version replaces is a fault.
    """
    by_uid: dict[str, list[Event]] = {}
    for event in events:
        # What has no UID has nothing to do with any other.
        by_uid.setdefault(event.uid or f"\0{event.place}", []).append(event)
    return [_series(every, faults) for every in by_uid.values()]


def _series(every: list[Event], faults: list[str]) -> Series:
    series = Series(every[0].uid)
    if all(event.identity is not None for event in every):
        # What recurs by itself is no change, though some programs give each event a RECURRENCE-ID.
        series.masters += [event for event in every if event.recurs]
        every = [event for event in every if not event.recurs]
    versions: dict[tuple[int, bool] | None, list[Event]] = {}
    for event in every:
        identity = event.identity
        versions.setdefault(None if identity is None else (identity.seconds, identity.is_day), []).append(event)
    for replaced, alike in versions.items():
        if replaced is None:
            series.masters += _latest(alike, faults)
        else:
            series.changes.append(_last(_latest(alike, faults), faults))
    faults += [
        f"event {shown_uid(event.uid)} (byte {event.place}): it changes one instance; its own recurrences are left out"
        for event in series.changes
        if event.recurs
    ]
    return series


def _latest(alike: list[Event], faults: list[str]) -> list[Event]:
    """The events of the highest SEQUENCE (RFC 5545, 3.8.7.4).

    Those that happen at the same times count once.
    """
    highest = max(event.sequence for event in alike)
    latest: dict[tuple[object, ...], Event] = {}
    for event in alike:
        if event.sequence == highest:
            # Of two copies that differ in that alone, the one that keeps its owner busy counts.
            if event.busy or event.timing not in latest:
                latest[event.timing] = event
        else:
            faults.append(_replaced(event, f"a later version of it (SEQUENCE {highest})"))
    return list(latest.values())


def _last(changes: list[Event], faults: list[str]) -> Event:
    """The change that stands last: an instance happens once."""
    *replaced, last = changes
    faults += [_replaced(event, "another change of the same instance") for event in replaced]
    return last


def _replaced(event: Event, what: str) -> str:
    return f"event {shown_uid(event.uid)} (byte {event.place}) is left out: the file holds {what}"


def shown_uid(uid: str) -> str:
    """A UID as a message shows it."""
    return repr(uid[:_MAX_SHOWN]) if uid else "without UID"
