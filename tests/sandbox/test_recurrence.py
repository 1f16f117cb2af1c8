"""Recurring events, zones and exceptions, judged by what RFC 5545 says of its own examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox.ics import event, imported, starts, text, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox.api import Api

AT_NINE = "DTSTART;TZID=America/New_York:19970902T090000"
RANGE = {"from": "1997-01-01T00:00:00Z", "to": "2001-01-01T00:00:00Z"}


def days(month: str, *numbers: int) -> list[str]:
    """Days of a month, `1997-09` say."""
    return [f"{month}-{number:02d}" for number in numbers]


SEPTEMBER_TO_DECEMBER_24 = [
    *days("1997-09", *range(2, 31)),
    *days("1997-10", *range(1, 32)),
    *days("1997-11", *range(1, 31)),
    *days("1997-12", *range(1, 24)),
]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=10", days("1997-09", *range(2, 12))),
        ("FREQ=DAILY;UNTIL=19971224T000000Z", SEPTEMBER_TO_DECEMBER_24),
        ("FREQ=DAILY;INTERVAL=10;COUNT=5", [*days("1997-09", 2, 12, 22), *days("1997-10", 2, 12)]),
        (
            "FREQ=WEEKLY;COUNT=10",
            [*days("1997-09", 2, 9, 16, 23, 30), *days("1997-10", 7, 14, 21, 28), *days("1997-11", 4)],
        ),
        (
            "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
            [*days("1997-09", 2, 4, 9, 11, 16, 18, 23, 25, 30), *days("1997-10", 2)],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
            [*days("1997-09", 2, 4, 16, 18, 30), *days("1997-10", 2, 14, 16)],
        ),
        (
            "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
            [
                *days("1997-09", 2, 15),
                *days("1997-10", 2, 15),
                *days("1997-11", 2, 15),
                *days("1997-12", 2, 15),
                *days("1998-01", 2, 15),
            ],
        ),
        (
            "FREQ=YEARLY;INTERVAL=2;COUNT=4;BYMONTH=9;BYDAY=1TU",
            ["1997-09-02", "1999-09-07"],
        ),
    ],
)
def test_the_examples_of_rfc_5545(api: Api, lee: Path, rule: str, expected: list[str]) -> None:
    """Rules of section 3.8.5.3 give the dates that stand there, all at nine in New York, summer and winter."""
    write(lee, event("rule", AT_NINE, "DURATION:PT1H", f"RRULE:{rule}"))
    api.connect()
    found = [each["start"] for each in imported(api, **RANGE)]
    assert [each[:10] for each in found] == expected
    summer = [f"{day}T13:00:00Z" for day in expected if "04-06" < day[5:] < "10-26"]
    assert [each for each in found if each.endswith("T13:00:00Z")] == summer
    assert {each[10:] for each in found} <= {"T13:00:00Z", "T14:00:00Z"}


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        ("19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", ["1997-09-04", "1997-10-07", "1997-11-06"]),
        ("19970519", "FREQ=YEARLY;COUNT=3;BYDAY=20MO", ["1997-05-19", "1998-05-18", "1999-05-17"]),
        ("19970512", "FREQ=YEARLY;COUNT=3;BYWEEKNO=20;BYDAY=MO", ["1997-05-12", "1998-05-11", "1999-05-17"]),
        ("19970905", "FREQ=MONTHLY;COUNT=4;BYDAY=1FR", ["1997-09-05", "1997-10-03", "1997-11-07", "1997-12-05"]),
        ("19970928", "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", ["1997-09-28", "1997-10-29", "1997-11-28"]),
        ("19970610", "FREQ=YEARLY;COUNT=4;BYMONTH=6,7", ["1997-06-10", "1997-07-10", "1998-06-10", "1998-07-10"]),
        (
            "19970913",
            "FREQ=MONTHLY;COUNT=3;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
            ["1997-09-13", "1997-10-11", "1997-11-08"],
        ),
        ("19970101", "FREQ=YEARLY;INTERVAL=3;COUNT=3;BYYEARDAY=1,100,200", ["1997-01-01", "1997-04-10", "1997-07-19"]),
    ],
)
def test_more_examples_of_rfc_5545(api: Api, lee: Path, start: str, rule: str, expected: list[str]) -> None:
    """Those that begin on other days."""
    write(lee, event("rule", f"DTSTART;TZID=America/New_York:{start}T090000", f"RRULE:{rule}"))
    api.connect()
    assert [each["start"][:10] for each in imported(api, **RANGE)] == expected


def test_exceptions_additions_and_moved_instances(api: Api, lee: Path) -> None:
    """EXDATE takes one away, RDATE adds one, RECURRENCE-ID moves one, a cancelled instance is gone."""
    write(
        lee,
        event(
            "daily",
            "DTSTART;TZID=America/New_York:20260302T090000",
            "DTEND;TZID=America/New_York:20260302T093000",
            "RRULE:FREQ=DAILY;COUNT=6",
            "EXDATE;TZID=America/New_York:20260303T090000",
            "RDATE;TZID=America/New_York:20260402T150000",
        ),
        event(
            "daily",
            "RECURRENCE-ID;TZID=America/New_York:20260304T090000",
            "DTSTART;TZID=America/New_York:20260320T110000",
            "DTEND;TZID=America/New_York:20260320T120000",
        ),
        event(
            "daily",
            "RECURRENCE-ID;TZID=America/New_York:20260305T090000",
            "DTSTART;TZID=America/New_York:20260305T090000",
            "STATUS:CANCELLED",
        ),
    )
    api.connect()
    assert starts(api) == [
        "daily 2026-03-02T14:00",
        "daily 2026-03-06T14:00",
        "daily 2026-03-07T14:00",
        "daily 2026-03-20T15:00",
        "daily 2026-04-02T19:00",
    ]
    moved = [each for each in imported(api) if each["start"].startswith("2026-03-20")]
    assert moved[0]["end"] == "2026-03-20T16:00:00Z"


def test_a_gap_and_a_fold_of_daylight_saving(api: Api, lee: Path) -> None:
    """A time that doesn't exist counts by the offset before the gap, one that comes twice the first time (3.3.5)."""
    write(
        lee,
        event("gap", "DTSTART;TZID=America/New_York:20260308T023000", "DURATION:PT30M"),
        event("fold", "DTSTART;TZID=America/New_York:20261101T013000", "DURATION:PT30M"),
        event("nightly", "DTSTART;TZID=America/New_York:20260307T023000", "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=3"),
    )
    api.connect()
    assert sorted(starts(api)) == [
        "fold 2026-11-01T05:30",
        "gap 2026-03-08T07:30",
        "nightly 2026-03-07T07:30",
        "nightly 2026-03-08T07:30",
        "nightly 2026-03-09T06:30",
    ]


def test_floating_times_are_the_schedule_s(api: Api, lee: Path) -> None:
    """A time without a zone, and an UNTIL without one, are in the schedule's zone, New York."""
    write(
        lee,
        event("floating", "DTSTART:20260302T090000", "DTEND:20260302T100000", "RRULE:FREQ=DAILY;UNTIL=20260304T090000"),
        event("stated", "DTSTART;TZID=America/New_York:20260402T210000", "RRULE:FREQ=DAILY;UNTIL=20260403T210000"),
    )
    api.connect()
    assert starts(api) == [
        *(f"floating 2026-03-0{day}T14:00" for day in (2, 3, 4)),
        "stated 2026-04-03T01:00",
        "stated 2026-04-04T01:00",
    ]


def test_a_calendar_s_own_zone(api: Api, lee: Path) -> None:
    """X-WR-TIMEZONE is the zone of its floating times; an unknown one is left aside."""
    nine = event("nine", "DTSTART:20260302T090000")
    write(lee, "X-WR-TIMEZONE:Asia/Tokyo", nine)
    api.connect()
    assert starts(api) == ["nine 2026-03-02T00:00"]
    write(lee, "X-WR-TIMEZONE:Atlantis/Capital", nine)
    assert starts(api) == ["nine 2026-03-02T14:00"]


def zone(name: str, offset: str) -> str:
    """A VTIMEZONE without daylight saving."""
    return text(
        f"""
        BEGIN:VTIMEZONE
        TZID:{name}
        BEGIN:STANDARD
        DTSTART:19700101T000000
        TZOFFSETFROM:{offset}
        TZOFFSETTO:{offset}
        END:STANDARD
        END:VTIMEZONE
        """
    )


def test_zones_that_a_calendar_brings(api: Api, lee: Path) -> None:
    """A VTIMEZONE counts in its own calendar, wherever it stands in it; names as Windows writes them are known."""
    at_nine = event("own", "DTSTART;TZID=Office:20260302T090000")
    write(lee, at_nine, zone("Office", "+0300"), event("win", "DTSTART;TZID=W. Europe Standard Time:20260303T090000"))
    write(lee, zone("Office", "-0800"), at_nine, name="a68yu6")
    api.connect()
    assert starts(api) == ["own 2026-03-02T06:00", "own 2026-03-02T17:00", "win 2026-03-03T08:00"]


def test_a_zone_that_nobody_knows(api: Api, lee: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its times are taken as the schedule's, and that is said."""
    write(lee, event("lost", "DTSTART;TZID=Atlantis/Capital:20260302T090000"))
    api.connect()
    assert starts(api) == ["lost 2026-03-02T14:00"]
    assert "the time zone 'Atlantis/Capital' is unknown; its times are taken as America/New_York" in caplog.text


def test_days(api: Api, lee: Path) -> None:
    """An all-day event has days: from midnight to midnight in UTC, as the API writes days; without an end, one day."""
    write(
        lee,
        event("trip", "DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305"),
        event("day", "DTSTART;VALUE=DATE:20260401", "RRULE:FREQ=MONTHLY;COUNT=2"),
        event("hour", "DTSTART:20260601T000000Z", "DURATION:P1D"),
    )
    api.connect()
    assert [(each["title"], each["start"], each["end"], each["allDay"]) for each in imported(api)] == [
        ("trip", "2026-03-02T00:00:00Z", "2026-03-05T00:00:00Z", True),
        ("day", "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z", True),
        ("day", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z", True),
        ("hour", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", False),
    ]
    assert len(imported(api, allDay="true")) == 3


def test_what_keeps_nobody_busy_is_left_out(api: Api, lee: Path) -> None:
    """Cancelled events and free ones, a whole series too; tentative ones keep busy."""
    when = "DTSTART:20260302T090000Z"
    write(
        lee,
        event("cancelled", when, "STATUS:CANCELLED", "RRULE:FREQ=DAILY;COUNT=3"),
        event("free", when, "TRANSP:TRANSPARENT", "RRULE:FREQ=DAILY;COUNT=3"),
        event("tentative", when, "STATUS:TENTATIVE", "TRANSP:OPAQUE"),
        "BEGIN:VTODO\r\nUID:todo\r\nDTSTART:20260302T090000Z\r\nEND:VTODO",
    )
    api.connect()
    assert starts(api) == ["tentative 2026-03-02T09:00"]


def test_folded_escaped_and_foreign_text(api: Api, lee: Path) -> None:
    """Folds may lie within a character, texts are unescaped, lines may end as they like."""
    title = "Zahnärztin, Überweisung; „A\\B“"
    line = b"SUMMARY:" + title.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").encode()
    folded = b"\n ".join(line[at : at + 9] for at in range(0, len(line), 9))
    content = b"\xef\xbb\xbfbegin:vcalendar\nBEGIN:VEVENT\nDTSTART:20260302T090000Z\n" + folded
    (lee / "k93wqe.ics").write_bytes(content + b"\nEND:VEVENT\nEND:VCALENDAR")
    api.connect()
    assert [each["title"] for each in imported(api)] == [title]
