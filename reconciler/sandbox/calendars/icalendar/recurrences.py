"""Makes the instances of a series in a range of time, one by one, ordered by start.

Terms: a *base* instance is one that DTSTART, the rules and the RDATEs of an event make; an EXDATE takes one out; a
change (RECURRENCE-ID) stands in the place of one. A *stretch* are the base instances from one change with
RANGE=THISANDFUTURE to the next: they are moved as that change was.

Steps: for each master its stretches, for each stretch the base instances near the range, made one by one as they are
asked for; moved, without those that were taken out or replaced; and beside them the changes.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.sandbox.calendars.icalendar.rules import starts
from reconciler.sandbox.calendars.icalendar.times import DAY, Length, Time, shifted
from reconciler.sandbox.calendars.icalendar.zones import FIRST, LAST, UTC, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from reconciler.sandbox.calendars.icalendar.events import Event
    from reconciler.sandbox.calendars.icalendar.instances import TimeRange
    from reconciler.sandbox.calendars.icalendar.rules import RecurrenceRule, Steps
    from reconciler.sandbox.calendars.icalendar.series import Series
    from reconciler.sandbox.calendars.icalendar.zones import Zone

_T = TypeVar("_T")
_DAY = timedelta(days=1)
_TWO_DAYS = 2 * DAY
_COMPARED_A_STEP = 20
"""How many times a change is looked at beside an event at the price of one step."""

_start = itemgetter(0)
_FIRST_SECOND, _LAST_SECOND = (UTC.moment(each)[0] for each in (shifted(FIRST, _DAY), shifted(LAST, -_DAY)))

Occurrence = tuple[int, int, "Event"]
"""Start and end (exclusive) in seconds since the epoch, and the event that says what happens."""

_Base = tuple[int, datetime, "Length | None"]
"""Start in seconds since the epoch and on the clock of the event's zone, and the length where it is its own."""


def occurrences(series: Series, time_range: TimeRange, steps: Steps) -> Iterator[Occurrence]:
    """The instances that keep somebody busy, ordered by start; raises `TooManyStepsError`."""
    # Each change has to do with each master.
    steps.take(len(series.masters) * len(series.changes) // _COMPARED_A_STEP)
    taken_out = [(master.start, _moments(master)) for master in series.masters if master.exceptions]
    changed = sorted(
        (
            (event.start.seconds, event.end, event)
            for event in series.changes
            if time_range.wants(event)
            and time_range.holds(event.start.seconds, event.end)
            and not _is_taken_out(event, taken_out)
        ),
        key=_start,
    )
    streams: list[Iterable[Occurrence]] = [changed] if changed or not series.masters else []
    for master in series.masters:
        stretches = _stretches(master, series.changes)
        streams += [_moved(stretch, time_range, steps) for stretch in stretches if time_range.wants(stretch.event)]
    return _merged(streams, _start)


def _merged(streams: list[Iterable[_T]], key: Callable[[_T], Any]) -> Iterator[_T]:
    """All of them in order; most series come to one."""
    return iter(streams[0]) if len(streams) == 1 else heapq.merge(*streams, key=key)


@dataclass(slots=True)
class _Hits:
    """Base instances of an event, by their moment, by their day, or as the first of a day."""

    moments: set[int] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    first_of: set[date] = field(default_factory=set)

    def take(self, time: Time, start: Time, *, first: bool) -> None:
        """Take a time in that is stated of the recurrences which begin with `start`."""
        day = time.day_beside(start)
        if day is None:
            self.moments.add(time.beside(start).seconds)
        elif first and not start.is_day:
            self.first_of.add(day)
        else:
            self.days.add(day)


def _moments(master: Event) -> set[int]:
    """The moments of the exceptions of an event; of those that are days, their midnights."""
    return {time.beside(master.start).seconds for time in master.exceptions}


def _is_taken_out(change: Event, taken_out: Iterable[tuple[Time, set[int]]]) -> bool:
    """Whether an EXDATE takes out what was changed; programs leave such changes behind."""
    at = change.identity
    return at is not None and any(at.beside(start).seconds in moments for start, moments in taken_out)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The base instances of `master` in `(low, high]`, moved `by` and as `event` says."""

    master: Event
    event: Event
    by: timedelta
    low: float
    high: float
    without: _Hits
    additions: Sequence[_Base]


def _stretches(master: Event, changes: Iterable[Event]) -> list[_Stretch]:
    without = _Hits()
    for time in master.exceptions:
        without.take(time, master.start, first=False)
    onward = []
    for change in changes:
        if change.identity is None:
            continue
        without.take(change.identity, master.start, first=True)
        if change.onward:
            onward.append((_beside(change.identity, master.start), change))
    onward.sort(key=lambda each: each[0].seconds)
    lows = [-math.inf, *(float(identity.seconds) for identity, _ in onward)]
    highs = [*lows[1:], math.inf]
    clock = master.start.zone.wall_clock
    additions = sorted(
        ((each.time.seconds, clock(each.time.seconds), each.length) for each in master.additions), key=_start
    )
    moved = [(master, timedelta()), *((change, change.start.wall_clock - at.wall_clock) for at, change in onward)]
    return [
        _Stretch(master, event, by, low, high, without, _between(additions, low, high))
        for (event, by), low, high in zip(moved, lows, highs, strict=True)
    ]


def _between(bases: Sequence[_Base], low: float, high: float) -> Sequence[_Base]:
    """The bases that start in `(low, high]`, and those of the day before.

    Without them another one would be the first of its day.
    """
    return bases[bisect_left(bases, low - DAY, key=_start) : bisect_right(bases, high, key=_start)]


def _beside(identity: Time, start: Time) -> Time:
    """The time of an instance on the clock of `start`'s zone."""
    time = identity.beside(start)
    if time.is_day or start.is_day or time.zone is start.zone:
        return time
    return Time.at(start.zone.wall_clock(time.seconds), start.zone)


def _moved(stretch: _Stretch, time_range: TimeRange, steps: Steps) -> Iterator[Occurrence]:
    found = _shown(stretch, time_range, steps)
    return found if stretch.event is stretch.master else _in_order(found)


def _shown(stretch: _Stretch, time_range: TimeRange, steps: Steps) -> Iterator[Occurrence]:
    event, by = stretch.event, stretch.by
    zone, without = event.start.zone, stretch.without
    seen: set[date] = set()
    for seconds, wall_clock, own_length in _near(stretch, time_range, steps):
        # Each costs work, though finding it may have cost none: thousands that last for years overlap any range.
        steps.take()
        day = wall_clock.date()
        if day in without.first_of and day not in seen:
            seen.add(day)
            continue
        if not stretch.low < seconds <= stretch.high or seconds in without.moments or day in without.days:
            continue
        start, clock = seconds, wall_clock
        if event is not stretch.master:
            clock = shifted(wall_clock, by)
            start = zone.moment(clock)[0]
        elif start >= time_range.end:
            return
        end = (own_length or event.length).end(clock, zone, start)
        if time_range.holds(start, end):
            yield start, end, event


def _in_order(found: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """The instances by their starts, each once.

    Where clocks are set, those that are moved pass, or meet, each other.
    """
    held: dict[int, Occurrence] = {}
    starts: list[int] = []
    for each in found:
        while starts and starts[0] <= each[0] - _TWO_DAYS:
            yield held.pop(heapq.heappop(starts))
        if each[0] not in held:
            heapq.heappush(starts, each[0])
            held[each[0]] = each
    while starts:
        yield held.pop(heapq.heappop(starts))


def _near(stretch: _Stretch, time_range: TimeRange, steps: Steps) -> Iterator[_Base]:
    """The base instances that, moved, may have to do with the range.

    None twice, ordered by start.
    """
    master, zone = stretch.master, stretch.master.start.zone
    lengths = [stretch.event.length.at_most, *(length.at_most for _, _, length in stretch.additions if length)]
    begin = _clock(zone, time_range.start)
    after = shifted(begin, -max(lengths) - stretch.by)
    after = max(after, _clock(zone, stretch.low))
    # Clocks may have been set between, or be another zone's; the first instance of a day counts from midnight.
    offsets = {seconds_of(each) - zone.moment(each)[0] for each in (begin, after, shifted(after, -2 * _DAY))}
    if stretch.without.first_of or stretch.event is not master or len(offsets) > 1:
        after = shifted(after, -2 * _DAY).replace(hour=0, minute=0, second=0)
    until = shifted(_clock(zone, time_range.end), 2 * _DAY - stretch.by)
    until = min(until, shifted(_clock(zone, stretch.high), 2 * _DAY))
    streams: list[Iterable[_Base]] = [_by_rule(rule, master, after, until, steps) for rule in master.rules]
    if not streams:
        streams.append([(master.start.seconds, master.start.wall_clock, None)])
    if stretch.additions:
        streams.append(stretch.additions)
    last: int | None = None
    # Of two at one moment, the one that has a length of its own says more.
    for base in _merged(streams, lambda each: (each[0], each[2] is None)):
        if base[0] != last:
            yield base
        last = base[0]


def _by_rule(rule: RecurrenceRule, event: Event, after: datetime, before: datetime, steps: Steps) -> Iterator[_Base]:
    zone = event.start.zone
    held: list[tuple[int, datetime]] = []
    for wall_clock in starts(rule, event.start.wall_clock, after, before, steps):
        seconds, gap = zone.moment(wall_clock)
        if gap:
            # It counts by the offset before the gap, which is later than what comes right after the gap.
            heapq.heappush(held, (seconds, wall_clock))
            continue
        while held and held[0][0] <= seconds:
            yield (*heapq.heappop(held), None)
        yield seconds, wall_clock, None
    while held:
        yield (*heapq.heappop(held), None)


def _clock(zone: Zone, seconds: float) -> datetime:
    """What the clock shows, within what can be reckoned with."""
    if seconds <= _FIRST_SECOND:
        return FIRST
    return LAST if seconds >= _LAST_SECOND else zone.wall_clock(math.floor(seconds))
