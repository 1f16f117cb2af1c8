"""Against Radicale and Xandikos, with an independent client as the witness."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav import open_caldav
from reconciler.sandbox.calendars.caldav.collection import Collection
from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarGoneError,
    ConflictError,
    UnreachableError,
)
from reconciler.sandbox.calendars.protocol import CalendarContents, Login
from tests.sandbox_caldav.stub import END, LOGIN, START
from tests.support.caldav.paper import EMAIL, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.calendars.protocol import CalendarBackend
    from tests.sandbox_caldav.witness import Witness
    from tests.support.caldav.real import RealServer

_EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_HOSTILE = {
    "endless": "FREQ=SECONDLY",
    "standing": "FREQ=DAILY;INTERVAL=0",
    "never": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
}


@pytest.fixture
def backend(server: RealServer) -> Iterator[CalendarBackend]:
    """The backend, as the sandbox opens it."""
    opened = open_caldav(server.url, ())
    yield opened
    opened.close()


def summaries(backend: CalendarBackend, calendar_id: str) -> set[str]:
    """The titles of the events that are read for March 2026."""
    contents = [found.content.decode() for found in backend.read(LOGIN, calendar_id, START, END).objects]
    return {line[8:].strip() for text in contents for line in text.splitlines() if line.startswith("SUMMARY:")}


def test_signing_in_is_real(backend: CalendarBackend) -> None:
    """The right password opens the account; a wrong one, none at all and a stranger's don't."""
    assert backend.sign_in(LOGIN) == EMAIL
    for wrong in (Login(EMAIL, "guess"), Login(EMAIL, None), Login("lee:x@harbor-dental.example", "guess")):
        with pytest.raises(BadCredentialsError):
            backend.sign_in(wrong)
    with pytest.raises(BadCredentialsError):
        backend.sign_in(Login("mallory@harbor-dental.example", "guess"))


def test_a_calendar_made_here_is_seen_from_outside(backend: CalendarBackend, witness: Witness) -> None:
    """It has the name it was given, keeps its id, and never becomes the primary one."""
    witness.make_calendar("Yellow & <black> ümlaut")
    before = backend.calendars(LOGIN)
    made = backend.create_calendar(LOGIN, "Harbor & <Dental> ü", key="k1")
    assert "Harbor & <Dental> ü" in witness.calendars()
    after = backend.calendars(LOGIN)
    assert after == (*before, made)
    assert "Yellow & <black> ümlaut" in {calendar.name for calendar in before}


def test_events_of_others_are_read_and_followed(backend: CalendarBackend, witness: Witness) -> None:
    """What another client writes, changes and removes is there at the next reading, though only changes are fetched."""
    witness.make_calendar("Surgery")
    (calendar,) = [each.id for each in backend.calendars(LOGIN) if each.name == "Surgery"]
    assert backend.read(LOGIN, calendar, START, END) == CalendarContents(())
    witness.add("Surgery", event("a", "Crown"))
    witness.add("Surgery", event("b", "Bridge"))
    assert summaries(backend, calendar) == {"Crown", "Bridge"}
    witness.add("Surgery", event("a", "Crown moved"))
    witness.remove("Surgery", "b")
    assert summaries(backend, calendar) == {"Crown moved"}
    assert len(backend.read(LOGIN, calendar, *_EVER).objects) == 1


def test_an_object_is_written_replaced_and_deleted(backend: CalendarBackend, witness: Witness) -> None:
    """Each step is seen from outside, and only the version that is known can be replaced or deleted."""
    calendar = backend.create_calendar(LOGIN, "Export", key="k2")
    backend.put(LOGIN, calendar.id, "extcal-1", event("extcal-1", "Check-up").encode(), etag=None)
    assert ["SUMMARY:Check-up" in found for found in witness.events("Export")] == [True]
    with pytest.raises(ConflictError):
        backend.put(LOGIN, calendar.id, "extcal-1", event("extcal-1", "Twice").encode(), etag=None)
    first = backend.get(LOGIN, calendar.id, "extcal-1")
    assert first is not None
    assert first.name == "extcal-1"
    backend.put(LOGIN, calendar.id, "extcal-1", event("extcal-1", "Later").encode(), etag=first.etag)
    with pytest.raises(ConflictError):
        backend.put(LOGIN, calendar.id, "extcal-1", event("extcal-1", "Stale").encode(), etag=first.etag)
    with pytest.raises(ConflictError):
        backend.delete(LOGIN, calendar.id, "extcal-1", etag=first.etag)
    assert ["SUMMARY:Later" in found for found in witness.events("Export")] == [True]
    (read,) = backend.read(LOGIN, calendar.id, START, END).objects
    second = backend.get(LOGIN, calendar.id, "extcal-1")
    assert second is not None
    assert (read.name, read.etag) == ("extcal-1", second.etag)
    backend.delete(LOGIN, calendar.id, "extcal-1", etag=second.etag)
    assert witness.events("Export") == []
    assert backend.get(LOGIN, calendar.id, "extcal-1") is None
    with pytest.raises(ConflictError):
        backend.delete(LOGIN, calendar.id, "extcal-1", etag=second.etag)


def test_a_calendar_that_is_made_twice_is_one(backend: CalendarBackend, witness: Witness) -> None:
    """Whoever tries again after an answer that got lost finds what was made, and what is in it."""
    first = backend.create_calendar(LOGIN, "Export", key="k3")
    backend.put(LOGIN, first.id, "extcal-1", event("extcal-1").encode(), etag=None)
    assert backend.create_calendar(LOGIN, "Export", key="k3").id == first.id
    assert witness.calendars().count("Export") == 1
    assert backend.get(LOGIN, first.id, "extcal-1") is not None


def test_a_calendar_of_ours_is_deleted_while_it_is_empty(backend: CalendarBackend, witness: Witness) -> None:
    """An event in it keeps it; without one the calendar goes, and that it is gone already is fine."""
    calendar = backend.create_calendar(LOGIN, "Export", key="k3")
    backend.put(LOGIN, calendar.id, "extcal-1", event("extcal-1").encode(), etag=None)
    assert not backend.delete_calendar_if_empty(LOGIN, calendar.id)
    found = backend.get(LOGIN, calendar.id, "extcal-1")
    assert found is not None
    backend.delete(LOGIN, calendar.id, "extcal-1", etag=found.etag)
    assert "Export" in witness.calendars()
    assert backend.delete_calendar_if_empty(LOGIN, calendar.id)
    assert "Export" not in witness.calendars()
    assert backend.delete_calendar_if_empty(LOGIN, calendar.id)


def test_what_comes_in_at_the_last_moment_is_kept(
    backend: CalendarBackend, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look whether it is empty and the deletion; both servers give calendars an etag."""
    calendar = backend.create_calendar(LOGIN, "Export", key="k4")
    look = Collection.etag_if_empty

    async def look_too_early(collection: Collection) -> str | None:
        etag = await look(collection)
        witness.add("Export", event("theirs", "Theirs"))
        return etag

    with monkeypatch.context() as patched:
        patched.setattr(Collection, "etag_if_empty", look_too_early)
        assert not backend.delete_calendar_if_empty(LOGIN, calendar.id)
    assert ["SUMMARY:Theirs" in found for found in witness.events("Export")] == [True]


def test_a_calendar_deleted_from_outside_is_gone(backend: CalendarBackend, witness: Witness) -> None:
    """Every use of it says so, before and after it was read; the account goes on working."""
    calendar = backend.create_calendar(LOGIN, "Short-lived", key="k4")
    backend.read(LOGIN, calendar.id, START, END)
    witness.remove_calendar("Short-lived")
    assert calendar not in backend.calendars(LOGIN)
    for _ in range(2):
        with pytest.raises(CalendarGoneError):
            backend.read(LOGIN, calendar.id, START, END)
    with pytest.raises(CalendarGoneError):
        backend.get(LOGIN, calendar.id, "extcal-1")
    with pytest.raises(CalendarGoneError):
        backend.put(LOGIN, calendar.id, "extcal-1", event("extcal-1").encode(), etag=None)
    with pytest.raises(CalendarGoneError):
        backend.delete(LOGIN, calendar.id, "extcal-1", etag='"1"')


def test_a_password_that_was_changed_opens_nothing(server: RealServer, backend: CalendarBackend) -> None:
    """What was read before is not handed out again; with the new password all is well."""
    calendar = (
        backend.calendars(LOGIN)[0] if backend.calendars(LOGIN) else backend.create_calendar(LOGIN, "Work", key="k5")
    )
    backend.read(LOGIN, calendar.id, START, END)
    server.set_password("another")
    for ask in (
        lambda: backend.sign_in(LOGIN),
        lambda: backend.calendars(LOGIN),
        lambda: backend.read(LOGIN, calendar.id, START, END),
        lambda: backend.get(LOGIN, calendar.id, "extcal-1"),
    ):
        with pytest.raises(BadCredentialsError):
            ask()
    assert calendar in backend.calendars(Login(EMAIL, "another"))


def test_a_server_that_is_down_and_back(server: RealServer, backend: CalendarBackend) -> None:
    """Down, it is unreachable; back, it answers, with nothing to be done here."""
    calendars = backend.calendars(LOGIN)
    server.stop()
    with pytest.raises(UnreachableError):
        backend.calendars(LOGIN)
    server.start()
    assert backend.calendars(LOGIN) == calendars


def test_hostile_rules_stop_nobody(backend: CalendarBackend) -> None:
    """A calendar with rules that a server can't search is read all the same, and the server stays up for others."""
    calendar = backend.create_calendar(LOGIN, "Trap", key="k6")
    backend.put(LOGIN, calendar.id, "plain", event("plain", "Plain").encode(), etag=None)
    for name, rule in _HOSTILE.items():
        content = event(name, "Hostile").replace("SUMMARY", f"RRULE:{rule}\nSUMMARY")
        backend.put(LOGIN, calendar.id, name, content.encode(), etag=None)
    for _ in range(2):
        assert summaries(backend, calendar.id) == {"Plain", "Hostile"}
    assert backend.sign_in(LOGIN) == EMAIL
