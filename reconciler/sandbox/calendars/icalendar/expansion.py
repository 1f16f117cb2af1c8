"""Expands a calendar in a range of time: all of its series side by side, in order.

Terms: a single is an event that happens once; all others recur and make a stream of instances. A step is a unit of
work, the same on every machine; steps bound the work for one series, seconds bound the question as a whole.

Steps: the singles are sorted, and merged with the streams of all series by start. Instances are made one by one as they
are wanted, so that a range of any length costs no more than what is answered of it. It ends once enough instances are
found, or the time is over; then the answer says from when on instances are missing, and why.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.instances import Instance
from reconciler.sandbox.calendars.icalendar.recurrences import occurrences
from reconciler.sandbox.calendars.icalendar.rules import Steps, TooManyStepsError
from reconciler.sandbox.calendars.icalendar.series import shown_uid
from reconciler.sandbox.calendars.icalendar.zones import ZoneError, clock_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.sandbox.calendars.icalendar.events import Event
    from reconciler.sandbox.calendars.icalendar.instances import TimeRange
    from reconciler.sandbox.calendars.icalendar.recurrences import Occurrence
    from reconciler.sandbox.calendars.icalendar.series import Series

_LOOKED_AT_CLOCK_EVERY = 64
_LEFT = 1 / 4
"""The part of a question's time that is left once all series have begun."""

_OFTEN, _OFTEN_SECONDS = 1000, 60


class _TooOftenError(Exception):
    """A series begins with too many instances in a row that are less than a minute apart."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`enough` instances end the search early.

    `series_steps` bound the work for one series of a question.
    """

    enough: int = 2000
    series_steps: int = 100_000


@dataclass(slots=True)
class Expansion:
    """The instances that start before `until` (seconds since the epoch), in order.

    `faults` say what is missing.

    Not `complete` where the time was over: another time there may be more.
    """

    until: float
    instances: list[Instance] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    complete: bool = True


def expand(all_series: Sequence[Series], time_range: TimeRange, *, over_at: float, limits: Limits) -> Expansion:
    """What overlaps the range, or begins in it; what began before it comes first.

    It ends once it is `over_at` (monotonic).
    """
    done = Expansion(until=time_range.end)
    streams: list[Iterable[Instance]] = [sorted(_singles(all_series, time_range))]
    recurring = [series for series in all_series if series.single is None]
    # Where the beginnings of all series take too long, the time left is for what is there.
    begun_by = over_at - _LEFT * (over_at - time.monotonic())
    too_late: list[Series] = []
    for series in recurring:
        steps = Steps(limits.series_steps)
        streams.append(_begun(_instances(series, time_range, steps, done.faults), series, begun_by, too_late))
    merged = heapq.merge(*streams, key=lambda each: (each.start, each.key))
    for number, instance in enumerate(merged):
        # What began before the range comes all at once: there is no moment to go on from.
        if len(done.instances) >= limits.enough and instance.start > max(done.instances[-1].start, time_range.start):
            done.until = instance.start
            break
        if number % _LOOKED_AT_CLOCK_EVERY == 0 and time.monotonic() > over_at:
            since = _day(max(instance.start, time_range.start))
            done.faults.append(f"there was no time for all of its events; those from {since} on are left out")
            done.complete = False
            break
        done.instances.append(instance)
    if too_late:
        done.faults.append(f"there was no time for {len(too_late)} of its series; they are left out")
        done.complete = False
    return done


def _begun(found: Iterator[Instance], series: Series, begun_by: float, too_late: list[Series]) -> Iterator[Instance]:
    """`found`, or nothing where it is too late to begin with it."""
    if time.monotonic() > begun_by:
        too_late.append(series)
    else:
        yield from found


def _singles(all_series: Iterable[Series], time_range: TimeRange) -> Iterator[Instance]:
    for series in all_series:
        event = series.single
        if event is not None and time_range.wants(event) and time_range.holds(event.start.seconds, end := event.end):
            yield _instance(series, event, event.start.seconds, end, 0)


def _instances(series: Series, time_range: TimeRange, steps: Steps, faults: list[str]) -> Iterator[Instance]:
    """The instances of a series, ordered by start and key.

    What it costs too much to find is a fault.
    """
    at_once = 0
    last: int | None = None
    left_out = f"event {shown_uid(series.uid)} is left out"
    try:
        for start, end, event in _not_too_often(occurrences(series, time_range, steps)):
            at_once = at_once + 1 if start == last else 0
            last = start
            yield _instance(series, event, start, end, at_once)
    except _TooOftenError:
        faults.append(f"{left_out}: it recurs more often than once a minute")
    except ZoneError as error:
        faults.append(f"{left_out}: its time zone can't be computed ({error})")
    except TooManyStepsError:
        since = "" if last is None else f" from {_day(last)} on"
        faults.append(f"{left_out}{since}: finding its recurrences takes too many steps")


def _not_too_often(found: Iterator[Occurrence]) -> Iterator[Occurrence]:
    """`found`, unless it begins with a thousand instances less than a minute apart (`_TooOftenError`)."""
    head: list[Occurrence] = []
    for each in found:
        head.append(each)
        if len(head) > 1 and each[0] - head[-2][0] >= _OFTEN_SECONDS:
            break
        if len(head) > _OFTEN:
            raise _TooOftenError
    return chain(head, found)


def _instance(series: Series, event: Event, start: int, end: int, at_once: int) -> Instance:
    return Instance(
        start=start,
        key=f"{_short(series, event)}{at_once:04d}",
        end=end,
        all_day=event.start.is_day,
        title=event.title,
        uid=event.uid,
        mark=event.mark,
    )


def _short(series: Series, event: Event) -> str:
    # What has no UID is told apart by where it stands.
    name = f"{series.number}\0{event.uid}" if event.uid else f"\0{event.place}"
    return hashlib.blake2b(name.encode(), digest_size=9).hexdigest()


def _day(seconds: float) -> str:
    return clock_of(math.floor(seconds)).date().isoformat()
