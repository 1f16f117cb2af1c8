"""What a provider refuses of the exported events: each stands alone, is tried again, and is named."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.cli.main import main
from tests.sandbox_caldav.office import OURS, Office, office
from tests.support.caldav.paper import EMAIL, PASSWORD, event
from tests.support.caldav.scripted import Reply
from tests.support.profiles import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALONE = (400, 403, 409, 413, 415, 423, 500, 507)
ALTOGETHER = (429, 502, 503, 504)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Office]:
    """A practice that has not connected anything."""
    with office(tmp_path / "data") as made:
        yield made


@pytest.mark.parametrize("status", ALONE)
def test_a_refused_event_blocks_no_other(practice: Office, status: int) -> None:
    """The later ones are exported; it is named with the reason, and exported once the server takes it."""
    practice.export()
    practice.drawer.refusals["PUT", "SUMMARY:Second"] = status
    for title in ("First", "Second", "Third"):
        practice.add(title)
    assert practice.titles() == ["First", "Third"]
    ((taking_back, reason),) = practice.pending()["Second"]
    assert not taking_back
    assert f"answered {status}" in reason
    assert practice.states() == [("CONNECTED", None)]
    practice.drawer.refusals.clear()
    practice.look()
    assert practice.titles() == ["First", "Second", "Third"]
    assert practice.pending() == {}


@pytest.mark.parametrize("status", ALONE)
def test_a_refused_deletion_blocks_no_other(practice: Office, status: int) -> None:
    """The cancelled event stays named until it is gone; other events come and go meanwhile."""
    connection_id = practice.export()
    first, second = practice.add("First"), practice.add("Second")
    practice.drawer.refusals["DELETE", first] = status
    practice.site.cancel_event(first)
    practice.site.cancel_event(second)
    practice.add("Third")
    assert practice.titles() == ["First", "Third"]
    ((taking_back, reason),) = practice.pending()["First"]
    assert taking_back
    assert f"answered {status}" in reason
    assert practice.api.disconnect(connection_id).status_code == 200
    assert practice.titles() == ["First"]
    practice.drawer.refusals.clear()
    practice.look()
    assert practice.pending() == {}
    assert practice.drawer.calendars == {}


@pytest.mark.parametrize("status", [403, 406, 500])
def test_an_object_that_can_not_be_read_before_it_is_written(practice: Office, status: int) -> None:
    """It waits alone, to be replaced and to be deleted."""
    practice.export()
    first = practice.add("First")
    practice.drawer.refusals["GET", first] = status
    practice.move(first, 5)
    practice.add("Second")
    assert practice.titles() == ["First", "Second"]
    assert f"answered {status}" in practice.pending()["First"][0][1]
    practice.site.cancel_event(first)
    practice.add("Third")
    assert practice.titles() == ["First", "Second", "Third"]
    assert practice.pending()["First"][0][0]
    practice.drawer.refusals.clear()
    practice.look()
    assert practice.titles() == ["Second", "Third"]


@pytest.mark.parametrize("status", ALTOGETHER)
def test_a_server_that_is_away_stops_at_once(practice: Office, status: int) -> None:
    """Nothing more is asked after the first answer; all that waits is named, and done when the server is back."""
    practice.export()
    gone = practice.add("Gone")
    practice.drawer.refusals = {(method, ""): status for method in ("GET", "PUT", "DELETE")}
    practice.script.asked.clear()
    practice.site.cancel_event(gone)
    practice.add("First")
    practice.add("Second")
    assert len([asked for asked in practice.script.asked if asked.method in {"GET", "PUT", "DELETE"}]) == 3
    waits = practice.pending()
    assert {title: [each for each, _ in found] for title, found in waits.items()} == {
        "Gone": [True],
        "First": [False],
        "Second": [False],
    }
    assert all(f"answered {status}" in reason for found in waits.values() for _, reason in found)
    practice.drawer.refusals.clear()
    practice.look()
    assert practice.titles() == ["First", "Second"]
    assert practice.pending() == {}


def test_an_event_that_stops_each_run_starves_nobody(practice: Office) -> None:
    """One at which the server breaks down each time comes last from then on, behind those that it refuses."""
    practice.export()
    practice.drawer.refusals["PUT", "SUMMARY:Poison"] = 503
    practice.drawer.refusals["PUT", "SUMMARY:Refused"] = 403
    practice.add("Poison")
    practice.add("Refused", hours=2)
    practice.add("Fine", hours=3)
    assert practice.titles() == ["Fine"]
    practice.drawer.refusals.pop(("PUT", "SUMMARY:Refused"))
    practice.look()
    practice.look()
    assert practice.titles() == ["Fine", "Refused"]
    assert list(practice.pending()) == ["Poison"]


def test_many_refusals_starve_nobody(practice: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends after so many, with the rest named; those that were not tried yet are the first of the next one."""
    monkeypatch.setattr("reconciler.sandbox.exports.export_sync.MAX_REFUSALS", 3)
    practice.drawer.refusals["PUT", "SUMMARY:Bad"] = 403
    for number in range(5):
        practice.add(f"Bad {number}", hours=number)
    practice.add("Good", hours=9)
    practice.export()
    assert practice.titles() == []
    assert "3 events were refused" in practice.pending()["Good"][0][1]
    practice.look()
    assert practice.titles() == ["Good"]
    assert len(practice.pending()) == 5


def test_a_changed_event_is_a_new_question(practice: Office) -> None:
    """What was refused and has been moved since goes out in its last version, and is cancelled without a trace."""
    practice.export()
    practice.drawer.refusals["PUT", "SUMMARY:Check-up"] = 403
    moved, cancelled = practice.add("Check-up"), practice.add("Check-up 2")
    practice.move(moved, 7)
    practice.site.cancel_event(cancelled)
    assert list(practice.pending()) == ["Check-up"]
    practice.drawer.refusals.clear()
    practice.look()
    (content,) = practice.drawer.calendar(OURS).values()
    assert "DTSTART:20260302T190000Z" in content
    assert practice.pending() == {}


def test_another_event_in_its_place_is_left_alone_and_told(practice: Office) -> None:
    """An object that somebody put where ours belongs is never written over, and ours is named until it is gone."""
    practice.export()
    event_id = practice.add("Ours")
    (name,) = practice.drawer.calendar(OURS)
    theirs = event("theirs", "Theirs")
    practice.drawer.calendar(OURS)[name] = theirs
    practice.move(event_id, 4)
    practice.add("Later", hours=5)
    assert practice.titles() == ["Later", "Theirs"]
    assert "another event has the name" in practice.pending()["Ours"][0][1]
    del practice.drawer.calendar(OURS)[name]
    practice.look()
    assert practice.titles() == ["Later", "Ours"]


def test_interrupted_between_the_write_and_the_note(practice: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is in the calendar once, however often the sandbox dies there."""
    practice.export()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("reconciler.sandbox.exports.export_record.ExportRecord.note_exported", die)
        for title in ("First", "Second"):
            with pytest.raises(KeyboardInterrupt):
                practice.add(title)
    practice.look()
    assert practice.titles() == ["First", "Second"]
    assert practice.pending() == {}


def test_a_connection_that_is_broken_says_so(practice: Office) -> None:
    """Events of a connection whose password was changed wait for that; with the new one they go out."""
    practice.export()
    practice.drawer.down = 401
    practice.add("First")
    why = "the connection is in error (TOKEN_REVOKED). See: extcal status"
    assert practice.pending() == {"First": [(False, why)]}
    practice.drawer.down = None
    practice.connect()
    assert practice.titles() == ["First"]
    assert practice.pending() == {}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, "", {"Content-Type": f"text/{PASSWORD.upper()}", "ETag": "x"}),
        Reply(200, "", {"Content-Type": "text/calendar", "Content-Encoding": PASSWORD}),
        Reply(302, "", {"Location": f"https://{PASSWORD}.example/"}),
    ],
)
def test_a_server_that_repeats_the_password(practice: Office, caplog: pytest.LogCaptureFixture, reply: Reply) -> None:
    """It stands neither in the log nor in what is listed, nor does the reason that would hold it."""
    practice.export()
    practice.script.answer = lambda asked: reply if asked.method == "GET" else practice.drawer(asked)
    practice.add("Check-up")
    ((_, reason),) = practice.pending()["Check-up"]
    assert "contains the password" in reason
    assert PASSWORD not in (reason + caplog.text).lower()


def test_what_waits_as_it_is_listed(practice: Office) -> None:
    """`events list` names it in the JSON and below the table, and nothing there can move the cursor."""
    practice.export()
    cancelled = practice.add("Cancelled")
    practice.drawer.refusals["DELETE", cancelled] = 403
    practice.drawer.refusals["PUT", "SUMMARY:Bad"] = 413
    practice.site.cancel_event(cancelled)
    bad = practice.add("Bad \x1b[2J")
    words = ["sandbox", "events", "list", "--data", str(practice.data), "--sandbox-config", str(practice.config)]
    rows = {row["id"]: row for row in json.loads(CliRunner().invoke(main, [*words, "--format", "json"]).stdout)}
    (ours,) = practice.drawer.calendars
    place = f"apple/{EMAIL}/{ours}"
    assert rows[bad]["exportedTo"] == rows[cancelled]["notExported"] == rows[bad]["notTakenBack"] == []
    ((refused,), (kept,)) = rows[bad]["notExported"], rows[cancelled]["notTakenBack"]
    assert (refused["calendar"], kept["calendar"], rows[cancelled]["exportedTo"]) == (place, place, [place])
    assert "answered 413" in refused["reason"]
    assert "answered 403" in kept["reason"]
    text = CliRunner().invoke(main, words).stdout
    listed, *waits = text.split("\n\n")
    assert "answered" not in listed
    assert {wait.split()[0]: wait.splitlines()[1].strip() for wait in waits} == {
        bad: f"still to be exported to {place}:",
        cancelled: f"still to be removed from {place}:",
    }
    assert "\x1b" not in text


def test_the_log_says_it_once(practice: Office, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is tried."""
    practice.export()
    practice.drawer.refusals["PUT", "SUMMARY:Bad"] = 403
    with caplog.at_level(logging.WARNING, "reconciler.sandbox"):
        event_id = practice.add("Bad")
        for _ in range(3):
            practice.add("Good")
    told = [record.getMessage() for record in caplog.records if "can't be exported" in record.getMessage()]
    assert len(told) == 1
    assert event_id in told[0]


@settings(examples(10, profile="tests"), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "move", "cancel", "look"]),
            st.integers(0, 3),
            st.dictionaries(
                st.tuples(st.sampled_from(["GET", "PUT", "DELETE"]), st.integers(0, 3)),
                st.sampled_from((*ALONE, *ALTOGETHER)),
                max_size=3,
            ),
        ),
        max_size=8,
    )
)
def test_whatever_is_refused_the_calendar_comes_right(
    practice: Office, steps: list[tuple[str, int, dict[tuple[str, int], int]]]
) -> None:
    """Through any refusals, each event that no request about is refused is as it should be; in the end all are."""
    if not practice.api.connections():
        practice.export()
    events: list[str] = []
    wanted: dict[str, int] = {}
    for number, (step, which, refusals) in enumerate(steps):
        practice.drawer.refusals = {
            (method, events[place]): status for (method, place), status in refusals.items() if place < len(events)
        }
        event_id = events[which] if which < len(events) else None
        if step == "add":
            events.append(practice.add("Check-up", hours=number))
            wanted[events[-1]] = number
        elif step == "move" and event_id in wanted:
            practice.move(event_id, number)
            wanted[event_id] = number
        elif step == "cancel" and event_id in wanted:
            practice.site.cancel_event(event_id)
            del wanted[event_id]
        else:
            practice.look()
        if not set(ALTOGETHER) & set(practice.drawer.refusals.values()):
            troubled = {text for _, text in practice.drawer.refusals}
            assert {each: at for each, at in hours(practice).items() if each not in troubled} == {
                each: at for each, at in wanted.items() if each not in troubled
            }
    practice.drawer.refusals.clear()
    practice.look()
    assert hours(practice) == wanted
    assert practice.pending() == {}
    for event_id in wanted:
        practice.site.cancel_event(event_id)


def hours(practice: Office) -> dict[str, int]:
    """At what hour after noon the calendar holds each event, by the event's id."""
    found = {}
    for content in practice.drawer.calendar(OURS).values():
        lines = dict(line.split(":", 1) for line in content.replace("\r\n ", "").splitlines() if ":" in line)
        found[lines["X-EXTCAL-EXPORT"].partition("/")[2]] = int(lines["DTSTART"][9:11]) - 12
    assert len(found) == len(practice.drawer.calendar(OURS))
    return found
