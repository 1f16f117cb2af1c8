"""Answers that mean harm, or were never meant for a reader."""

from __future__ import annotations

import asyncio
import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.multistatus import MAX_DEPTH, MAX_ELEMENTS, read_multistatus
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
from reconciler.sandbox.calendars.caldav.session import ServerSession
from reconciler.sandbox.calendars.errors import CalendarGoneError, UnreachableError, UnreadableError
from tests.sandbox_caldav.stub import END, LOGIN, PATIENT, START
from tests.support.caldav.paper import CALENDAR, IS_CALENDAR, NAMESPACES, event, found, multistatus, whole_status
from tests.support.caldav.scripted import XML, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_caldav.stub import CalDavStub

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_BODIES: dict[str, str | bytes] = {
    "laughs": f'<!DOCTYPE d [<!ENTITY l0 "lol">{_LAUGHS}]><multistatus xmlns="DAV:">&l9;</multistatus>',
    "file": '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><multistatus xmlns="DAV:">&f;</multistatus>',
    "parameter": '<!DOCTYPE d [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><multistatus xmlns="DAV:"/>',
    "outside": '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd"><multistatus xmlns="DAV:"/>',
    "utf-16": '<!DOCTYPE d [<!ENTITY e "x">]><multistatus xmlns="DAV:">&e;</multistatus>'.encode("utf-16"),
    "deep": "<a>" * 100_000,
    "wide": f"<multistatus {NAMESPACES}>{'<a/>' * (MAX_ELEMENTS + 1)}</multistatus>",
    "encoding": '<?xml version="1.0" encoding="martian"?><multistatus xmlns="DAV:"/>',
    "cut": multistatus(found("/"))[:-20],
    "another": "<html/>",
    "nothing": "",
    "zeros": b"\0" * 100,
    "no href": f"<multistatus {NAMESPACES}><response/></multistatus>",
    "status": multistatus("<response><href>/</href><status>fine</status></response>"),
}
_LONG = {"wide"}
"""Half a million elements; `test_xml_of_many_elements` has fewer."""


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.soak if each in _LONG else ()) for each in _BODIES]
)
def test_xml_that_can_not_be_read(stub: CalDavStub, name: str) -> None:
    """It is refused as it is, whoever asks; nothing is expanded or fetched."""
    stub.paper.replies = dict.fromkeys(("root", "elsewhere"), Reply(body=_BODIES[name]))
    with pytest.raises(UnreachableError, match="the answer can't be read"):
        stub.backend.sign_in(LOGIN)
    assert set(stub.paper.calls) <= {"root", "elsewhere"}


def test_xml_as_deep_as_it_may_be(stub: CalDavStub) -> None:
    """The bound on depth leaves room for what servers really send."""
    deep = "<x>" * (MAX_DEPTH - 4) + "</x>" * (MAX_DEPTH - 4)
    stub.paper.replies["home"] = Reply(body=multistatus(found(CALENDAR, IS_CALENDAR, deep)))
    assert len(stub.backend.calendars(LOGIN)) == 1


def test_xml_of_many_elements(stub: CalDavStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there may be are read, and not one more."""
    most = 40
    monkeypatch.setattr("reconciler.sandbox.calendars.caldav.multistatus.MAX_ELEMENTS", most)
    listed = multistatus(found(CALENDAR, IS_CALENDAR))
    room = most - listed.count("<") + listed.count("</")
    stub.paper.replies["home"] = Reply(body=multistatus(found(CALENDAR, IS_CALENDAR, "<x/>" * room)))
    assert len(stub.backend.calendars(LOGIN)) == 1
    stub.paper.replies["home"] = Reply(body=multistatus(found(CALENDAR, IS_CALENDAR, "<x/>" * (room + 1))))
    with pytest.raises(UnreachableError, match="more than 40 elements"):
        stub.backend.calendars(LOGIN)


def test_a_long_answer_is_given_up_on_the_way() -> None:
    """It takes as long as a person waits; whoever runs out of time reads no further."""
    long = multistatus(*(found(f"{CALENDAR}{number}.ics") for number in range(9000))).encode()

    async def give_up() -> None:
        reading = asyncio.create_task(read_multistatus(long))
        await asyncio.sleep(0)
        reading.cancel()
        await reading

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(give_up())


@pytest.mark.parametrize(
    "href",
    [
        "http://evil.example/home/lee/work/a.ics",
        "//evil.example/home/lee/work/a.ics",
        "https://127.0.0.1/home/lee/work/a.ics",
        "file:///home/lee/work/a.ics",
        "../../etc/passwd",
        "/home/lee/work/../private/a.ics",
        "/home/lee/work/%2e%2e/private/a.ics",
        "/home/lee/work/%00.ics",
        "/home/lee/private/a.ics",
        "/home/lee/workshop.ics",
        "/home/lee/work/a%5Cb.ics",
        "/home/lee/work/a?b.ics",
        "/" + "a" * 10_000,
    ],
)
def test_objects_that_lie_elsewhere(stub: CalDavStub, href: str) -> None:
    """A calendar lists what is in it; anything else is left out before it is asked for, and named beside the rest."""
    stub.paper.put("a.ics", event("a"))
    stub.warm_up()
    there = found(f"{CALENDAR}a.ics", f"<C:calendar-data>{event('a')}</C:calendar-data>")
    for kind in ("sync", "whole"):
        odd = found(href, "<getetag>x</getetag>", f"<C:calendar-data>{event('b')}</C:calendar-data>")
        stub.paper.replies = {kind: Reply(body=multistatus(there, odd, token="t9"))}
        backend = (
            stub.backend
            if kind == "sync"
            else CalDavBackend(ServerSession(AllowedOrigins.of(stub.script.url, ()), PATIENT))
        )
        stub.paper.calls.clear()
        reading = backend.read(LOGIN, CALENDAR, START, END)
        assert [each.name for each in reading.objects] == ["a"]
        (fault,) = reading.faults
        assert f"{href[:200]} is left out" in fault
        assert not {"GET", "elsewhere"} & set(stub.paper.calls)
    stub.paper.replies = {"sync": Reply(body=multistatus(whole_status(href, 404), token="t9"))}
    assert stub.reading().faults == ()


def test_a_calendar_most_of_which_lies_elsewhere(stub: CalDavStub) -> None:
    """It can't be read; a log of thousands of addresses would help nobody."""
    elsewhere = (found(f"/home/lee/private/{number}.ics", "<getetag>x</getetag>") for number in range(501))
    stub.paper.replies["whole"] = Reply(body=multistatus(*elsewhere))
    with pytest.raises(UnreadableError, match="more than 500 objects are damaged"):
        stub.read()


@pytest.mark.parametrize(
    "calendar",
    ["http://evil.example/", "//evil.example/", "/a/../b/", "/a\n/", "x:y", "", "/home/lee/", "/" + "a" * 9999],
)
def test_a_calendar_that_is_none(stub: CalDavStub, calendar: str) -> None:
    """An id that a caller makes up leads to no other host, and to no folder that isn't a calendar."""
    with pytest.raises(CalendarGoneError):
        stub.backend.read(LOGIN, calendar, START, END)


def test_answers_without_end(stub: CalDavStub) -> None:
    """What is longer than any answer is cut off, and so is what was packed."""

    def flood() -> Iterator[bytes]:
        yield b"HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n"
        while True:
            yield b" " * 65536

    stub.backend = CalDavBackend(
        ServerSession(AllowedOrigins.of(stub.script.url, ()), replace(PATIENT, body=1_000_000))
    )
    stub.paper.replies["elsewhere"] = Reply(404, "", {})
    stub.paper.replies["root"] = Reply(raw=flood())
    with pytest.raises(UnreachableError, match="more than 1000000 bytes"):
        stub.backend.sign_in(LOGIN)
    packed = gzip.compress(b" " * 10_000_000)
    stub.paper.replies["root"] = Reply(207, packed, {"Content-Type": XML, "Content-Encoding": "gzip"})
    with pytest.raises(UnreachableError, match="which nobody asked for"):
        stub.backend.sign_in(LOGIN)


@pytest.mark.parametrize("part", ["silence", "head", "body"])
def test_answers_that_drip(stub: CalDavStub, part: str) -> None:
    """A server that says a little now and then is left after the time for one call, whatever it is saying."""
    left = threading.Event()

    def drip() -> Iterator[bytes]:
        if part != "silence":
            yield b"HTTP/1.1 207 Multi-Status\r\n"
        if part == "body":
            yield b"Content-Type: application/xml\r\n\r\n<"
        for _ in range(2400):
            yield b"" if part == "silence" else b"a"
            if left.wait(0.05):
                return

    stub.backend = CalDavBackend(ServerSession(AllowedOrigins.of(stub.script.url, ()), replace(PATIENT, whole=0.6)))
    stub.paper.replies["elsewhere"] = Reply(404, "", {})
    stub.paper.replies["root"] = Reply(raw=drip())
    try:
        with pytest.raises(UnreachableError, match=r"not done within 0\.6 s"):
            stub.backend.sign_in(LOGIN)
    finally:
        left.set()


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 207 Mu", b"\x16\x03\x01\x02\x00nonsense\r\n\r\n", b"HTTP/1.1 207 M\r\n\r\n<mul"]
)
def test_answers_that_break_off(stub: CalDavStub, raw: bytes) -> None:
    """Nothing, half a line, another protocol: out of reach."""
    stub.paper.replies = dict.fromkeys(("root", "elsewhere"), Reply(raw=[raw]))
    with pytest.raises(UnreachableError):
        stub.backend.sign_in(LOGIN)


def test_half_a_body(stub: CalDavStub) -> None:
    """A body shorter than it was said to be is no answer, though what came is whole XML."""
    stub.paper.put("a.ics", event("a"))
    stub.warm_up()
    body = multistatus(token="t9")
    stub.paper.replies["sync"] = Reply(body=body, length=len(body) + 10)
    with pytest.raises(UnreachableError):
        stub.read()
    stub.paper.replies.clear()
    assert set(stub.read()) == {"a"}


def test_odd_etags(stub: CalDavStub) -> None:
    """An etag comes from elsewhere: letters of any script are sent back, line breaks end nothing but the call."""
    stub.paper.replies["PUT"] = Reply(204, "", {})
    stub.backend.put(LOGIN, CALENDAR, "extcal-1", b"x", etag='"ümlaut"')
    with pytest.raises(UnreachableError):
        stub.backend.put(LOGIN, CALENDAR, "extcal-1", b"x", etag='"a"\r\nX-Other: yes')
    assert len([asked for asked in stub.script.asked if asked.method == "PUT"]) == 1


def test_many_readers_at_once(stub: CalDavStub) -> None:
    """Threads that read one calendar while it changes all see it as it was, or as it is."""
    for number in range(20):
        stub.paper.put(f"e{number}.ics", event(f"e{number}"))
    with ThreadPoolExecutor(8) as pool:
        readings = [pool.submit(stub.read) for _ in range(40)]
        stub.paper.put("late.ics", event("late"))
        assert {len(reading.result()) for reading in readings} <= {20, 21}
    assert len(stub.read()) == 21
