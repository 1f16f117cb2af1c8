"""A calendar that a connection uses and its owner deletes: people see it, the rest goes on, and it heals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.local import opened
from tests.support.sandbox.api import APPLE_EMAIL, UNHURRIED
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import PATEL_EMAIL, TO_DEDICATED, connected_google
from tests.support.sandbox.ics import event, imported, write
from tests.support.sandbox.states import LOOKS, change_password, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox.api import Api, Json

DELETED = ("ERROR", "EXTERNAL_CALENDAR_DELETED")


@pytest.fixture
def connection(api: Api, lee: Path) -> Json:
    """Dr. Lee's connection, which imports from the calendars `home` and `work`, and exports to one of its own."""
    write(lee, event("morning", "DTSTART:20260302T090000Z"), name="home")
    write(lee, event("noon", "DTSTART:20260302T120000Z"), name="work")
    made = api.connect()
    assert api.update(made["id"], TO_DEDICATED).status_code == 200
    return made


def importing(*names: str) -> Json:
    """An import from these calendars."""
    return {"listEventFromCalendars": {"enabled": True, "calendars": {"calendars": [{"id": name} for name in names]}}}


def named(connection: Json) -> list[str]:
    """The calendars that a connection imports from."""
    return [each["id"] for each in connection["syncConfig"]["listEventFromCalendars"]["calendars"]["calendars"]]


def states(api: Api) -> list[tuple[str, str | None]]:
    """How the connections are."""
    return [state(each) for each in api.connections()]


@pytest.mark.parametrize("look", LOOKS)
def test_a_lost_import_is_seen_and_the_rest_goes_on(
    api: Api, lee: Path, data: Path, connection: Json, look: object
) -> None:
    """The state says it at any look, `events list` which calendar; the other is imported, and events are exported."""
    (lee / "work.ics").unlink()
    assert callable(look)
    look(api, connection["id"])
    assert states(api) == [DELETED]
    assert [each["title"] for each in imported(api)] == ["morning"]
    loss = f"apple/{APPLE_EMAIL}/work: the connection imports from it, and the account no longer has it"
    with opened(data, settings=UNHURRIED) as site:
        assert loss in site.warnings()
        site.add_event("Dr. Lee", "Check-up", NOON, NOON + timedelta(hours=1))
        assert [each.pending for each in site.events()] == [()]
    assert b"SUMMARY:Check-up" in (lee / "Harbor Dental.ics").read_bytes()


def test_an_import_of_what_is_there_heals(api: Api, lee: Path, connection: Json) -> None:
    """Nothing else does: not the export alone, not a config that leaves the import as it is."""
    ours = (lee / "Harbor Dental.ics").read_bytes()
    (lee / "work.ics").unlink()
    assert states(api) == [DELETED]
    for config in (TO_DEDICATED, {}, {"listEventFromCalendars": {"enabled": True}}):
        assert api.update(connection["id"], config).status_code == 200
        assert states(api) == [DELETED]
    assert api.update(connection["id"], importing("home", "work")).status_code == 400
    healed = api.update(connection["id"], importing("home")).json()["connection"]
    assert (state(healed), named(healed)) == (("CONNECTED", None), ["home"])
    assert states(api) == [("CONNECTED", None)]
    assert (lee / "Harbor Dental.ics").read_bytes() == ours
    assert len(list(lee.glob("*.ics"))) == 2


def test_switching_the_import_off_heals(api: Api, lee: Path, connection: Json) -> None:
    """What isn't imported from can't be lost."""
    (lee / "work.ics").unlink()
    assert states(api) == [DELETED]
    api.update(connection["id"], {"listEventFromCalendars": {"enabled": False}})
    assert states(api) == [("CONNECTED", None)]


def test_a_calendar_that_comes_back(api: Api, lee: Path, connection: Json) -> None:
    """It is imported again at once; the error stays until somebody has seen it and sends the config again."""
    kept = (lee / "work.ics").rename(lee / "work.kept")
    assert states(api) == [DELETED]
    kept.rename(lee / "work.ics")
    assert [each["title"] for each in imported(api)] == ["morning", "noon"]
    assert states(api) == [DELETED]
    api.update(connection["id"], importing("home", "work"))
    assert states(api) == [("CONNECTED", None)]


@pytest.mark.parametrize(("gone", "left"), [(["work"], ["home"]), (["home", "work"], ["Harbor Dental", "private"])])
def test_connecting_again_leaves_out_what_is_lost(
    api: Api, lee: Path, connection: Json, gone: list[str], left: list[str]
) -> None:
    """So that it doesn't break again; where nothing named is left, it imports as a new connection does."""
    write(lee, event("evening", "DTSTART:20260302T180000Z"), name="private")
    for name in gone:
        (lee / f"{name}.ics").unlink()
    assert states(api) == [DELETED]
    healed = api.connect()
    assert (healed["id"], sorted(named(healed))) == (connection["id"], left)
    assert healed["syncConfig"]["syncToCalendar"] == {"enabled": True, "dedicatedCalendar": {}}
    imported(api)
    assert states(api) == [("CONNECTED", None)]
    assert len(list(lee.glob("Harbor*.ics"))) == 1


@pytest.mark.parametrize("look", LOOKS)
def test_what_a_lost_calendar_held_is_not_exported(
    api: Api, lee: Path, data: Path, connection: Json, look: object
) -> None:
    """Whichever look finds out, `events list` doesn't say that the event stands there; the config heals it."""
    with opened(data) as site:
        site.add_event("Dr. Lee", "Check-up", NOON, NOON + timedelta(hours=1))
    (lee / "Harbor Dental.ics").unlink()
    assert callable(look)
    look(api, connection["id"])
    assert states(api) == [DELETED]
    with opened(data) as site:
        (listed,) = site.events()
    assert (listed.exported_to, len(listed.pending)) == ((), 1)
    api.update(connection["id"], TO_DEDICATED)
    with opened(data) as site:
        (listed,) = site.events()
    assert (listed.exported_to, listed.pending) == ((f"apple/{APPLE_EMAIL}/Harbor Dental",), ())


def test_the_lost_import_and_the_lost_export(api: Api, lee: Path, data: Path, connection: Json) -> None:
    """One config heals both; until then what was exported is named as not exported."""
    with opened(data) as site:
        site.add_event("Dr. Lee", "Check-up", NOON, NOON + timedelta(hours=1))
    for name in ("work", "Harbor Dental"):
        (lee / f"{name}.ics").unlink()
    assert [each["title"] for each in imported(api)] == ["morning"]
    imported(api)
    with opened(data) as site:
        ((waits,), exported) = next((each.pending, each.exported_to) for each in site.events())
    why = "the connection is in error (EXTERNAL_CALENDAR_DELETED). See: extcal status"
    assert (waits.reason, exported) == (why, ())
    assert not (lee / "Harbor Dental.ics").exists()
    api.update(connection["id"], importing("home"))
    assert states(api) == [DELETED]
    api.update(connection["id"], TO_DEDICATED)
    assert states(api) == [("CONNECTED", None)]
    assert b"SUMMARY:Check-up" in (lee / "Harbor Dental.ics").read_bytes()
    with opened(data) as site:
        assert [each.pending for each in site.events()] == [()]


def test_the_primary_calendar_where_none_is_left(api: Api, data: Path) -> None:
    """An account without calendars has none to import from; with one again, choosing it heals."""
    account = data / FOLDER / "google" / PATEL_EMAIL
    connection_id = connected_google(api)
    assert states(api) == [("CONNECTED", None)]
    for path in account.glob("*.ics"):
        path.unlink()
    assert states(api) == [DELETED]
    assert imported(api) == []
    primary = {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}}
    api.update(connection_id, primary)
    assert states(api) == [DELETED]
    write(account, event("new", "DTSTART:20260302T090000Z"), name="new")
    api.update(connection_id, primary)
    assert states(api) == [("CONNECTED", None)]
    assert [each["title"] for each in imported(api)] == ["new"]


def test_access_that_is_revoked_too(api: Api, lee: Path, connection: Json) -> None:
    """That comes first: no config heals it, and nothing is imported."""
    (lee / "work.ics").unlink()
    assert states(api) == [DELETED]
    change_password(lee, "new-password")
    assert imported(api) == []
    assert states(api) == [("ERROR", "TOKEN_REVOKED")]
    assert api.update(connection["id"], importing("home")).status_code == 428
    assert api.connect(password="new-password")["id"] == connection["id"]
    assert states(api) == [("CONNECTED", None)]


def test_an_import_that_is_off_loses_nothing(api: Api, lee: Path, connection: Json) -> None:
    """Nor does one of a calendar that is merely damaged, or of none."""
    (lee / "home.ics").write_bytes(b"no calendar")
    assert states(api) == [("CONNECTED", None)]
    api.update(connection["id"], {"listEventFromCalendars": {"enabled": False}})
    (lee / "work.ics").unlink()
    assert states(api) == [("CONNECTED", None)]
    api.update(connection["id"], importing())
    assert states(api) == [("CONNECTED", None)]
