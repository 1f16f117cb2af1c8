"""Servers to talk to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.exchange import Bounds
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
from reconciler.sandbox.calendars.protocol import Login
from tests.sandbox_caldav.environments import environment
from tests.sandbox_caldav.paper import CALENDAR, EMAIL, PASSWORD, Paper
from tests.sandbox_caldav.real import RealServer, radicale, xandikos
from tests.sandbox_caldav.scripted import Scripted, scripted
from tests.sandbox_caldav.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOGIN = Login(EMAIL, PASSWORD)
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
QUICK = Bounds(connect=2.0, silence=2.0, search=0.5, whole=4.0)
"""Bounds that a test can wait for."""


@dataclass(slots=True)
class Desk:
    """A server of paper, what runs it, and a backend that asks it."""

    paper: Paper
    script: Scripted
    backend: CalDavBackend

    def read(self) -> dict[str, bytes]:
        """The contents of the calendar by name, as the backend reads them in March 2026."""
        return {found.name: found.content for found in self.backend.read(LOGIN, CALENDAR, START, END)}

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
        backend = CalDavBackend(AllowedOrigins.of(script.url, ()), QUICK)
        yield Desk(paper, script, backend)
        backend.close()


@pytest.fixture(scope="session")
def environments(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The Python of an environment by name, made on first use."""
    return lambda name: environment(name, request.config)


@pytest.fixture(params=["radicale", "xandikos"])
def server(
    request: pytest.FixtureRequest,
    environments: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RealServer]:
    """A real CalDAV server with one account, which has one calendar."""
    name: str = request.param
    start = {"radicale": radicale, "xandikos": xandikos}[name]
    with start(environments(name), tmp_path / name) as running:
        if running.authority is not None:
            # Where a person would install the authority of a server at home.
            monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        yield running


@pytest.fixture
def witness(environments: Callable[[str], Path], server: RealServer) -> Witness:
    """An independent client, signed in to `server`."""
    return Witness(environments("witness"), server)
