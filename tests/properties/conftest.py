"""Sandboxes that the whole session shares; each example puts its own world into one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.behaviour import Behaviour, CalendarNames
from reconciler.sandbox.server import RunningSandbox, running
from tests.support.scenarios.stage import Sandboxes

# Longer than any test: a new connection stays CONNECTED, so that no status moves between two looks.
_NEVER = 1e9


def _sandbox(data: Path, calendar_names: CalendarNames) -> Iterator[RunningSandbox]:
    settings = Settings(sync_starts_after=_NEVER, sync_done_after=_NEVER)
    with running(data, settings=settings, behaviour=Behaviour(calendar_names=calendar_names)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def naming_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox whose sync configs carry the calendars' names."""
    yield from _sandbox(tmp_path_factory.mktemp("naming"), CalendarNames.SHOWN)


@pytest.fixture(scope="session")
def nameless_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox whose sync configs carry the calendars' ids alone."""
    yield from _sandbox(tmp_path_factory.mktemp("nameless"), CalendarNames.HIDDEN)


@pytest.fixture(scope="session")
def sandboxes(naming_sandbox: RunningSandbox, nameless_sandbox: RunningSandbox) -> Sandboxes:
    """Both kinds of sandbox; a scenario says which one it wants."""
    return Sandboxes(naming_sandbox, nameless_sandbox)
