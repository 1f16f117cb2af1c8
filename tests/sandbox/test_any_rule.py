"""Any rule means what another implementation says, from wherever it is entered, at a bounded price."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

from dateutil import rrule as dateutil_rrule
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.calendars.icalendar.rules import Steps, TooManyStepsError, parse_rule, starts
from tests.sandbox.wall_clock import ENOUGH, in_new_york, time
from tests.support.profiles import examples

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
HORIZONS = {
    name: timedelta(days=number) for name, number in zip(FREQUENCIES, (9000, 3000, 1000, 700, 40, 2, 0.1), strict=True)
}
"""How long the random series of a frequency are looked at."""
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FIRSTS = st.datetimes(time("19500101"), time("20400101")).map(lambda each: each.replace(microsecond=0))
LENGTHS = st.floats(0, 1)


def numbers(low: int, high: int, *, negative: bool = False) -> st.SearchStrategy[str]:
    """A few numbers of a BY part."""
    each = st.integers(low, high)
    chosen = each | each.map(lambda number: -number) if negative else each
    return st.lists(chosen, min_size=1, max_size=4).map(lambda listed: ",".join(map(str, listed)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules of all parts but COUNT and UNTIL, as dateutil understands them, too.

    It has other views of BYWEEKNO without BYDAY, of weekdays some of which have ordinals, and of a BYSETPOS in the
    first week; the last week numbers of a year it looks for in another year.
    """
    frequency = draw(st.sampled_from(FREQUENCIES))
    long = frequency in {"YEARLY", "MONTHLY"}
    parts = {"FREQ": frequency, "WKST": draw(st.sampled_from(WEEKDAYS))}
    wanted = draw(
        st.sets(st.sampled_from(["BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND"]), max_size=3)
    )
    if draw(st.booleans()):
        parts["INTERVAL"] = str(draw(st.integers(1, 4) if long else st.integers(1, 100)))
    if "BYMONTH" in wanted:
        parts["BYMONTH"] = draw(numbers(1, 12))
    if "BYMONTHDAY" in wanted:
        parts["BYMONTHDAY"] = draw(numbers(1, 31, negative=True))
    by_week = frequency == "YEARLY" and draw(st.integers(0, 3)) == 0
    if "BYDAY" in wanted or by_week:
        listed = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True))
        ordinal = st.sampled_from([1, 2, 3, 4, 5, -1, -2, -5]).map(str)
        counted = long and not by_week and draw(st.booleans())
        parts["BYDAY"] = ",".join((draw(ordinal) if counted else "") + weekday for weekday in listed)
    if by_week:
        parts["BYWEEKNO"] = draw(numbers(1, 50, negative=True))
    elif frequency == "YEARLY" and draw(st.integers(0, 3)) == 0:
        parts["BYYEARDAY"] = draw(numbers(1, 366, negative=True))
    for name, high in (("BYHOUR", 23), ("BYMINUTE", 59), ("BYSECOND", 59)):
        if name in wanted:
            parts[name] = draw(numbers(0, high))
    if frequency != "WEEKLY" and wanted and draw(st.integers(0, 3)) == 0:
        parts["BYSETPOS"] = draw(numbers(1, 3, negative=True))
    return ";".join(f"{name}={text}" for name, text in parts.items())


def whole(rule: str, first: datetime) -> list[datetime]:
    """All starts of a series within the horizon of its frequency."""
    read = parse_rule(rule, all_day=False, wall_clock=in_new_york)
    before = first + HORIZONS[read.frequency.name]
    return list(starts(read, first, first, before, Steps(ENOUGH)))


@examples(150, profile="tests")
@given(rule=rules(), first=FIRSTS)
def test_any_rule_means_what_dateutil_says(rule: str, first: datetime) -> None:
    """Another implementation finds the same, but for a first start that the rule doesn't hit: it leaves that out."""
    mine = whole(rule, first)[:20]
    try:
        others = dateutil_rrule.rrulestr(rule, dtstart=first)
    except ValueError as error:
        assert "empty set" in str(error)  # noqa: PT017 -- some rules it can't read
        assert mine == [first]
        return
    if len(mine) == 1:  # it would seek until the year 9999
        return
    theirs = list(islice(others, len(mine)))
    assert mine == (theirs if theirs[0] == first else [first, *theirs[:-1]])


COUNTS = st.sampled_from(["", ";COUNT=1", ";COUNT=2", ";COUNT=7", ";COUNT=40"])


@examples(150, profile="tests")
@given(rule=rules(), count=COUNTS, first=FIRSTS, entered=LENGTHS, length=LENGTHS)
def test_a_window_is_a_part_of_the_whole(rule: str, count: str, first: datetime, entered: float, length: float) -> None:
    """A series that is entered anywhere is the one that was walked from its start; COUNT cuts it off."""
    read = parse_rule(rule + count, all_day=False, wall_clock=in_new_york)
    horizon = HORIZONS[read.frequency.name]
    after = first + horizon * entered
    before = min(after + horizon * length, first + horizon)
    walked = whole(rule, first)[: read.count]
    assert list(starts(read, first, after, before, Steps(ENOUGH))) == [
        each for each in walked if after <= each < before
    ]


@examples(150, profile="tests")
@given(rule=rules(), first=FIRSTS, entered=st.integers(0, 365 * 1000), length=LENGTHS)
def test_steps_are_bounded_by_the_window(rule: str, first: datetime, entered: int, length: float) -> None:
    """A rule without COUNT takes a step for each start and each day of its periods, and some to list a day's times."""
    read = parse_rule(rule, all_day=False, wall_clock=in_new_york)
    after = first + timedelta(days=entered)
    before = after + HORIZONS[read.frequency.name] * length
    steps = Steps(ENOUGH)
    number = sum(1 for _ in starts(read, first, after, before, steps))
    assert ENOUGH - steps.left <= number + (before - after).days + 400 + 4 * 60 * 60 // 20


@examples(50, profile="tests")
@given(rule=rules(), count=COUNTS, first=FIRSTS, budget=st.integers(0, 50))
def test_a_budget_is_kept(rule: str, count: str, first: datetime, budget: int) -> None:
    """What comes before the steps are used up is the beginning of the whole; then it is said that they are."""
    read = parse_rule(rule + count, all_day=False, wall_clock=in_new_york)
    before = first + HORIZONS[read.frequency.name]
    steps, came = Steps(budget), list[datetime]()
    try:
        for each in starts(read, first, first, before, steps):
            came.append(each)
    except TooManyStepsError:
        assert steps.left == 0
    else:
        assert came == whole(rule, first)[: read.count]
    assert came == whole(rule, first)[: len(came)]
    assert len(came) <= budget
