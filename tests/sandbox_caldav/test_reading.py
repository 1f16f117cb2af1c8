"""How a calendar is read, and brought up to date."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav import snapshot
from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.exchange import Bounds
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
from reconciler.sandbox.calendars.caldav.session import ServerSession
from reconciler.sandbox.calendars.errors import BadCredentialsError, UnreachableError, UnreadableError
from reconciler.sandbox.calendars.protocol import Login
from tests.sandbox_caldav.desk import END, LOGIN, PATIENT, START, fill
from tests.support.caldav.paper import CALENDAR, EMAIL, event, found, multistatus, whole_status
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_caldav.desk import Desk

_NO = Reply(403, "", {})


def small(desk: Desk, bounds: Bounds) -> None:
    """Let the backend be content with less."""
    desk.backend = CalDavBackend(ServerSession(AllowedOrigins.of(desk.script.url, ()), bounds))


def test_a_second_reading_fetches_changes_alone(desk: Desk) -> None:
    """The first reading is one question; the second compares etags, and asks for a token while it is at it."""
    fill(desk)
    assert desk.asked_for(desk.read) == ["whole"]
    assert desk.asked_for(desk.read) == ["marks", "listing"]
    assert set(desk.read()) == {"e0", "e1", "e2"}


def test_changes_between_the_first_two_readings(desk: Desk) -> None:
    """Nothing is missed that happened before there was a token."""
    fill(desk)
    desk.read()
    desk.paper.put("e1.ics", event("e1", "Other"))
    desk.paper.put("e2.ics", "")
    assert desk.asked_for(desk.read) == ["marks", "listing", "multiget"]
    read = desk.read()
    assert set(read) == {"e0", "e1"}
    assert b"Other" in read["e1"]


def test_with_a_token_one_question_is_enough(desk: Desk) -> None:
    """It tells that nothing changed, and only what is new or different is fetched."""
    fill(desk)
    desk.settle()
    assert desk.asked_for(desk.read) == ["sync"]
    desk.paper.put("e1.ics", event("e1", "Other"))
    desk.paper.put("e2.ics", "")
    desk.paper.put("e3.ics", event("e3"))
    assert desk.asked_for(desk.read) == ["sync", "multiget"]
    assert desk.asked_for(desk.read) == ["sync"]
    read = desk.read()
    assert set(read) == {"e0", "e1", "e3"}
    assert b"Other" in read["e1"]


def test_changes_told_in_parts(desk: Desk) -> None:
    """A server may cut its answer short (RFC 6578, 3.6): the rest is asked for until there is none."""
    fill(desk)
    desk.settle()
    desk.paper.page = 2
    for number in range(2, 7):
        desk.paper.put(f"e{number}.ics", event(f"e{number}", "New"))
    desk.paper.put("e0.ics", "")
    assert desk.asked_for(desk.read) == ["sync", "sync", "sync", "multiget"]
    assert set(desk.read()) == {f"e{number}" for number in range(1, 7)}


def test_changes_that_never_end(desk: Desk) -> None:
    """A server that always has more to tell, or gives no new token, is asked for everything instead."""
    fill(desk)
    desk.settle()
    endless = multistatus(
        "<response><href>/home/lee/work/</href><status>HTTP/1.1 507 No</status></response>", token="t9"
    )
    for answer in (endless, multistatus()):
        desk.settle()
        desk.paper.replies["sync"] = Reply(body=answer)
        desk.paper.put("e3.ics", event("e3"))
        assert set(desk.read()) == {"e0", "e1", "e2", "e3"}
        desk.paper.replies.clear()


def test_a_refused_token_means_reading_all_anew(desk: Desk) -> None:
    """What the server has forgotten is read whole, and the new token is used from then on."""
    fill(desk)
    desk.settle()
    desk.paper.oldest = 100
    desk.paper.put("e0.ics", "")
    assert desk.asked_for(desk.read) == ["sync", "whole"]
    desk.paper.oldest = 0
    desk.read()
    assert desk.asked_for(desk.read) == ["sync"]
    assert set(desk.read()) == {"e1", "e2"}


def test_tokens_that_are_good_for_nothing(desk: Desk) -> None:
    """A server that has tokens and no report for them is asked once, and then by ctag."""
    fill(desk)
    desk.settle()
    desk.paper.replies["sync"] = Reply(501, "", {})
    assert desk.asked_for(desk.read) == ["sync", "whole"]
    assert desk.asked_for(desk.read) == ["marks", "listing"]
    assert desk.asked_for(desk.read) == ["marks"]


def test_a_ctag_tells_that_nothing_changed(desk: Desk) -> None:
    """Without tokens the ctag answers; when it differs, etags tell what to fetch."""
    desk.paper.tokens = False
    fill(desk)
    desk.settle()
    assert desk.asked_for(desk.read) == ["marks"]
    desk.paper.put("e1.ics", event("e1", "Other"))
    desk.paper.put("e2.ics", "")
    assert desk.asked_for(desk.read) == ["marks", "listing", "multiget"]
    assert b"Other" in desk.read()["e1"]
    assert set(desk.read()) == {"e0", "e1"}


def test_without_tokens_and_ctags_etags_tell(desk: Desk) -> None:
    """Only what has another etag is fetched; without etags all is."""
    desk.paper.tokens = desk.paper.ctags = False
    fill(desk)
    desk.settle()
    assert desk.asked_for(desk.read) == ["marks", "listing"]
    desk.paper.etags = False
    desk.paper.put("e1.ics", event("e1", "Other"))
    assert desk.asked_for(desk.read) == ["marks", "listing", "multiget"]
    assert b"Other" in desk.read()["e1"]


def test_many_changes_are_read_whole(desk: Desk) -> None:
    """An import of hundreds of events costs one answer, not hundreds of names."""
    desk.settle()
    fill(desk, snapshot._REREAD_ABOVE + 1)
    assert desk.asked_for(desk.read) == ["sync", "whole"]


def test_a_large_calendar_is_asked_for_a_span(desk: Desk) -> None:
    """One that is too much to read whole is searched, a day wider at both ends; a wider span is asked for anew."""
    small(desk, replace(PATIENT, small=500))
    fill(desk)
    assert desk.asked_for(desk.read) == ["whole", "span"]
    assert b'start="20260228T000000Z" end="20260402T000000Z"' in desk.script.asked[-1].body
    assert desk.asked_for(desk.read) == ["marks", "span-etags"]
    desk.paper.put("e1.ics", event("e1", "Other"))
    assert desk.asked_for(desk.read) == ["sync", "multiget"]
    later = END.replace(year=2027)
    assert desk.asked_for(lambda: desk.backend.read(LOGIN, CALENDAR, START, later)) == ["span"]
    desk.read()
    assert desk.asked_for(desk.read) == ["sync"]
    desk.paper.oldest = 100
    assert desk.asked_for(desk.read) == ["sync", "span"]


def test_a_span_that_no_server_should_search(desk: Desk) -> None:
    """For all of time a large calendar is listed and fetched in parts: endless rules have no end in it."""
    small(desk, replace(PATIENT, small=500))
    fill(desk, 250)
    ever = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    asked = desk.asked_for(lambda: desk.backend.read(LOGIN, CALENDAR, *ever))
    assert asked == ["whole", "marks", "listing", "multiget", "multiget", "multiget"]
    assert len(desk.read()) == 250


@pytest.mark.parametrize("fault", [_NO, Reply(500, "", {}), Reply(501, "", {}), Reply(400, "", {})])
def test_a_server_that_does_not_search(desk: Desk, fault: Reply) -> None:
    """Where searching fails, the calendar is listed, and its objects are fetched by name."""
    fill(desk)
    desk.paper.replies |= {"whole": fault, "span": fault}
    assert desk.asked_for(desk.read) == ["whole", "span", "marks", "listing", "multiget"]
    assert set(desk.read()) == {"e0", "e1", "e2"}


def test_a_search_that_takes_too_long(desk: Desk) -> None:
    """It is cut off after a while, and the calendar read without it."""
    small(desk, replace(PATIENT, search=1.0))
    fill(desk)
    over = threading.Event()

    def silence() -> Iterator[bytes]:
        over.wait(120)
        yield b""

    desk.paper.replies["whole"] = Reply(raw=silence())
    try:
        assert set(desk.read()) == {"e0", "e1", "e2"}
    finally:
        over.set()
    # Where even the second search takes too long, on a machine that is busy, the calendar is listed.
    assert desk.paper.calls[:2] == ["whole", "span"]


def test_contents_that_do_not_come_are_fetched(desk: Desk) -> None:
    """A search that tells etags alone is followed by a fetch; what is gone by then is left out."""
    fill(desk)
    told = [found(f"{CALENDAR}{name}", "<getetag>x</getetag>") for name in (*desk.paper.objects, "gone.ics")]
    desk.paper.replies["whole"] = Reply(body=multistatus(*told))
    assert set(desk.read()) == {"e0", "e1", "e2"}


def test_names_tell_objects_apart(desk: Desk) -> None:
    """An object's name is its file's, without `.ics`; odd ones keep a mark, and what lies deeper is no object."""
    for name in ("a.ics", "a", "b%20c.ics"):
        desk.paper.put(name, event("a"))
    desk.paper.put("deeper/d.ics", event("d"))
    assert set(desk.read()) == {"a", "/a", "b c"}


def test_a_kept_calendar_opens_to_no_other_password(desk: Desk) -> None:
    """What was read with the right password is not shown to who has a wrong one."""
    fill(desk)
    for _ in range(2):
        desk.read()
        replies = dict.fromkeys(("marks", "sync", "whole"), Reply(401, "", {}))
        desk.paper.replies |= replies
        for login in (LOGIN, Login(EMAIL, "guess")):
            with pytest.raises(BadCredentialsError):
                desk.backend.read(login, CALENDAR, START, END)
        desk.paper.replies.clear()


@pytest.mark.parametrize(
    ("kind", "reply", "error"),
    [
        ("marks", _NO, UnreadableError),
        ("marks", Reply(500, "", {}), UnreadableError),
        ("marks", Reply(503, "", {}), UnreachableError),
        ("sync", Reply(500, "", {}), UnreadableError),
        ("sync", Reply(503, "", {}), UnreachableError),
        ("multiget", _NO, UnreadableError),
        ("multiget", Reply(503, "", {}), UnreachableError),
    ],
)
def test_what_reading_may_meet(desk: Desk, kind: str, reply: Reply, error: type[Exception]) -> None:
    """A calendar that can't be read is told from a server that is down; nothing that was known is lost by it."""
    fill(desk)
    desk.read()
    if kind != "marks":
        desk.read()
    desk.paper.put("e9.ics", event("e9"))
    desk.paper.replies[kind] = reply
    with pytest.raises(error):
        desk.read()
    del desk.paper.replies[kind]
    assert set(desk.read()) == {"e0", "e1", "e2", "e9"}


def test_a_listing_that_is_refused(desk: Desk) -> None:
    """Where nothing works, the calendar can't be read."""
    desk.paper.replies = dict.fromkeys(("whole", "span", "listing"), _NO)
    with pytest.raises(UnreadableError):
        desk.read()
    desk.paper.replies = {}
    desk.paper.tokens = desk.paper.ctags = False
    small(desk, replace(PATIENT, small=1))
    fill(desk)
    desk.read()
    desk.paper.replies["span-etags"] = _NO
    with pytest.raises(UnreadableError):
        desk.read()


def test_a_calendar_beyond_all_bounds(desk: Desk) -> None:
    """More than is worth keeping is refused, however it comes."""
    fill(desk, 30)
    for bounds in (
        replace(PATIENT, small=100, calendar=2000),
        replace(PATIENT, calendar=2000),
        replace(PATIENT, small=100, body=3000),
    ):
        small(desk, bounds)
        with pytest.raises(UnreadableError):
            desk.read()
    small(desk, replace(PATIENT, small=1, calendar=2000))
    desk.paper.replies["span"] = _NO
    with pytest.raises(UnreadableError):
        desk.read()


@pytest.mark.parametrize("kind", ["whole", "span", "listing", "multiget"])
def test_a_part_is_not_taken_for_the_whole(desk: Desk, kind: str) -> None:
    """A server that stops half-way (507) is asked in another way, and where there is none the calendar isn't read."""
    fill(desk)
    cut = Reply(body=multistatus(whole_status(CALENDAR, 507)))
    desk.paper.replies = {each: Reply(501, "", {}) for each in ("whole", "span")} | {kind: cut}
    if kind in {"whole", "span"}:
        assert set(desk.read()) == {"e0", "e1", "e2"}
    else:
        with pytest.raises(UnreadableError, match="tells a part"):
            desk.read()
