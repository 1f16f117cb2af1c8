"""One operation has so much time and no more, whatever servers do; what is slow keeps nobody else waiting."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.calendars.caldav import open_caldav
from reconciler.sandbox.calendars.directory import FOLDER, CalendarDirectory
from reconciler.sandbox.calendars.errors import NoAnswerError, UnreachableError
from reconciler.sandbox.calendars.protocol import Deadline
from reconciler.sandbox.local import opened
from reconciler.sandbox.server import running
from tests.sandbox_caldav.drawer import Drawer
from tests.sandbox_caldav.stub import END, LOGIN, START
from tests.support.caldav.paper import CALENDAR, EMAIL, PASSWORD, Paper, event
from tests.support.caldav.scripted import Reply, Scripted, scripted
from tests.support.sandbox.api import APPLE_EMAIL, Api, client, code_of
from tests.support.sandbox.exports import TO_DEDICATED, connected_google
from tests.support.timeouts import TIMEOUT, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.caldav.scripted import Asked
    from tests.support.sandbox.api import Json

_KEY = "a-key-for-tests"
_MARCH = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "fieldsets": "OWN_PI"}
_PARTIAL = _MARCH | {"partialFailure": "true"}
_NOTHING = Reply(raw=[b""])
_SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


@contextmanager
def sandbox(data: Path, servers: dict[str, Scripted], seconds: float = 60.0) -> Iterator[Api]:
    """A sandbox whose providers are at servers, and which has so much time for an operation."""
    config = data.with_suffix(".yaml")
    config.write_text("".join(f"{slug}: {{caldav: {{url: '{script.url}'}}}}\n" for slug, script in servers.items()))
    settings = Settings(operation_seconds=seconds)
    with (
        running(data, api_key=_KEY, settings=settings, config=config) as started,
        client(started.endpoint, _KEY) as http,
    ):
        yield Api(http)


def with_event(title: str) -> Paper:
    """A server with an event of that title."""
    paper = Paper()
    paper.put("a.ics", event("a", title))
    return paper


@pytest.fixture
def apple() -> Iterator[Scripted]:
    """The server of Apple's accounts."""
    with scripted(with_event("Crown")) as script:
        yield script


@pytest.fixture
def tidewater() -> Iterator[Scripted]:
    """The server of Tidewater's accounts."""
    with scripted(with_event("Bridge")) as script:
        yield script


def connect(api: Api, provider: str, email: str = EMAIL) -> Json:
    """A connection to an account at a server of paper."""
    return api.connect(providerId=api.provider(provider), email=email, password=PASSWORD)


@contextmanager
def stalling(script: Scripted, at: Callable[[Asked], bool], piece: bytes) -> Iterator[None]:
    """Let a server say nothing, or a little now and then, to some questions, until the block ends."""
    usual, over = script.answer, threading.Event()

    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\n\r\n<" if piece else b""
        while not over.wait(0.05):
            yield piece

    script.answer = lambda asked: Reply(raw=drip()) if at(asked) else usual(asked)
    try:
        yield
    finally:
        over.set()
        script.answer = usual


@pytest.mark.parametrize(
    ("at", "piece"),
    [
        (lambda asked: asked.method == "PROPFIND", b""),
        (lambda asked: asked.method == "REPORT", b"a"),
        (lambda asked: asked.path.startswith(CALENDAR), b"a"),
    ],
)
def test_a_slow_server_takes_nothing_from_others(
    tmp_path: Path, apple: Scripted, tidewater: Scripted, at: Callable[[Asked], bool], piece: bytes
) -> None:
    """The others' events are answered, and the slow one has failed; back in form it is read as ever."""
    with sandbox(tmp_path / "data", {"apple": apple, "tidewater": tidewater}, seconds=9.0) as api:
        connect(api, "Tidewater Rota")
        # Once its calendar was read and expanded, little is left to do in the time that the slow one leaves.
        until(lambda: len(api.get("/events", _MARCH).json().get("events", ())) == 1)
        connect(api, "Apple")
        with stalling(apple, at, piece):
            answer = api.get("/events", _PARTIAL).json()
        assert answer["failedProviderIds"] == [api.provider("Apple")]
        assert [each["title"] for each in answer["events"]] == ["Bridge"]
        answer = api.get("/events", _MARCH).json()
        assert [each["title"] for each in answer["events"]] == ["Bridge", "Crown"]


def test_when_the_time_is_up(tmp_path: Path, apple: Scripted, tidewater: Scripted) -> None:
    """Every answer comes, and says so: 503, or the names of the providers that were not read."""
    data, servers = tmp_path / "data", {"apple": apple, "tidewater": tidewater}
    with sandbox(data, servers) as api:
        connect(api, "Apple")
        connect(api, "Tidewater Rota")
    with sandbox(data, servers, seconds=0.0) as api:
        refused = api.by_credentials(email=EMAIL, password=PASSWORD)
        assert code_of(refused) == (503, None)
        assert "took longer than 0 s" in refused.json()["message"]
        assert code_of(api.get("/events", _MARCH)) == (503, None)
        answer = api.get("/events", _PARTIAL).json()
        assert answer["failedProviderIds"] == [api.provider("Apple"), api.provider("Tidewater Rota")]
        assert answer["events"] == []
        assert api.get("/connections", {"partialFailure": "true"}).json()["connections"] == []
    with opened(data, data.with_suffix(".yaml"), Settings(operation_seconds=0.0)) as local:
        told = local.warnings()
    assert [each.partition(" ")[0] for each in told] == ["apple", "tidewater", "google"]
    assert all("took longer than 0 s" in each for each in told)


def test_what_could_not_be_exported_is_later(tmp_path: Path, tidewater: Scripted) -> None:
    """An event that there was no time to export goes out at the next occasion, though another provider is down."""
    data = tmp_path / "data"
    account = data / FOLDER / "apple" / APPLE_EMAIL
    with sandbox(data, {"tidewater": tidewater}) as api:
        connect(api, "Tidewater Rota")
        api.update(api.connect()["id"], TO_DEDICATED)
        with opened(data, data.with_suffix(".yaml"), Settings(operation_seconds=0.0)) as local:
            local.add_event("Dr. Lee", "Check-up", _SOON, _SOON + timedelta(hours=1))
            assert [each.exported_to for each in local.events()] == [()]
        tidewater.answer = lambda _: _NOTHING
        assert code_of(api.get("/events", _MARCH)) == (503, None)
        assert b"Check-up" in (account / "Harbor Dental.ics").read_bytes()


def test_a_slow_export_starves_nobody(tmp_path: Path) -> None:
    """The provider that takes all the time takes it once; from then on the others come first, and it comes last."""
    data, drawer = tmp_path / "data", Drawer()
    with scripted(drawer) as script, sandbox(data, {"apple": script}) as api:
        api.update(connect(api, "Apple")["id"], TO_DEDICATED)
        api.update(connected_google(api), TO_DEDICATED)
        with (
            opened(data, data.with_suffix(".yaml"), Settings(operation_seconds=3.0)) as local,
            stalling(script, lambda asked: asked.method == "PUT", b""),
        ):
            for schedule in ("Dr. Lee", "Dr. Patel"):
                local.add_event(schedule, "Check-up", _SOON, _SOON + timedelta(hours=1))
            exported = {each.schedule_name: len(each.exported_to) for each in local.events()}
            assert exported == {"Dr. Lee": 0, "Dr. Patel": 1}


def test_a_server_that_is_down_is_not_asked_for_each_account(tmp_path: Path, apple: Scripted) -> None:
    """Once it has given no answer the rest of the operation goes without it; the next operation asks again."""
    with sandbox(tmp_path / "data", {"apple": apple}) as api:
        for number in range(7):
            connect(api, "Apple", f"lee{number}@harbor-dental.example")
        usual, apple.answer = apple.answer, lambda _: _NOTHING
        for _ in range(2):
            apple.asked.clear()
            assert api.get("/events", _PARTIAL).json()["failedProviderIds"] == [api.provider("Apple")]
            assert 1 <= len(apple.asked) <= 4
        apple.answer = usual
        assert len(api.get("/events", _MARCH).json()["events"]) == 7


def test_a_backend_within_an_operation(apple: Scripted) -> None:
    """It asks a server that has failed no more; what is kept is shared with other operations, that it failed isn't."""
    backend = open_caldav(apple.url, ())
    backend.read(LOGIN, CALENDAR, START, END)
    usual, apple.answer = apple.answer, lambda _: _NOTHING
    within = backend.within(Deadline(60.0))
    with pytest.raises(NoAnswerError):
        within.calendars(LOGIN)
    apple.answer = usual
    apple.asked.clear()
    for narrowed in (within, within.within(Deadline(30.0))):
        with pytest.raises(NoAnswerError):
            narrowed.read(LOGIN, CALENDAR, START, END)
    assert apple.asked == []
    backend.within(Deadline(60.0)).read(LOGIN, CALENDAR, START, END)
    assert [asked.method for asked in apple.asked] == ["PROPFIND", "PROPFIND"]
    with pytest.raises(NoAnswerError, match="took longer than 0 s"):
        backend.within(Deadline(0.0)).read(LOGIN, CALENDAR, START, END)


def test_an_operation_at_its_end_speaks_for_no_other(tmp_path: Path, apple: Scripted) -> None:
    """That there was no time to ask says nothing of the server; what it said itself is believed for a moment."""
    directory = CalendarDirectory(tmp_path, {"apple": open_caldav(apple.url, ())})
    with pytest.raises(NoAnswerError, match="took longer than 0 s"):
        directory.within(Deadline(0.0)).calendars("apple", LOGIN, fresh=False)
    assert len(directory.within(Deadline(60.0)).calendars("apple", LOGIN, fresh=False)) == 1


def test_a_fault_of_a_server_that_answers_stops_nothing_else(apple: Scripted) -> None:
    """Another account may be well."""
    within = open_caldav(apple.url, ()).within(Deadline(60.0))
    usual, apple.answer = apple.answer, lambda _: Reply(500, "", {})
    with pytest.raises(UnreachableError):
        within.calendars(LOGIN)
    apple.answer = usual
    assert len(within.calendars(LOGIN)) == 1


def test_a_name_that_nobody_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up a host's name can't be cut off; it isn't waited for either."""
    over, given_up = threading.Event(), threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        over.wait(TIMEOUT)
        given_up.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        with pytest.raises(NoAnswerError, match=r"took longer than 0\.3 s"):
            open_caldav("https://slow.example/", ()).within(Deadline(0.3)).sign_in(LOGIN)
        assert not given_up.is_set()
    finally:
        over.set()
