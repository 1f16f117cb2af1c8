"""One sandbox for all tests of a run, made fresh for each: its world is replaced and its clock set back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.settings import Settings
from tests.sandbox.api import APPLE_EMAIL, Api, client
from tests.support.authorities import one_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["one_authority"]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""The moment at which each test begins, a Monday."""


@dataclass(slots=True)
class Clock:
    """A clock that stands still until a test moves it; `now` is in seconds since the epoch."""

    now: float = NOON.timestamp()

    def __call__(self) -> float:
        """The time."""
        return self.now


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
    with running(shared_data, settings=Settings(clock=shared_clock)) as sandbox:
        yield sandbox


@pytest.fixture
def clock(shared_clock: Clock) -> Clock:
    """The sandbox's clock, at `NOON`."""
    shared_clock.now = NOON.timestamp()
    return shared_clock


@pytest.fixture
def sandbox(server: RunningSandbox, clock: Clock) -> RunningSandbox:
    """A sandbox that holds Harbor Dental as on the first day."""
    assert clock.now == NOON.timestamp()
    server.replace_world(harbor_dental(NOON))
    server.requests.clear()
    return server


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
