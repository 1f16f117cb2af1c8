"""What rules mean that the RFC's examples leave out (RFC 5545, 3.3.10), which are refused, and what they cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.sandbox.calendars.icalendar.rules import RuleError, parse_rule
from tests.sandbox.wall_clock import found, in_new_york, time

KINDS = {
    "week 1 begins in December (3.3.10)": (
        "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
        "20190101",
        ["20190101", "20191230", "20210104", "20220103"],
    ),
    "a week is one day, the first one's (3.3.10)": (
        "FREQ=YEARLY;BYWEEKNO=20",
        "19970512T0900",
        ["19970512T09", "19980511T09", "19990517T09"],
    ),
    "the last week": ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU", "20200101", ["20200101", "20210103", "20220102"]),
    "week 53, where there is one": (
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH",
        "20151231",
        ["20151231", "20201231", "20261231"],
    ),
    "the last day of a year": ("FREQ=YEARLY;BYYEARDAY=-1", "20191231", ["20191231", "20201231", "20211231"]),
    "day 366": ("FREQ=YEARLY;BYYEARDAY=366", "20201231", ["20201231", "20241231", "20281231"]),
    "29 February": ("FREQ=YEARLY", "20200229", ["20200229", "20240229", "20280229"]),
    "29 February, not in 2100": ("FREQ=YEARLY", "20960229", ["20960229", "21040229", "21080229"]),
    "the 31st": ("FREQ=MONTHLY", "20260131", ["20260131", "20260331", "20260531"]),
    "a first that the rule does not hit counts": (
        "FREQ=DAILY;BYHOUR=8;COUNT=3",
        "20260101T09",
        ["20260101T09", "20260102T08", "20260103T08"],
    ),
    "a first between two of its own day": (
        "FREQ=DAILY;BYHOUR=8,10;COUNT=3",
        "20260101T09",
        ["20260101T09", "20260101T10", "20260102T08"],
    ),
    "positions of the whole first week": (
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1",
        "20260107",
        ["20260107", "20260112", "20260119"],
    ),
    "the last of the first week": (
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1",
        "20260107",
        ["20260107", "20260109", "20260116"],
    ),
    "a position of days and hours": (
        "FREQ=MONTHLY;BYMONTHDAY=1,2;BYHOUR=8,9;BYSETPOS=2,-1",
        "20260101T09",
        ["20260101T09", "20260102T09", "20260201T09", "20260202T09"],
    ),
    "a position in each hour": (
        "FREQ=HOURLY;BYMINUTE=10,20,30;BYSETPOS=-1",
        "20260101T0030",
        ["20260101T0030", "20260101T0130", "20260101T0230"],
    ),
    "an ordinal in the months of a year": (
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
        "20260329",
        ["20260329", "20261025", "20270328"],
    ),
    "an ordinal in a year": ("FREQ=YEARLY;BYDAY=-1SU", "20261227", ["20261227", "20271226", "20281231"]),
    "an ordinal and each": ("FREQ=MONTHLY;BYDAY=1MO,MO", "20260105", ["20260105", "20260112", "20260119"]),
    "an ordinal that a week has not": ("FREQ=WEEKLY;BYDAY=1MO", "20260105", ["20260105", "20260112", "20260119"]),
    "an ordinal beside a week number": ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "19970512", ["19970512", "19980511"]),
    "week numbers limit months": ("FREQ=MONTHLY;BYWEEKNO=20", "19970512", ["19970512", "19980511"]),
    "days of months limit weeks": (
        "FREQ=WEEKLY;BYMONTHDAY=13;BYDAY=FR",
        "20260213",
        ["20260213", "20260313", "20261113"],
    ),
    "a leap second": ("FREQ=MINUTELY;BYSECOND=60", "20260101T000059", ["20260101T000059", "20260101T000159"]),
    "hours that an interval never meets": ("FREQ=HOURLY;INTERVAL=2;BYHOUR=1", "20260101T00", ["20260101T00"]),
    "an interval longer than a day": (
        "FREQ=HOURLY;INTERVAL=36",
        "20260101T06",
        ["20260101T06", "20260102T18", "20260104T06"],
    ),
    "both limits, the count first": (
        "FREQ=DAILY;COUNT=2;UNTIL=20260110",
        "20260101T09",
        ["20260101T09", "20260102T09"],
    ),
    "both limits, the end first": ("FREQ=DAILY;COUNT=9;UNTIL=20260102", "20260101T09", ["20260101T09", "20260102T09"]),
    "until a time of the series": ("FREQ=DAILY;UNTIL=20260102T090000", "20260101T09", ["20260101T09", "20260102T09"]),
    "until before it begins": ("FREQ=DAILY;UNTIL=20250101T000000Z", "20260101T09", []),
    "a time that its zone can't have": ("FREQ=YEARLY;UNTIL=00010101T000000Z", "20260101", []),
    "case, blanks and what is too much": (
        " freq = Daily ;; count=02; byday=mo,tu,;X-NOTE=a",
        "20260105",
        ["20260105", "20260106"],
    ),
    "stated twice alike": ("FREQ=DAILY;COUNT=2;FREQ=DAILY", "20260105", ["20260105", "20260106"]),
    "the usual calendar": ("RSCALE=GREGORIAN;SKIP=OMIT;FREQ=DAILY;COUNT=1", "20260105", ["20260105"]),
    "a position of what is alone": ("FREQ=DAILY;COUNT=2;BYSETPOS=1", "20260105", ["20260105", "20260106"]),
    "the interval of ages": (f"FREQ=YEARLY;INTERVAL={'9' * 3000}", "20260101", ["20260101"]),
    "the seconds of ages": (f"FREQ=SECONDLY;INTERVAL={'9' * 3000}", "20260101", ["20260101"]),
    "the first days of all": ("FREQ=WEEKLY;WKST=SU;BYDAY=SU,MO", "00010101", ["00010101", "00010107", "00010108"]),
    "the last days of all": ("FREQ=WEEKLY;BYDAY=MO,FR,SU", "99991226", ["99991226", "99991227", "99991231"]),
    "the last seconds of all": ("FREQ=SECONDLY", "99991231T235958", ["99991231T235958", "99991231T235959"]),
}
"""Rules, their first starts, and what they come to in the beginning, or wholly."""


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_rules(kind: str) -> None:
    """Rules that the RFC's examples leave out mean what its table and notes say."""
    rule, first, expected = KINDS[kind]
    assert found(rule, first, max(len(expected), 1)) == [time(each) for each in expected]


ENDED = ("hours that an interval never meets", "both limits, the count first", "both limits, the end first")


@pytest.mark.parametrize(
    "kind", [*ENDED, "until a time of the series", "the interval of ages", "the last seconds of all"]
)
def test_rules_that_end(kind: str) -> None:
    """No more comes after the last one."""
    rule, first, expected = KINDS[kind]
    assert found(rule, first) == [time(each) for each in expected]


@pytest.mark.parametrize("number", [1, 2, 51, 52, 53])
@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"])
def test_weeks_are_numbered_by_iso_8601(rule: str, number: int) -> None:
    """The days of a week number are those that the standard gives it, at the turn of the year, too."""
    first, before = time("20000101"), time("20410101")
    calendar = [first + timedelta(days=day) for day in range((before - first).days)]
    expected = [day for day in calendar if day == first or day.isocalendar().week == number]
    assert found(f"{rule};BYWEEKNO={number}", "20000101", before=before) == expected


def test_days_have_no_times() -> None:
    """Times of a day are ignored for an all-day series, and its UNTIL is a date as it is written (3.3.10)."""
    rule = "FREQ=DAILY;BYHOUR=9,99;BYMINUTE=1;BYSECOND=1;UNTIL=20260102T000000Z"
    assert found(rule, "20260101", all_day=True) == [time("20260101"), time("20260102")]


def test_a_time_in_utc_ends_a_series_in_its_zone() -> None:
    """02:00 in UTC is the evening before in New York."""
    assert found("FREQ=DAILY;UNTIL=20260103T020000Z", "20260101T09") == [time("20260101T09"), time("20260102T09")]
    assert len(found("FREQ=YEARLY;UNTIL=99991231T235959Z", "99980101")) == 2


REFUSED = {
    "": "its RRULE has no FREQ",
    "COUNT=3": "its RRULE has no FREQ",
    "FREQ=OFTEN": "the FREQ of its RRULE is unknown, 'OFTEN'",
    "FREQ=DAILY;INTERVAL=0": "the INTERVAL of its RRULE is not a positive number",
    "FREQ=DAILY;INTERVAL=-1": "the INTERVAL of its RRULE is not a positive number",
    "FREQ=DAILY;INTERVAL=": "the INTERVAL of its RRULE is not a positive number",
    "FREQ=DAILY;COUNT=0": "the COUNT of its RRULE is not a positive number",
    "FREQ=DAILY;COUNT=1e9": "the COUNT of its RRULE is not a positive number",
    "FREQ=DAILY;COUNT=٣": "the COUNT of its RRULE is not a positive number",
    "FREQ=DAILY;UNTIL=20261399T090000": "the UNTIL of its RRULE is not a time",
    "FREQ=DAILY;UNTIL=soon": "the UNTIL of its RRULE is not a time",
    "FREQ=DAILY;BYDAY=": "the BYDAY of its RRULE is empty",
    "FREQ=DAILY;BYDAY=XX": "the BYDAY of its RRULE can't be 'XX'",
    "FREQ=MONTHLY;BYDAY=0MO": "the BYDAY of its RRULE can't be '0MO'",
    "FREQ=YEARLY;BYDAY=54MO": "the BYDAY of its RRULE can't be '54MO'",
    "FREQ=YEARLY;BYMONTH=13": "the BYMONTH of its RRULE can't be '13'",
    "FREQ=YEARLY;BYMONTH=5L": "the BYMONTH of its RRULE can't be '5L'",
    "FREQ=MONTHLY;BYMONTHDAY=0": "the BYMONTHDAY of its RRULE can't be '0'",
    "FREQ=MONTHLY;BYMONTHDAY=-32": "the BYMONTHDAY of its RRULE can't be '-32'",
    "FREQ=YEARLY;BYYEARDAY=367": "the BYYEARDAY of its RRULE can't be '367'",
    "FREQ=YEARLY;BYWEEKNO=54": "the BYWEEKNO of its RRULE can't be '54'",
    "FREQ=DAILY;BYHOUR=24": "the BYHOUR of its RRULE can't be '24'",
    "FREQ=DAILY;BYHOUR=-1": "the BYHOUR of its RRULE can't be '-1'",
    "FREQ=YEARLY;BYMONTH=1;BYSETPOS=0": "the BYSETPOS of its RRULE can't be '0'",
    "FREQ=YEARLY;BYSETPOS=2": "the BYSETPOS of its RRULE has no set to choose from",
    "FREQ=WEEKLY;WKST=XX": "the WKST of its RRULE is not a weekday",
    "FREQ=DAILY;BYEASTER=1": "its RRULE has an unknown part, 'BYEASTER'",
    "FREQ=DAILY;RSCALE=CHINESE": "the RSCALE of its RRULE is not GREGORIAN",
    "FREQ=DAILY;SKIP=FORWARD": "the SKIP of its RRULE is not OMIT",
    "FREQ=DAILY;COUNT": "its RRULE has a part without a value, 'COUNT'",
    "FREQ=DAILY;COUNT=1;COUNT=2": "its RRULE has more than one COUNT",
    "FREQ=DAILY;X-NOTE=" + "a" * 4000: "its RRULE is longer than 4000 characters",
}


@pytest.mark.parametrize("rule", REFUSED, ids=lambda rule: rule[:40])
def test_rules_without_a_clear_meaning_are_refused(rule: str) -> None:
    """The message says what is wrong with the rule."""
    with pytest.raises(RuleError) as raised:
        parse_rule(rule, all_day=False, wall_clock=in_new_york)
    assert str(raised.value) == REFUSED[rule]


def test_days_do_not_recur_by_hours() -> None:
    """RFC 5545, 3.3.10, forbids it, and nobody knows what it would mean."""
    with pytest.raises(RuleError, match="the FREQ of its RRULE is HOURLY, but it is an all-day event"):
        parse_rule("FREQ=HOURLY", all_day=True, wall_clock=in_new_york)


@pytest.mark.parametrize(
    ("rule", "number", "steps"),
    [
        ("FREQ=MINUTELY", 10, 12),
        ("FREQ=MINUTELY;COUNT=1000000000", 10, 12),
        ("FREQ=SECONDLY;INTERVAL=60", 10, 12),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=100000", 1, 12),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=100000", 1, 12),
        ("FREQ=YEARLY;BYMONTH=7;BYDAY=1WE", 1, 12),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", 0, 12),
        ("FREQ=MONTHLY;COUNT=1000", 1, 24 * 65),
    ],
)
def test_a_series_of_long_ago_is_entered_near_the_window(rule: str, number: int, steps: int) -> None:
    """Ten minutes of a Wednesday cost a few steps, however long ago the series began."""
    after = time("20260701T090000")
    came = found(rule, "19630101T090000", after=after, before=after + timedelta(minutes=10), steps=steps)
    assert came == [after + timedelta(minutes=minute) for minute in range(number)]


@pytest.mark.parametrize("part", ["", ";COUNT=10"])
def test_what_never_comes_is_sought_to_the_end_of_the_window(part: str) -> None:
    """A 30 February of each second of two years costs a step a day at most."""
    rule = f"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30{part}"
    assert found(rule, "20260101", before=time("20280101"), steps=730) == [time("20260101")]
