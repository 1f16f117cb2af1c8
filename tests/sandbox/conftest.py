"""One sandbox for all tests of a run, made fresh for each: its world is replaced and its clock set back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.behaviour import Behaviour
from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.local import LocalSandbox, opened
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.store import DATABASE
from tests.support.sandbox.api import APPLE_EMAIL, Api, client
from tests.support.sandbox.clock import NOON, Clock
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Behave = Callable[[Behaviour], None]


@pytest.fixture(scope="session")
def shared_clock() -> Clock:
    """The shared server's clock."""
    return Clock()


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared server's data folder."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def server(shared_data: Path, shared_clock: Clock) -> Iterator[RunningSandbox]:
    """A sandbox that outlives the tests."""
    with running(shared_data, settings=Settings(clock=shared_clock, operation_seconds=TIMEOUT)) as sandbox:
        yield sandbox


@dataclass(slots=True)
class Standing:
    """What there is of the shared server's data: which commit of its database, and which files of calendars."""

    database: sqlite3.Connection
    folder: Path
    fresh: object = None

    def now(self) -> object:
        """A value that changes with the data."""
        files = {path: path.lstat() for path in self.folder.rglob("*")}
        marks = {path: (each.st_ino, each.st_mode, each.st_size, each.st_mtime_ns) for path, each in files.items()}
        return self.database.execute("PRAGMA data_version").fetchone(), marks


@pytest.fixture(scope="session")
def standing(server: RunningSandbox, shared_data: Path) -> Iterator[Standing]:
    """What tells whether a test has changed anything."""
    assert server.alive()
    with closing(sqlite3.connect(shared_data / DATABASE)) as database:
        yield Standing(database, shared_data / FOLDER)


@pytest.fixture
def clock(shared_clock: Clock) -> Clock:
    """The sandbox's clock, at `NOON`."""
    shared_clock.now = NOON.timestamp()
    return shared_clock


@pytest.fixture
def sandbox(server: RunningSandbox, clock: Clock, standing: Standing) -> RunningSandbox:
    """A sandbox that holds Harbor Dental as on the first day."""
    assert clock.now == NOON.timestamp()
    if standing.now() != standing.fresh:
        server.replace_world(harbor_dental(NOON))
        standing.fresh = standing.now()
    server.requests.clear()
    return server


@pytest.fixture
def behave(sandbox: RunningSandbox) -> Iterator[Behave]:
    """Lets the sandbox behave in some way until the test ends."""
    yield sandbox.behave
    sandbox.behave(Behaviour())


@pytest.fixture
def data(shared_data: Path, sandbox: RunningSandbox) -> Path:
    """The data folder of the sandbox."""
    assert sandbox.alive()
    return shared_data


@pytest.fixture
def lee(data: Path) -> Path:
    """The folder of Dr. Lee's Apple account, without a calendar."""
    folder = data / FOLDER / "apple" / APPLE_EMAIL
    for path in folder.glob("*.ics"):
        path.unlink()
    return folder


@pytest.fixture
def api(sandbox: RunningSandbox) -> Iterator[Api]:
    """A client with the key of Harbor Dental."""
    with client(sandbox.endpoint, sandbox.api_key) as http:
        yield Api(http)


@pytest.fixture
def site(data: Path) -> Iterator[LocalSandbox]:
    """The site's side of the sandbox that runs."""
    with opened(data) as local:
        yield local
