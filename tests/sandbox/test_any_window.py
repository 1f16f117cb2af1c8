"""Whatever a series is made of: a range of time shows of it what a larger one shows there, in parts or at once."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.sandbox.calendars.icalendar.expansion import Limits, expand
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.calendars.icalendar.parser import CalendarParser
from tests.support.profiles import examples
from tests.support.sandbox.ics import calendar, event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.sandbox.calendars.icalendar.instances import Instance
    from reconciler.sandbox.calendars.icalendar.series import Series

FROM, TO = 1_767_225_600, 1_798_761_600  # 2026, in seconds since the epoch
HOUR = 3600

ZONES = st.sampled_from([";TZID=Europe/Berlin", ";TZID=America/New_York", ";TZID=Australia/Lord_Howe", ""])
RULES = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3;COUNT=50",
        "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30",
        "FREQ=HOURLY;INTERVAL=5",
        "FREQ=WEEKLY;BYDAY=MO,SU;COUNT=40",
        "FREQ=WEEKLY;BYDAY=TU,SU;BYSETPOS=-1",
        "FREQ=MONTHLY;BYDAY=-1SU",
        "FREQ=MONTHLY;BYMONTHDAY=29,30,31;UNTIL=20260930",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU,2SU",
    ]
)
STARTS = st.datetimes(datetime(2025, 10, 1), datetime(2026, 4, 10)).map(  # noqa: DTZ001 -- wall clocks
    lambda each: each.replace(minute=each.minute // 30 * 30, second=0, microsecond=0)
)
LENGTHS = st.sampled_from(["PT0S", "PT30M", "PT26H", "P1D", "P3DT2H", "P2W"])


def stamp(when: datetime) -> str:
    """A time as a calendar writes it."""
    return when.strftime("%Y%m%dT%H%M%S")


@st.composite
def series(draw: st.DrawFn) -> str:
    """A series with whatever may be changed in it."""
    zone, first, rule = draw(ZONES), draw(STARTS), draw(RULES)
    days = st.integers(0, 200).map(lambda number: first + timedelta(days=number))
    lines = [f"DTSTART{zone}:{stamp(first)}", f"DURATION:{draw(LENGTHS)}", f"RRULE:{rule}"]
    lines += [f"EXDATE{zone}:{stamp(when)}" for when in draw(st.lists(days, max_size=3))]
    lines += [f"EXDATE;VALUE=DATE:{when:%Y%m%d}" for when in draw(st.lists(days, max_size=2))]
    lines += [f"RDATE{zone}:{stamp(when + timedelta(hours=1))}" for when in draw(st.lists(days, max_size=3))]
    events = [event("series", *lines)]
    for number, when in enumerate(draw(st.lists(days, max_size=3))):
        onward = ";RANGE=THISANDFUTURE" if draw(st.booleans()) else ""
        identity = f"{when:%Y%m%d}" if draw(st.booleans()) else stamp(when)
        moved = when + timedelta(hours=draw(st.integers(-60, 60)))
        events.append(
            event(
                "series",
                f"RECURRENCE-ID{zone}{onward}:{identity}",
                f"DTSTART{zone}:{stamp(moved)}",
                f"DURATION:{draw(LENGTHS)}",
                f"SEQUENCE:{number}",
                f"STATUS:{draw(st.sampled_from(['CONFIRMED', 'CANCELLED']))}",
            )
        )
    return calendar(*events)


def shown(every: Sequence[Series], start: float, end: float, enough: int = 10**9) -> list[Instance]:
    """What a range shows, asked for in parts of so many instances."""
    found: list[Instance] = []
    begun = start
    while begun < end:
        window = TimeRange(begun, end)
        part = expand(every, window, over_at=math.inf, limits=Limits(enough=enough))
        assert part.faults == []
        found += [each for each in part.instances if begun == start or each.start >= begun]
        assert part.until > begun
        begun = part.until
    return found


@settings(examples(60, profile="tests"))
@given(text=series(), start=st.integers(0, 8000), length=st.integers(1, 1500), enough=st.integers(1, 20))
def test_a_range_shows_what_a_larger_one_shows_there(text: str, start: int, length: int, enough: int) -> None:
    """Nothing appears, vanishes, moves or is named otherwise with the range, or the parts, that it is asked for in."""
    reader = CalendarParser(text.encode(), "Europe/Berlin", "")
    assert reader.go_on(math.inf)
    every = reader.contents.series
    begun = FROM + start * HOUR
    window = TimeRange(begun, begun + length * HOUR)
    year = [each for each in shown(every, FROM - 90 * 24 * HOUR, TO) if window.holds(each.start, each.end)]
    at_once = shown(every, window.start, window.end)
    assert at_once == sorted(at_once, key=lambda each: (each.start, each.key))
    assert at_once == year
    assert shown(every, window.start, window.end, enough) == year


def test_a_night_of_change_between_what_lasts_and_the_range() -> None:
    """What began before clocks were set, and lasts until after the range begins, is shown in it."""
    text = calendar(
        event("long", "DTSTART;TZID=Europe/Berlin:20260328T000000", "DURATION:PT26H", "RRULE:FREQ=HOURLY;COUNT=30")
    )
    reading = CalendarParser(text.encode(), "UTC", "")
    assert reading.go_on(math.inf)
    # 29 March 2026, 02:58 in Berlin, which is 01:58 UTC: what began at or after midnight of the day before still is on.
    begun = 1_774_749_480
    found = shown(reading.contents.series, begun, begun + HOUR)
    assert [each.start for each in found] == [1_774_656_000 + number * HOUR for number in range(27)]


def test_instances_that_are_moved_to_another_zone_come_in_order_and_once() -> None:
    """Where clocks are set in the zone that they are moved to, two would pass each other, and two would be one."""
    text = calendar(
        event("often", "DTSTART:20260329T000000Z", "DURATION:PT10M", "RRULE:FREQ=MINUTELY;INTERVAL=30;COUNT=10"),
        event(
            "often",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260329T000000Z",
            "DTSTART;TZID=Europe/Berlin:20260329T010000",
            "DURATION:PT10M",
        ),
    )
    reading = CalendarParser(text.encode(), "UTC", "")
    assert reading.go_on(math.inf)
    # 01:00 and 01:30 are in UTC+1; 02:00 and 02:30, which no clock shows, are 03:00 and 03:30 in UTC+2.
    midnight = 1_774_742_400
    expected = [midnight + number * HOUR // 2 for number in range(8)]
    for enough in (1, 3, 1000):
        found = shown(reading.contents.series, midnight - HOUR, midnight + 24 * HOUR, enough)
        assert [each.start for each in found] == expected
