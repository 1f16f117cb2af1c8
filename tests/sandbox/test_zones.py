"""Time zones of calendars: VTIMEZONEs as programs write them (RFC 5545, 3.6.5), and the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.calendars.icalendar.own_zones import own_zone
from reconciler.sandbox.calendars.icalendar.zones import Zone, ZoneError, known_zone

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- wall clocks have no zone
MARCH = "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"
OCTOBER = "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"


def observance(kind: str, start: str | None, before: str | None, after: str | None, *lines: str) -> str:
    """An observance; None leaves a property out."""
    named = {"DTSTART": start, "TZOFFSETFROM": before, "TZOFFSETTO": after}
    written = [f"{name}:{value}" for name, value in named.items() if value is not None]
    return "\r\n".join([f"BEGIN:{kind}", *written, *lines, f"END:{kind}", ""])


def written(*observances: str) -> bytes:
    """A VTIMEZONE."""
    return f"BEGIN:VTIMEZONE\r\nTZID:Office\r\n{''.join(observances)}END:VTIMEZONE\r\n".encode()


def zone(*observances: str) -> Zone:
    """The zone of a VTIMEZONE."""
    return own_zone("Office", written(*observances))


def clock(text: str) -> datetime:
    """A wall-clock time."""
    return datetime.fromisoformat(text)


def utc(text: str) -> int:
    """The seconds since the epoch of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def hours(found: Zone, text: str) -> float:
    """How many hours a zone is ahead of UTC when its clocks show a time."""
    return (utc(text) - found.moment(clock(text))[0]) / 3600


BERLIN = (
    observance("DAYLIGHT", "19810329T020000", "+0100", "+0200", MARCH),
    observance("STANDARD", "19961027T030000", "+0200", "+0100", OCTOBER),
)
OUTLOOK = (
    observance("STANDARD", "16010101T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"),
    observance("DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
)
EXCHANGE = (
    observance(
        "STANDARD",
        "16010101T030000",
        "+0200",
        "+0100",
        "RRULE:FREQ=YEARLY;WKST=MO;INTERVAL=1;BYMONTH=10;BYDAY=-1SU",
        "X-SOMETHING;X=1:2",
    ),
    observance(
        "DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;WKST=MO;INTERVAL=1;BYMONTH=3;BYDAY=-1SU"
    ),
)
NEW_YORK = (
    observance("DAYLIGHT", "20070311T020000", "-0500", "-0400", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
    observance("STANDARD", "20071104T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
)
SYDNEY = (
    observance("STANDARD", "20080406T030000", "+1100", "+1000", "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"),
    observance("DAYLIGHT", "20081005T020000", "+1000", "+1100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU"),
)
LORD_HOWE = (
    observance("STANDARD", "20080406T020000", "+1100", "+1030", "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"),
    observance("DAYLIGHT", "20081005T020000", "+1030", "+1100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU"),
)
BY_RULES = {
    "Europe/Berlin": [BERLIN, OUTLOOK, EXCHANGE],
    "America/New_York": [NEW_YORK],
    "Australia/Sydney": [SYDNEY],
    "Australia/Lord_Howe": [LORD_HOWE],
}
NO_RULES = ["Africa/Casablanca", "America/Nuuk", "Asia/Gaza", "Pacific/Apia", "Europe/Dublin", "Antarctica/Troll"]


def changes(name: str) -> list[int]:
    """Days within which a zone changes its offset, 2008 to 2037, as seconds since the epoch."""
    data, day = ZoneInfo(name), 86_400
    days = range(utc("2008-01-01"), utc("2037-12-30"), day)
    offsets = [datetime.fromtimestamp(each, data).utcoffset() for each in days]
    return [each for each, one, other in zip(days, offsets, offsets[1:], strict=False) if one != other]


CHANGES = {name: changes(name) for name in (*BY_RULES, *NO_RULES)}


def times(name: str) -> st.SearchStrategy[int]:
    """Seconds since the epoch, 2008 to 2037: any, or in a night of change."""
    anywhen = st.integers(utc("2008-01-03"), utc("2037-12-27"))
    nights = st.builds(int.__add__, st.sampled_from(CHANGES[name]), st.integers(-86_400, 2 * 86_400))
    return st.one_of(anywhen, nights)


def by_database(name: str, wall_clock: datetime) -> tuple[int, int]:
    """The moment of a wall-clock time and the gap around it, by the standard library (PEP 495)."""
    data = ZoneInfo(name)
    moment = wall_clock.replace(tzinfo=data, fold=0).astimezone(UTC)
    shown = moment.astimezone(data).replace(tzinfo=None)
    return int(moment.timestamp()), int((shown - wall_clock).total_seconds())


@given(st.data(), st.sampled_from(sorted(BY_RULES)))
def test_rules_in_a_calendar_agree_with_the_database(data: st.DataObject, name: str) -> None:
    """A VTIMEZONE with the rules of a zone is that zone, in gaps and in times that come twice, too (3.3.5)."""
    found = own_zone(name, written(*data.draw(st.sampled_from(BY_RULES[name]))))
    seconds = data.draw(times(name))
    wall_clock = EPOCH + timedelta(seconds=seconds)
    assert found.moment(wall_clock) == by_database(name, wall_clock)
    shown = datetime.fromtimestamp(seconds, ZoneInfo(name)).replace(tzinfo=None)
    assert found.wall_clock(seconds) == shown


@given(st.data(), st.sampled_from(sorted(CHANGES)))
def test_zones_of_the_database(data: st.DataObject, name: str) -> None:
    """The same of the zones that are known by name."""
    found = known_zone(name)
    assert found is not None
    seconds = data.draw(times(name))
    wall_clock = EPOCH + timedelta(seconds=seconds)
    assert found.moment(wall_clock) == by_database(name, wall_clock)
    shown = found.wall_clock(seconds)
    assert shown == datetime.fromtimestamp(seconds, ZoneInfo(name)).replace(tzinfo=None)
    assert shown.fold == 0


@given(st.data(), st.sampled_from(sorted(CHANGES)))
def test_a_moment_is_where_the_clocks_show_its_time(data: st.DataObject, name: str) -> None:
    """Outside of gaps there and back is where one was; in a gap the clocks show as much later as it is long."""
    every = [known_zone(name), *(zone(*each) for each in BY_RULES.get(name, []))]
    found = data.draw(st.sampled_from(every))
    assert found is not None
    wall_clock = EPOCH + timedelta(seconds=data.draw(times(name)))
    moment, gap = found.moment(wall_clock)
    assert found.wall_clock(moment) == wall_clock + timedelta(seconds=gap)


@pytest.mark.parametrize("observances", [BERLIN, OUTLOOK, EXCHANGE])
def test_the_nights_of_change(observances: tuple[str, ...]) -> None:
    """2026: from 02:00 to 03:00 on March 29, and back from 03:00 to 02:00 on October 25, both at 01:00 UTC."""
    found = zone(*observances)
    assert found.moment(clock("2026-03-29T01:59:59")) == (utc("2026-03-29T00:59:59"), 0)
    assert found.moment(clock("2026-03-29T02:00:00")) == (utc("2026-03-29T01:00:00"), 3600)
    assert found.moment(clock("2026-03-29T02:59:59")) == (utc("2026-03-29T01:59:59"), 3600)
    assert found.moment(clock("2026-03-29T03:00:00")) == (utc("2026-03-29T01:00:00"), 0)
    assert found.moment(clock("2026-10-25T02:30:00")) == (utc("2026-10-25T00:30:00"), 0)
    assert found.moment(clock("2026-10-25T03:00:00")) == (utc("2026-10-25T02:00:00"), 0)
    assert found.wall_clock(utc("2026-10-25T00:30:00")) == clock("2026-10-25T02:30:00")
    assert found.wall_clock(utc("2026-10-25T01:30:00")) == clock("2026-10-25T02:30:00")


@pytest.mark.parametrize(
    "observances",
    [
        pytest.param((BERLIN[1], BERLIN[0]), id="out of order"),
        pytest.param(tuple(each.lower() for each in BERLIN), id="lower case"),
        pytest.param(tuple(each.replace("\r\n", "\n") for each in BERLIN), id="line feeds"),
        pytest.param(tuple(each.replace("YEARLY", "YEA\r\n RLY") for each in BERLIN), id="folded"),
        pytest.param(tuple(each.replace("+0100", "+1:00").replace("+0200", "+2:00") for each in BERLIN), id="+1:00"),
        pytest.param(tuple(each.replace("+0100", "+01").replace("+0200", "+02") for each in BERLIN), id="+01"),
        pytest.param(tuple(each.replace("+", "") for each in BERLIN), id="0100"),
        pytest.param(tuple(each.replace("+0100", "+010000") for each in BERLIN), id="+010000"),
        pytest.param(tuple(each.replace("0000\r\nTZ", "0000Z\r\nTZ") for each in BERLIN), id="DTSTART with Z"),
        pytest.param(tuple(each.replace("DTSTART", 'DTSTART;TZID="a:b"') for each in BERLIN), id="quoted TZID"),
        pytest.param(tuple(each.replace("TZOFFSETFROM", "X-WAS") for each in BERLIN), id="no TZOFFSETFROM"),
        pytest.param((BERLIN[0], BERLIN[1].replace("TZOFFSETFROM", "X-WAS")), id="one without TZOFFSETFROM"),
        pytest.param(("TZUNTIL:20200101T000000Z\r\n", *BERLIN), id="TZUNTIL"),
    ],
)
def test_sloppy_ones(observances: tuple[str, ...]) -> None:
    """What has one clear meaning is read, however it is written."""
    found = zone(*observances)
    assert [hours(found, f"2026-{day}") for day in ("01-15", "07-15", "12-15")] == [1, 2, 1]
    assert found.moment(clock("2026-03-29T02:30:00")) == (utc("2026-03-29T01:30:00"), 3600)


def test_offsets_with_seconds() -> None:
    """As of a mean time of old, when the clocks were moved by 6 min 32 s (3.3.14)."""
    found = zone(observance("STANDARD", "18930401T000000", "+005328", "+0100"))
    assert found.moment(clock("1893-03-31T23:59:59")) == (utc("1893-03-31T23:06:31"), 0)
    assert found.moment(clock("1893-04-01T00:06:00")) == (utc("1893-03-31T23:12:32"), 392)
    assert found.moment(clock("1893-04-01T00:06:32")) == (utc("1893-03-31T23:06:32"), 0)


def test_rules_that_end_and_others_that_begin() -> None:
    """New York before and since 2007 as in the example of 3.6.5, with each form of UNTIL (3.3.10)."""
    for april, october in (
        ("20060402T070000Z", "20061029T060000Z"),
        ("20060402T020000", "20061029T020000"),
        ("20060402", "20061029"),
    ):
        found = zone(
            observance(
                "DAYLIGHT", "19870405T020000", "-0500", "-0400", f"RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL={april}"
            ),
            observance(
                "STANDARD",
                "19671029T020000",
                "-0400",
                "-0500",
                f"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL={october}",
            ),
            *NEW_YORK,
        )
        days = ("2006-04-01", "2006-04-03", "2006-10-28", "2006-10-30", "2007-03-10", "2007-03-12", "2007-11-05")
        assert [hours(found, day) for day in days] == [-5, -4, -4, -5, -5, -4, -5]


def test_rules_that_are_over_leave_the_last_offset() -> None:
    """Even where nothing has happened for a thousand years."""
    found = zone(
        observance("DAYLIGHT", "19800401T000000", "+0300", "+0400", "RRULE:FREQ=YEARLY;COUNT=3"),
        observance("STANDARD", "19801001T000000", "+0400", "+0300", "RRULE:FREQ=YEARLY;UNTIL=19811001T000000"),
    )
    assert [hours(found, day) for day in ("1982-03-31", "1982-04-02", "1999-01-01", "3000-01-01")] == [3, 4, 4, 4]


def test_a_rule_that_ends_before_it_begins() -> None:
    """DTSTART is an onset all the same (3.8.5.3)."""
    found = zone(observance("STANDARD", "20200101T000000", "+0200", "+0100", f"{MARCH};UNTIL=19990101T000000Z"))
    assert [hours(found, day) for day in ("2019-12-31", "2020-01-02", "2026-07-01")] == [2, 1, 1]


def test_dates_that_are_listed() -> None:
    """RDATE adds to DTSTART; of a PERIOD its start counts, and a date alone has the time of DTSTART (3.8.5.2)."""
    found = zone(
        observance(
            "DAYLIGHT",
            "20240301T020000",
            "+0000",
            "+0100",
            "RDATE:20250302T020000,",
            "RDATE;VALUE=PERIOD:20260303T020000/PT1H",
        ),
        observance(
            "STANDARD", "20241001T030000", "+0100", "+0000", "RDATE;VALUE=DATE:20251002", "RDATE:20261003T030000"
        ),
    )
    assert [found.moment(clock(f"{day}T02:30:00"))[1] for day in ("2024-03-01", "2025-03-02", "2026-03-03")] == [
        3600
    ] * 3
    for day in ("2024-10-01", "2025-10-02", "2026-10-03"):
        assert found.moment(clock(f"{day}T02:59:59"))[0] == utc(f"{day}T01:59:59")
        assert found.moment(clock(f"{day}T03:00:00"))[0] == utc(f"{day}T03:00:00")


def test_several_rules_of_one_observance() -> None:
    """All of them begin it (3.8.5.3); twice a year daylight time, and twice standard time."""
    found = zone(
        observance(
            "DAYLIGHT",
            "20200301T000000",
            "+0000",
            "+0100",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1",
            "RRULE:FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=1",
        ),
        observance("STANDARD", "20200601T000000", "+0100", "+0000", "RRULE:FREQ=MONTHLY;INTERVAL=6"),
    )
    months = ("02-15", "03-15", "06-15", "09-15", "12-15")
    assert [hours(found, f"2026-{day}") for day in months] == [0, 1, 0, 1, 0]


def test_one_observance() -> None:
    """From its onset on TZOFFSETTO, before it TZOFFSETFROM (or TZOFFSETTO, if that is all there is)."""
    assert hours(zone(observance("STANDARD", "19700101T000000", "+0200", "+0300")), "1969-12-31") == 2
    assert hours(zone(observance("STANDARD", "19700101T000000", "+0200", "+0300")), "1970-01-02") == 3
    assert hours(zone(observance("STANDARD", "19700101T000000", None, "+0300")), "1969-12-31") == 3
    assert hours(zone(observance("STANDARD", None, "+0300", "+0300")), "2026-01-01") == 3
    yearly = zone(observance("DAYLIGHT", "19700329T020000", "+0100", "+0200", MARCH))
    assert [hours(yearly, day) for day in ("1970-01-01", "2026-01-01", "2026-07-01")] == [1, 2, 2]


def test_a_daylight_time_that_came_once() -> None:
    """Without a rule it begins once and lasts until the next standard time."""
    found = zone(observance("DAYLIGHT", "19700329T020000", "+0100", "+0200"), BERLIN[1])
    assert [hours(found, day) for day in ("1970-07-01", "1996-12-01", "2026-07-01")] == [2, 1, 1]


def test_a_start_that_its_rule_does_not_hit_is_no_onset() -> None:
    """Else both would begin at new year, and daylight time would last from January to October."""
    found = zone(*(each.replace("19810329", "20260329").replace("19961027", "20261025") for each in BERLIN))
    shifted = zone(
        observance("DAYLIGHT", "20260101T020000", "+0100", "+0200", MARCH),
        observance("STANDARD", "20260101T030000", "+0200", "+0100", OCTOBER),
    )
    for day in ("2025-07-15", "2026-01-15", "2026-04-15", "2026-11-15", "2027-07-15"):
        assert shifted.moment(clock(day)) == found.moment(clock(day))


def test_onsets_at_one_moment() -> None:
    """The standard time stays, in whichever order they are written."""
    both = (
        observance("STANDARD", "20000101T000000", "+0000", "+0100"),
        observance("DAYLIGHT", "20000101T000000", "+0000", "+0200"),
    )
    assert hours(zone(*both), "2026-07-01") == hours(zone(*reversed(both)), "2026-07-01") == 1


def test_changes_close_together() -> None:
    """An hour forward and, half an hour later, two back: what the clocks show again counts the first time."""
    found = zone(
        observance("DAYLIGHT", "20260301T020000", "+0000", "+0100"),
        observance("STANDARD", "20260301T033000", "+0100", "-0100"),
    )
    assert found.moment(clock("2026-03-01T01:45:00")) == (utc("2026-03-01T01:45:00"), 0)
    assert found.moment(clock("2026-03-01T02:30:00")) == (utc("2026-03-01T02:30:00"), 3600)
    assert found.moment(clock("2026-03-01T03:15:00")) == (utc("2026-03-01T02:15:00"), 0)
    assert found.moment(clock("2026-03-01T03:45:00")) == (utc("2026-03-01T04:45:00"), 0)
    assert found.wall_clock(utc("2026-03-01T02:45:00")) == clock("2026-03-01T01:45:00")


@pytest.mark.parametrize(
    "found", [known_zone("Pacific/Kiritimati"), known_zone("UTC-11"), zone(*BERLIN), zone(*OUTLOOK)]
)
def test_the_first_and_the_last_years(found: Zone) -> None:
    """Nothing overflows; what would be outside of the years 1 to 9999 is at their edge."""
    first, last = clock("0001-01-01T00:00:00"), clock("9999-12-31T23:59:59")
    assert abs(found.moment(first)[0] - utc("0001-01-01")) < 86_400
    assert abs(found.moment(last)[0] - utc("9999-12-31T23:59:59")) < 86_400
    assert found.wall_clock(-(10**18)) == first
    assert found.wall_clock(10**18) == last
    assert first <= found.wall_clock(utc("0001-01-01")) < clock("0001-01-02")
    assert clock("9999-12-30T23:59:59") < found.wall_clock(utc("9999-12-31T23:59:59")) <= last


START = "19700101T000000"
DAILY_IN_A_RULE = "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither STANDARD nor DAYLIGHT"),
        (written(), "neither STANDARD nor DAYLIGHT"),
        (written(BERLIN[0].replace("END:DAYLIGHT", "")), "neither STANDARD nor DAYLIGHT"),
        (written(observance("STANDARD", START, "+0100", None)), "TZOFFSETTO"),
        (written(observance("STANDARD", START, "+0100", "+9900")), "'\\+9900' is not an offset within a day"),
        (written(observance("STANDARD", START, "+0100", "-2400")), "'-2400' is not an offset within a day"),
        (written(observance("STANDARD", START, "+0160", "+0100")), "'\\+0160' is not an offset within a day"),
        (written(observance("STANDARD", START, "CET", "+0100")), "'CET' is not an offset"),
        (written(observance("STANDARD", "19701301T000000", "+0100", "+0100")), "'19701301T000000' is not a time"),
        (written(observance("STANDARD", "00000101T000000", "+0100", "+0100")), "'00000101T000000' is not a time"),
        (written(observance("STANDARD", "often", "+0100", "+0100")), "'OFTEN' is not a time"),
        (written(observance("STANDARD", None, "+0200", "+0100"), BERLIN[0]), "no DTSTART"),
        (written(observance("STANDARD", None, "+0200", "+0100", MARCH)), "no DTSTART"),
        (written(observance("STANDARD", START, "+0200", "+0100", "RDATE:tomorrow")), "'TOMORROW' is not a time"),
        (written(observance("STANDARD", START, "+0200", "+0100", "RRULE:FREQ=OFTEN")), "FREQ of its RRULE is unknown"),
        (written(observance("STANDARD", START, "+0200", "+0100", "RRULE:FREQ=SECONDLY")), "more than once a day"),
        (
            written(observance("STANDARD", START, "+0200", "+0100", "RRULE:FREQ=DAILY;BYHOUR=1,2")),
            "more than once a day",
        ),
        (
            written(observance("STANDARD", START, "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")),
            "its RRULE never recurs",
        ),
        (
            written(observance("STANDARD", START, "+0200", "+0100", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")),
            "its RRULE never recurs",
        ),
        (written(observance("STANDARD", START, "+0200", "+0100", *[MARCH] * 201)), "more than 200 RRULEs"),
        (
            written(*[observance("STANDARD", START, "+0200", "+0100", DAILY_IN_A_RULE)] * 1001),
            "more than 1000 observances",
        ),
        (
            written(observance("STANDARD", START, "+0200", "+0100", f"RDATE:{','.join([START] * 10_001)}")),
            "more than 10000 dates",
        ),
        (
            written(observance("STANDARD", START, "+0200", "+0100", f"RDATE:{','.join([START] * 1_000_000)}")),
            "longer than 524288 bytes",
        ),
    ],
)
def test_what_cannot_be_read(content: bytes, why: str) -> None:
    """The message says why, and no amount of text takes long."""
    with pytest.raises(ZoneError, match=why):
        own_zone("Office", content)


def test_rules_that_take_too_many_steps() -> None:
    """The question says so, and each after it, whichever was asked first."""
    found = zone(
        *[
            observance("STANDARD", f"1970010{day}T000000", "+0200", "+0100", *[DAILY_IN_A_RULE] * 5)
            for day in range(1, 9)
        ]
    )
    for _ in range(2):
        with pytest.raises(ZoneError, match="too many steps"):
            found.moment(clock("2026-01-01"))
    with pytest.raises(ZoneError, match="too many steps"):
        found.wall_clock(utc("1950-01-01"))


def test_zones_of_equal_text_are_shared() -> None:
    """Name and text make a zone."""
    assert own_zone("Office", written(*BERLIN)) is own_zone("Office", written(*BERLIN))
    assert own_zone("Office", written(*BERLIN)) is not own_zone("Office", written(*SYDNEY))
    assert own_zone("Other", written(*BERLIN)).name == "Other"


ONE_YEAR = (
    observance("STANDARD", "20181028T030000", "+0200", "+0100"),
    observance("DAYLIGHT", "20190331T020000", "+0100", "+0200"),
)
RULES_THAT_END = (
    observance(
        "STANDARD",
        "20181028T030000",
        "+0200",
        "+0100",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20191027T010000Z",
    ),
    observance(
        "DAYLIGHT", "20190331T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20200329T010000Z"
    ),
)


@pytest.mark.parametrize(
    ("observances", "summer", "winter"),
    [
        # Onsets that Europe/Berlin has, too: it is that zone, before and after them.
        (ONE_YEAR, 7, 8),
        (ONE_YEAR[1:], 7, 8),
        (RULES_THAT_END, 7, 8),
        # What contradicts it is what it says (3.6.5): no daylight saving time, or onsets of another zone.
        ((observance("STANDARD", "19700101T000000", "+0100", "+0100"),), 8, 8),
        ((observance("DAYLIGHT", "20190324T020000", "+0100", "+0200"),), 7, 7),
    ],
)
def test_a_part_of_a_known_zone_is_that_zone(observances: tuple[str, ...], summer: int, winter: int) -> None:
    """A VTIMEZONE that lists some onsets of the zone it is named after says nothing else about other years."""
    found = own_zone("Europe/Berlin", written(*observances))
    for year in (2020, 2026):
        assert found.moment(clock(f"{year}-07-06 09:00"))[0] == utc(f"{year}-07-06 0{summer}:00")
        assert found.moment(clock(f"{year}-12-07 09:00"))[0] == utc(f"{year}-12-07 0{winter}:00")
