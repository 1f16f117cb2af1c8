"""Servers to talk to."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.exchange import Bounds
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
from reconciler.sandbox.calendars.protocol import Login
from tests.sandbox_caldav.witness import Client, Witness
from tests.sandbox_caldav.witness import client as independent_client
from tests.support.caldav.environments import environment
from tests.support.caldav.paper import CALENDAR, EMAIL, PASSWORD, Paper
from tests.support.caldav.real import RealServer, radicale, xandikos
from tests.support.caldav.scripted import Scripted, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.sandbox.calendars.protocol import Reading

LOGIN = Login(EMAIL, PASSWORD)
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
PATIENT = Bounds(connect=120.0, silence=120.0, search=120.0, whole=120.0)
"""Bounds within which a server of paper answers on any machine; what is about time has shorter ones of its own."""
SERVERS = {"radicale": radicale, "xandikos": xandikos}


@dataclass(slots=True)
class Desk:
    """A server of paper, what runs it, and a backend that asks it."""

    paper: Paper
    script: Scripted
    backend: CalDavBackend

    def read(self) -> dict[str, bytes]:
        """The contents of the calendar by name, as the backend reads them in March 2026."""
        return {found.name: found.content for found in self.reading().objects}

    def reading(self) -> Reading:
        """What the backend reads of the calendar in March 2026."""
        return self.backend.read(LOGIN, CALENDAR, START, END)

    def settle(self) -> None:
        """Read until the backend knows the calendar and how to follow it."""
        self.read()
        self.read()

    def asked_for(self, read: Callable[[], object]) -> list[str]:
        """What the server is asked while `read` runs."""
        self.paper.calls.clear()
        read()
        return list(self.paper.calls)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A server of paper with an account and an empty calendar."""
    paper = Paper()
    with scripted(paper) as script:
        backend = CalDavBackend(AllowedOrigins.of(script.url, ()), PATIENT)
        yield Desk(paper, script, backend)
        backend.close()


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """The independent client, one process for all tests."""
    with independent_client(environment("witness")) as found:
        yield found


@pytest.fixture(scope="session")
def witnesses(
    client: Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], tuple[Witness, list[str]]]]:
    """At a server by name, which is started when it is first asked for: the witness, and the calendars it finds."""
    with ExitStack() as started:

        @cache
        def found(name: str) -> tuple[Witness, list[str]]:
            folder = tmp_path_factory.mktemp("servers") / name
            witness = Witness(client, started.enter_context(SERVERS[name](environment(name), folder)))
            return witness, witness.calendars()

        yield found


@pytest.fixture(params=SERVERS)
def witness(
    request: pytest.FixtureRequest,
    witnesses: Callable[[str], tuple[Witness, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Witness]:
    """An independent client, signed in to a real server that is as it was when it was new."""
    found, calendars = witnesses(request.param)
    if found.server.authority is not None:
        # Where a person would install the authority of a server at home.
        monkeypatch.setenv("SSL_CERT_FILE", str(found.server.authority))
    yield found
    found.server.restore()
    found.clear(calendars)


@pytest.fixture
def server(witness: Witness) -> RealServer:
    """A real CalDAV server with one account."""
    return witness.server
