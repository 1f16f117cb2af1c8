"""Computes the time zones that calendars bring themselves, as VTIMEZONE (RFC 5545).

Terms: an onset is the moment at which another offset begins to count. A stretch lies between two onsets that change the
offset; it begins and ends on the wall clock, too, where a gap may precede it, or times that were shown before.

Steps: a year that is asked about for the first time is reckoned once, from its onsets and the latest one before it,
wherever that is. All questions about the year are then answered by looking the stretch up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf

from reconciler.sandbox.calendars.icalendar.observances import Observance, read_observances
from reconciler.sandbox.calendars.icalendar.rules import Steps, TooManyStepsError, starts
from reconciler.sandbox.calendars.icalendar.zones import EPOCH, Zone, ZoneError, clock_of, known_zone, seconds_of

MAX_STEPS = 20_000
"""How many steps of its rules the reckoning of one year may take; most take ten."""

_TOO_MANY = "its RRULEs take too many steps"
_DAY = 86_400
_MARGIN = 2 * _DAY
"""How far the moments of a year may lie outside of it: an offset is less than a day."""


def own_zone(name: str, component: bytes) -> Zone:
    """The zone of a VTIMEZONE, from its BEGIN line to its END line.

    Raises `ZoneError` where it can't be read.

    So does a question to it where the rules take too many steps; that zone is of no more use.
    """
    return _kept(name, component)


@lru_cache(maxsize=128)
def _kept(name: str, component: bytes) -> Zone:
    observances = read_observances(component)
    known = known_zone(name)
    return known if known is not None and _lists_some_of(observances, known) else _OwnZone(name, observances)


def _lists_some_of(observances: list[Observance], known: Zone) -> bool:
    """Whether a VTIMEZONE only lists some onsets, all of which `known` has, too.

    Programs write those of the years that they care for; before and after them it says nothing that is of use.
    """
    onsets: list[tuple[int, Observance]] = []
    for each in observances:
        listed = list(each.dates)
        for first, rule in each.rules:
            if rule.until is None:
                return False
            listed += starts(rule, first, first, rule.until + timedelta(seconds=1), Steps(MAX_STEPS))
        onsets += [(seconds_of(date) - each.before, each) for date in listed]
    return all(
        each.before != each.after
        # Some programs write an onset in UTC, so that it is off by hours.
        and known.wall_clock(onset - _DAY) == clock_of(onset - _DAY + each.before)
        and known.wall_clock(onset + _DAY) == clock_of(onset + _DAY + each.after)
        for onset, each in onsets
    )


@dataclass(slots=True)
class _Year:
    """Stretches by their onsets, and parts of the wall clock's time.

    The first of both has no beginning.
    """

    onsets: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    walls: list[int] = field(default_factory=list)
    offsets_and_gaps: list[tuple[int, int]] = field(default_factory=list)


class _OwnZone:
    def __init__(self, name: str, observances: list[Observance]) -> None:
        self.name = name
        self._years: dict[int, _Year] = {}
        self._recurring = [each for each in observances if each.rules]
        # Where two begin at once, the standard time stays.
        self._listed = sorted(
            (seconds_of(date) - each.before, each.standard, each.after) for each in observances for date in each.dates
        )
        self._first, self._before_first = min(
            (seconds_of(first) - each.before, each.before)
            for each in observances
            for first in (*each.dates, *(first for first, _ in each.rules))
        )
        self._useless = False

    def moment(self, wall_clock: datetime) -> tuple[int, int]:
        year = self._years.get(wall_clock.year) or self._reckoned(wall_clock.year)
        since: timedelta = wall_clock - EPOCH
        seconds = since.days * _DAY + since.seconds
        offset, gap = year.offsets_and_gaps[bisect_right(year.walls, seconds)]
        return seconds - offset, gap

    def wall_clock(self, seconds: int) -> datetime:
        number = clock_of(seconds).year
        year = self._years.get(number) or self._reckoned(number)
        return clock_of(seconds + year.offsets[bisect_right(year.onsets, seconds)])

    def _reckoned(self, number: int) -> _Year:
        if self._useless:
            raise ZoneError(_TOO_MANY)
        try:
            year = self._reckon(number, Steps(MAX_STEPS))
        except TooManyStepsError as error:
            self._useless = True
            raise ZoneError(_TOO_MANY) from error
        self._years[number] = year
        return year

    def _reckon(self, number: int, steps: Steps) -> _Year:
        begin = seconds_of(datetime(number, 1, 1)) - _MARGIN  # noqa: DTZ001 -- a wall clock
        end = begin + 366 * _DAY + 2 * _MARGIN
        span = 366 * _DAY
        onsets = self._onsets(begin - span, end, steps)
        if self._first > begin:
            offset = self._before_first
        else:
            latest = [onset for onset in onsets if onset[0] <= begin]
            while not latest and begin - span > self._first:
                latest = self._onsets(begin - 2 * span, begin - span, steps)
                span *= 2
            offset = latest[-1][2] if latest else self._before_first
        return _year(offset, [(moment, after) for moment, _, after in onsets if moment > begin])

    def _onsets(self, begin: int, end: int, steps: Steps) -> list[tuple[int, bool, int]]:
        """The onsets from one moment until before another, in order."""
        found = self._listed[bisect_left(self._listed, (begin,)) : bisect_left(self._listed, (end,))]
        for each in self._recurring:
            after, before = clock_of(begin + each.before), clock_of(end + each.before)
            found += [
                (seconds_of(onset) - each.before, each.standard, each.after)
                for first, rule in each.rules
                for onset in starts(rule, first, after, before, steps)
            ]
        return sorted(found)


def _year(offset: int, onsets: list[tuple[int, int]]) -> _Year:
    """The stretches of a year, of which the first has this offset.

    Of onsets at one moment the last counts.
    """
    stretches: list[tuple[int, int]] = []
    latest = offset
    for moment, after in dict(onsets).items():
        if after != latest:
            stretches.append((moment, after))
            latest = after
    year = _Year(offsets=[offset], offsets_and_gaps=[(offset, 0)])
    ends: list[float] = [*(begin for begin, _ in stretches), inf]
    reached = ends.pop(0) + offset
    for (begin, after), end in zip(stretches, ends, strict=True):
        year.onsets.append(begin)
        year.offsets.append(after)
        if begin + after > reached:
            year.walls.append(int(reached))
            year.offsets_and_gaps.append((offset, begin + after - int(reached)))
            reached = begin + after
        # What it only shows again counts the first time.
        if end + after > reached:
            year.walls.append(int(reached))
            year.offsets_and_gaps.append((after, 0))
            reached, offset = end + after, after
    return year
