"""The starts of a series with an RRULE (RFC 5545, 3.3.10), in wall-clock time, from any time on.

dateutil walks every series from its first start, without a count of its work, seeks what never comes until the year
9999, takes whole weeks for a BYWEEKNO without BYDAY, and BYSETPOS in the first week from the first start on.

Terms: a time is in seconds, from a day 0 before the year 1. A period is what FREQ names; each INTERVAL-th counts, from
the one of the first start. A block is some of the starts in a row, as the sums of two lists (`outer`, ascending;
`inner`, ascending and closer together): those of a period or, where periods are days or less, of a day.

Steps: the period or day of the time that is asked from is reckoned, not sought. From there block follows block. COUNT
counts what the blocks hold; only where each period holds as many starts is that reckoned, too, else it is counted block
by block from the first one. Days that the rule leaves out are passed day by day, or month by month.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.importing.rule_days import days_of, month_start
from reconciler.sandbox.calendars.importing.rule_text import Frequency, Rule, RuleError, parse_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Rule", "RuleError", "Steps", "TooManyStepsError", "parse_rule", "starts"]

_DAY = 86_400
_LENGTHS = {Frequency.DAILY: _DAY, Frequency.HOURLY: 3600, Frequency.MINUTELY: 60, Frequency.SECONDLY: 1}
_TIMES_A_STEP = 20
"""How many times of a day are listed at the price of one step."""


class TooManyStepsError(Exception):
    """The work takes more steps than there are."""


@dataclass(slots=True)
class Steps:
    """A budget of work; a step is a period, day or start that is looked at. `left` are those not yet taken."""

    left: int

    def take(self, n: int = 1) -> None:
        """Take some; raises `TooManyStepsError` where fewer are left."""
        if n > self.left:
            self.left = 0
            raise TooManyStepsError
        self.left -= n


def starts(rule: Rule, first: datetime, after: datetime, before: datetime, steps: Steps) -> Iterator[datetime]:
    """The starts from `after` until before `before`, in order, of the series that begins at `first`.

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
    pattern = _Pattern(rule, first, begun, steps)
    passed, blocks = pattern.entered(floor, last)
    left -= passed
    for block in blocks:
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

    def __init__(self, rule: Rule, first: datetime, begun: int, steps: Steps) -> None:
        self._rule = rule
        self._begun = begun
        self._steps = steps
        self._days = days_of(rule, first)
        # The times within a period: of a day, an hour, a minute or a second.
        self._times = self._product(
            sorted(rule.hours or {first.hour}) if rule.frequency < Frequency.HOURLY else [0],
            sorted(rule.minutes or {first.minute}) if rule.frequency < Frequency.MINUTELY else [0],
            sorted(rule.seconds or {first.second}) if rule.frequency < Frequency.SECONDLY else [0],
        )

    def entered(self, floor: int, last: int) -> tuple[int, Iterator[_Block]]:
        """The blocks from a time on, and how many starts after the first are in none of them, but before."""
        if self._rule.frequency >= Frequency.DAILY:
            return self._entered_days(floor, last)
        return self._entered_periods(floor, last)

    def _entered_periods(self, floor: int, last: int) -> tuple[int, Iterator[_Block]]:
        rule = self._rule
        begun, entered = self._period(self._begun // _DAY), self._period(floor // _DAY)
        ahead = (entered - begun) // rule.interval
        if rule.count is None or not ahead:
            return 0, self._periods(begun + ahead * rule.interval, last)
        if rule.frequency is not Frequency.WEEKLY or not self._days.only_weekdays:
            return 0, self._periods(begun, last)
        block = self._block(begun)
        if block is None:
            return 0, iter(())
        size = len(block.outer) * len(block.inner)
        passed = size - block.rank(self._begun + 1) + (ahead - 1) * size
        return passed, self._periods(begun + ahead * rule.interval, last)

    def _periods(self, period: int, last: int) -> Iterator[_Block]:
        while self._first_day(period) * _DAY <= last:
            self._steps.take()
            block = self._block(period)
            if block is not None:
                yield block
            period += self._rule.interval

    def _period(self, day: int) -> int:
        """The number of the period that a day is in."""
        if self._rule.frequency is Frequency.WEEKLY:
            return (day - 1 - self._rule.week_start) // 7
        when = datetime.fromordinal(day)
        return when.year if self._rule.frequency is Frequency.YEARLY else 12 * when.year + when.month - 1

    def _first_day(self, period: int) -> int:
        if self._rule.frequency is Frequency.WEEKLY:
            return 7 * period + 1 + self._rule.week_start
        return month_start(period if self._rule.frequency is Frequency.MONTHLY else 12 * period)

    def _block(self, period: int) -> _Block | None:
        if self._rule.frequency is Frequency.WEEKLY:
            days = self._days.of_week(self._first_day(period))
        elif self._rule.frequency is Frequency.MONTHLY:
            days = self._days.of_month(period)
        else:
            days = self._days.of_year(period)
        times: Sequence[int] = self._times
        if self._rule.positions:
            chosen = _chosen(self._rule.positions, len(days) * len(times))
            days_and_times = (divmod(index, len(times)) for index in chosen)
            outer, times = [days[day] * _DAY + times[time] for day, time in days_and_times], (0,)
        else:
            outer = [day * _DAY for day in days]
        return _Block(0, outer, times) if outer and times else None

    def _entered_days(self, floor: int, last: int) -> tuple[int, Iterator[_Block]]:
        rule, length = self._rule, _LENGTHS[self._rule.frequency]
        inner = self._times
        if rule.positions:
            inner = [inner[index] for index in _chosen(rule.positions, len(inner))]
        listed = self._listed_periods()
        if not inner:
            return 0, iter(())
        begun = self._begun // length
        day = max(floor, self._begun) // _DAY
        first_day = self._begun // _DAY
        passed = 0
        if rule.count is not None and day > first_day:
            if listed is None and not self._days.limited:
                periods = -((begun - day * (_DAY // length)) // rule.interval)
                passed = periods * len(inner) - bisect_right(inner, self._begun - begun * length)
            else:
                day = first_day
        return passed, self._in_days(day, last, inner, listed)

    def _in_days(
        self, day: int, last: int, inner: Sequence[int], listed: dict[int, list[int]] | None
    ) -> Iterator[_Block]:
        """A block for each day that has any; `listed` are the periods of a day that the rule allows, by remainder."""
        length, interval = _LENGTHS[self._rule.frequency], self._rule.interval
        begun, a_day = self._begun // length, _DAY // length
        limited = self._days.limited
        while True:
            # The day of the next period that counts.
            day = (begun - (begun - day * a_day) // interval * interval) // a_day
            if day * _DAY > last:
                return
            self._steps.take()
            if limited and not self._days.hold(day):
                day = self._days.next(day)
                continue
            remainder = (begun - day * a_day) % interval
            outer: Sequence[int]
            outer = range(remainder * length, _DAY, interval * length) if listed is None else listed.get(remainder, ())
            if outer:
                yield _Block(day * _DAY, outer, inner)
            day += 1

    def _listed_periods(self) -> dict[int, list[int]] | None:
        """The times in a day when a period may begin, by the number's remainder; None where each may."""
        rule, length = self._rule, _LENGTHS[self._rule.frequency]
        units = ((rule.hours, 24), (rule.minutes, 60), (rule.seconds, 60))
        limits = units[: rule.frequency - Frequency.DAILY]
        if not any(limit for limit, _ in limits):
            return None
        begins = self._product(*[sorted(limit or range(size)) for limit, size in limits])
        listed: defaultdict[int, list[int]] = defaultdict(list)
        for begin in begins:
            listed[begin // length % rule.interval].append(begin)
        return listed

    def _product(self, hours: list[int], minutes: Sequence[int] = (0,), seconds: Sequence[int] = (0,)) -> list[int]:
        self._steps.take(len(hours) * len(minutes) * len(seconds) // _TIMES_A_STEP)
        return [3600 * hour + 60 * minute + second for hour in hours for minute in minutes for second in seconds]


def _chosen(positions: Iterable[int], size: int) -> list[int]:
    """The indexes that a BYSETPOS chooses of so many."""
    indexes = {position - 1 if position > 0 else size + position for position in positions}
    return sorted(index for index in indexes if 0 <= index < size)


def _seconds(when: datetime) -> int:
    return when.toordinal() * _DAY + when.hour * 3600 + when.minute * 60 + when.second


def _ceiling(when: datetime) -> int:
    return _seconds(when) + (when.microsecond > 0)
