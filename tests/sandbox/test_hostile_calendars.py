"""Whatever bytes lie in a folder are imported or reported; they hang, crash and take down nothing."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox.calendars.folder.account_folders import write_accounts
from reconciler.sandbox.calendars.folder.files import replace_file
from reconciler.sandbox.calendars.icalendar.expander import Expander, ExpansionRequest
from reconciler.sandbox.calendars.icalendar.expansion import Limits, expand
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.calendars.icalendar.parser import CalendarParser
from reconciler.sandbox.local import opened
from reconciler.sandbox.world import Account, Calendar
from tests.sandbox import talkative_worker
from tests.support.profiles import examples
from tests.support.sandbox.api import UNHURRIED
from tests.support.sandbox.ics import calendar, event, imported, starts, write
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from tests.support.sandbox.api import Api

GOOD = event("good", "DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=2")
GOOD_STARTS = ["good 2026-03-02T09:00", "good 2026-03-03T09:00"]
FROM, TO = 1_767_225_600.0, 1_798_761_600.0  # 2026, in seconds since the epoch

LEFT_OUT = {
    "every second": ("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY"),
    "no interval": ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;INTERVAL=0"),
    "count no number": ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;COUNT=1e9"),
    "no count": ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;COUNT=0"),
    "walked for ever": ("DTSTART:00300101T000000Z", "RRULE:FREQ=MINUTELY;BYMONTH=1,2,3,4,5,6;COUNT=1000000000"),
    "no such frequency": ("DTSTART:20260101T000000Z", "RRULE:FREQ=OFTEN"),
    "no start": ("DTEND:20260101T000000Z",),
    "no such day": ("DTSTART:20260230T000000Z",),
    "two starts": ("DTSTART:20260101T000000Z", "DTSTART:20260102T000000Z"),
    "longer than time": ("DTSTART:20260101T000000Z", "DURATION:P99999999W"),
    "a million dates": ("DTSTART:20260101T000000Z", f"RDATE:{','.join(['20260201T000000Z'] * 20_000)}"),
    "no until": ("DTSTART:20260101T090000", "RRULE:FREQ=DAILY;UNTIL=20261399T090000"),
    "an end before the start": ("DTSTART:20260110T000000Z", "DTEND:20250110T000000Z"),
    "a length below nothing": ("DTSTART:20260110T000000Z", "DURATION:-PT1H"),
    "a null": ("DTSTART:20260101T0000\x0000Z",),
}
"""Events that nobody can import."""

HARMLESS = {
    "a billion days": (("DTSTART:20261230T000000Z", "RRULE:FREQ=DAILY;COUNT=1000000000"), 2),
    "until before it starts": (("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;UNTIL=20250101T000000Z"), 0),
    "far off": (("DTSTART:99991230T000000Z", "DTEND:99991231T235959Z", "RRULE:FREQ=DAILY"), 0),
    "a day that ends at an hour": (("DTSTART;VALUE=DATE:20260101", "DTEND:20260101T100000Z"), 1),
    "an hour that ends on a day": (("DTSTART:20260101T100000Z", "DTEND;VALUE=DATE:20260102"), 1),
    "30 February, sought each second": (
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"),
        1,
    ),
    "30 February, sought each year": (
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        1,
    ),
    "an empty exception": (("DTSTART:20260110T000000Z", "EXDATE:"), 1),
}
"""Events that look bad, and how often each happens in 2026."""


@pytest.fixture(scope="module")
def expander() -> Iterator[Expander]:
    """Workers of the tests' own."""
    found = Expander(TIMEOUT)
    yield found
    found.close()


def asked(content: bytes) -> ExpansionRequest:
    """2026 of a calendar."""
    return ExpansionRequest(content, "America/New_York", TimeRange(FROM, TO))


_SERVED = {"every second", "no start"}
"""Those that a sandbox is asked about in every run; a soak asks one about each."""


def parameters(served: set[str]) -> list[ParameterSet]:
    """All of `LEFT_OUT`, of which only some are in every run."""
    return [pytest.param(each, marks=() if each in served else pytest.mark.soak) for each in LEFT_OUT]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_cannot_be_imported_is_named(expander: Expander, name: str) -> None:
    """One event is left out and reported by its UID; others of its file are imported."""
    answered = expander.expand(asked(calendar(event(name, *LEFT_OUT[name]), GOOD).encode()))
    assert [each.uid for each in answered.instances] == ["good", "good"]
    (fault,) = answered.faults
    assert fault.startswith(f"event '{name}' ")
    assert " left out: " in fault


@pytest.mark.parametrize("name", parameters(_SERVED))
def test_what_cannot_be_imported_is_named_and_the_rest_answers(api: Api, lee: Path, name: str, data: Path) -> None:
    """One event is left out and reported by its UID; others of its file, and other files, are imported."""
    write(lee, event(name, *LEFT_OUT[name]), GOOD)
    write(lee, GOOD, name="other")
    api.connect()
    assert starts(api) == sorted(GOOD_STARTS * 2, key=lambda each: each[5:])
    with opened(data, settings=UNHURRIED) as local:
        (warning,) = local.warnings()
    assert warning.startswith(f"apple/lee@harbor-dental.example/k93wqe: event '{name}' ")
    assert " left out: " in warning


@pytest.mark.parametrize("name", HARMLESS)
def test_what_looks_bad_is_imported_for_what_it_is(expander: Expander, name: str) -> None:
    """Odd rules and times that have a meaning, or none, are no trouble."""
    lines, count = HARMLESS[name]
    answered = expander.expand(asked(calendar(event(name, *lines), GOOD).encode()))
    assert sorted(each.uid for each in answered.instances) == sorted([name] * count + ["good"] * 2)
    assert answered.faults == ()


def test_what_takes_too_many_steps_does_so_for_its_range_alone(expander: Expander) -> None:
    """A series that is given up where thousands of years are asked for is imported where one is."""
    seeking = event("leap", *HARMLESS["30 February, sought each second"][0])
    content = calendar(seeking, event("early", "DTSTART:00300101T000000Z")).encode()
    ages = expander.expand(ExpansionRequest(content, "UTC", TimeRange(-62_000_000_000.0, 250_000_000_000.0)))
    assert [each.uid for each in ages.instances] == ["early"]
    assert ages.faults == ("event 'leap' is left out: finding its recurrences takes too many steps",)
    year = expander.expand(asked(content))
    assert [each.uid for each in year.instances] == ["leap"]
    assert year.faults == ()


def nothing_but_traps() -> bytes:
    """A calendar of many series that nobody means, and of an event that happens once."""
    traps = [event(f"trap{n}", *LEFT_OUT["every second"]) for n in range(60)]
    return calendar(*traps, event("once", "DTSTART:20260302T090000Z")).encode()


def test_many_traps_take_nothing_from_the_rest(expander: Expander) -> None:
    """A file of nothing but traps names each of them, and what happens once is imported."""
    answered = expander.expand(asked(nothing_but_traps()))
    assert [instance.uid for instance in answered.instances] == ["once"]
    assert sorted(answered.faults) == sorted(
        f"event 'trap{n}' is left out: it recurs more often than once a minute" for n in range(60)
    )


def test_thousands_of_events_and_changes_of_one_uid(expander: Expander) -> None:
    """Where each of thousands of changes may change each of thousands of events, they are named, and no others lost."""
    events = [
        event("one", f"DTSTART:20260101T{n // 60 % 24:02}{n % 60:02}00Z", f"DURATION:PT{n}S") for n in range(3000)
    ]
    changes = [
        event(
            "one", f"RECURRENCE-ID:202602{1 + n // 1440:02}T{n // 60 % 24:02}{n % 60:02}00Z", "DTSTART:20260401T000000Z"
        )
        for n in range(3000)
    ]
    answered = expander.expand(asked(calendar(*events, *changes, GOOD).encode()))
    assert [each.uid for each in answered.instances] == ["good", "good"]
    assert answered.faults == ("event 'one' is left out: finding its recurrences takes too many steps",)


def test_a_range_begins_with_what_there_is_time_for() -> None:
    """Where not all series can be begun in time, that is said, and what happens once is there."""
    once = event("once", "DTSTART:20260302T090000Z")
    reading = CalendarParser(calendar(GOOD, GOOD.replace("UID:good", "UID:too"), once).encode(), "UTC", "")
    assert reading.go_on(math.inf)
    late = time.monotonic() - 1.0
    done = expand(reading.contents.series, TimeRange(FROM, TO), over_at=late, limits=Limits())
    assert "there was no time for 2 of its series; they are left out" in done.faults
    assert not done.complete
    whole = expand(reading.contents.series, TimeRange(FROM, TO), over_at=late + 3600.0, limits=Limits())
    assert (len(whole.instances), whole.complete, whole.faults) == (5, True, [])


def test_faults_without_number_are_counted(expander: Expander) -> None:
    """A calendar of nothing but broken events names a thousand of them, and how many more there are."""
    answered = expander.expand(asked(calendar(*[event(f"e{n}") for n in range(1003)], GOOD).encode()))
    assert len(answered.instances) == 2
    assert len(answered.faults) == 1001
    assert answered.faults[-1] == "and 3 more faults of this kind"


LONG = {
    "zones": "DTSTART" + ";TZID=" * 100_000 + "x:2026",
    "blanks": "DTSTART;TZID=" + " " * 100_000 + "x:2026",
    "exceptions": "\r\n".join(["DTSTART:20260302T090000Z"] + ["EXDATE:20260303T090000Z"] * 10_001),
}
"""Lines of an event that are long, or very many."""


@pytest.mark.parametrize("name", LONG)
def test_long_lines_cost_one_event(expander: Expander, name: str) -> None:
    """However long the lines of an event are, it is named and others of its file are imported."""
    answered = expander.expand(asked(calendar(event("long", LONG[name]), GOOD).encode()))
    assert [each.uid for each in answered.instances] == ["good", "good"]
    (fault,) = answered.faults
    assert fault.startswith("event 'long' ")


def test_many_calendars_of_a_series_a_minute(expander: Expander) -> None:
    """What recurs each minute since years ago is imported from where it is asked for, part by part."""
    series = [event(f"often{n}", "DTSTART:20100101T000000Z", "RRULE:FREQ=MINUTELY") for n in range(30)]
    every = [asked(calendar(*series, f"X-N:{n}").encode()) for n in range(4)]
    for answered in expander.expand_all(every, TIMEOUT):
        assert answered.faults == ()
        assert len(answered.instances) >= Limits().enough
        assert {each.start % 60 for each in answered.instances} == {0}
        assert answered.until == answered.instances[-1].start + 60 < TO


def test_a_question_whose_time_is_over_says_so_and_is_asked_again(expander: Expander) -> None:
    """What there was no time for is named, and nothing of that is remembered."""
    every = [asked(calendar(GOOD, event(f"late {n}", "DTSTART:20260401T090000Z")).encode()) for n in range(5)]
    for answered in expander.expand_all(every, 0.0):
        assert answered.faults == ("there was no time to read it; all of it is left out",)
        assert answered.until == TO
    for answered in expander.expand_all(every, TIMEOUT):
        assert answered.faults == ()
        assert len(answered.instances) == 3


def test_reading_goes_on_where_time_was_over() -> None:
    """However little time there is for one question, a large calendar is read in the end; so much for expanding it."""
    events = [event(f"e{n}", "DTSTART:20260302T090000Z") for n in range(50)]
    reader = CalendarParser(calendar(*events).encode(), "UTC", "")
    tries = 1
    while not reader.go_on(over_at=0.0):
        tries += 1
    assert tries > len(events)
    window = TimeRange(FROM, TO)
    done = expand(reader.contents.series, window, over_at=0.0, limits=Limits())
    assert (done.instances, done.complete) == ([], False)
    assert done.faults == ["there was no time for all of its events; those from 2026-03-02 on are left out"]
    again = expand(reader.contents.series, window, over_at=math.inf, limits=Limits())
    assert (len(again.instances), again.complete, again.faults) == (50, True, [])


def test_a_zone_that_never_ends(expander: Expander) -> None:
    """A VTIMEZONE whose rules take for ever costs the events in it, and no other."""
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Trap\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0100\r\n"
        "TZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    )
    answered = expander.expand(
        asked(calendar(zone, event("in it", "DTSTART;TZID=Trap:20260302T090000", "RRULE:FREQ=DAILY"), GOOD).encode())
    )
    assert {instance.uid for instance in answered.instances} - {"in it"} == {"good"}


def test_files_that_are_no_calendars(api: Api, lee: Path, data: Path) -> None:
    """Junk, a cut-off file, one too large: each is reported, and the good one is imported."""
    write(lee, GOOD)
    (lee / "junk.ics").write_bytes(os.urandom(5000).replace(b"BEGIN", b""))
    (lee / "cut.ics").write_text(calendar(GOOD.replace("UID:good", "UID:cut"))[:-40])
    (lee / "large.ics").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    (lee / "empty.ics").write_bytes(b"")
    api.connect()
    assert starts(api) == GOOD_STARTS
    with opened(data, settings=UNHURRIED) as local:
        warnings = local.warnings()
    assert {warning.split(": ")[0].rpartition("/")[2] for warning in warnings} == {"junk", "cut", "large"}
    assert any("larger than 10485760 bytes, the most that is read" in warning for warning in warnings)


def test_links_pipes_and_folders_are_not_followed(api: Api, lee: Path, tmp_path: Path) -> None:
    """What isn't a plain file is no calendar; nothing is read from elsewhere, nothing waits."""
    write(lee, GOOD)
    secret = write(tmp_path, event("secret", "DTSTART:20260302T090000Z"), name="secret")
    (lee / "link.ics").symlink_to(secret)
    (lee / "folder.ics").mkdir()
    os.mkfifo(lee / "pipe.ics")
    (lee.parent / "mallory@harbor-dental.example").symlink_to(tmp_path, target_is_directory=True)
    connection = api.connect()
    try:
        assert [each["id"] for each in api.get(f"/connections/{connection['id']}/calendars").json()["calendars"]] == [
            "k93wqe"
        ]
        assert starts(api) == GOOD_STARTS
        assert api.by_credentials(email="mallory@harbor-dental.example").status_code == 401
    finally:
        (lee / "folder.ics").rmdir()
        (lee / "pipe.ics").unlink()
        (lee / "link.ics").unlink()
        (lee.parent / "mallory@harbor-dental.example").unlink()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Neither the order of accounts nor what is written beside a file goes to where a link leads."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    provider = tmp_path / "data" / "calendars" / "apple"
    provider.mkdir(parents=True)
    (provider / "order.json").symlink_to(mine)
    account = Account("apple", "lee@harbor-dental.example", "a password", (Calendar("k93wqe", "Work"),))
    write_accounts(provider.parent, [account])
    assert json.loads((provider / "order.json").read_text()) == [account.email]
    path = provider / account.email / "k93wqe.ics"
    (path.parent / f".extcal-writing-{os.getpid()}-k93wqe.ics").symlink_to(mine)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert mine.read_text() == "mine"


def test_edits_are_seen_at_once(api: Api, lee: Path) -> None:
    """A file may be changed, added and removed while the sandbox runs."""
    path = write(lee, GOOD)
    connection = api.connect()
    assert starts(api) == GOOD_STARTS
    path.write_text(path.read_text().replace("COUNT=2", "COUNT=1"))
    assert starts(api) == GOOD_STARTS[:1]
    write(lee, GOOD, name="new")
    chosen = {"listEventFromCalendars": {"calendars": {"calendars": [{"id": "new"}]}}}
    assert api.update(connection["id"], chosen).status_code == 200
    assert starts(api) == GOOD_STARTS
    (lee / "new.ics").unlink()
    assert imported(api) == []


ZONE_OF_THREE = (
    "BEGIN:VTIMEZONE\r\nTZID:Office\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r\n"
    "TZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE"
)


def test_calendars_that_say_other_things_in_one_stream(expander: Expander) -> None:
    """Each VCALENDAR of a stream has its own zones and its own scale; a bad one that is needed is reported."""
    at_nine = event("nine", "DTSTART;TZID=Office:20260302T090000")
    in_bad = event("bad", "DTSTART;TZID=Bad:20260302T090000")
    content = "".join(
        [
            calendar(ZONE_OF_THREE, at_nine),
            calendar(ZONE_OF_THREE.replace("+0300", "-0800"), at_nine),
            calendar("CALSCALE:JULIAN", at_nine),
            calendar(ZONE_OF_THREE.replace("Office", "Bad").replace("+0300", "+9900"), GOOD, in_bad),
        ]
    )
    answered = expander.expand(asked(content.encode()))
    hours = [(each.start - 1_772_409_600) // 3600 for each in answered.instances if each.uid == "nine"]
    assert hours == [6, 17]
    assert {each.uid for each in answered.instances} == {"nine", "good", "bad"}
    assert any("CALSCALE" in fault for fault in answered.faults)
    assert any("VTIMEZONE 'Bad' can't be read" in fault for fault in answered.faults)


def test_a_worker_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was asked is reported as unreadable; the next question is answered; after closing none is."""
    found = Expander(TIMEOUT)
    try:
        with monkeypatch.context() as patched:
            patched.setattr("reconciler.sandbox.calendars.icalendar.expander.GRACE_SECONDS", -1.0)
            assert "all of it is left out" in found.expand(asked(calendar(GOOD).encode()), 1.0).faults[0]
        answered = found.expand(ExpansionRequest(calendar(GOOD).encode(), "UTC", TimeRange(FROM, TO)))
        assert len(answered.instances) == 2
    finally:
        found.close()
    assert "all of it is left out" in found.expand(ExpansionRequest(b"", "UTC", TimeRange(FROM, TO))).faults[0]


def test_a_worker_that_was_killed_costs_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two questions a worker may end, for want of memory say: the next one is answered all the same."""
    monkeypatch.setattr("reconciler.sandbox.calendars.icalendar.expander.WORKER", "tests.sandbox.talkative_worker")
    found = Expander(TIMEOUT)
    try:
        first = int(found.expand(asked(b"")).faults[1])
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert int(found.expand(asked(b"")).faults[1]) != first
    finally:
        found.close()


def test_a_question_that_waits_for_another_keeps_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is told how much time is left when it is asked: it ends in time and is not killed."""
    monkeypatch.setattr("reconciler.sandbox.calendars.icalendar.expander.WORKER", "tests.sandbox.talkative_worker")
    found = Expander(TIMEOUT)
    content = calendar(GOOD).encode()
    every = [replace(asked(content), time_range=TimeRange(FROM + n, TO)) for n in range(3)]
    try:
        with ThreadPoolExecutor(3) as threads:
            told = sorted(float(each.faults[0]) for each in threads.map(lambda each: found.expand(each, 60.0), every))
        assert told[0] <= 60.0 - talkative_worker.SECONDS
        assert told[-1] < 60.0
    finally:
        found.close()


def test_what_lasts_beyond_the_years_that_there_are(api: Api, lee: Path) -> None:
    """An event that begins before the first year or ends after the last one is told to begin or end with it."""
    write(
        lee,
        event("late", "DTSTART:20260302T090000Z", "DURATION:PT80000000H"),
        event("early", "DTSTART;TZID=Pacific/Apia:00010101T000000", "DTEND:20260302T090000Z"),
    )
    api.connect()
    assert [(each["start"], each["end"]) for each in imported(api, **{"from": "0001-01-01T00:00:00Z"})] == [
        ("0001-01-01T00:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:00:00Z", "9999-12-31T23:59:59Z"),
    ]


def test_large_calendars_are_answered_part_by_part(api: Api, lee: Path) -> None:
    """Thousands of instances come page by page, each once and in order."""
    write(lee, event("often", "DTSTART:20260101T000000Z", "RRULE:FREQ=HOURLY;INTERVAL=2;COUNT=4000"))
    api.connect()
    found: list[str] = []
    params: dict[str, object] = {"from": "2026-01-01T00:00:00Z", "to": "2027-06-01T00:00:00Z"}
    while params:
        answer = api.get("/events", params | {"cursorPaging.limit": 1000}).json()
        found += [each["start"] for each in answer["events"]]
        params = {"cursorPaging.cursor": cursor} if (cursor := answer["pagingMetadata"]["cursors"].get("next")) else {}
    assert len(found) == len(set(found)) == 4000
    assert found == sorted(found)


LINES = st.sampled_from(
    [
        b"BEGIN:VCALENDAR",
        b"END:VCALENDAR",
        b"BEGIN:VEVENT",
        b"END:VEVENT",
        b"BEGIN:VTIMEZONE",
        b"END:VTIMEZONE",
        b"BEGIN:STANDARD",
        b"TZID:Z",
        b"TZOFFSETFROM:+9999",
        b"TZOFFSETTO:-0000",
        b"UID:a",
        b"UID:b",
        b"DTSTART:20260302T090000Z",
        b"DTSTART:20260302T090000",
        b"DTSTART;TZID=Z:20260302T090000",
        b"DTSTART;VALUE=DATE:20260302",
        b"DTSTART;VALUE=PERIOD:20260302T090000Z/PT1H",
        b"DTSTART:090000",
        b"DTEND:20260301T090000Z",
        b"DTEND;VALUE=DATE:20260303",
        b"DURATION:-P1D",
        b"DURATION:P1W",
        b"RRULE:FREQ=DAILY;COUNT=3",
        b"RRULE:FREQ=MONTHLY;BYDAY=-1SU;UNTIL=20260601",
        b"RRULE:FREQ=YEARLY;BYSETPOS=0",
        b"RDATE;VALUE=PERIOD:20260401T000000Z/PT1H,20260402T000000Z/20260401T000000Z",
        b"RDATE;VALUE=DATE:20260401",
        b"EXDATE:20260303T090000Z",
        b"RECURRENCE-ID:20260303T090000Z",
        b"RECURRENCE-ID;RANGE=THISANDFUTURE:20260303T090000Z",
        b"SEQUENCE:9999999999999999999999",
        b"STATUS:CANCELLED",
        b"X-WR-TIMEZONE:Asia/Tokyo",
        b"CALSCALE:JULIAN",
        b" folded",
        b'A;B="C:D',
        b"\xff\xfe",
    ]
)


@settings(examples(25, profile="tests"), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES | st.binary(max_size=30), max_size=25))
def test_any_lines_are_imported_or_reported(expander: Expander, lines: list[bytes]) -> None:
    """Any mixture of good and bad lines comes to an answer in which every event is in 2026 and no worker is lost."""
    answered = expander.expand(asked(b"\r\n".join(lines)))
    assert answered.until == TO
    assert all(instance.start <= instance.end for instance in answered.instances)
    assert all(instance.start < TO and instance.end >= FROM for instance in answered.instances)
    assert not any("too much memory" in fault for fault in answered.faults)
    assert list(answered.instances) == sorted(answered.instances)


@settings(examples(20, profile="tests"), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_any_bytes_are_reported(expander: Expander, content: bytes) -> None:
    """Bytes that hold no calendar come to nothing, and that is said."""
    answered = expander.expand(asked(content + b"\r\n" + calendar(GOOD).encode()))
    assert [instance.uid for instance in answered.instances] == ["good", "good"] or answered.faults
    assert answered.until == TO


def test_one_uid_in_two_calendars_of_a_file(api: Api, lee: Path) -> None:
    """Both events are listed, whatever the pages: they don't take each other's place."""
    once = calendar(event("x", "DTSTART:20260302T090000Z", "DURATION:PT1H"))
    (lee / "k93wqe.ics").write_text(once + once.replace("PT1H", "PT2H"))
    api.connect()
    ends: list[str] = []
    params: dict[str, object] = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
    while params:
        answer = api.get("/events", params | {"cursorPaging.limit": 1}).json()
        ends += [each["end"] for each in answer["events"]]
        params = {"cursorPaging.cursor": cursor} if (cursor := answer["pagingMetadata"]["cursors"].get("next")) else {}
    assert sorted(ends) == ["2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"]


def test_what_lasts_for_years_and_recurs_each_minute(expander: Expander) -> None:
    """Each of its instances overlaps whatever is asked for: not all are imported, and it costs nobody else anything."""
    lasting = event("lasting", "DTSTART:20200101T000000Z", "DURATION:P900D", "RRULE:FREQ=MINUTELY;INTERVAL=4")
    answered = expander.expand(replace(asked(calendar(lasting, GOOD).encode()), enough=1_000_000))
    assert [each.uid for each in answered.instances if each.uid != "lasting"] == ["good", "good"]
    (fault,) = answered.faults
    assert fault.startswith("event 'lasting' is left out from 202")


def test_of_two_copies_the_one_that_keeps_busy_counts(expander: Expander) -> None:
    """An event that stands twice, once as free, isn't free."""
    when = ("DTSTART:20260302T090000Z", "DURATION:PT1H")
    for copies in ([event("x", *when), event("x", *when, "TRANSP:TRANSPARENT")][::step] for step in (1, -1)):
        assert [each.uid for each in expander.expand(asked(calendar(*copies).encode())).instances] == ["x"]
