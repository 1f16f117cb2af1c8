"""The calendar that was made for a connection's events goes with the connection, unless it is of use to anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.folder.backend import FolderCalendars
from reconciler.sandbox.local import LocalSandbox
from reconciler.sandbox.seed import harbor_dental
from tests.support.sandbox.api import APPLE_EMAIL, KIM, Api, client
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import (
    OFF,
    PATEL_EMAIL,
    TO_DEDICATED,
    TO_PRIMARY,
    add,
    anywhere,
    connected_google,
    exporting,
)
from tests.support.sandbox.ics import imported, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.calendars.protocol import CalendarRef, Login
    from reconciler.sandbox.server import RunningSandbox


@pytest.fixture
def ours(lee: Path) -> Path:
    """The file that is made for Dr. Lee's exported events."""
    return lee / "Harbor Dental.ics"


def test_it_goes_with_the_connection(api: Api, lee: Path, site: LocalSandbox) -> None:
    """Empty once the events are taken back, it is removed; the owner's calendars stay, empty ones too."""
    connection = exporting(api, lee)
    add(site)
    write(lee, name="empty")
    api.disconnect(connection["id"])
    assert sorted(path.name for path in lee.glob("*.ics")) == ["empty.ics", "k93wqe.ics"]
    imported(api)
    assert sorted(path.name for path in lee.glob("*.ics")) == ["empty.ics", "k93wqe.ics"]


@pytest.mark.parametrize(
    "put",
    [
        "BEGIN:VEVENT\r\nUID:theirs\r\nEND:VEVENT\r\n",
        "BEGIN:VTODO\r\nUID:theirs\r\nEND:VTODO\r\n",
        "BEGIN:X-THEIRS\r\nEND:X-THEIRS\r\n",
        "BEGIN:VEVENT\r\n",
        "BEGIN VEVENT\r\n",
        "X-THEIRS:1\r\n",
        "\0\xff",
    ],
)
def test_what_its_owner_has_put_there_stays(api: Api, lee: Path, site: LocalSandbox, ours: Path, put: str) -> None:
    """Whatever it is; and so does the calendar from then on, even when it is empty again."""
    connection = exporting(api, lee)
    add(site)
    before, end, after = ours.read_bytes().rpartition(b"END:VCALENDAR")
    ours.write_bytes(before + put.encode("latin-1") + end + after)
    api.disconnect(connection["id"])
    assert put.encode("latin-1") in ours.read_bytes()
    ours.write_bytes(ours.read_bytes().replace(put.encode("latin-1"), b""))
    imported(api)
    assert ours.exists()


def test_one_of_its_owner_s_in_the_same_place_stays(api: Api, lee: Path, ours: Path) -> None:
    """The owner deleted ours and made another of the same name: it is none that we made."""
    connection = exporting(api, lee)
    theirs = ours.read_bytes().replace(b"-//extcal//sandbox//EN", b"-//Harbor//Calendar//EN")
    ours.unlink()
    ours.write_bytes(theirs)
    api.disconnect(connection["id"])
    assert ours.read_bytes() == theirs


def test_two_at_once_make_one(
    api: Api, lee: Path, site: LocalSandbox, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sandbox events add` and the server, each of which has seen that there is none."""
    make = FolderCalendars.create_calendar

    def make_last(backend: FolderCalendars, login: Login, name: str, *, key: str) -> CalendarRef:
        monkeypatch.setattr(FolderCalendars, "create_calendar", make)
        add(site)
        return make(backend, login, name, key=key)

    connection = api.connect()
    monkeypatch.setattr(FolderCalendars, "create_calendar", make_last)
    assert api.update(connection["id"], TO_DEDICATED).status_code == 200
    imported(api)
    assert [path.stem for path in lee.glob("Harbor*")] == ["Harbor Dental"]
    assert ours.read_bytes().count(b"BEGIN:VEVENT") == 1


def test_an_export_that_is_switched_elsewhere_keeps_it(
    sandbox: RunningSandbox, api: Api, data: Path, site: LocalSandbox
) -> None:
    """Only the end of the connection removes it: until then the next config may want it again."""
    sandbox.replace_world(anywhere())
    account = data / "calendars" / "google" / PATEL_EMAIL
    connection_id = connected_google(api)
    api.update(connection_id, TO_DEDICATED)
    add(site, schedule="Dr. Patel")
    for config in (TO_PRIMARY, OFF):
        assert api.update(connection_id, config).status_code == 200
        assert (account / "Harbor Dental.ics").exists()
    primary = (account / f"{PATEL_EMAIL}.ics").read_bytes()
    api.disconnect(connection_id)
    assert not (account / "Harbor Dental.ics").exists()
    assert (account / f"{PATEL_EMAIL}.ics").read_bytes() == primary


def test_it_is_removed_later_where_the_account_is_out_of_reach(api: Api, lee: Path, ours: Path) -> None:
    """At the next occasion, though there was no event to take back."""
    connection = exporting(api, lee)
    account = (lee / "account.json").read_bytes()
    (lee / "account.json").write_text("{")
    assert api.disconnect(connection["id"]).json()["connection"]["status"] == "DISCONNECTED"
    imported(api)
    assert ours.exists()
    (lee / "account.json").write_bytes(account)
    imported(api)
    assert not ours.exists()


def test_access_that_is_revoked_leaves_it(api: Api, lee: Path, ours: Path) -> None:
    """Nothing can be done there any more, even if the old password came back."""
    connection = exporting(api, lee)
    account = json.loads((lee / "account.json").read_text())
    (lee / "account.json").write_text(json.dumps(account | {"password": "another"}))
    api.disconnect(connection["id"])
    (lee / "account.json").write_text(json.dumps(account))
    imported(api)
    assert ours.exists()


def test_another_connection_that_imports_from_it(api: Api, lee: Path, ours: Path) -> None:
    """It stays, and that connection goes on; so does it where its account has no other calendar as the primary one."""
    connection = exporting(api, lee)
    other = api.connect(scheduleId=KIM)
    named = [each["id"] for each in other["syncConfig"]["listEventFromCalendars"]["calendars"]["calendars"]]
    assert "Harbor Dental" in named
    api.disconnect(connection["id"])
    assert ours.exists()
    assert [each["status"] for each in api.connections()] == ["DISCONNECTED", "CONNECTED"]


def test_another_site_s_connection_that_imports_from_it(sandbox: RunningSandbox, api: Api, data: Path) -> None:
    """The sandbox knows of that, too."""
    world = harbor_dental(NOON)
    other = replace(world.sites[0], id="c7d0a7b4-0f0c-4a51-9a3e-3d5ad0a1f6c2", name="Pier Optics", instance_id=None)
    sandbox.replace_world(replace(world, sites=(*world.sites, other)))
    lee = data / "calendars" / "apple" / APPLE_EMAIL
    connection = exporting(api, lee)
    with client(sandbox.endpoint, sandbox.api_key, other.id) as http:
        theirs = Api(http)
        theirs.connect()
        api.disconnect(connection["id"])
        assert (lee / "Harbor Dental.ics").exists()
        imported(theirs)
        assert [each["status"] for each in theirs.connections()] == ["CONNECTED"]


def test_another_connection_whose_primary_calendar_it_is(api: Api, data: Path) -> None:
    """Where the account's owner has deleted all others."""
    account = data / "calendars" / "google" / PATEL_EMAIL
    first, _ = connected_google(api), connected_google(api)
    api.update(first, TO_DEDICATED)
    for path in account.glob("*.ics"):
        if path.name != "Harbor Dental.ics":
            path.unlink()
    api.disconnect(first)
    assert (account / "Harbor Dental.ics").exists()


def test_another_connection_that_exports_to_one_of_the_same_name(api: Api, lee: Path, ours: Path) -> None:
    """Each removes its own."""
    first = exporting(api, lee)
    second = api.connect(scheduleId=KIM)
    only_work = {"listEventFromCalendars": {"calendars": {"calendars": [{"id": "k93wqe"}]}}}
    assert api.update(second["id"], only_work | TO_DEDICATED).status_code == 200
    assert (lee / "Harbor Dental 2.ics").exists()
    api.disconnect(first["id"])
    assert not ours.exists()
    assert (lee / "Harbor Dental 2.ics").exists()
    api.disconnect(second["id"])
    assert not (lee / "Harbor Dental 2.ics").exists()


def test_an_event_on_its_way_to_another_calendar_waits(
    sandbox: RunningSandbox, api: Api, data: Path, site: LocalSandbox
) -> None:
    """While the account is out of reach it is named, either way: to be taken back from the one, and for the other."""
    sandbox.replace_world(anywhere())
    account = data / "calendars" / "google" / PATEL_EMAIL / "account.json"
    connection_id = connected_google(api)
    api.update(connection_id, TO_DEDICATED)
    add(site, schedule="Dr. Patel")
    for config in (TO_PRIMARY, TO_DEDICATED):
        kept = account.read_bytes()
        account.write_bytes(b"{")
        assert api.update(connection_id, config).status_code == 200
        (listed,) = [each for each in site.events() if each.exported_to]
        assert [each.removal for each in listed.pending] == [True, False]
        account.write_bytes(kept)
        imported(api)
        assert [each.pending for each in site.events() if each.exported_to] == [()]
