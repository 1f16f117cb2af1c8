"""Finds the days of a rule: what its BY parts leave of a year, month, week or day.

Those parts are BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY.

A day is its ordinal (`date.toordinal`), a month 12 times its year and the months before it in the year. The days of a
year are those of its months, also where one of its weeks begins in the year before.
"""

from __future__ import annotations

from calendar import isleap
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.icalendar.rule_text import RecurrenceFrequency, RecurrenceRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LAST_DAY = date.max.toordinal()

_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def month_start(month: int) -> int:
    """The first day of a month, for any number: also of months that no `date` has."""
    year, number = divmod(month, 12)
    past = year - 1
    return 365 * past + past // 4 - past // 100 + past // 400 + 1 + _BEFORE[number] + (number > 1 and isleap(year))


@dataclass(frozen=True, slots=True)
class Days:
    """The limits of days; those that are empty don't limit.

    `ordinals` are those that a weekday is counted by, 0 for each; they count in the month, or in the year where
    `in_year`.
    """

    months: frozenset[int]
    month_days: frozenset[int]
    year_days: frozenset[int]
    week_numbers: frozenset[int]
    ordinals: dict[int, frozenset[int]]
    in_year: bool
    week_start: int

    @property
    def limited(self) -> bool:
        """Anything limits them."""
        return bool(self.ordinals) or not self.only_weekdays

    @property
    def only_weekdays(self) -> bool:
        """Nothing but the weekday limits them."""
        return not (self.months or self.month_days or self.year_days or self.week_numbers)

    def hold(self, day: int) -> bool:
        """Whether a day is within all limits."""
        when = date.fromordinal(day)
        if self.months and when.month not in self.months:
            return False
        start = month_start(12 * when.year)
        if self.ordinals and not self._weekday_holds(day, when, start):
            return False
        if self.month_days:
            length = month_start(12 * when.year + when.month) - day + when.day - 1
            if when.day not in self.month_days and when.day - length - 1 not in self.month_days:
                return False
        if self.year_days:
            number = day - start + 1
            if number not in self.year_days and day - month_start(12 * when.year + 12) not in self.year_days:
                return False
        return not self.week_numbers or self._week_holds(day)

    def next(self, day: int) -> int:
        """The day that is tried after one that is not held: months are left out as a whole."""
        when = date.fromordinal(day)
        if not self.months or when.month in self.months:
            return day + 1
        later = min((number - when.month) % 12 for number in self.months)
        return month_start(12 * when.year + when.month - 1 + later)

    def of_year(self, year: int) -> list[int]:
        """The days of a year that may hold, in order."""
        start, end = month_start(12 * year), month_start(12 * year + 12)
        found: Iterable[int]
        if self.year_days:
            found = (start + number - 1 if number > 0 else end + number for number in self.year_days)
        elif self.month_days or (self.months and not self.week_numbers):
            months = [12 * year + number - 1 for number in self.months or range(1, 13)]
            found = (day for month in months for day in self._between(month_start(month), month_start(month + 1)))
        elif self.week_numbers:
            found = self._of_weeks(year)
        else:
            found = self._between(start, end)
        return sorted({day for day in found if start <= day < end})

    def of_month(self, month: int) -> list[int]:
        """The days of a month that may hold, in order."""
        if self.months and month % 12 + 1 not in self.months:
            return []
        start, end = month_start(month), month_start(month + 1)
        return sorted({day for day in self._between(start, end) if start <= day < end})

    def of_week(self, start: int) -> list[int]:
        """The days of a week, in order."""
        return list(range(max(start, 1), min(start + 7, LAST_DAY + 1)))

    def _between(self, start: int, end: int) -> Iterator[int]:
        """Days from `start` until before `end`, a month or a year, that the tightest limit allows.

        And some around.
        """
        if self.month_days:
            yield from (start + number - 1 if number > 0 else end + number for number in self.month_days)
        elif self.ordinals:
            for weekday, ordinals in self.ordinals.items():
                first, after = start + (weekday - start + 1) % 7, end + (weekday - end + 1) % 7
                for ordinal in ordinals:
                    if ordinal == 0:
                        yield from range(first, end, 7)
                    else:
                        yield first + 7 * (ordinal - 1) if ordinal > 0 else after + 7 * ordinal
        else:
            yield from range(start, end)

    def _of_weeks(self, year: int) -> Iterator[int]:
        """The days of the weeks that are wholly or partly in a year."""
        for each in (year - 1, year, year + 1):
            start = self._first_week(each)
            end = self._first_week(each + 1)
            for number in self.week_numbers:
                week = start + 7 * (number - 1) if number > 0 else end + 7 * number
                if start <= week < end:
                    yield from range(week, week + 7)

    def _weekday_holds(self, day: int, when: date, year_start: int) -> bool:
        ordinals = self.ordinals.get((day - 1) % 7)
        if ordinals is None or 0 in ordinals:
            return ordinals is not None
        if self.in_year:
            start, end = year_start, month_start(12 * when.year + 12)
        else:
            start, end = day - when.day + 1, month_start(12 * when.year + when.month)
        return (day - start) // 7 + 1 in ordinals or (day - end) // 7 in ordinals

    def _week_holds(self, day: int) -> bool:
        """Whether the number of the day's week is one of those wanted.

        A week is of the year that has its 4th day.
        """
        week = day - (day - 1 - self.week_start) % 7
        year = date.fromordinal(min(max(week + 3, 1), LAST_DAY)).year
        start, end = self._first_week(year), self._first_week(year + 1)
        return (week - start) // 7 + 1 in self.week_numbers or (week - end) // 7 in self.week_numbers

    def _first_week(self, year: int) -> int:
        fourth = month_start(12 * year) + 3
        return fourth - (fourth - 1 - self.week_start) % 7


def days_of(rule: RecurrenceRule, first: date) -> Days:
    """The limits of a rule's days.

    What it leaves open is taken from the first day of the series.
    """
    months, month_days, weekdays = rule.months, rule.month_days, rule.weekdays
    if not (weekdays or month_days or rule.year_days):
        if rule.frequency is RecurrenceFrequency.WEEKLY or (
            rule.week_numbers and rule.frequency < RecurrenceFrequency.WEEKLY
        ):
            weekdays = frozenset({(first.weekday(), 0)})
        elif rule.frequency in {RecurrenceFrequency.YEARLY, RecurrenceFrequency.MONTHLY}:
            month_days = frozenset({first.day})
            if rule.frequency is RecurrenceFrequency.YEARLY:
                months = months or frozenset({first.month})
    ordinals: defaultdict[int, set[int]] = defaultdict(set)
    for weekday, ordinal in weekdays:
        ordinals[weekday].add(ordinal)
    return Days(
        months=months,
        month_days=month_days,
        year_days=rule.year_days,
        week_numbers=rule.week_numbers,
        ordinals={weekday: frozenset(counted) for weekday, counted in ordinals.items()},
        in_year=rule.frequency is RecurrenceFrequency.YEARLY and not months,
        week_start=rule.week_start,
    )
