"""What is to be taken back from a server, where something comes between: a change of mind, or of the password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox_caldav.office import OURS, Office, office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Office]:
    """A practice that has not connected anything."""
    with office(tmp_path / "data") as made:
        yield made


def test_what_could_not_be_taken_back_and_is_wanted_again(practice: Office) -> None:
    """It stands there as it should: nothing waits any more, and nothing is written for it."""
    connection_id = practice.export()
    practice.add("First")
    practice.drawer.refusals["DELETE", ""] = 403
    practice.api.update(connection_id, {"syncToCalendar": {"enabled": False}})
    ((taking_back, _),) = practice.pending()["First"]
    assert taking_back
    practice.script.asked.clear()
    practice.api.update(connection_id, {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}})
    assert practice.pending() == {}
    assert practice.titles() == ["First"]
    assert {asked.method for asked in practice.script.asked} <= {"PROPFIND"}


def test_access_that_is_revoked_before_the_end(practice: Office) -> None:
    """What was exported over a connection that is over can't be taken back: it stays, and nobody waits for it."""
    connection_id = practice.export()
    practice.add("First")
    practice.drawer.down = 401
    practice.api.disconnect(connection_id)
    practice.look()
    assert practice.states() == [("DISCONNECTED", None)]
    assert practice.pending() == {}
    practice.drawer.down = None
    practice.look()
    assert [content.count("SUMMARY:First") for content in practice.drawer.calendar(OURS).values()] == [1]
    assert practice.pending() == {}
