"""UpdateSyncConfig under each reading: what is left out, what is healed, and what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.behaviour import Behaviour, Update, UpdateAnswer
from reconciler.sandbox.server import running
from tests.support.sandbox.api import UNHURRIED, Api, client, connection_of
from tests.support.sandbox.exports import TO_DEDICATED, add, exporting
from tests.support.sandbox.ics import imported, write
from tests.support.sandbox.states import state

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.local import LocalSandbox
    from tests.sandbox.conftest import Behave

IMPORTING = {"listEventFromCalendars": {"enabled": True, "calendars": {"calendars": [{"id": "k93wqe"}]}}}
REPLACE = Behaviour(update=Update.REPLACE)


def test_replace_switches_off_the_direction_that_is_left_out(api: Api, behave: Behave) -> None:
    """Changing the import alone unsets the export, and the other way round."""
    behave(REPLACE)
    connection_id = api.connect()["id"]
    config = connection_of(api.update(connection_id, TO_DEDICATED))["syncConfig"]
    assert config == {"listEventFromCalendars": {"enabled": False}, **TO_DEDICATED}
    config = connection_of(api.update(connection_id, IMPORTING))["syncConfig"]
    assert config["syncToCalendar"] == {"enabled": False}
    assert config["listEventFromCalendars"]["enabled"] is True
    assert api.connections()[0]["syncConfig"] == config


def test_replace_keeps_what_is_sent_and_nothing_else(api: Api, behave: Behave) -> None:
    """A field that a sent direction lacks has its default: off, and no calendar chosen."""
    behave(REPLACE)
    connection_id = api.connect()["id"]
    api.update(connection_id, IMPORTING | TO_DEDICATED)
    sent = {"listEventFromCalendars": {"enabled": True}, "syncToCalendar": {"dedicatedCalendar": {}}}
    config = connection_of(api.update(connection_id, sent))["syncConfig"]
    assert config == {
        "listEventFromCalendars": {"enabled": True},
        "syncToCalendar": {"enabled": False, "dedicatedCalendar": {}},
    }
    everything = {"listEventFromCalendars": {"enabled": False}, "syncToCalendar": {"enabled": False}}
    assert connection_of(api.update(connection_id, {}))["syncConfig"] == everything


@pytest.mark.parametrize(("update", "exported"), [(Update.MERGE, 1), (Update.REPLACE, 0)])
def test_an_export_that_is_replaced_away_deletes_real_events(
    api: Api, behave: Behave, lee: Path, site: LocalSandbox, update: Update, exported: int
) -> None:
    """What was exported is removed from the external calendar, as it is by switching the export off."""
    behave(Behaviour(update=update))
    connection = exporting(api, lee)
    add(site)
    (event,) = site.events()
    assert len(event.exported_to) == 1
    api.update(connection["id"], IMPORTING)
    (event,) = site.events()
    assert len(event.exported_to) == exported
    assert "Check-up" not in {each["title"] for each in imported(api)}
    ours = [path for path in lee.glob("*.ics") if "Check-up" in path.read_text(encoding="utf-8")]
    assert len(ours) == exported


def test_a_sandbox_starts_with_a_behaviour_and_takes_another(tmp_path: Path) -> None:
    """The one it was started with counts until it is given another."""
    with (
        running(tmp_path, settings=UNHURRIED, behaviour=REPLACE) as sandbox,
        client(sandbox.endpoint, sandbox.api_key) as http,
    ):
        api = Api(http)
        connection_id = api.connect()["id"]
        exports = [connection_of(api.update(connection_id, each))["syncConfig"] for each in (TO_DEDICATED, IMPORTING)]
        sandbox.behave(Behaviour())
        exports += [connection_of(api.update(connection_id, each))["syncConfig"] for each in (TO_DEDICATED, IMPORTING)]
    assert [each["syncToCalendar"]["enabled"] for each in exports] == [True, False, True, True]


@pytest.mark.parametrize(("healing", "after"), [(True, "CONNECTED"), (False, "ERROR")])
def test_whether_an_update_heals_a_lost_calendar(
    api: Api, behave: Behave, lee: Path, *, healing: bool, after: str
) -> None:
    """Without healing the config is taken and shown, and the connection stays as broken as it was."""
    behave(Behaviour(healing=healing))
    write(lee, name="home")
    write(lee, name="work")
    connection_id = api.connect()["id"]
    (lee / "work.ics").unlink()
    assert [state(each) for each in api.connections()] == [("ERROR", "EXTERNAL_CALENDAR_DELETED")]
    home = {"listEventFromCalendars": {"enabled": True, "calendars": {"calendars": [{"id": "home"}]}}}
    updated = connection_of(api.update(connection_id, home | TO_DEDICATED))
    assert updated["status"] == after
    assert [each["status"] for each in api.connections()] == [after]
    chosen = updated["syncConfig"]["listEventFromCalendars"]["calendars"]["calendars"]
    assert [each["id"] for each in chosen] == ["home"]


@pytest.mark.parametrize("healing", [True, False])
def test_without_healing_connecting_again_still_heals(api: Api, behave: Behave, lee: Path, *, healing: bool) -> None:
    """It is about UpdateSyncConfig alone."""
    behave(Behaviour(healing=healing))
    write(lee, name="home")
    api.connect()
    (lee / "home.ics").unlink()
    write(lee, name="work")
    assert [each["status"] for each in api.connections()] == ["ERROR"]
    api.connect()
    assert [each["status"] for each in api.connections()] == ["CONNECTED"]


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        (UpdateAnswer.WHOLE, {"listEventFromCalendars", "syncToCalendar"}),
        (UpdateAnswer.SENT_DIRECTIONS, {"syncToCalendar"}),
    ],
)
def test_which_directions_an_update_answers(api: Api, behave: Behave, answers: UpdateAnswer, shown: set[str]) -> None:
    """Only the update's own answer lacks what was not sent; what is read has both."""
    behave(Behaviour(update_answer=answers))
    connection = api.connect()
    assert set(connection["syncConfig"]) == {"listEventFromCalendars", "syncToCalendar"}
    updated = connection_of(api.update(connection["id"], TO_DEDICATED))
    assert set(updated["syncConfig"]) == shown
    read = connection_of(api.get(f"/connections/{connection['id']}"))["syncConfig"]
    assert set(read) == {"listEventFromCalendars", "syncToCalendar"}
    assert read["syncToCalendar"] == updated["syncConfig"]["syncToCalendar"]
