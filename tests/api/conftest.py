"""What the tests of the client share: a scripted server, and sessions with it."""

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from reconciler.api.session import SessionLimits, SiteSession
from reconciler.model.desired import Site
from tests.support.builders.api import FakeClock, key_site, secrets
from tests.support.servers.scripted import Scripted, serving


class OpenSession(Protocol):
    """Makes a session with the scripted server."""

    def __call__(self, site: Site | None = None, *, limits: SessionLimits | None = None) -> SiteSession:
        """A session with `site`, by default one with an API key."""
        ...


@pytest.fixture
def server() -> Iterator[Scripted]:
    """A scripted server."""
    with serving() as scripted:
        yield scripted


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only sleeping moves."""
    return FakeClock()


@pytest.fixture
def waits() -> list[tuple[float, str]]:
    """What the session said of its waits."""
    return []


@pytest.fixture
def opened(server: Scripted, clock: FakeClock, waits: list[tuple[float, str]]) -> OpenSession:
    """Makes sessions with the server; half of the longest jitter is always drawn."""
    told: Callable[[float, str], None] = lambda seconds, why: waits.append((seconds, why))  # noqa: E731

    def make(site: Site | None = None, *, limits: SessionLimits | None = None) -> SiteSession:
        return SiteSession(
            site or key_site(),
            endpoint=server.url,
            secrets=secrets(),
            limits=limits,
            clock=clock,
            chance=lambda: 0.5,
            on_wait=told,
        )

    return make
