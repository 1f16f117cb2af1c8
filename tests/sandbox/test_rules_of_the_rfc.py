"""The examples of RFC 5545, 3.8.5.3, come to what it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.wall_clock import found, time

if TYPE_CHECKING:
    from datetime import datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def days(text: str, clock: str = "T090000") -> list[datetime]:
    """Days as the RFC lists them, `1997 Sep 2-11; Oct 5 | 1998 Jan 2,9`, at a time of the day."""
    listed = []
    for year_text in text.split("|"):
        year, _, rest = year_text.strip().partition(" ")
        for month_text in rest.split(";"):
            month, _, numbers = month_text.strip().partition(" ")
            for number in numbers.split(","):
                begin, _, end = number.partition("-")
                listed += [
                    time(f"{year}{MONTHS.index(month) + 1:02d}{day:02d}{clock}")
                    for day in range(int(begin), int(end or begin) + 1)
                ]
    return listed


EVERY_JANUARY = "1998 Jan 1-31 | 1999 Jan 1-31 | 2000 Jan 1-31"
RFC_DAYS = [
    ("19970902", "DAILY;COUNT=10", "1997 Sep 2-11"),
    ("19970902", "DAILY;UNTIL=19971224T000000Z", "1997 Sep 2-30; Oct 1-31; Nov 1-30; Dec 1-23"),
    ("19970902", "DAILY;INTERVAL=2", "1997 Sep 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30; Oct 2,4,6..."),
    ("19970902", "DAILY;INTERVAL=10;COUNT=5", "1997 Sep 2,12,22; Oct 2,12"),
    ("19980101", "YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", EVERY_JANUARY),
    ("19980101", "DAILY;UNTIL=20000131T140000Z;BYMONTH=1", EVERY_JANUARY),
    ("19970902", "WEEKLY;COUNT=10", "1997 Sep 2,9,16,23,30; Oct 7,14,21,28; Nov 4"),
    (
        "19970902",
        "WEEKLY;UNTIL=19971224T000000Z",
        "1997 Sep 2,9,16,23,30; Oct 7,14,21,28; Nov 4,11,18,25; Dec 2,9,16,23",
    ),
    (
        "19970902",
        "WEEKLY;INTERVAL=2;WKST=SU",
        "1997 Sep 2,16,30; Oct 14,28; Nov 11,25; Dec 9,23 | 1998 Jan 6,20; Feb 3,17...",
    ),
    (
        "19970902",
        "WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997 Sep 2,4,9,11,16,18,23,25,30; Oct 2",
    ),
    ("19970902", "WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997 Sep 2,4,9,11,16,18,23,25,30; Oct 2"),
    (
        "19970901",
        "WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997 Sep 1,3,5,15,17,19,29; Oct 1,3,13,15,17,27,29,31; Nov 10,12,14,24,26,28; Dec 8,10,12,22",
    ),
    ("19970902", "WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997 Sep 2,4,16,18,30; Oct 2,14,16"),
    (
        "19970905",
        "MONTHLY;COUNT=10;BYDAY=1FR",
        "1997 Sep 5; Oct 3; Nov 7; Dec 5 | 1998 Jan 2; Feb 6; Mar 6; Apr 3; May 1; Jun 5",
    ),
    ("19970905", "MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997 Sep 5; Oct 3; Nov 7; Dec 5"),
    (
        "19970907",
        "MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997 Sep 7,28; Nov 2,30 | 1998 Jan 4,25; Mar 1,29; May 3,31",
    ),
    ("19970922", "MONTHLY;COUNT=6;BYDAY=-2MO", "1997 Sep 22; Oct 20; Nov 17; Dec 22 | 1998 Jan 19; Feb 16"),
    ("19970928", "MONTHLY;BYMONTHDAY=-3", "1997 Sep 28; Oct 29; Nov 28; Dec 29 | 1998 Jan 29; Feb 26..."),
    (
        "19970902",
        "MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997 Sep 2,15; Oct 2,15; Nov 2,15; Dec 2,15 | 1998 Jan 2,15",
    ),
    (
        "19970930",
        "MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997 Sep 30; Oct 1,31; Nov 1,30; Dec 1,31 | 1998 Jan 1,31; Feb 1",
    ),
    ("19970910", "MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "1997 Sep 10-15 | 1999 Mar 10-13"),
    (
        "19970902",
        "MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997 Sep 2,9,16,23,30; Nov 4,11,18,25 | 1998 Jan 6,13,20,27; Mar 3,10,17,24,31...",
    ),
    (
        "19970610",
        "YEARLY;COUNT=10;BYMONTH=6,7",
        "1997 Jun 10; Jul 10 | 1998 Jun 10; Jul 10 | 1999 Jun 10; Jul 10 | 2000 Jun 10; Jul 10 | 2001 Jun 10; Jul 10",
    ),
    (
        "19970310",
        "YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997 Mar 10 | 1999 Jan 10; Feb 10; Mar 10 | 2001 Jan 10; Feb 10; Mar 10 | 2003 Jan 10; Feb 10; Mar 10",
    ),
    (
        "19970101",
        "YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997 Jan 1; Apr 10; Jul 19 | 2000 Jan 1; Apr 9; Jul 18 | 2003 Jan 1; Apr 10; Jul 19 | 2006 Jan 1",
    ),
    ("19970519", "YEARLY;BYDAY=20MO", "1997 May 19 | 1998 May 18 | 1999 May 17..."),
    ("19970512", "YEARLY;BYWEEKNO=20;BYDAY=MO", "1997 May 12 | 1998 May 11 | 1999 May 17..."),
    (
        "19970313",
        "YEARLY;BYMONTH=3;BYDAY=TH",
        "1997 Mar 13,20,27 | 1998 Mar 5,12,19,26 | 1999 Mar 4,11,18,25...",
    ),
    (
        "19970605",
        "YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        (
            "1997 Jun 5,12,19,26; Jul 3,10,17,24,31; Aug 7,14,21,28 | 1998 Jun 4,11,18,25; Jul 2,9,16,23,30; "
            "Aug 6,13,20,27 | 1999 Jun 3,10,17,24; Jul 1,8,15,22,29; Aug 5,12,19,26..."
        ),
    ),
    # The RFC takes the first one out by an EXDATE.
    (
        "19970902",
        "MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1997 Sep 2 | 1998 Feb 13; Mar 13; Nov 13 | 1999 Aug 13 | 2000 Oct 13...",
    ),
    (
        "19970913",
        "MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997 Sep 13; Oct 11; Nov 8; Dec 13 | 1998 Jan 10; Feb 7; Mar 7; Apr 11; May 9; Jun 13...",
    ),
    (
        "19961105",
        "YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996 Nov 5 | 2000 Nov 7 | 2004 Nov 2...",
    ),
    ("19970904", "MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997 Sep 4; Oct 7; Nov 6"),
    (
        "19970929",
        "MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997 Sep 29; Oct 30; Nov 27; Dec 30 | 1998 Jan 29; Feb 26; Mar 30...",
    ),
    ("19970805", "WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997 Aug 5,10,19,24"),
    ("19970805", "WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997 Aug 5,17,19,31"),
    ("20070115", "MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007 Jan 15,30; Feb 15; Mar 15,30"),
]
"""The first day, the rule and the days of the examples of 3.8.5.3; `...` says that more follow."""


@pytest.mark.parametrize(("first", "rule", "expected"), RFC_DAYS, ids=[rule for _, rule, _ in RFC_DAYS])
def test_examples_of_the_rfc(first: str, rule: str, expected: str) -> None:
    """What recurs by days comes to the days that RFC 5545, 3.8.5.3, lists."""
    listed = days(expected.removesuffix("..."))
    more = len(listed) if expected.endswith("...") else None
    assert found(f"FREQ={rule}", f"{first}T090000", more) == listed


TWENTY_MINUTES = [
    f"1997090{day}T{hour:02d}{minute}" for day in "23" for hour in range(9, 17) for minute in ("00", 20, 40)
]
RFC_TIMES = [
    # 17:00 in UTC is 13:00 in New York; the RFC lists 15:00, too, against its own rule.
    ("HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", ["19970902T0900", "19970902T1200"]),
    ("HOURLY;INTERVAL=3;UNTIL=19970902T170000", ["19970902T0900", "19970902T1200", "19970902T1500"]),
    (
        "MINUTELY;INTERVAL=15;COUNT=6",
        [f"19970902T{clock}" for clock in ("0900", "0915", "0930", "0945", "1000", "1015")],
    ),
    ("MINUTELY;INTERVAL=90;COUNT=4", [f"19970902T{clock}" for clock in ("0900", "1030", "1200", "1330")]),
    ("DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40;COUNT=48", TWENTY_MINUTES),
    ("MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16;COUNT=48", TWENTY_MINUTES),
]


@pytest.mark.parametrize(("rule", "expected"), RFC_TIMES, ids=[rule for rule, _ in RFC_TIMES])
def test_examples_of_the_rfc_within_days(rule: str, expected: list[str]) -> None:
    """What recurs by hours and minutes comes to the times that RFC 5545, 3.8.5.3, lists."""
    assert found(f"FREQ={rule}", "19970902T090000") == [time(each) for each in expected]
