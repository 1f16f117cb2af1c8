"""`extcal events`: what keeps schedules busy, when, and on which of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from tests.support.cli.command import Extcal
from tests.support.cli.events import MARCH, SITE, with_events
from tests.support.cli.worlds import HARBOR, QUAY, connection, quay, schedule_id, site
from tests.support.scenarios.schedules import with_other_schedules


def test_events_hide_what_is_personal_unless_asked(extcal: Extcal) -> None:
    """Times and schedules only by default; --personal adds titles and calendars, in the table and in JSON."""
    extcal.on(with_events())
    plain, personal = extcal("events", *SITE, *MARCH), extcal("events", *SITE, *MARCH, "--personal")
    assert plain.out.splitlines()[1].split() == [
        HARBOR,
        "2027-03-01T12:00:00Z",
        "2027-03-01T13:00:00Z",
        "apple",
        "Staff",
        "0",
    ]
    assert plain.out.splitlines()[2].split()[1:3] == ["2027-03-02", "2027-03-03"]
    assert "Supplier call" not in plain.out
    assert "TITLE" not in plain.out
    assert "Work      Supplier call" in personal.out
    rows = extcal("events", *SITE, *MARCH, "--format", "json").rows
    assert [(row["allDay"], "title" in row) for row in rows] == [(False, False), (True, False)]
    rows = extcal("events", *SITE, *MARCH, "--personal", "--format", "json").rows
    assert [row["title"] for row in rows] == ["Supplier call", "Off"]


def test_events_of_one_schedule(extcal: Extcal) -> None:
    """--schedule leaves one schedule's events."""
    extcal.on(with_events())
    assert len(extcal("events", *SITE, *MARCH, "--schedule", schedule_id(0), "--format", "json").rows) == 2
    assert extcal("events", *SITE, *MARCH, "--schedule", schedule_id(1), "--format", "json").rows == []


def test_a_time_without_an_offset_is_meant_in_the_chosen_zone(extcal: Extcal) -> None:
    """--from and --to are read as times are shown: in --zone, else in UTC; what has an offset is what it says."""
    extcal.on(with_events())
    hour = ("--from", "2027-03-01T17:30", "--to", "2027-03-01T18:30")
    assert len(extcal("events", *SITE, *hour, "--zone", "Asia/Kolkata").out.splitlines()) == 2
    assert len(extcal("events", *SITE, *hour).out.splitlines()) == 1
    exact = ("--from", "2027-03-01T17:30+05:30", "--to", "2027-03-01T13:00Z")
    for zone in ((), ("--zone", "America/New_York")):
        assert len(extcal("events", *SITE, *exact, *zone).out.splitlines()) == 2


@pytest.mark.parametrize("args", [("--from", "9999-12-31"), ("--from", "0001-01-01", "--zone", "Asia/Kolkata")])
def test_a_time_beyond_all_calendars_is_wrong_usage(extcal: Extcal, args: tuple[str, ...]) -> None:
    """What no date can hold is told as such."""
    ran = extcal("events", *SITE, *args)
    assert (ran.code, ran.out) == (64, "")
    assert f"error: --from {args[1]}" in ran.err


def test_events_in_a_chosen_zone(extcal: Extcal) -> None:
    """--zone shows times as they are read there; all-day events keep their days; an unknown zone is told."""
    extcal.on(with_events())
    plain = extcal("events", *SITE, *MARCH).out
    zoned = extcal("events", *SITE, *MARCH, "--zone", "Asia/Kolkata").out
    assert " IST" in zoned
    assert " IST" not in plain
    assert len(zoned.splitlines()) == len(plain.splitlines())
    wrong = extcal("events", *SITE, "--zone", "Europe/Berln")
    assert (wrong.code, "did you mean Europe/Berlin?" in wrong.err) == (64, True)


def test_events_default_to_the_week_to_come(extcal: Extcal) -> None:
    """Without --from and --to, what is asked for begins now and ends a week later."""
    before = datetime.now(UTC)
    assert extcal("events", *SITE).code == 0
    after = datetime.now(UTC)
    (asked,) = extcal.sandbox.requests
    query = dict(part.split("=") for part in asked.query.split("&"))
    start, end = (datetime.fromisoformat(query[key].replace("%3A", ":").replace("%2B", "+")) for key in ("from", "to"))
    assert end - start == timedelta(days=7)
    assert before - timedelta(seconds=1) < start <= after


def asked(command: Extcal) -> tuple[datetime, datetime]:
    """The range that ListEvents was asked for."""
    (request,) = command.sandbox.requests
    query = parse_qs(request.query)
    start, end = (datetime.fromisoformat(query[name][0]) for name in ("from", "to"))
    return start, end


@pytest.mark.parametrize(
    ("zone", "given_from", "given_to", "start", "end"),
    [
        ("Europe/Berlin", "2027-01-31T09:00", "2027-01-31T10:00", "2027-01-31T08:00Z", "2027-01-31T09:00Z"),
        ("Europe/Berlin", "2027-01-31", "2027-02-01", "2027-01-30T23:00Z", "2027-01-31T23:00Z"),
        (None, "2027-01-31", "2027-02-01T00:30", "2027-01-31T00:00Z", "2027-02-01T00:30Z"),
        # What has an offset is what it says, whatever the zone.
        ("Asia/Kolkata", "2027-01-31T09:00Z", "2027-01-31T09:00-05:00", "2027-01-31T09:00Z", "2027-01-31T14:00Z"),
        # The day on which clocks are put forward has 23 hours; what they leave out is counted from before.
        ("America/New_York", "2027-03-14", "2027-03-15", "2027-03-14T05:00Z", "2027-03-15T04:00Z"),
        ("America/New_York", "2027-03-14T02:15", "2027-03-14T02:45", "2027-03-14T07:15Z", "2027-03-14T07:45Z"),
        ("Africa/Cairo", "2027-04-30", "2027-05-01", "2027-04-29T22:00Z", "2027-04-30T21:00Z"),
        # The day on which they are put back has 25; the hour that comes twice is in the range twice.
        ("America/New_York", "2027-11-07", "2027-11-08", "2027-11-07T04:00Z", "2027-11-08T05:00Z"),
        ("America/New_York", "2027-11-07T01:30", "2027-11-07T01:30", "2027-11-07T05:30Z", "2027-11-07T06:30Z"),
    ],
)
def test_times_are_read_in_the_zone(
    extcal: Extcal, zone: str | None, given_from: str, given_to: str, start: str, end: str
) -> None:
    """With and without --zone, by the day and by the minute, also where clocks change."""
    extcal.on(with_events())
    words = ("--zone", zone) if zone else ()
    assert extcal("events", *SITE, "--from", given_from, "--to", given_to, *words, "--no-names").code == 0
    assert asked(extcal) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


@pytest.fixture
def staffed(extcal: Extcal) -> Extcal:
    """Harbor Dental, where staff have schedules of working hours, too, and a second site."""
    shown = with_events()
    extcal.on(replace(shown, sites=(with_other_schedules(shown.sites[0]), quay(key="key-of-the-quay"))))
    return extcal


@pytest.mark.parametrize("word", [schedule_id(0), schedule_id(0).upper(), "Staff 0", "resource-0"])
def test_a_schedule_is_chosen_by_name_and_id(staffed: Extcal, word: str) -> None:
    """Of the schedules that are called alike it is the bookings app's, as in manifests."""
    assert len(staffed("events", *SITE, *MARCH, "--schedule", word, "--format", "json").rows) == 2
    other = staffed("events", *SITE, *MARCH, "--schedule", "Staff 1", "--format", "json")
    assert (other.code, other.rows) == (0, [])


@pytest.mark.parametrize(
    ("beside", "word", "requests"),
    [(", name: Dr. Lee", "Dr. Lee", 1), (", name: Dr. Lee", schedule_id(0), 1), ("", "Staff 0", 2)],
)
def test_what_manifests_pin_is_not_asked(staffed: Extcal, beside: str, word: str, requests: int) -> None:
    """The name beside an id is known; any other costs one query. No other site is read for a pinned one."""
    pinned = connection(0).replace(f"{{id: {schedule_id(0)}}}", f"{{id: {schedule_id(0)}{beside}}}")
    more = (site("quay", id_=QUAY),) if beside else ()
    staffed.write(site(), *more, pinned)
    ran = staffed("events", "manifests", *MARCH, "--schedule", word, "--format", "json")
    assert (ran.code, len(ran.rows), len(staffed.sandbox.requests)) == (0, 2, requests), ran.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Staf 1", "no active schedule has this name, id or external id; did you mean Staff 1?"),
        ("Dr. Lee", "no active schedule has this name, id or external id; there are Business, Cleaning, Staff 0, "),
        (schedule_id(99), "no active schedule has this name, id or external id; "),
        ("", "no active schedule has this name, id or external id; "),
    ],
)
def test_an_unknown_schedule_is_wrong_usage(staffed: Extcal, word: str, said: str) -> None:
    """It says what there is, rather than that there are no events."""
    ran = staffed("events", *SITE, *MARCH, "--schedule", word)
    assert (ran.code, ran.out) == (64, "")
    assert f"error: --schedule {word}: {said}" in ran.err


def test_a_name_of_several_schedules_is_ambiguous(staffed: Extcal) -> None:
    """The candidates are named, on one site and on several."""
    staffed.env["EXTCAL_QUAY"] = "key-of-the-quay"
    staffed.write(site(), site("quay", id_=QUAY, key="EXTCAL_QUAY"))
    ran = staffed("events", "manifests", *MARCH, "--schedule", "Staff 0")
    assert (ran.code, ran.out) == (64, "")
    there = f"harbor Staff 0 [{schedule_id(0)}], quay Staff 0 [{schedule_id(0)}]"
    assert f"--schedule Staff 0: 2 schedules fit it: {there}. Give the id of one, or add --site." in ran.err
    assert staffed("events", "manifests", *MARCH, "--schedule", "Staff 0", "--site", "harbor").code == 0


def test_an_id_is_taken_at_its_word_where_schedules_can_not_be_read(staffed: Extcal) -> None:
    """A key may lack the permission: ids do without, names are an error that says why."""
    staffed.sandbox.inject(Faults((Fault(Answer(403), on={Operation.QUERY_SCHEDULES}),)))
    busy = staffed("events", *SITE, *MARCH, "--schedule", schedule_id(0), "--format", "json")
    assert (busy.code, len(busy.rows), busy.err) == (0, 2, "")
    free = staffed("events", *SITE, *MARCH, "--schedule", schedule_id(1), "--format", "json")
    assert (free.code, free.rows) == (0, [])
    assert "warning: " in free.err
    named = staffed("events", *SITE, *MARCH, "--schedule", "Staff 0")
    assert (named.code, named.out) == (1, "")
    assert "QuerySchedules: HTTP 403" in named.err
