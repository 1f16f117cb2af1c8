"""The site's events in external calendars: put there, changed, taken back, and never imported again."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import icalendar
import pytest

from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.local import LocalSandbox, opened
from reconciler.sandbox.server import running
from tests.support.sandbox.api import KIM, LEE, Api, client
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import (
    OFF,
    OTHER_OWNER,
    PATEL_EMAIL,
    TO_DEDICATED,
    TO_PRIMARY,
    add,
    anywhere,
    connected_google,
    exporting,
)
from tests.support.sandbox.ics import starts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.sandbox.server import RunningSandbox


def held(path: Path) -> list[tuple[str, str]]:
    """The titles and starts of the events in a calendar's file, read by a library of its own."""
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    assert isinstance(calendar, icalendar.Calendar)
    return [(str(each["SUMMARY"]), each.start.strftime("%d %H:%M")) for each in calendar.events]


def test_events_appear_follow_and_vanish(api: Api, lee: Path, site: LocalSandbox) -> None:
    """Added, moved, cancelled, and all taken back on disconnect; the owner's own events stay."""
    before = add(site, "Before, it was on; too")
    connection = exporting(api, lee)
    ours = lee / "Harbor Dental.ics"
    assert held(ours) == [("Before, it was on; too", "02 13:00")]
    after = add(site, "After", hours=2)
    add(site, "Another's", schedule="Dr. Patel")
    assert held(ours) == [("Before, it was on; too", "02 13:00"), ("After", "02 14:00")]
    site.move_event(after, NOON + timedelta(days=1), NOON + timedelta(days=1, hours=1))
    assert ("After", "03 12:00") in held(ours)
    site.cancel_event(before)
    assert held(ours) == [("After", "03 12:00")]
    own = (lee / "k93wqe.ics").read_bytes()
    assert api.disconnect(connection["id"]).status_code == 200
    assert not ours.exists()
    assert (lee / "k93wqe.ics").read_bytes() == own
    assert {(each.event.title, each.event.cancelled, each.exported_to) for each in site.events()} == {
        ("Before, it was on; too", True, ()),
        ("Another's", False, ()),
        ("After", False, ()),
    }


def test_switching_export_off_takes_events_back(api: Api, lee: Path, site: LocalSandbox) -> None:
    """And on again puts them back, into the same calendar."""
    connection = exporting(api, lee)
    add(site)
    ours = lee / "Harbor Dental.ics"
    assert len(held(ours)) == 1
    api.update(connection["id"], OFF)
    assert held(ours) == []
    api.update(connection["id"], TO_DEDICATED)
    assert len(held(ours)) == 1
    assert len(list(lee.glob("*.ics"))) == 2


def test_export_into_the_primary_calendar_and_away_from_it(
    sandbox: RunningSandbox, api: Api, data: Path, site: LocalSandbox
) -> None:
    """Every other byte of the owner's file stays as it was; choosing the dedicated calendar moves the events."""
    sandbox.replace_world(anywhere())
    account = data / FOLDER / "google" / PATEL_EMAIL
    primary = account / f"{PATEL_EMAIL}.ics"
    own = primary.read_bytes().replace(b"END:VCALENDAR", b"X-MINE:as  it is\nEND:VCALENDAR")
    primary.write_bytes(own)
    connection_id = connected_google(api)
    api.update(connection_id, TO_PRIMARY)
    add(site, schedule="Dr. Patel")
    exported = primary.read_bytes()
    assert exported != own
    assert re.sub(rb"BEGIN:VEVENT\r\nUID:extcal-.*?END:VEVENT\r\n", b"", exported, flags=re.DOTALL) == own
    api.update(connection_id, TO_DEDICATED)
    assert primary.read_bytes() == own
    assert len(held(account / "Harbor Dental.ics")) == 1


def test_exported_events_are_not_imported(api: Api, lee: Path, site: LocalSandbox) -> None:
    """By none of the connections that read that calendar."""
    connection = exporting(api, lee)
    add(site)
    chosen = {"listEventFromCalendars": {"calendars": {"calendars": [{"id": "k93wqe"}, {"id": "Harbor Dental"}]}}}
    assert api.update(connection["id"], chosen).status_code == 200
    api.connect(scheduleId=KIM)
    assert starts(api) == ["dentist 2026-03-02T15:00"] * 2


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (rb"X-EXTCAL-EXPORT:[^\r]*\r\n", b""),
        (rb"UID:extcal-[^\r]*", b"UID:of-the-owners-program"),
    ],
    ids=["its UID", "its property"],
)
def test_one_mark_is_enough_not_to_import(
    api: Api, lee: Path, site: LocalSandbox, pattern: bytes, replacement: bytes
) -> None:
    """An exported event that lost its property, or its UID, is recognised by what is left."""
    connection = exporting(api, lee)
    add(site)
    ours = lee / "Harbor Dental.ics"
    ours.write_bytes(re.sub(pattern, replacement, ours.read_bytes()))
    chosen = {"listEventFromCalendars": {"calendars": {"calendars": [{"id": "Harbor Dental"}]}}}
    assert api.update(connection["id"], chosen).status_code == 200
    assert starts(api) == []


def test_one_mark_is_not_enough_to_delete(api: Api, lee: Path, site: LocalSandbox) -> None:
    """The owner's copy of an exported event, which has its property alone, is there after the disconnect."""
    connection = exporting(api, lee)
    add(site)
    ours = lee / "Harbor Dental.ics"
    copy = re.search(rb"BEGIN:VEVENT.*?END:VEVENT\r\n", ours.read_bytes(), re.DOTALL)
    assert copy is not None
    copied = re.sub(rb"UID:[^\r]*", b"UID:my-copy", copy[0])
    ours.write_bytes(ours.read_bytes().replace(b"END:VCALENDAR", copied + b"END:VCALENDAR"))
    assert len(held(ours)) == 2
    api.disconnect(connection["id"])
    assert b"UID:my-copy" in ours.read_bytes()
    assert len(held(ours)) == 1


def test_what_the_owner_did_to_an_exported_event(api: Api, lee: Path, site: LocalSandbox) -> None:
    """One that the owner deleted is no trouble; one without its property has its UID and our table to be taken back."""
    connection = exporting(api, lee)
    first, second = add(site, "First"), add(site, "Second", hours=3)
    ours = lee / "Harbor Dental.ics"
    content = ours.read_bytes()
    ours.write_bytes(re.sub(rb"X-EXTCAL-EXPORT:[^\r]*" + second.encode() + rb"\r\n", b"", content))
    site.move_event(second, NOON, NOON + timedelta(hours=1))
    assert ("Second", "02 12:00") in held(ours)
    ours.write_bytes(
        re.sub(
            rb"BEGIN:VEVENT\r\nUID:extcal-\w+-\d+-" + first.encode() + rb".*?END:VEVENT\r\n",
            b"",
            ours.read_bytes(),
            flags=re.DOTALL,
        )
    )
    assert [title for title, _ in held(ours)] == ["Second"]
    api.disconnect(connection["id"])
    assert not ours.exists()


@contextmanager
def harbor(folder: Path) -> Iterator[tuple[Api, LocalSandbox, Path]]:
    """A sandbox of its own, and the folder of Dr. Patel's Google account in it."""
    with (
        running(folder, world=anywhere()) as sandbox,
        client(sandbox.endpoint, sandbox.api_key) as http,
        opened(folder) as local,
    ):
        yield Api(http), local, folder / FOLDER / "google" / PATEL_EMAIL


def test_two_sandboxes_on_one_calendar(tmp_path: Path) -> None:
    """Each imports what the other exported, as the owner's other business, and takes back its own events alone."""
    with harbor(tmp_path / "one") as (one, of_one, here), harbor(tmp_path / "two") as (two, of_two, there):
        primary = f"{PATEL_EMAIL}.ics"
        own = (here / primary).read_bytes()
        first = connected_google(one)
        one.update(first, TO_PRIMARY)
        add(of_one, "Of one", schedule="Dr. Patel")
        shutil.rmtree(there)
        here.rename(there)
        second = connected_google(two)
        two.update(second, TO_PRIMARY)
        add(of_two, "Of two", schedule="Dr. Patel")
        assert [each for each in starts(two) if each.startswith("Of ")] == ["Of one 2026-03-02T13:00"]
        both = (there / primary).read_bytes()
        two.disconnect(second)
        assert b"SUMMARY:Of two" in both
        assert b"SUMMARY:Of two" not in (there / primary).read_bytes()
        there.rename(here)
        assert not [each for each in starts(one) if each.startswith("Of ")]
        one.disconnect(first)
        assert (here / primary).read_bytes() == own


def test_a_new_owner_disconnects(api: Api, lee: Path, site: LocalSandbox) -> None:
    """The service disconnects the schedule's connections, and takes back what was exported over them."""
    connection = exporting(api, lee)
    kim = api.connect(scheduleId=KIM)
    add(site)
    schedule = next(each.schedule for each in site.schedules() if each.schedule.id == LEE)
    assert site.set_owner("Dr. Lee", str(schedule.owner_id), None) == 0
    assert site.set_owner("Dr. Lee", OTHER_OWNER.upper(), "Robin Alvarez") == 1
    assert held(lee / "Harbor Dental.ics") == []
    assert {each["id"]: (each["status"], each["userId"]) for each in api.connections()} == {
        connection["id"]: ("DISCONNECTED", OTHER_OWNER),
        kim["id"]: ("CONNECTED", "745b0241-31b9-4b6c-82d7-5d1b56b70fdd"),
    }


def test_an_event_in_utc_is_what_was_meant(api: Api, lee: Path, site: LocalSandbox) -> None:
    """Times with an offset arrive as the same moment."""
    exporting(api, lee)
    begin = datetime(2026, 7, 1, 9, tzinfo=UTC)
    site.add_event("Dr. Lee", "Zahnärztin " * 20, begin, begin + timedelta(minutes=45))
    calendar = icalendar.Calendar.from_ical((lee / "Harbor Dental.ics").read_bytes())
    assert isinstance(calendar, icalendar.Calendar)
    (only,) = calendar.events
    assert (only.start, only.end) == (begin, begin + timedelta(minutes=45))
    assert str(only["SUMMARY"]) == "Zahnärztin " * 20
    assert max(len(line) for line in (lee / "Harbor Dental.ics").read_bytes().split(b"\r\n")) <= 75
