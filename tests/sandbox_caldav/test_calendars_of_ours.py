"""The calendar that was made at a server goes with the connection, as soon as the server lets it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sandbox_caldav.office import OURS, Office, office
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.caldav.scripted import Asked

_TASK = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:theirs\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Office]:
    """A practice whose account has a calendar of its own."""
    with office(tmp_path / "data") as made:
        made.drawer.make("Work")
        yield made


def calendars(practice: Office) -> list[str]:
    """What the account's calendars are called."""
    return sorted(practice.drawer.names.values())


def test_it_goes_with_the_connection(practice: Office) -> None:
    """With the events in it; a connection made right afterwards doesn't know of it."""
    connection_id = practice.export()
    practice.add("Check-up")
    assert calendars(practice) == [OURS, "Work"]
    practice.api.disconnect(connection_id)
    assert calendars(practice) == ["Work"]
    practice.connect()
    practice.look()
    assert practice.states() == [("DISCONNECTED", None), ("CONNECTED", None)]


@pytest.mark.parametrize("content", [_TASK, "no calendar at all", "\ufffe"])
def test_what_its_owner_has_put_there_stays(practice: Office, content: str) -> None:
    """A task, which no search for events finds, or anything, be the list broken; and once it stays it stays."""
    connection_id = practice.export()
    practice.add("Check-up")
    practice.drawer.calendar(OURS)["theirs.ics"] = content
    practice.api.disconnect(connection_id)
    assert practice.drawer.calendar(OURS) == {"theirs.ics": content}
    practice.drawer.calendar(OURS).clear()
    practice.look()
    assert calendars(practice) == [OURS, "Work"]


@pytest.mark.parametrize("down", [429, 500, 503])
@pytest.mark.parametrize("at", ["PROPFIND", "DELETE"])
def test_a_server_that_is_away_meanwhile(practice: Office, at: str, down: int) -> None:
    """It is removed at the next occasion; but a server that fails at this alone has refused it."""
    connection_id = practice.export()
    practice.drawer.refusals[at, "extcal-"] = down
    assert practice.api.disconnect(connection_id).status_code == 200
    practice.look()
    assert calendars(practice) == [OURS, "Work"]
    practice.drawer.refusals.clear()
    practice.look()
    assert calendars(practice) == ([OURS, "Work"] if (at, down) == ("DELETE", 500) else ["Work"])


def test_a_refusal_is_the_last_word(practice: Office) -> None:
    """The connection is disconnected all the same, and the server is not asked again."""
    connection_id = practice.export()
    practice.drawer.refusals["DELETE", "extcal-"] = 403
    assert practice.api.disconnect(connection_id).json()["connection"]["status"] == "DISCONNECTED"
    practice.drawer.refusals.clear()
    practice.script.asked.clear()
    practice.look()
    assert practice.script.asked == []
    assert calendars(practice) == [OURS, "Work"]


def test_an_answer_that_gets_lost(practice: Office) -> None:
    """The server makes the calendar each time and says so to nobody: there is one all the same."""
    drawer = practice.drawer

    def answer(asked: Asked) -> Reply:
        if asked.method != "MKCALENDAR":
            return drawer(asked)
        return Reply(405, "", {}) if asked.path in drawer.calendars else replace(drawer(asked), raw=[b""])

    practice.script.answer = answer
    practice.export()
    practice.add("Check-up")
    practice.look()
    assert calendars(practice) == [OURS, "Work"]
    assert practice.titles() == ["Check-up"]


def test_one_that_is_made_anew_is_not_mistaken_for_a_lost_one(practice: Office) -> None:
    """The owner deletes ours: nothing is left to remove when the connection ends."""
    connection_id = practice.export()
    practice.drawer.remove(next(path for path, name in practice.drawer.names.items() if name == OURS))
    practice.look()
    assert practice.states() == [("ERROR", "EXTERNAL_CALENDAR_DELETED")]
    practice.api.disconnect(connection_id)
    practice.look()
    assert calendars(practice) == ["Work"]
    assert practice.states() == [("DISCONNECTED", None)]
