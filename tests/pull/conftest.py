"""What the tests of pulling share: sandboxes, the command pointed at one, and a folder that is pulled into."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.behaviour import Behaviour, CalendarNames, Directions
from reconciler.sandbox.server import RunningSandbox, running
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import KEY, world
from tests.support.folders import in_memory

# Longer than any test: no status moves between two looks.
_NEVER = 1e9


def _sandbox(behaviour: Behaviour) -> Iterator[RunningSandbox]:
    settings = Settings(sync_starts_after=_NEVER, sync_done_after=_NEVER)
    with (
        in_memory() as place,
        running(Path(place), world=world(), api_key=KEY, settings=settings, behaviour=behaviour) as sandbox,
    ):
        yield sandbox


@pytest.fixture(scope="session")
def naming() -> Iterator[RunningSandbox]:
    """A sandbox whose sync configs carry the calendars' names."""
    yield from _sandbox(Behaviour(calendar_names=CalendarNames.SHOWN))


@pytest.fixture(scope="session")
def nameless() -> Iterator[RunningSandbox]:
    """A sandbox whose sync configs carry the calendars' ids alone."""
    yield from _sandbox(Behaviour(calendar_names=CalendarNames.HIDDEN))


@pytest.fixture
def terse() -> Iterator[RunningSandbox]:
    """A sandbox whose lists leave out the directions of every sync config."""
    yield from _sandbox(Behaviour(directions=Directions.BY_ID))


@pytest.fixture
def extcal(naming: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Extcal:
    """The command in an empty folder, its environment naming a sandbox that holds Harbor Dental."""
    for name in os.environ:
        if name.startswith("EXTCAL_") or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # The package is found from any working directory.
    root = str(Path(__file__).parents[2])
    env = {"PYTHONPATH": root, "HOME": str(tmp_path), "EXTCAL_ENDPOINT": naming.endpoint, "EXTCAL_API_KEY": KEY}
    return Extcal(tmp_path, naming, env, due=world())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `manifests`, which is not there yet, in the test's working directory."""
    monkeypatch.chdir(tmp_path)
    return Path("manifests")
