"""What the tests of the command line share: one sandbox, and the command pointed at it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import RunningSandbox, running
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import KEY, world
from tests.support.folders import in_memory
from tests.support.tools import ROOT


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    """A running sandbox whose key is known; every test puts the world into it that it needs."""
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def bare(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Extcal:
    """The command in an empty folder, with nothing set in its environment."""
    for name in os.environ:
        if name.startswith("EXTCAL_") or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    sandbox.inject(None)
    sandbox.requests.clear()
    # The package is found from any working directory.
    root = str(ROOT)
    return Extcal(tmp_path, sandbox, {"PYTHONPATH": root, "HOME": str(tmp_path)})


@pytest.fixture
def extcal(bare: Extcal) -> Extcal:
    """The command, its environment naming the sandbox, which holds Harbor Dental without a connection."""
    bare.env |= {"EXTCAL_ENDPOINT": bare.sandbox.endpoint, "EXTCAL_API_KEY": KEY}
    bare.due = world()
    return bare
