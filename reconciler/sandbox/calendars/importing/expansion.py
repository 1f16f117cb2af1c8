"""What a calendar's series come to in a range of time: recurrences expanded, cancelled and free events left out.

The range is gone through in slices, so that a range of any length costs no more than what is wanted of it. A series
that takes too long in a slice is left out and named; the others still answer.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, cast

import recurring_ical_events  # type: ignore[import-untyped] # it brings no types
from recurring_ical_events import ComponentsWithName, EventAdapter, Occurrence

from reconciler.sandbox.calendars.importing.event_lines import EXPORT_MARK
from reconciler.sandbox.calendars.importing.instances import Instance
from reconciler.sandbox.calendars.importing.series import Series, shown_uid
from reconciler.sandbox.calendars.importing.time_limit import TooLongError, time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import icalendar

FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
"""The times between which events are looked for: the library reckons with days around what it is asked about."""

_FIRST_SLICE = timedelta(days=62)
_GROWTH = 3
_MAX_WHY = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """`enough` occurrences end the search early; times are in seconds: for one series in one slice, and for all."""

    enough: int = 2000
    series_seconds: float = 1.0
    total_seconds: float = 10.0


@dataclass(slots=True)
class Expansion:
    """The instances that start before `until` (seconds since the epoch), in order.

    `given_up` are the numbers of the series that had to be left out, `reasons` say why, one each; `faults` say what
    else is missing.
    """

    until: float
    instances: list[Instance] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Adapter(EventAdapter):  # type: ignore[misc] # as above
    """Shows the component, which the library keeps to itself."""

    @property
    def component(self) -> icalendar.Event:
        return cast("icalendar.Event", self._component)


class _Timed(Occurrence):  # type: ignore[misc] # as above
    """Answers times and component as they are, where the library would copy the component for each instance."""

    def __init__(self, adapter: _Adapter, *args: object, **named: object) -> None:
        super().__init__(adapter, *args, **named)
        self.component = adapter.component

    def as_component(self, keep_recurrence_attributes: bool) -> _Timed:  # noqa: ARG002, FBT001 -- the library's hook
        return self


_EVENTS = ComponentsWithName("VEVENT", adapter=_Adapter, occurrence=_Timed)


def expand(
    all_series: Sequence[Series],
    start: float,
    end: float,
    *,
    all_day: bool | None,
    skipped: Iterable[int] = (),
    limits: Limits | None = None,
) -> Expansion:
    """What overlaps the range from `start` to `end`, or begins in it; what began before `start` comes first.

    `all_day` asks for all-day events only, or for the others only. `skipped` are the numbers of series to leave out.
    """
    left_out = frozenset(skipped)
    wanted = {
        number: series
        for number, series in enumerate(all_series)
        if number not in left_out and (all_day is None or (series.all_day if all_day else series.timed))
    }
    search = _Search(wanted, limits or Limits(), Expansion(until=end))
    search.run(_within(start), _within(end))
    done = search.done
    done.instances = sorted(
        each for each in done.instances if each.start < done.until and all_day in {None, each.all_day}
    )
    return done


@dataclass(slots=True)
class _Search:
    """One expansion under way; a query of a series is made when the series is first asked about."""

    wanted: dict[int, Series]
    limits: Limits
    done: Expansion
    queries: dict[int, Callable[[datetime, datetime], list[_Timed]]] = field(default_factory=dict)

    def run(self, start: datetime, last: datetime) -> None:
        """Slice after slice, until the end, enough instances, or the end of the time."""
        over_at = time.monotonic() + self.limits.total_seconds
        singles = {number: series for number, series in self.wanted.items() if series.single}
        recurring = {number: series for number, series in self.wanted.items() if not series.single}
        if not self._slice(singles, start, last, over_at):
            return
        found, begun, length = len(self.done.instances), start, _FIRST_SLICE
        while recurring and begun < last:
            until = last if last - begun <= length else begun + length
            if not self._slice(recurring, begun, until, over_at, floor=None if begun == start else begun):
                return
            if until < last and len(self.done.instances) - found >= self.limits.enough:
                self.done.until = until.timestamp()
                return
            begun, length = until, length * _GROWTH

    def _slice(
        self,
        chosen: dict[int, Series],
        start: datetime,
        until: datetime,
        over_at: float,
        floor: datetime | None = None,
    ) -> bool:
        """The instances of one slice; those that start before `floor` are known. False where the time is over."""
        for number, series in tuple(chosen.items()):
            left = over_at - time.monotonic()
            if left <= 0:
                total = self.limits.total_seconds
                self.done.faults.append(f"its events take longer than {total:g} s; some are left out")
                return False
            try:
                with time_limit(min(self.limits.series_seconds, left)):
                    instances = self._instances(number, series, start, until)
            except (TooLongError, Exception) as error:  # noqa: BLE001 -- the libraries raise what they happen upon
                del chosen[number]
                self.done.given_up.append(number)
                self.done.reasons.append(_given_up(series, error, self.limits))
                continue
            known = -math.inf if floor is None else floor.timestamp()
            self.done.instances += [each for each in instances if each.start >= known]
        return True

    def _instances(self, number: int, series: Series, start: datetime, until: datetime) -> list[Instance]:
        if series.single:
            adapter = _Adapter(series.calendar.subcomponents[0])
            return _shown(series, [_Timed(adapter)] if adapter.is_in_span(start, until) else [])
        if number not in self.queries:
            self.queries[number] = recurring_ical_events.of(series.calendar, components=[_EVENTS]).between
        return _shown(series, self.queries[number](start, until))


def _within(seconds: float) -> datetime:
    if seconds <= FIRST.timestamp():
        return FIRST
    return LAST if seconds >= LAST.timestamp() else datetime.fromtimestamp(seconds, UTC)


def _shown(series: Series, found: list[_Timed]) -> list[Instance]:
    instances = []
    at_once: Counter[int] = Counter()
    for each in found:
        texts = each.component
        if texts.get("STATUS", "").upper() == "CANCELLED" or texts.get("TRANSP", "").upper() == "TRANSPARENT":
            continue
        start, end = _seconds(each.start), _seconds(each.end)
        instances.append(
            Instance(
                start=start,
                key=f"{_short(series.uid)}{at_once[start]}",
                end=max(start, end),
                all_day=not isinstance(each.start, datetime),
                title=texts.get("SUMMARY", ""),
                uid=series.uid,
                mark=texts.get(EXPORT_MARK, ""),
            )
        )
        at_once[start] += 1
    return instances


def _short(uid: str) -> str:
    return hashlib.blake2b(uid.encode(), digest_size=9).hexdigest()


def _seconds(when: date) -> int:
    """Seconds since the epoch; a day begins at 00:00 UTC, as the API writes it."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC)
    elif when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return math.floor(when.timestamp())


def _given_up(series: Series, error: BaseException, limits: Limits) -> str:
    if isinstance(error, TooLongError):
        why = f"its recurrences take longer than {limits.series_seconds:g} s"
    else:
        why = f"its recurrences can't be reckoned ({type(error).__name__}: {str(error)[:_MAX_WHY]})"
    return f"event {shown_uid(series.uid)} is left out: {why}"
