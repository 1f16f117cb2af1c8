"""The command and its sandbox, as the tests of the command line have them; and a service that repeats secrets."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import RunningSandbox, running
from tests.promises.canaries import API_KEY
from tests.promises.echo_service import Front, fronting
from tests.promises.leak_stage import Stage, guarded, let_time_fly, overheard
from tests.support.cli.command import Extcal
from tests.support.cli.fixtures import bare, extcal, sandbox

__all__ = ["bare", "extcal", "sandbox"]

_ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def guarded_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox whose key is a canary, and so are its accounts' passwords."""
    with running(tmp_path_factory.mktemp("sandbox"), world=guarded(), api_key=API_KEY) as served:
        yield served


@pytest.fixture(scope="module")
def front(guarded_sandbox: RunningSandbox) -> Iterator[Front]:
    """The service that repeats secrets."""
    with fronting(guarded_sandbox.endpoint) as served:
        yield served


@pytest.fixture
def stage(
    guarded_sandbox: RunningSandbox, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """An empty folder with the sandbox as it was, and ears on every log."""
    for name in os.environ:
        if name.upper().startswith("EXTCAL_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    let_time_fly(monkeypatch)
    guarded_sandbox.replace_world(guarded())
    front.failing = lambda _asked: None
    made = Stage(Extcal(tmp_path, guarded_sandbox, {"PYTHONPATH": _ROOT, "HOME": str(tmp_path)}), front)
    with overheard(made.logged):
        yield made
