"""`extcal sandbox events` and `extcal sandbox schedules`: the site's side, from the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from reconciler.cli.main import main
from reconciler.sandbox.contract import BOOKINGS_APP_ID
from tests.support.sandbox.api import LEE, PATEL
from tests.support.sandbox.exports import OTHER_OWNER, TO_DEDICATED
from tests.support.sandbox.ics import event, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox.api import Api

TIMES = ("--start", "2026-03-03T09:00:00-05:00", "--end", "2026-03-03T10:00:00-05:00")


@dataclass(frozen=True, slots=True)
class Site:
    """`extcal sandbox` on a data folder."""

    data: Path

    def __call__(self, *args: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        result = CliRunner().invoke(main, ["sandbox", *args, "--data", str(self.data)], catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def site(data: Path) -> Site:
    """The command on the folder of the sandbox that runs."""
    return Site(data)


def test_an_event_s_life(api: Api, lee: Path, site: Site) -> None:
    """Add prints the id, list shows where it went, move and cancel reach the calendar."""
    connection = api.connect()
    api.update(connection["id"], TO_DEDICATED)
    code, out, err = site("events", "add", "--schedule", "Dr. Lee", "--title", "Check-up", *TIMES)
    assert (code, err) == (0, "")
    event_id = out.strip()
    (row,) = json.loads(site("events", "list", "--format", "json")[1])
    assert row == {
        "id": event_id,
        "scheduleId": LEE,
        "schedule": "Dr. Lee",
        "title": "Check-up",
        "start": "2026-03-03T14:00:00Z",
        "end": "2026-03-03T15:00:00Z",
        "status": "CONFIRMED",
        "exportedTo": ["apple/lee@harbor-dental.example/Harbor Dental"],
        "notExported": [],
        "notTakenBack": [],
    }
    ours = lee / "Harbor Dental.ics"
    moved = site("events", "move", event_id, "--start", "2026-03-04T09:00:00Z", "--end", "2026-03-04T10:00:00Z")
    assert moved == (0, "", f"Moved the event {event_id}.\n")
    assert b"DTSTART:20260304T090000Z" in ours.read_bytes()
    assert site("events", "cancel", event_id)[0] == 0
    assert b"BEGIN:VEVENT" not in ours.read_bytes()
    table = site("events", "list")[1].splitlines()
    assert table[0].split("  ")[0] == "ID"
    assert "cancelled" in table[1]
    code, _, err = site("events", "cancel", event_id)
    assert (code, err) == (1, f"error: sandbox: the event {event_id} is cancelled. Add a new one.\n")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (
            ("add", "--schedule", "Dr. Who", "--title", "x", *TIMES),
            64,
            "unknown schedule 'Dr. Who'. Known schedules: Dr. Lee",
        ),
        (("add", "--schedule", PATEL, "--title", "", *TIMES), 1, "the title must have 1 to 500 characters"),
        (
            ("add", "--schedule", PATEL, "--title", "x", "--start", TIMES[3], "--end", TIMES[1]),
            1,
            "is not after the start",
        ),
        (
            ("add", "--schedule", PATEL, "--title", "x", "--start", "noon", "--end", TIMES[1]),
            64,
            "--start noon: not a time",
        ),
        (
            ("add", "--schedule", PATEL, "--title", "x", "--start", "0001-01-01T00:00:00+14:00", *TIMES[2:]),
            64,
            "not a time",
        ),
        (("move", "nothing", *TIMES), 1, "unknown event 'nothing'"),
    ],
)
def test_what_an_event_cannot_be(api: Api, site: Site, args: tuple[str, ...], code: int, message: str) -> None:
    """The error says what is wrong and what would be right."""
    assert api.connections() == []
    found, out, err = site("events", *args)
    assert (found, out) == (code, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_without_a_sandbox(tmp_path: Path) -> None:
    """Nothing is made; the error says how to begin."""
    for args in (("events", "list"), ("schedules", "list")):
        code, _, err = Site(tmp_path)(*args)
        assert code == 1
        assert err.startswith(
            f"error: sandbox: {tmp_path}: no sandbox data there. Start a sandbox with: extcal sandbox serve"
        )
    assert list(tmp_path.iterdir()) == []


def test_warnings_are_shown_and_inert(api: Api, lee: Path, site: Site) -> None:
    """What can't be imported is said on stderr, without what would move the cursor."""
    write(lee, event("evil\x1b[2J", "DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;INTERVAL=0"))
    api.connect()
    code, _, err = site("events", "list")
    assert code == 0
    assert err.startswith("warning: apple/lee@harbor-dental.example/k93wqe: event 'evil")
    assert "\x1b" not in err


def test_schedules_and_their_owners(api: Api, lee: Path, site: Site) -> None:
    """They are listed; a new owner disconnects the schedule's connection."""
    write(lee)
    api.connect()
    listed = json.loads(site("schedules", "list", "--format", "json")[1])
    rows = {(row["name"], row["appId"]): row for row in listed}
    assert len(rows) == len(listed)
    assert rows["Dr. Lee", BOOKINGS_APP_ID]["ownerName"] == "Dana Lee"
    code, out, err = site("schedules", "set-owner", "Dr. Lee", OTHER_OWNER, "--name", "Robin Alvarez")
    assert (code, out, err) == (0, "", "Dr. Lee has a new owner. Connections disconnected: 1.\n")
    assert [each["status"] for each in api.connections()] == ["DISCONNECTED"]
    assert "Robin Alvarez" in site("schedules", "list")[1]
    code, _, err = site("schedules", "set-owner", "Dr. Lee", "robin")
    assert (code, err) == (1, "error: sandbox: the owner 'robin' is not a GUID\n")
