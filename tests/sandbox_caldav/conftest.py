"""Servers to talk to."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
from reconciler.sandbox.calendars.caldav.session import ServerSession
from tests.sandbox_caldav.stub import PATIENT, CalDavStub
from tests.sandbox_caldav.witness import Client, Witness
from tests.sandbox_caldav.witness import client as independent_client
from tests.support.caldav.environments import environment
from tests.support.caldav.paper import Paper
from tests.support.caldav.real import RealServer, radicale, xandikos
from tests.support.caldav.scripted import scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


SERVERS = {"radicale": radicale, "xandikos": xandikos}


@pytest.fixture
def stub() -> Iterator[CalDavStub]:
    """A server of paper with an account and an empty calendar."""
    paper = Paper()
    with scripted(paper) as script:
        backend = CalDavBackend(ServerSession(AllowedOrigins.of(script.url, ()), PATIENT))
        yield CalDavStub(paper, script, backend)
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
