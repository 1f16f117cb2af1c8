"""Expanding 100 series for two years costs at most twice what finding their wall-clock starts by dateutil costs.

    python -m tests.benchmarks.expansion [ROUNDS]

The series are Outlook's: in a zone of its own that has rules since 1601, on workdays since 2015. dateutil's
`rrule.between` knows no zones there; expanding is reading the file and making all instances, with zones and order.
Prints the ratios of each round's two measurements, and seconds for what the sandbox bounds: four calendars of thirty
series a minute, and 1,583 of 60 events, a sixth of which recur, asked about for the first and for the second time.
Ends with 1 where the median is above the promise.
"""

from __future__ import annotations

import math
import statistics
import sys
from datetime import UTC, datetime
from functools import partial

from dateutil.rrule import rrulestr

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.calendars.icalendar.expander import Expander, ExpansionRequest
from reconciler.sandbox.calendars.icalendar.expansion import Limits, expand
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.calendars.icalendar.parser import CalendarParser
from tests.benchmarks.clock import timed
from tests.support.sandbox.ics import calendar, event, text

_SERIES = 100
_WORKDAYS = 522
_PROMISE = 2.0
_ROUNDS = 7
_START, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
_RANGE = TimeRange(_START.timestamp(), _END.timestamp())
_RULE = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
_ZONE = text(
    """
    BEGIN:VTIMEZONE
    TZID:W. Europe Standard Time
    BEGIN:STANDARD
    DTSTART:16010101T030000
    TZOFFSETFROM:+0200
    TZOFFSETTO:+0100
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
    END:STANDARD
    BEGIN:DAYLIGHT
    DTSTART:16010101T020000
    TZOFFSETFROM:+0100
    TZOFFSETTO:+0200
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
    END:DAYLIGHT
    END:VTIMEZONE
    """
)


def main() -> int:
    """Measure, print, judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    content = calendar(_ZONE, *(series(number) for number in range(_SERIES))).encode()
    found: list[tuple[float, float]] = [(timed(lambda: expanded(content)), timed(walked)) for _ in range(rounds)]
    ratios = [ours / theirs for ours, theirs in found]
    seconds = statistics.median(ours for ours, _ in found)
    print(f"{_SERIES} series over two years: {seconds:.2f} s")  # noqa: T201 -- what it is for
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    print(f"expanding / dateutil: min {low:.2f} median {middle:.2f} max {high:.2f}")  # noqa: T201 -- as above
    bounded("4 calendars of 30 series a minute", [minutely(number) for number in range(4)])
    bounded("1,583 calendars of 60 events", [small(number) for number in range(1583)])
    return 0 if middle <= _PROMISE else 1


def series(number: int) -> str:
    """One of Outlook's series."""
    zone = ";TZID=W. Europe Standard Time"
    return event(
        f"u{number}",
        f"DTSTART{zone}:20150105T09{number % 60:02d}00",
        f"DTEND{zone}:20150105T100000",
        f"RRULE:{_RULE}",
    )


def expanded(content: bytes) -> None:
    """All instances of the series in both years."""
    reader = CalendarParser(content, "UTC", "")
    reader.go_on(math.inf)
    limits = Limits(enough=sys.maxsize)
    done = expand(reader.contents.series, _RANGE, over_at=math.inf, limits=limits)
    assert len(done.instances) == _SERIES * _WORKDAYS


def walked() -> None:
    """The starts of the same series, by dateutil."""
    for number in range(_SERIES):
        first = datetime(2015, 1, 5, 9, number % 60)  # noqa: DTZ001 -- a wall clock
        starts = rrulestr(_RULE, dtstart=first).between(_START.replace(tzinfo=None), _END.replace(tzinfo=None))
        assert len(starts) == _WORKDAYS


def minutely(number: int) -> bytes:
    """A calendar that is full."""
    full = (event(f"m{each}", "DTSTART:20100101T000000Z", "RRULE:FREQ=MINUTELY") for each in range(30))
    return calendar(f"X-N:{number}", *full).encode()


def small(number: int) -> bytes:
    """A calendar as many people have one."""
    when = (f"DTSTART;TZID=Europe/Berlin:2026{each % 12 + 1:02d}05T090000" for each in range(60))
    rule = ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU"]
    events = (event(f"e{each}", start, *(rule if each % 6 == 0 else [])) for each, start in enumerate(when))
    return calendar(f"X-N:{number}", *events).encode()


def bounded(what: str, contents: list[bytes]) -> None:
    """Print how long the first instances of calendars take, and how long it takes to be asked for another range."""
    expander = Expander(Settings().operation_seconds)
    try:
        for label, start in (("first", _RANGE.start), ("second", _RANGE.start + 60)):
            every = [
                ExpansionRequest(each, "Europe/Berlin", TimeRange(start, _RANGE.end), enough=50) for each in contents
            ]
            seconds = timed(partial(expander.expand_all, every, 60.0))
            print(f"{what}, {label} question: {seconds:.2f} s")  # noqa: T201 -- as above
    finally:
        expander.close()


if __name__ == "__main__":
    sys.exit(main())
