"""Makes the starts of a series with an RRULE, in wall-clock time, from any time on.

RFC 5545, 3.3.10 defines them.

dateutil walks every series from its first start, without a count of its work, seeks what never comes until the year
9999, takes whole weeks for a BYWEEKNO without BYDAY, and BYSETPOS in the first week from the first start on.

Terms: a time is in seconds, from a day 0 before the year 1. A period is what FREQ names; each INTERVAL-th counts, from
the one of the first start. A block is some of the starts in a row, as the sums of two lists (`outer`, ascending;
`inner`, ascending and closer together): those of a period; where periods are days or less, of a day; where each period
has the same, of all periods.

Steps: the period or day of the time that is asked from is reckoned, not sought. From there block follows block, and a
block is entered by bisection. COUNT counts what the blocks hold, from the first one on. Days that the rule leaves out
are passed day by day, or month by month.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import gcd, inf
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.rule_days import days_of, month_start
from reconciler.sandbox.calendars.icalendar.rule_text import RecurrenceFrequency, RecurrenceRule, RuleError, parse_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["RecurrenceRule", "RuleError", "Steps", "TooManyStepsError", "parse_rule", "starts"]

_DAY = 86_400
_LENGTHS = {
    RecurrenceFrequency.DAILY: _DAY,
    RecurrenceFrequency.HOURLY: 3600,
    RecurrenceFrequency.MINUTELY: 60,
    RecurrenceFrequency.SECONDLY: 1,
}
_NUMBERS_A_STEP = 20
"""How many times of a day are listed, or positions are looked up, at the price of one step."""


class TooManyStepsError(Exception):
    """The work takes more steps than there are."""


@dataclass(slots=True)
class Steps:
    """A budget of work.

    A step is a period, day or start that is looked at. `left` are those not yet taken.
    """

    left: int

    def take(self, n: int = 1) -> None:
        """Take some; raises `TooManyStepsError` where fewer are left."""
        if n > self.left:
            self.left = 0
            raise TooManyStepsError
        self.left -= n


def starts(
    rule: RecurrenceRule, first: datetime, after: datetime, before: datetime, steps: Steps
) -> Iterator[datetime]:
    """The starts in `[after, before)`, in order, of the series that begins at `first`.

    `first` is one of them and counts, also where the rule doesn't hit it.
    """
    begun = _seconds(first)
    last = _ceiling(before) - 1 if rule.until is None else min(_ceiling(before) - 1, _seconds(rule.until))
    if begun > last:
        return
    floor = _ceiling(after)
    if begun >= floor:
        steps.take()
        yield first
    floor = max(floor, begun + 1)
    if floor > last:
        return
    left = inf if rule.count is None else rule.count - 1
    for block in _Pattern(rule, first, begun, steps).blocks(floor, last):
        position = 0
        if block.base + block.outer[0] <= floor:
            position = block.rank(floor)
            left -= position - block.rank(begun + 1)
        outer, inner = divmod(position, len(block.inner))
        for begin in block.outer[outer:]:
            for offset in block.inner[inner:]:
                start = block.base + begin + offset
                if left <= 0 or start > last:
                    return
                steps.take()
                yield first + timedelta(seconds=start - begun)
                left -= 1
            inner = 0
        if left <= 0:
            return


@dataclass(frozen=True, slots=True)
class _Block:
    base: int
    outer: Sequence[int]
    inner: Sequence[int]

    def rank(self, time: int) -> int:
        """How many of its starts are before a time."""
        outer = bisect_right(self.outer, time - self.base) - 1
        if outer < 0:
            return 0
        return outer * len(self.inner) + bisect_left(self.inner, time - self.base - self.outer[outer])


class _Pattern:
    """A rule with what it takes from the first start, as blocks."""

    def __init__(self, rule: RecurrenceRule, first: datetime, begun: int, steps: Steps) -> None:
        self._rule = rule
        self._begun = begun
        self._steps = steps
        self._days = days_of(rule, first)
        # The times within a period: of a day, an hour, a minute or a second.
        self._times = self._product(
            sorted(rule.hours or {first.hour}) if rule.frequency < RecurrenceFrequency.HOURLY else [0],
            sorted(rule.minutes or {first.minute}) if rule.frequency < RecurrenceFrequency.MINUTELY else [0],
            sorted(rule.seconds or {first.second}) if rule.frequency < RecurrenceFrequency.SECONDLY else [0],
        )
        self._listed = self._listed_periods()

    def blocks(self, floor: int, last: int) -> Iterator[_Block]:
        """The blocks from the one that a time is in; where starts are counted, from the first."""
        rule = self._rule
        if rule.count is not None:
            floor = self._begun
        if (steady := self._steady_periods()) is not None:
            return self._at_once(*steady, last)
        if rule.frequency >= RecurrenceFrequency.DAILY:
            return self._in_days(max(floor, self._begun) // _DAY, last)
        begun = self._period(self._begun // _DAY)
        ahead = (self._period(floor // _DAY) - begun) // rule.interval
        return self._in_periods(begun + ahead * rule.interval, last)

    def _steady_periods(self) -> tuple[int, int, list[int]] | None:
        """The first period's start, the length, and the times in it, if they are the same in each."""
        rule, days = self._rule, self._days
        each_day = rule.frequency is RecurrenceFrequency.DAILY and rule.interval == 1 and not rule.positions
        if days.ordinals and days.only_weekdays and (rule.frequency is RecurrenceFrequency.WEEKLY or each_day):
            offsets = [day * _DAY for day in range(7) if (rule.week_start + day) % 7 in days.ordinals]
            self._steps.take(len(offsets) * len(self._times) // _NUMBERS_A_STEP)
            times = [offset + time for offset in offsets for time in self._times]
            day = self._begun // _DAY
            return (day - (day - 1 - rule.week_start) % 7) * _DAY, 7 * _DAY, times
        if rule.frequency >= RecurrenceFrequency.DAILY and not days.limited and self._listed is None:
            length = _LENGTHS[rule.frequency]
            return self._begun // length * length, length, self._times
        return None

    def _at_once(self, begin: int, length: int, times: list[int], last: int) -> Iterator[_Block]:
        self._steps.take()
        inner = self._chosen(times)
        if inner:
            yield _Block(0, range(begin, last + 1, length * self._rule.interval), inner)

    def _in_periods(self, period: int, last: int) -> Iterator[_Block]:
        while self._first_day(period) * _DAY <= last:
            if (block := self._block(period)) is not None:
                yield block
            period += self._rule.interval

    def _period(self, day: int) -> int:
        """The number of the period that a day is in."""
        if self._rule.frequency is RecurrenceFrequency.WEEKLY:
            return (day - 1 - self._rule.week_start) // 7
        when = datetime.fromordinal(day)
        return when.year if self._rule.frequency is RecurrenceFrequency.YEARLY else 12 * when.year + when.month - 1

    def _first_day(self, period: int) -> int:
        if self._rule.frequency is RecurrenceFrequency.WEEKLY:
            return 7 * period + 1 + self._rule.week_start
        return month_start(period if self._rule.frequency is RecurrenceFrequency.MONTHLY else 12 * period)

    def _block(self, period: int) -> _Block | None:
        if self._rule.frequency is RecurrenceFrequency.WEEKLY:
            days = self._days.of_week(self._first_day(period))
        elif self._rule.frequency is RecurrenceFrequency.MONTHLY:
            days = self._days.of_month(period)
        else:
            days = self._days.of_year(period)
        self._steps.take(1 + len(days) + len(self._rule.positions) // _NUMBERS_A_STEP)
        outer = [day * _DAY for day in days if self._days.hold(day)]
        if not self._rule.positions:
            return _Block(0, outer, self._times) if outer else None
        # Each of its times needn't be listed.
        size = len(self._times)
        chosen = (divmod(index, size) for index in _indexes(self._rule.positions, len(outer) * size))
        starts = [outer[day] + self._times[time] for day, time in chosen]
        return _Block(0, starts, (0,)) if starts else None

    def _in_days(self, day: int, last: int) -> Iterator[_Block]:
        length, interval = _LENGTHS[self._rule.frequency], self._rule.interval
        begun, a_day = self._begun // length, _DAY // length
        inner = self._chosen(self._times)
        while inner and (self._listed is None or self._listed):
            # The day of the next period that counts.
            day = (begun - (begun - day * a_day) // interval * interval) // a_day
            if day * _DAY > last:
                return
            self._steps.take()
            if self._days.hold(day):
                remainder = (begun - day * a_day) % interval
                if self._listed is None:
                    yield _Block(day * _DAY, range(remainder * length, _DAY, interval * length), inner)
                elif remainder in self._listed:
                    yield _Block(day * _DAY, self._listed[remainder], inner)
                day += 1
            else:
                day = self._days.next(day)

    def _listed_periods(self) -> dict[int, list[int]] | None:
        """The times of a day when a period may begin, by the remainder of its number.

        None where each may.

        Those that the interval meets on no day are left out.
        """
        rule, length = self._rule, _LENGTHS.get(self._rule.frequency, _DAY)
        levels = rule.frequency - RecurrenceFrequency.DAILY
        limits = ((rule.hours, 24), (rule.minutes, 60), (rule.seconds, 60))[:levels]
        if rule.frequency <= RecurrenceFrequency.DAILY or not any(limit for limit, _ in limits):
            return None
        common = gcd(rule.interval, _DAY // length)
        listed: defaultdict[int, list[int]] = defaultdict(list)
        for begin in self._product(*[sorted(limit or range(size)) for limit, size in limits]):
            if (begin // length - self._begun // length) % common == 0:
                listed[begin // length % rule.interval].append(begin)
        return listed

    def _chosen(self, times: list[int]) -> list[int]:
        positions = self._rule.positions
        return [times[index] for index in _indexes(positions, len(times))] if positions else times

    def _product(self, hours: list[int], minutes: Sequence[int] = (0,), seconds: Sequence[int] = (0,)) -> list[int]:
        self._steps.take(len(hours) * len(minutes) * len(seconds) // _NUMBERS_A_STEP)
        return [3600 * hour + 60 * minute + second for hour in hours for minute in minutes for second in seconds]


def _indexes(positions: Iterable[int], size: int) -> list[int]:
    """The indexes that a BYSETPOS chooses of so many."""
    indexes = {position - 1 if position > 0 else size + position for position in positions}
    return sorted(index for index in indexes if 0 <= index < size)


def _seconds(when: datetime) -> int:
    return when.toordinal() * _DAY + when.hour * 3600 + when.minute * 60 + when.second


def _ceiling(when: datetime) -> int:
    return _seconds(when) + (when.microsecond > 0)
