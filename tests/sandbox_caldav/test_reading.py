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
from tests.sandbox_caldav.stub import END, LOGIN, PATIENT, START, fill
from tests.support.caldav.paper import CALENDAR, EMAIL, event, found, multistatus, whole_status
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_caldav.stub import CalDavStub

_NO = Reply(403, "", {})


def small(stub: CalDavStub, bounds: Bounds) -> None:
    """Let the backend be content with less."""
    stub.backend = CalDavBackend(ServerSession(AllowedOrigins.of(stub.script.url, ()), bounds))


def test_a_second_reading_fetches_changes_alone(stub: CalDavStub) -> None:
    """The first reading is one question; the second compares etags, and asks for a token while it is at it."""
    fill(stub)
    assert stub.asked_for(stub.read) == ["whole"]
    assert stub.asked_for(stub.read) == ["marks", "listing"]
    assert set(stub.read()) == {"e0", "e1", "e2"}


def test_changes_between_the_first_two_readings(stub: CalDavStub) -> None:
    """Nothing is missed that happened before there was a token."""
    fill(stub)
    stub.read()
    stub.paper.put("e1.ics", event("e1", "Other"))
    stub.paper.put("e2.ics", "")
    assert stub.asked_for(stub.read) == ["marks", "listing", "multiget"]
    read = stub.read()
    assert set(read) == {"e0", "e1"}
    assert b"Other" in read["e1"]


def test_with_a_token_one_question_is_enough(stub: CalDavStub) -> None:
    """It tells that nothing changed, and only what is new or different is fetched."""
    fill(stub)
    stub.warm_up()
    assert stub.asked_for(stub.read) == ["sync"]
    stub.paper.put("e1.ics", event("e1", "Other"))
    stub.paper.put("e2.ics", "")
    stub.paper.put("e3.ics", event("e3"))
    assert stub.asked_for(stub.read) == ["sync", "multiget"]
    assert stub.asked_for(stub.read) == ["sync"]
    read = stub.read()
    assert set(read) == {"e0", "e1", "e3"}
    assert b"Other" in read["e1"]


def test_changes_told_in_parts(stub: CalDavStub) -> None:
    """A server may cut its answer short (RFC 6578, 3.6): the rest is asked for until there is none."""
    fill(stub)
    stub.warm_up()
    stub.paper.page = 2
    for number in range(2, 7):
        stub.paper.put(f"e{number}.ics", event(f"e{number}", "New"))
    stub.paper.put("e0.ics", "")
    assert stub.asked_for(stub.read) == ["sync", "sync", "sync", "multiget"]
    assert set(stub.read()) == {f"e{number}" for number in range(1, 7)}


def test_changes_that_never_end(stub: CalDavStub) -> None:
    """A server that always has more to tell, or gives no new token, is asked for everything instead."""
    fill(stub)
    stub.warm_up()
    endless = multistatus(
        "<response><href>/home/lee/work/</href><status>HTTP/1.1 507 No</status></response>", token="t9"
    )
    for answer in (endless, multistatus()):
        stub.warm_up()
        stub.paper.replies["sync"] = Reply(body=answer)
        stub.paper.put("e3.ics", event("e3"))
        assert set(stub.read()) == {"e0", "e1", "e2", "e3"}
        stub.paper.replies.clear()


def test_a_refused_token_means_reading_all_anew(stub: CalDavStub) -> None:
    """What the server has forgotten is read whole, and the new token is used from then on."""
    fill(stub)
    stub.warm_up()
    stub.paper.oldest = 100
    stub.paper.put("e0.ics", "")
    assert stub.asked_for(stub.read) == ["sync", "whole"]
    stub.paper.oldest = 0
    stub.read()
    assert stub.asked_for(stub.read) == ["sync"]
    assert set(stub.read()) == {"e1", "e2"}


def test_tokens_that_are_good_for_nothing(stub: CalDavStub) -> None:
    """A server that has tokens and no report for them is asked once, and then by ctag."""
    fill(stub)
    stub.warm_up()
    stub.paper.replies["sync"] = Reply(501, "", {})
    assert stub.asked_for(stub.read) == ["sync", "whole"]
    assert stub.asked_for(stub.read) == ["marks", "listing"]
    assert stub.asked_for(stub.read) == ["marks"]


def test_a_ctag_tells_that_nothing_changed(stub: CalDavStub) -> None:
    """Without tokens the ctag answers; when it differs, etags tell what to fetch."""
    stub.paper.tokens = False
    fill(stub)
    stub.warm_up()
    assert stub.asked_for(stub.read) == ["marks"]
    stub.paper.put("e1.ics", event("e1", "Other"))
    stub.paper.put("e2.ics", "")
    assert stub.asked_for(stub.read) == ["marks", "listing", "multiget"]
    assert b"Other" in stub.read()["e1"]
    assert set(stub.read()) == {"e0", "e1"}


def test_without_tokens_and_ctags_etags_tell(stub: CalDavStub) -> None:
    """Only what has another etag is fetched; without etags all is."""
    stub.paper.tokens = stub.paper.ctags = False
    fill(stub)
    stub.warm_up()
    assert stub.asked_for(stub.read) == ["marks", "listing"]
    stub.paper.etags = False
    stub.paper.put("e1.ics", event("e1", "Other"))
    assert stub.asked_for(stub.read) == ["marks", "listing", "multiget"]
    assert b"Other" in stub.read()["e1"]


def test_many_changes_are_read_whole(stub: CalDavStub) -> None:
    """An import of hundreds of events costs one answer, not hundreds of names."""
    stub.warm_up()
    fill(stub, snapshot._REREAD_ABOVE + 1)
    assert stub.asked_for(stub.read) == ["sync", "whole"]


def test_a_large_calendar_is_asked_for_a_span(stub: CalDavStub) -> None:
    """One that is too much to read whole is searched, a day wider at both ends; a wider span is asked for anew."""
    small(stub, replace(PATIENT, small=500))
    fill(stub)
    assert stub.asked_for(stub.read) == ["whole", "span"]
    assert b'start="20260228T000000Z" end="20260402T000000Z"' in stub.script.asked[-1].body
    assert stub.asked_for(stub.read) == ["marks", "span-etags"]
    stub.paper.put("e1.ics", event("e1", "Other"))
    assert stub.asked_for(stub.read) == ["sync", "multiget"]
    later = END.replace(year=2027)
    assert stub.asked_for(lambda: stub.backend.read(LOGIN, CALENDAR, START, later)) == ["span"]
    stub.read()
    assert stub.asked_for(stub.read) == ["sync"]
    stub.paper.oldest = 100
    assert stub.asked_for(stub.read) == ["sync", "span"]


def test_a_span_that_no_server_should_search(stub: CalDavStub) -> None:
    """For all of time a large calendar is listed and fetched in parts: endless rules have no end in it."""
    small(stub, replace(PATIENT, small=500))
    fill(stub, 250)
    ever = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    asked = stub.asked_for(lambda: stub.backend.read(LOGIN, CALENDAR, *ever))
    assert asked == ["whole", "marks", "listing", "multiget", "multiget", "multiget"]
    assert len(stub.read()) == 250


@pytest.mark.parametrize("fault", [_NO, Reply(500, "", {}), Reply(501, "", {}), Reply(400, "", {})])
def test_a_server_that_does_not_search(stub: CalDavStub, fault: Reply) -> None:
    """Where searching fails, the calendar is listed, and its objects are fetched by name."""
    fill(stub)
    stub.paper.replies |= {"whole": fault, "span": fault}
    assert stub.asked_for(stub.read) == ["whole", "span", "marks", "listing", "multiget"]
    assert set(stub.read()) == {"e0", "e1", "e2"}


def test_a_search_that_takes_too_long(stub: CalDavStub) -> None:
    """It is cut off after a while, and the calendar read without it."""
    small(stub, replace(PATIENT, search=1.0))
    fill(stub)
    over = threading.Event()

    def silence() -> Iterator[bytes]:
        over.wait(120)
        yield b""

    stub.paper.replies["whole"] = Reply(raw=silence())
    try:
        assert set(stub.read()) == {"e0", "e1", "e2"}
    finally:
        over.set()
    # Where even the second search takes too long, on a machine that is busy, the calendar is listed.
    assert stub.paper.calls[:2] == ["whole", "span"]


def test_contents_that_do_not_come_are_fetched(stub: CalDavStub) -> None:
    """A search that tells etags alone is followed by a fetch; what is gone by then is left out."""
    fill(stub)
    told = [found(f"{CALENDAR}{name}", "<getetag>x</getetag>") for name in (*stub.paper.objects, "gone.ics")]
    stub.paper.replies["whole"] = Reply(body=multistatus(*told))
    assert set(stub.read()) == {"e0", "e1", "e2"}


def test_names_tell_objects_apart(stub: CalDavStub) -> None:
    """An object's name is its file's, without `.ics`; odd ones keep a mark, and what lies deeper is no object."""
    for name in ("a.ics", "a", "b%20c.ics"):
        stub.paper.put(name, event("a"))
    stub.paper.put("deeper/d.ics", event("d"))
    assert set(stub.read()) == {"a", "/a", "b c"}


def test_a_kept_calendar_opens_to_no_other_password(stub: CalDavStub) -> None:
    """What was read with the right password is not shown to who has a wrong one."""
    fill(stub)
    for _ in range(2):
        stub.read()
        replies = dict.fromkeys(("marks", "sync", "whole"), Reply(401, "", {}))
        stub.paper.replies |= replies
        for login in (LOGIN, Login(EMAIL, "guess")):
            with pytest.raises(BadCredentialsError):
                stub.backend.read(login, CALENDAR, START, END)
        stub.paper.replies.clear()


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
def test_what_reading_may_meet(stub: CalDavStub, kind: str, reply: Reply, error: type[Exception]) -> None:
    """A calendar that can't be read is told from a server that is down; nothing that was known is lost by it."""
    fill(stub)
    stub.read()
    if kind != "marks":
        stub.read()
    stub.paper.put("e9.ics", event("e9"))
    stub.paper.replies[kind] = reply
    with pytest.raises(error):
        stub.read()
    del stub.paper.replies[kind]
    assert set(stub.read()) == {"e0", "e1", "e2", "e9"}


def test_a_listing_that_is_refused(stub: CalDavStub) -> None:
    """Where nothing works, the calendar can't be read."""
    stub.paper.replies = dict.fromkeys(("whole", "span", "listing"), _NO)
    with pytest.raises(UnreadableError):
        stub.read()
    stub.paper.replies = {}
    stub.paper.tokens = stub.paper.ctags = False
    small(stub, replace(PATIENT, small=1))
    fill(stub)
    stub.read()
    stub.paper.replies["span-etags"] = _NO
    with pytest.raises(UnreadableError):
        stub.read()


def test_a_calendar_beyond_all_bounds(stub: CalDavStub) -> None:
    """More than is worth keeping is refused, however it comes."""
    fill(stub, 30)
    for bounds in (
        replace(PATIENT, small=100, calendar=2000),
        replace(PATIENT, calendar=2000),
        replace(PATIENT, small=100, body=3000),
    ):
        small(stub, bounds)
        with pytest.raises(UnreadableError):
            stub.read()
    small(stub, replace(PATIENT, small=1, calendar=2000))
    stub.paper.replies["span"] = _NO
    with pytest.raises(UnreadableError):
        stub.read()


@pytest.mark.parametrize("kind", ["whole", "span", "listing", "multiget"])
def test_a_part_is_not_taken_for_the_whole(stub: CalDavStub, kind: str) -> None:
    """A server that stops half-way (507) is asked in another way, and where there is none the calendar isn't read."""
    fill(stub)
    cut = Reply(body=multistatus(whole_status(CALENDAR, 507)))
    stub.paper.replies = {each: Reply(501, "", {}) for each in ("whole", "span")} | {kind: cut}
    if kind in {"whole", "span"}:
        assert set(stub.read()) == {"e0", "e1", "e2"}
    else:
        with pytest.raises(UnreadableError, match="lists only a part"):
            stub.read()
