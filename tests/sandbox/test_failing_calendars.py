"""What goes wrong at a provider becomes a connection's state, and connecting or choosing again heals it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.calendars.folder.backend import MAX_CALENDARS
from reconciler.sandbox.local import opened
from tests.support.sandbox.api import APPLE_EMAIL, KIM, code_of
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import TO_DEDICATED, connected_google
from tests.support.sandbox.ics import event, imported, write
from tests.support.sandbox.states import LOOKS, change_password, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox.api import Api

MORNING = event("morning", "DTSTART:20260302T090000Z")


def look_by_calendars(api: Api, connection_id: str) -> None:
    """ListCalendars, which is refused."""
    assert code_of(api.get(f"/connections/{connection_id}/calendars")) == (428, "CONNECTION_NOT_CONNECTED")


@pytest.mark.parametrize("look", [*LOOKS, look_by_calendars])
def test_a_revoked_password(api: Api, lee: Path, look: object) -> None:
    """TOKEN_REVOKED at the next look, whichever it is; the new password heals the same connection."""
    write(lee, MORNING)
    connection = api.connect()
    other = api.connect(scheduleId=KIM, email="kim@harbor-dental.example", password="harbor-thimble-87")
    change_password(lee, "new-password")
    assert callable(look)
    look(api, connection["id"])
    states = {each["id"]: state(each) for each in api.connections()}
    assert states == {connection["id"]: ("ERROR", "TOKEN_REVOKED"), other["id"]: ("CONNECTED", None)}
    assert not [each for each in imported(api) if each["title"] == "morning"]
    assert code_of(api.by_credentials()) == (401, "BAD_CREDENTIALS")
    healed = api.connect(password="new-password")
    assert (healed["id"], state(healed)) == (connection["id"], ("CONNECTED", None))
    assert [each["title"] for each in imported(api) if each["scheduleId"] != KIM] == ["morning"]


def test_an_account_that_is_gone(api: Api, data: Path) -> None:
    """Consent is revoked with the account's file; a new consent heals."""
    connection_id = connected_google(api)
    account = data / FOLDER / "google" / "patel@harbor-dental.example" / "account.json"
    account.rename(account.with_name("kept.json"))
    (connection,) = api.connections()
    assert state(connection) == ("ERROR", "TOKEN_REVOKED")
    account.with_name("kept.json").rename(account)
    assert connected_google(api) == connection_id
    assert [state(each) for each in api.connections()] == [("CONNECTED", None)]


@pytest.mark.parametrize("look", LOOKS)
def test_a_dedicated_calendar_that_its_owner_deleted(api: Api, lee: Path, data: Path, look: object) -> None:
    """EXTERNAL_CALENDAR_DELETED at the next look; choosing the export again makes a new one with all events in it."""
    write(lee, MORNING)
    connection = api.connect()
    api.update(connection["id"], TO_DEDICATED)
    with opened(data) as local:
        local.add_event("Dr. Lee", "Check-up", NOON, NOON + timedelta(hours=1))
    (lee / "Harbor Dental.ics").unlink()
    assert callable(look)
    look(api, connection["id"])
    assert [state(each) for each in api.connections()] == [("ERROR", "EXTERNAL_CALENDAR_DELETED")]
    healed = api.update(connection["id"], TO_DEDICATED).json()["connection"]
    assert (healed["id"], state(healed)) == (connection["id"], ("CONNECTED", None))
    assert b"SUMMARY:Check-up" in (lee / "Harbor Dental.ics").read_bytes()


def test_connecting_again_heals_too(api: Api, lee: Path) -> None:
    """The lost dedicated calendar is made anew."""
    connection = api.connect()
    api.update(connection["id"], TO_DEDICATED)
    (lee / "Harbor Dental.ics").unlink()
    assert [state(each) for each in api.connections()] == [("ERROR", "EXTERNAL_CALENDAR_DELETED")]
    assert api.connect()["id"] == connection["id"]
    assert (lee / "Harbor Dental.ics").exists()
    assert [state(each) for each in api.connections()] == [("CONNECTED", None)]


def test_a_dedicated_calendar_that_cannot_be_made(api: Api, lee: Path) -> None:
    """EXTERNAL_CALENDAR_CREATION_FAILED in the answer itself; once there is room, choosing again heals."""
    for number in range(MAX_CALENDARS):
        write(lee, name=f"full-{number}")
    connection = api.connect()
    failed = api.update(connection["id"], TO_DEDICATED).json()["connection"]
    assert state(failed) == ("ERROR", "EXTERNAL_CALENDAR_CREATION_FAILED")
    (lee / "full-7.ics").unlink()
    healed = api.update(connection["id"], TO_DEDICATED).json()["connection"]
    assert state(healed) == ("CONNECTED", None)
    assert (lee / "Harbor Dental.ics").exists()


def test_accounts_that_cannot_be_read(api: Api, lee: Path) -> None:
    """The provider counts as out of reach: 503, or named where a partial answer is welcome; nothing is revoked."""
    connection = api.connect()
    account = (lee / "account.json").read_bytes()
    (lee / "account.json").write_text("{")
    apple = api.provider("Apple")
    for path in ("/connections", "/events"):
        span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
        assert code_of(api.get(path, span)) == (503, None)
        partial = api.get(path, span | {"partialFailure": "true"})
        assert partial.status_code == 200
        assert partial.json()["failedProviderIds"] == [apple]
        assert partial.json()[path.strip("/")] == []
    assert code_of(api.by_credentials()) == (503, None)
    assert code_of(api.get(f"/connections/{connection['id']}/calendars")) == (503, None)
    (lee / "account.json").write_bytes(account)
    assert [state(each) for each in api.connections()] == [("CONNECTED", None)]


def test_what_could_not_be_taken_back_is_taken_back_later(api: Api, lee: Path, data: Path) -> None:
    """A disconnect while the provider is out of reach holds, and the events go when it is back."""
    connection = api.connect()
    api.update(connection["id"], TO_DEDICATED)
    with opened(data) as local:
        local.add_event("Dr. Lee", "Check-up", NOON, NOON + timedelta(hours=1))
    account = (lee / "account.json").read_bytes()
    (lee / "account.json").write_text("{")
    assert api.disconnect(connection["id"]).json()["connection"]["status"] == "DISCONNECTED"
    assert b"Check-up" in (lee / "Harbor Dental.ics").read_bytes()
    (lee / "account.json").write_bytes(account)
    imported(api)
    assert not (lee / "Harbor Dental.ics").exists()


def test_nothing_is_written_into_a_damaged_file(api: Api, lee: Path, data: Path) -> None:
    """The file stays as it is; when it is mended, the event is put there."""
    connection = api.connect()
    api.update(connection["id"], TO_DEDICATED)
    ours = lee / "Harbor Dental.ics"
    whole = ours.read_bytes()
    ours.write_bytes(damaged := whole.replace(b"END:VCALENDAR", b""))
    with opened(data) as local:
        local.add_event("Dr. Lee", "Check-up", NOON, NOON + timedelta(hours=1))
        assert ours.read_bytes() == damaged
        assert [each.exported_to for each in local.events()] == [()]
        ours.write_bytes(whole)
        imported(api)
        assert b"Check-up" in ours.read_bytes()
        assert [each.exported_to for each in local.events()] == [(f"apple/{APPLE_EMAIL}/Harbor Dental",)]


def test_nothing_is_written_into_a_read_only_file(api: Api, lee: Path, data: Path) -> None:
    """Its events wait, to be exported and to be taken back, until it may be written."""
    connection = api.connect()
    api.update(connection["id"], TO_DEDICATED)
    ours = lee / "Harbor Dental.ics"
    with opened(data) as local:
        gone = local.add_event("Dr. Lee", "First", NOON, NOON + timedelta(hours=1))
        before = ours.read_bytes()
        ours.chmod(0o444)
        local.add_event("Dr. Lee", "Second", NOON, NOON + timedelta(hours=1))
        local.cancel_event(gone)
        why = "Harbor Dental.ics: is read-only; make it writable"
        waits = [(wait.removal, wait.reason) for each in local.events() for wait in each.pending]
        assert sorted(waits) == [(False, why), (True, why)]
        assert ours.read_bytes() == before
        ours.chmod(0o600)
        imported(api)
        assert [each.pending for each in local.events()] == [(), ()]
    assert b"First" not in ours.read_bytes()
    assert b"Second" in ours.read_bytes()
