"""Writing, and how servers say no."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav.multistatus import parse
from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarError,
    CalendarGoneError,
    ConflictError,
    CreationRefusedError,
    UnreachableError,
    UnreadableError,
    WriteRefusedError,
)
from tests.sandbox_caldav.stub import LOGIN
from tests.support.caldav.paper import CALENDAR, HOME, IS_CALENDAR, NAMESPACES, event, found, multistatus, whole_status
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from tests.sandbox_caldav.stub import CalDavStub

_UID_TAKEN = Reply(403, f"<error {NAMESPACES}><C:no-uid-conflict><href>/x</href></C:no-uid-conflict></error>")


def put(stub: CalDavStub) -> None:
    """Write an object."""
    stub.backend.put(LOGIN, CALENDAR, "extcal-1", event("extcal-1").encode(), etag=None)


def delete(stub: CalDavStub) -> None:
    """Delete an object."""
    stub.backend.delete(LOGIN, CALENDAR, "extcal-1", etag='"1"')


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(412, "", {}), ConflictError),
        (Reply(404, "", {}), ConflictError),
        (_UID_TAKEN, ConflictError),
        (Reply(403, "", {}), WriteRefusedError),
        (Reply(403, "<not xml"), WriteRefusedError),
        (Reply(405, "", {}), WriteRefusedError),
        (Reply(409, "", {}), WriteRefusedError),
        (Reply(413, "", {}), WriteRefusedError),
        (Reply(423, "", {}), WriteRefusedError),
        (Reply(501, "", {}), WriteRefusedError),
        (Reply(507, "", {}), WriteRefusedError),
        (Reply(302, "", {"Location": "/elsewhere"}), WriteRefusedError),
        (Reply(401, "", {}), BadCredentialsError),
        (Reply(500, "", {}), WriteRefusedError),
        (Reply(502, "", {}), UnreachableError),
        (Reply(503, "", {}), UnreachableError),
        (Reply(429, "", {}), UnreachableError),
        (Reply(307, "", {"Location": "https://evil.example/"}), UnreachableError),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_how_a_write_fails(stub: CalDavStub, method: str, reply: Reply, error: type[CalendarError]) -> None:
    """A conflict is told from a refusal, from a password that is refused, and from a server that is down."""
    stub.paper.replies[method] = reply
    with pytest.raises(error):
        (put if method == "PUT" else delete)(stub)


@pytest.mark.parametrize("code", [404, 409, 412, 403])
def test_a_write_into_a_calendar_that_is_gone(stub: CalDavStub, code: int) -> None:
    """Servers say the same of an object and of the calendar around it: the calendar is asked for."""
    stub.paper.replies = {"PUT": Reply(code, "", {}), "DELETE": Reply(code, "", {}), "marks": Reply(404, "", {})}
    for write in (put, delete):
        with pytest.raises(CalendarGoneError):
            write(stub)


def test_a_server_that_fails_altogether(stub: CalDavStub) -> None:
    """500 for an object and for the calendar around it is the server's trouble, not the object's."""
    fault = Reply(500, "", {})
    stub.paper.replies = {"PUT": fault, "DELETE": fault, "GET": fault, "marks": fault}
    for ask in (put, delete, lambda stub: stub.backend.get(LOGIN, CALENDAR, "extcal-1")):
        with pytest.raises(UnreachableError):
            ask(stub)


def test_conditions_of_a_write(stub: CalDavStub) -> None:
    """A new object must not be there yet, a known one must be in the version that is known."""
    stub.paper.replies = {"PUT": Reply(201, "", {}), "DELETE": Reply(204, "", {})}
    put(stub)
    stub.backend.put(LOGIN, CALENDAR, "extcal-1", b"x", etag='"7"')
    delete(stub)
    stranger, first, second, third = stub.script.asked
    assert stranger.method == "PROPFIND"
    assert first.path == CALENDAR + "extcal-1.ics"
    assert (first.headers["if-none-match"], first.headers["content-type"]) == ("*", "text/calendar; charset=utf-8")
    assert (second.headers["if-match"], third.headers["if-match"]) == ('"7"', '"1"')


def test_a_write_is_redirected_as_it_is(stub: CalDavStub) -> None:
    """307 and 308 mean the same request elsewhere, and that is followed to allowed places."""
    stub.paper.replies["PUT"] = Reply(308, "", {"Location": "/elsewhere.ics"})
    with pytest.raises(UnreachableError, match="redirected more than 5 times"):
        put(stub)
    assert {asked.method for asked in stub.script.asked[1:]} == {"PUT"}
    assert len({asked.body for asked in stub.script.asked[1:]}) == 1


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a.b", "ü", "a" * 201])
def test_a_name_that_is_none(stub: CalDavStub, name: str) -> None:
    """A name is one part of a path, whatever is in it."""
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        stub.backend.get(LOGIN, CALENDAR, name)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, "<html/>", {"Content-Type": "text/html", "ETag": '"1"'}),
        Reply(200, event("extcal-1"), {"Content-Type": "text/calendar"}),
        Reply(403, "", {}),
        Reply(500, "", {}),
        Reply(204, "", {"ETag": '"1"'}),
    ],
)
def test_an_object_that_can_not_be_read(stub: CalDavStub, reply: Reply) -> None:
    """A page, an object without an etag, a refusal, a fault: none of them is an object that can be replaced."""
    stub.paper.replies["GET"] = reply
    with pytest.raises(UnreadableError):
        stub.backend.get(LOGIN, CALENDAR, "extcal-1")


def test_an_object_as_it_is_now(stub: CalDavStub) -> None:
    """Its bytes and its etag are the server's; one that isn't there is None, one in no calendar is an error."""
    content = event("extcal-1").encode()
    stub.paper.replies["GET"] = Reply(200, content, {"Content-Type": "text/calendar; charset=utf-8", "ETag": '"1"'})
    got = stub.backend.get(LOGIN, CALENDAR, "extcal-1")
    assert got is not None
    assert (got.name, got.etag, got.content) == ("extcal-1", '"1"', content)
    stub.paper.replies["GET"] = Reply(410, "", {})
    assert stub.backend.get(LOGIN, CALENDAR, "extcal-1") is None
    stub.paper.replies["marks"] = Reply(body=multistatus())
    with pytest.raises(CalendarGoneError):
        stub.backend.get(LOGIN, CALENDAR, "extcal-1")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(403, "", {}), CreationRefusedError),
        (Reply(405, "", {}), CreationRefusedError),
        (Reply(409, "", {}), CreationRefusedError),
        (Reply(501, "", {}), CreationRefusedError),
        (Reply(507, "", {}), CreationRefusedError),
        (Reply(207, multistatus()), CreationRefusedError),
        (Reply(401, "", {}), BadCredentialsError),
        (Reply(500, "", {}), UnreachableError),
    ],
)
def test_how_making_a_calendar_fails(stub: CalDavStub, reply: Reply, error: type[CalendarError]) -> None:
    """A server that makes no calendars is told from one that is down."""
    stub.paper.replies["MKCALENDAR"] = reply
    with pytest.raises(error) as failed:
        stub.backend.create_calendar(LOGIN, "Harbor Dental", key="k1")
    assert ("no calendar can be made there" in str(failed.value)) == (error is CreationRefusedError)


def test_a_calendar_is_made_in_the_home(stub: CalDavStub) -> None:
    """For events alone, at an address that no other calendar has, with its name as it is."""
    stub.paper.replies["MKCALENDAR"] = Reply(201, "", {})
    first = stub.backend.create_calendar(LOGIN, "A & <B>", key="k2")
    second = stub.backend.create_calendar(LOGIN, "A & <B>", key="k3")
    assert first.id != second.id
    assert first.id.startswith(f"{HOME}extcal-")
    body = stub.script.asked[-1].body.decode()
    assert "A &amp; &lt;B&gt;" in body
    assert 'name="VEVENT"' in body


def test_a_name_that_xml_can_not_carry(stub: CalDavStub) -> None:
    """What may not be said is replaced, so that the server understands the rest."""
    stub.paper.replies["MKCALENDAR"] = Reply(201, "", {})
    stub.backend.create_calendar(LOGIN, "A\x01B\ufffeC\ud800", key="k4")
    assert "A\ufffdB\ufffdC\ufffd" in {each.text for each in parse(stub.script.asked[-1].body).iter()}


_OURS = f"{HOME}extcal-1/"
_EMPTY = Reply(body=multistatus(found(_OURS, IS_CALENDAR)))


def listing(*responses: str) -> Reply:
    """What the server lists in our calendar, and the calendar itself."""
    return Reply(body=multistatus(found(_OURS, IS_CALENDAR), *responses))


@pytest.mark.parametrize(
    ("listed", "deleted", "gone"),
    [
        (_EMPTY, Reply(204, "", {}), True),
        (_EMPTY, Reply(200, multistatus()), True),
        (_EMPTY, Reply(404, "", {}), True),
        (Reply(404, "", {}), Reply(500, "", {}), True),
        (Reply(body=multistatus(whole_status(_OURS, 404))), Reply(500, "", {}), True),
        (_EMPTY, Reply(207, multistatus(whole_status(_OURS, 403))), False),
        (_EMPTY, Reply(403, "", {}), False),
        (_EMPTY, Reply(405, "", {}), False),
        (_EMPTY, Reply(423, "", {}), False),
        (_EMPTY, Reply(500, "", {}), False),
        (_EMPTY, Reply(302, "", {"Location": "/elsewhere/"}), False),
    ],
)
def test_how_a_calendar_of_ours_is_deleted(stub: CalDavStub, listed: Reply, deleted: Reply, *, gone: bool) -> None:
    """What the server refuses stays; one that isn't there any more is as good as deleted."""
    stub.paper.replies = {"elsewhere": listed, "DELETE": deleted}
    assert stub.backend.delete_calendar_if_empty(LOGIN, _OURS) is gone
    assert stub.paper.calls[0] == "elsewhere"


@pytest.mark.parametrize(
    "listed",
    [
        listing(found(f"{_OURS}a.ics")),
        listing(found(f"{_OURS}folder/")),
        listing(whole_status(f"{_OURS}secret.ics", 403)),
        listing(whole_status(_OURS, 507)),
        Reply(body=multistatus()),
        Reply(body=multistatus(found(_OURS))),
        Reply(body=multistatus(found(f"{HOME}extcal-2/", IS_CALENDAR))),
        Reply(403, "", {}),
        Reply(405, "", {}),
    ],
)
def test_a_calendar_that_may_hold_something_is_not_deleted(stub: CalDavStub, listed: Reply) -> None:
    """Only one of which the server says that there is nothing in it."""
    stub.paper.replies = {"elsewhere": listed, "DELETE": Reply(204, "", {})}
    assert stub.backend.delete_calendar_if_empty(LOGIN, _OURS) is False
    assert "DELETE" not in stub.paper.calls


@pytest.mark.parametrize(
    "calendar", [CALENDAR, HOME, "/", "http://evil.example/extcal-1/", "/home/lee/extcal-1/../work/"]
)
def test_a_calendar_that_is_none_of_ours_is_not_even_asked_for(stub: CalDavStub, calendar: str) -> None:
    """Whatever its id says."""
    assert stub.backend.delete_calendar_if_empty(LOGIN, calendar) is False
    assert stub.script.asked == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, "", {}), BadCredentialsError),
        (Reply(500, "", {}), UnreachableError),
        (Reply(503, "", {}), UnreachableError),
        (Reply(429, "", {}), UnreachableError),
    ],
)
def test_a_calendar_of_ours_that_is_out_of_reach(stub: CalDavStub, reply: Reply, error: type[CalendarError]) -> None:
    """Then another time."""
    stub.paper.replies = {"elsewhere": reply, "DELETE": Reply(204, "", {})}
    with pytest.raises(error):
        stub.backend.delete_calendar_if_empty(LOGIN, _OURS)
    assert "DELETE" not in stub.paper.calls
