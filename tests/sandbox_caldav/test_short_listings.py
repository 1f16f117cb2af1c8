"""A server that lists fewer calendars than there are, for a moment: nobody is told that one is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox_caldav.office import OURS, Office, office
from tests.support.caldav.paper import event
from tests.support.sandbox.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sandbox.api import Json

_WELL = [("CONNECTED", None)]


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Office]:
    """A practice that imports from a calendar by its id."""
    with office(tmp_path / "data") as made:
        made.drawer.make("Main")
        made.drawer.make("Work", **{"a.ics": event("a", "Crown")})
        yield made


def importing(practice: Office) -> Json:
    """An import from that calendar."""
    path = next(path for path, name in practice.drawer.names.items() if name == "Work")
    return {"listEventFromCalendars": {"enabled": True, "calendars": {"calendars": [{"id": path}]}}}


def hide(practice: Office, *, all_but: str = "Main") -> None:
    """Leave calendars out of the listing."""
    practice.drawer.unlisted = {path for path, name in practice.drawer.names.items() if name != all_but}


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_there_all_the_same_is_not_lost(practice: Office, look: object) -> None:
    """It is imported from and exported to as ever, and `events list` has nothing to say."""
    connection_id = practice.export()
    assert practice.api.update(connection_id, importing(practice)).status_code == 200
    hide(practice)
    assert callable(look)
    look(practice.api, connection_id)
    assert practice.states() == _WELL
    practice.add("Check-up")
    assert practice.titles() == ["Check-up"]
    assert [each["title"] for each in practice.look()] == ["Crown"]
    assert practice.site.warnings() == []
    assert practice.pending() == {}
    assert practice.api.update(connection_id, importing(practice)).status_code == 200
    assert practice.states() == _WELL


def test_a_server_that_can_not_say_is_out_of_reach(practice: Office) -> None:
    """As long as the calendar itself fails, nothing is known of it."""
    connection_id = practice.export()
    practice.api.update(connection_id, importing(practice))
    hide(practice)
    practice.drawer.refusals["PROPFIND", "/work/"] = 503
    assert practice.api.get(f"/connections/{connection_id}").json()["connection"]["status"] == "CONNECTED"
    assert practice.api.get("/connections").status_code == 503


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_nobody_may_see_any_more_is_lost(practice: Office, status: int) -> None:
    """Neither the listing nor the calendar itself shows it: its owner doesn't share it any more, say."""
    connection_id = practice.export()
    practice.api.update(connection_id, importing(practice))
    hide(practice, all_but=OURS)
    practice.drawer.refusals["PROPFIND", "/work/"] = status
    practice.look()
    assert practice.states() == [("ERROR", "EXTERNAL_CALENDAR_DELETED")]


def test_connecting_again_keeps_what_is_there(practice: Office) -> None:
    """A connection is not healed into a config that its owner never chose, nor with a second calendar of ours."""
    connection_id = practice.export()
    practice.api.update(connection_id, importing(practice))
    config = practice.api.connections()[0]["syncConfig"]
    practice.drawer.down = 401
    practice.look()
    assert practice.states() == [("ERROR", "TOKEN_REVOKED")]
    practice.drawer.down = None
    hide(practice)
    practice.connect()
    practice.add("Check-up")
    practice.drawer.unlisted.clear()
    practice.look()
    assert practice.states() == _WELL
    assert practice.api.connections()[0]["syncConfig"] == config
    assert sorted(practice.drawer.names.values()) == [OURS, "Main", "Work"]
