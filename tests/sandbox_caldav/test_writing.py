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
from tests.sandbox_caldav.desk import LOGIN
from tests.support.caldav.paper import CALENDAR, HOME, IS_CALENDAR, NAMESPACES, event, found, multistatus, whole_status
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from tests.sandbox_caldav.desk import Desk

_UID_TAKEN = Reply(403, f"<error {NAMESPACES}><C:no-uid-conflict><href>/x</href></C:no-uid-conflict></error>")


def put(desk: Desk) -> None:
    """Write an object."""
    desk.backend.put(LOGIN, CALENDAR, "extcal-1", event("extcal-1").encode(), etag=None)


def delete(desk: Desk) -> None:
    """Delete an object."""
    desk.backend.delete(LOGIN, CALENDAR, "extcal-1", etag='"1"')


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
def test_how_a_write_fails(desk: Desk, method: str, reply: Reply, error: type[CalendarError]) -> None:
    """A conflict is told from a refusal, from a password that is refused, and from a server that is down."""
    desk.paper.replies[method] = reply
    with pytest.raises(error):
        (put if method == "PUT" else delete)(desk)


@pytest.mark.parametrize("code", [404, 409, 412, 403])
def test_a_write_into_a_calendar_that_is_gone(desk: Desk, code: int) -> None:
    """Servers say the same of an object and of the calendar around it: the calendar is asked for."""
    desk.paper.replies = {"PUT": Reply(code, "", {}), "DELETE": Reply(code, "", {}), "marks": Reply(404, "", {})}
    for write in (put, delete):
        with pytest.raises(CalendarGoneError):
            write(desk)


def test_a_server_that_fails_altogether(desk: Desk) -> None:
    """500 for an object and for the calendar around it is the server's trouble, not the object's."""
    fault = Reply(500, "", {})
    desk.paper.replies = {"PUT": fault, "DELETE": fault, "GET": fault, "marks": fault}
    for ask in (put, delete, lambda desk: desk.backend.get(LOGIN, CALENDAR, "extcal-1")):
        with pytest.raises(UnreachableError):
            ask(desk)


def test_conditions_of_a_write(desk: Desk) -> None:
    """A new object must not be there yet, a known one must be in the version that is known."""
    desk.paper.replies = {"PUT": Reply(201, "", {}), "DELETE": Reply(204, "", {})}
    put(desk)
    desk.backend.put(LOGIN, CALENDAR, "extcal-1", b"x", etag='"7"')
    delete(desk)
    stranger, first, second, third = desk.script.asked
    assert stranger.method == "PROPFIND"
    assert first.path == CALENDAR + "extcal-1.ics"
    assert (first.headers["if-none-match"], first.headers["content-type"]) == ("*", "text/calendar; charset=utf-8")
    assert (second.headers["if-match"], third.headers["if-match"]) == ('"7"', '"1"')


def test_a_write_is_redirected_as_it_is(desk: Desk) -> None:
    """307 and 308 mean the same request elsewhere, and that is followed to allowed places."""
    desk.paper.replies["PUT"] = Reply(308, "", {"Location": "/elsewhere.ics"})
    with pytest.raises(UnreachableError, match="redirected more than 5 times"):
        put(desk)
    assert {asked.method for asked in desk.script.asked[1:]} == {"PUT"}
    assert len({asked.body for asked in desk.script.asked[1:]}) == 1


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a.b", "ü", "a" * 201])
def test_a_name_that_is_none(desk: Desk, name: str) -> None:
    """A name is one part of a path, whatever is in it."""
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        desk.backend.get(LOGIN, CALENDAR, name)


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
def test_an_object_that_can_not_be_read(desk: Desk, reply: Reply) -> None:
    """A page, an object without an etag, a refusal, a fault: none of them is an object that can be replaced."""
    desk.paper.replies["GET"] = reply
    with pytest.raises(UnreadableError):
        desk.backend.get(LOGIN, CALENDAR, "extcal-1")


def test_an_object_as_it_is_now(desk: Desk) -> None:
    """Its bytes and its etag are the server's; one that isn't there is None, one in no calendar is an error."""
    content = event("extcal-1").encode()
    desk.paper.replies["GET"] = Reply(200, content, {"Content-Type": "text/calendar; charset=utf-8", "ETag": '"1"'})
    got = desk.backend.get(LOGIN, CALENDAR, "extcal-1")
    assert got is not None
    assert (got.name, got.etag, got.content) == ("extcal-1", '"1"', content)
    desk.paper.replies["GET"] = Reply(410, "", {})
    assert desk.backend.get(LOGIN, CALENDAR, "extcal-1") is None
    desk.paper.replies["marks"] = Reply(body=multistatus())
    with pytest.raises(CalendarGoneError):
        desk.backend.get(LOGIN, CALENDAR, "extcal-1")


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
def test_how_making_a_calendar_fails(desk: Desk, reply: Reply, error: type[CalendarError]) -> None:
    """A server that makes no calendars is told from one that is down."""
    desk.paper.replies["MKCALENDAR"] = reply
    with pytest.raises(error) as failed:
        desk.backend.create_calendar(LOGIN, "Harbor Dental", key="k1")
    assert ("no calendar can be made there" in str(failed.value)) == (error is CreationRefusedError)


def test_a_calendar_is_made_in_the_home(desk: Desk) -> None:
    """For events alone, at an address that no other calendar has, with its name as it is."""
    desk.paper.replies["MKCALENDAR"] = Reply(201, "", {})
    first = desk.backend.create_calendar(LOGIN, "A & <B>", key="k2")
    second = desk.backend.create_calendar(LOGIN, "A & <B>", key="k3")
    assert first.id != second.id
    assert first.id.startswith(f"{HOME}extcal-")
    body = desk.script.asked[-1].body.decode()
    assert "A &amp; &lt;B&gt;" in body
    assert 'name="VEVENT"' in body


def test_a_name_that_xml_can_not_carry(desk: Desk) -> None:
    """What may not be said is replaced, so that the server understands the rest."""
    desk.paper.replies["MKCALENDAR"] = Reply(201, "", {})
    desk.backend.create_calendar(LOGIN, "A\x01B\ufffeC\ud800", key="k4")
    assert "A\ufffdB\ufffdC\ufffd" in {each.text for each in parse(desk.script.asked[-1].body).iter()}


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
def test_how_a_calendar_of_ours_is_deleted(desk: Desk, listed: Reply, deleted: Reply, *, gone: bool) -> None:
    """What the server refuses stays; one that isn't there any more is as good as deleted."""
    desk.paper.replies = {"elsewhere": listed, "DELETE": deleted}
    assert desk.backend.delete_calendar_if_empty(LOGIN, _OURS) is gone
    assert desk.paper.calls[0] == "elsewhere"


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
def test_a_calendar_that_may_hold_something_is_not_deleted(desk: Desk, listed: Reply) -> None:
    """Only one of which the server says that there is nothing in it."""
    desk.paper.replies = {"elsewhere": listed, "DELETE": Reply(204, "", {})}
    assert desk.backend.delete_calendar_if_empty(LOGIN, _OURS) is False
    assert "DELETE" not in desk.paper.calls


@pytest.mark.parametrize(
    "calendar", [CALENDAR, HOME, "/", "http://evil.example/extcal-1/", "/home/lee/extcal-1/../work/"]
)
def test_a_calendar_that_is_none_of_ours_is_not_even_asked_for(desk: Desk, calendar: str) -> None:
    """Whatever its id says."""
    assert desk.backend.delete_calendar_if_empty(LOGIN, calendar) is False
    assert desk.script.asked == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, "", {}), BadCredentialsError),
        (Reply(500, "", {}), UnreachableError),
        (Reply(503, "", {}), UnreachableError),
        (Reply(429, "", {}), UnreachableError),
    ],
)
def test_a_calendar_of_ours_that_is_out_of_reach(desk: Desk, reply: Reply, error: type[CalendarError]) -> None:
    """Then another time."""
    desk.paper.replies = {"elsewhere": reply, "DELETE": Reply(204, "", {})}
    with pytest.raises(error):
        desk.backend.delete_calendar_if_empty(LOGIN, _OURS)
    assert "DELETE" not in desk.paper.calls
