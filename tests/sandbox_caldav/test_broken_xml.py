"""One event, or one name, that XML can't carry: servers answer broken XML, and everything around it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.errors import UnreadableError
from reconciler.sandbox.calendars.protocol import CalendarRef
from reconciler.sandbox.local import opened
from reconciler.sandbox.server import running
from tests.sandbox_caldav.office import office
from tests.sandbox_caldav.stub import LOGIN, fill
from tests.support.caldav.paper import CALENDAR, EMAIL, HOME, IS_CALENDAR, PASSWORD, event, found, multistatus
from tests.support.caldav.scripted import Reply
from tests.support.sandbox.api import UNHURRIED, Api, client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_caldav.stub import CalDavStub
    from tests.sandbox_caldav.witness import Witness
    from tests.support.caldav.real import RealServer
    from tests.support.caldav.scripted import Asked

_KEY = "a-key-for-tests"
_ODD = ["\ufffe", "\uffff", "\x0b", "\x01"]
_MARCH = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "fieldsets": "OWN_PI"}


def titles(api: Api, **params: str) -> set[str]:
    """The titles of what is imported in March 2026."""
    answer = api.get("/events", _MARCH | params)
    assert answer.status_code == 200, answer.text
    return {each["title"] for each in answer.json()["events"]}


@pytest.mark.parametrize("character", _ODD)
def test_what_stands_around_it_is_read(stub: CalDavStub, character: str) -> None:
    """The one that is to blame is found by halves, read by itself, and named at each reading until it is mended."""
    fill(stub, 40)
    stub.paper.put("odd one.ics", event("odd", f"Crown{character}"))
    for _ in range(4):
        reading = stub.reading()
        assert len(reading.objects) == 41
        assert character in b"".join(each.content for each in reading.objects).decode()
        (fault,) = reading.faults
        assert f"{CALENDAR}odd one.ics" in fault
        assert "not well-formed" in fault
    assert stub.paper.calls.count("GET") == 1
    stub.paper.put("odd one.ics", event("odd", "Crown"))
    assert stub.reading().faults == ()
    assert len(stub.reading().objects) == 41


def test_one_that_comes_later(stub: CalDavStub) -> None:
    """Where the calendar is followed by its changes, the new one is reported too, and what is gone no more."""
    fill(stub)
    stub.warm_up()
    stub.paper.put("e1.ics", event("e1", "\ufffe"))
    assert stub.asked_for(stub.read) == ["sync", "multiget", "GET"]
    assert len(stub.reading().faults) == 1
    stub.paper.put("e1.ics", "")
    assert stub.reading().faults == ()
    assert set(stub.read()) == {"e0", "e2"}


@pytest.mark.parametrize("reply", [Reply(500, "", {}), Reply(403, "", {}), Reply(200, "<html/>", {})])
def test_one_that_can_not_be_had_at_all(stub: CalDavStub, reply: Reply) -> None:
    """It is left out and named; the others are there."""
    fill(stub)
    stub.paper.put("odd.ics", event("odd", "\ufffe"))
    stub.paper.replies["GET"] = reply
    for _ in range(3):
        reading = stub.reading()
        assert {each.name for each in reading.objects} == {"e0", "e1", "e2"}
        (fault,) = reading.faults
        assert f"{CALENDAR}odd.ics is left out" in fault


@pytest.mark.parametrize("tokens", [True, False])
def test_one_at_which_the_server_breaks_down(stub: CalDavStub, *, tokens: bool) -> None:
    """A damaged object that no search survives is left out and named; the others are there, and it too once mended."""
    fill(stub)
    stub.paper.tokens = tokens
    stub.paper.put("odd.ics", event("odd"))
    paper = stub.paper

    def answer(asked: Asked) -> Reply:
        told = asked.path.endswith("odd.ics") or b"odd.ics" in asked.body
        searched = b"calendar-query" in asked.body
        return Reply(500, "", {}) if told or searched else paper(asked)

    stub.script.answer = answer
    for _ in range(3):
        reading = stub.reading()
        assert {each.name for each in reading.objects} == {"e0", "e1", "e2"}
        (fault,) = reading.faults
        assert f"{CALENDAR}odd.ics is left out" in fault
        assert "answered 500" in fault
    stub.script.answer = paper
    assert stub.reading().faults == ()
    assert set(stub.read()) == {"e0", "e1", "e2", "odd"}


def test_answers_that_lack_what_they_should_have(stub: CalDavStub) -> None:
    """An answer about contents that is no multistatus is not believed: each object is asked for what it is."""
    fill(stub)
    nameless = Reply(body=multistatus("<response><status>HTTP/1.1 200 OK</status></response>"))
    stub.paper.replies = dict.fromkeys(("whole", "multiget"), nameless)
    reading = stub.reading()
    assert {each.name for each in reading.objects} == {"e0", "e1", "e2"}
    assert len(reading.faults) == 3


def test_one_that_is_gone_meanwhile(stub: CalDavStub) -> None:
    """Nothing is said of what isn't there any more."""
    fill(stub)
    stub.paper.put("odd.ics", event("odd", "\ufffe"))
    stub.paper.replies["GET"] = Reply(404, "", {})
    assert stub.reading().faults == ()


def test_a_server_whose_xml_is_always_broken(stub: CalDavStub) -> None:
    """Where the list of objects is broken too, that calendar can't be read: new or known, and no other one."""
    broken = Reply(body=multistatus(found(CALENDAR))[:-5])
    for kinds in (("whole", "listing"), ("sync",)):
        stub.paper.replies = dict.fromkeys(kinds, broken)
        with pytest.raises(UnreadableError, match="can't be read"):
            stub.read()
        stub.paper.replies = {}
        fill(stub)
        stub.warm_up()


def test_a_name_that_xml_can_not_carry(stub: CalDavStub) -> None:
    """The calendars are listed without names, and each is asked for its own; the odd one is called by its address."""
    names = {f"{HOME}odd/": "\ufffe", CALENDAR: "Work"}
    paper = stub.paper

    def answer(asked: Asked) -> Reply:
        if asked.method != "PROPFIND" or not asked.path.startswith(HOME):
            return paper(asked)
        there = names if asked.path == HOME else {asked.path: names[asked.path]}
        named = b"displayname" in asked.body
        return Reply(
            body=multistatus(
                *(
                    found(href, IS_CALENDAR, f"<displayname>{name}</displayname>" if named else "")
                    for href, name in there.items()
                )
            )
        )

    stub.script.answer = answer
    assert stub.backend.calendars(LOGIN) == (CalendarRef(f"{HOME}odd/", "odd"), CalendarRef(CALENDAR, "Work"))


def test_what_we_write_breaks_nobody_s_answers(tmp_path: Path) -> None:
    """An event of the site with such a title is exported without the characters, and stays as it is in the site."""
    with office(tmp_path / "data") as practice:
        practice.export()
        practice.add("Crown\x00 \x1b[2J\ufffe\t;")
        assert practice.titles() == ["Crown\ufffd \ufffd[2J\ufffd\t\\;"]
        assert practice.site.events()[0].event.title == "Crown\x00 \x1b[2J\ufffe\t;"


def test_nobody_else_loses_theirs(
    server: RealServer, witness: Witness, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On a real server all events are answered, and log and `events list` name the calendar and the event."""
    witness.make_calendar("Surgery")
    witness.add("Surgery", event("crown", "Crown"))
    witness.add("Surgery", event("odd", "Odd\ufffe"))
    config = tmp_path / "sandbox.yaml"
    config.write_text(f"apple: {{caldav: {{url: '{server.url}'}}}}\n")
    with (
        running(tmp_path / "data", api_key=_KEY, settings=UNHURRIED, config=config) as sandbox,
        client(sandbox.endpoint, _KEY) as http,
    ):
        api = Api(http)
        api.connect(email=EMAIL, password=PASSWORD)
        assert {"Crown", "Odd\ufffe"} <= titles(api)
        assert {"Crown", "Odd\ufffe"} <= titles(api, partialFailure="true")
        with opened(tmp_path / "data", config, UNHURRIED) as local:
            told = [each for each in local.warnings() if "not well-formed" in each]
    assert len(told) == 1
    assert f"apple/{EMAIL}/Surgery" in told[0]
    assert [record for record in caplog.records if f"apple/{EMAIL}/Surgery" in record.getMessage()]
