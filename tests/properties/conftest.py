"""Stages that the whole session shares; each example puts its own world into one."""

from collections.abc import Iterator

import pytest

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.server import running
from tests.support.scenarios.stage import Stages

# Longer than any test: a new connection stays CONNECTED, so that no status moves between two looks.
_NEVER = 1e9


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    """The sandbox in which scenarios are put on stage."""
    settings = Settings(sync_starts_after=_NEVER, sync_done_after=_NEVER)
    with running(tmp_path_factory.mktemp("stages"), settings=settings) as sandbox:
        yield Stages(sandbox)
