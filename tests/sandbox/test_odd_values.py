"""Dates that a series lists, and values that are written oddly: each is read, or named, and takes nothing with it."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from reconciler.sandbox.calendars.icalendar.expansion import Limits, expand
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.calendars.icalendar.parser import CalendarParser
from tests.support.sandbox.ics import calendar, event

YEAR = TimeRange(datetime(2026, 1, 1, tzinfo=UTC).timestamp(), datetime(2027, 1, 1, tzinfo=UTC).timestamp())


def shown(seconds: int) -> str:
    """A moment in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%m-%dT%H:%M}"


def come_to(content: bytes) -> tuple[list[str], list[str]]:
    """What is in 2026, from when until when, and the faults; floating times are Berlin's."""
    reader = CalendarParser(content, "Europe/Berlin", "")
    assert reader.go_on(math.inf)
    done = expand(reader.contents.series, YEAR, over_at=math.inf, limits=Limits())
    instances = [f"{shown(each.start)} {shown(each.end)}" for each in done.instances]
    return instances, [*reader.contents.faults, *done.faults]


def series(*lines: str) -> bytes:
    """A calendar of one event."""
    return calendar(event("odd", *lines)).encode()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("RDATE:tomorrow", "its RDATE 'tomorrow' can't be read"),
        ("RDATE:20260230T090000Z", "its RDATE '20260230T090000Z' can't be read"),
        ("RDATE;VALUE=PERIOD:20260305T090000Z/20260304T090000Z", "it ends before it starts"),
        ("RDATE;VALUE=PERIOD:20260305T090000Z/-PT1H", "is negative"),
        ("RDATE;VALUE=PERIOD:20260305T090000Z/later", "'later' is neither a day nor a time"),
        ("EXDATE:20260303T256000Z", "its EXDATE '20260303T256000Z' can't be read"),
    ],
)
def test_one_date_of_a_list_that_can_not_be_read(line: str, why: str) -> None:
    """It is named, and the series is imported with the others of the list."""
    instances, (fault,) = come_to(series("DTSTART:20260302T090000Z", "RDATE:20260401T090000Z", line))
    assert instances == ["03-02T09:00 03-02T09:00", "04-01T09:00 04-01T09:00"]
    assert fault.startswith("event 'odd' (byte ")
    assert why in fault


def test_dates_of_an_all_day_series_that_are_times() -> None:
    """The day as it is written counts (3.8.5.2); with a period's own end it lasts through the day that holds it."""
    instances, faults = come_to(
        series("DTSTART;VALUE=DATE:20260302", "RDATE:20260310T000000", "RDATE:20260401T090000/20260402T100000")
    )
    assert instances == ["03-02T00:00 03-03T00:00", "03-10T00:00 03-11T00:00", "04-01T00:00 04-03T00:00"]
    assert faults == []


def test_all_that_follow_from_a_moment_in_another_zone() -> None:
    """A RECURRENCE-ID in UTC is a time of Berlin's clocks: what follows keeps to these over the change."""
    first = event("odd", "DTSTART;TZID=Europe/Berlin:20260327T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4")
    later = event(
        "odd",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260328T080000Z",
        "DTSTART;TZID=Europe/Berlin:20260328T100000",
        "DURATION:PT2H",
    )
    instances, faults = come_to(calendar(first, later).encode())
    assert instances == [
        "03-27T08:00 03-27T09:00",
        "03-28T09:00 03-28T11:00",
        "03-29T08:00 03-29T10:00",
        "03-30T08:00 03-30T10:00",
    ]
    assert faults == []


def test_a_series_that_ends_in_a_gap() -> None:
    """Its last instance is not lost for want of a later one."""
    instances, _ = come_to(series("DTSTART;TZID=Europe/Berlin:20260328T023000", "RRULE:FREQ=DAILY;COUNT=2"))
    assert instances == ["03-28T01:30 03-28T01:30", "03-29T01:30 03-29T01:30"]


@pytest.mark.parametrize(
    ("stated", "start"),
    [
        ("20260302T240000Z", "03-03T00:00"),
        ("20260302T235960Z", "03-02T23:59"),
        (" 20260302t0900z ", "03-02T09:00"),
    ],
)
def test_times_with_one_clear_meaning(stated: str, start: str) -> None:
    """The end of a day, a leap second (3.3.12), a time without seconds."""
    assert come_to(series(f"DTSTART:{stated}")) == ([f"{start} {start}"], [])


@pytest.mark.parametrize("stated", ["20260302T240100Z", "20260302T250000Z", "20260302T096000Z", "99991231T240000Z"])
def test_times_without_any(stated: str) -> None:
    """The event is left out and named."""
    instances, (fault,) = come_to(series(f"DTSTART:{stated}"))
    assert instances == []
    assert f"its DTSTART can't be read ('{stated}' is " in fault


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_stream_in_utf_16(encoding: str) -> None:
    """It is told by its byte order mark."""
    text = calendar(event("odd", "DTSTART:20260302T090000Z"))
    marked = text if encoding == "utf-16" else "\N{BYTE ORDER MARK}" + text
    assert come_to(marked.encode(encoding)) == (["03-02T09:00 03-02T09:00"], [])


def test_the_line_ends_of_old() -> None:
    """A carriage return alone ends a line where no line feed does."""
    content = series("DTSTART:20260302T090000Z", "SUMMARY:a line that\n  is folded").replace(b"\r\n", b"\n")
    assert come_to(content.replace(b"\n", b"\r")) == (["03-02T09:00 03-02T09:00"], [])


def test_a_zone_that_takes_too_many_steps_in_a_later_year() -> None:
    """A series that comes to it is named, and the others are imported."""
    rules = "RRULE:FREQ=DAILY\r\n" * 150
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Trap\r\nBEGIN:STANDARD\r\nDTSTART:20260601T000000\r\nTZOFFSETFROM:+0100\r\n"
        f"TZOFFSETTO:+0100\r\n{rules}END:STANDARD\r\nEND:VTIMEZONE"
    )
    odd = event("odd", "DTSTART;TZID=Trap:20241230T090000", "RRULE:FREQ=WEEKLY")
    good = event("good", "DTSTART:20260303T090000Z")
    instances, faults = come_to(calendar(zone, odd, good).encode())
    assert instances == ["03-03T09:00 03-03T09:00"]
    assert faults == ["event 'odd' is left out: its time zone can't be computed (its RRULEs take too many steps)"]
