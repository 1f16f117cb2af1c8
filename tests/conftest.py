"""What all tests share: nothing of theirs is left in the home of whoever runs them."""

import itertools
from pathlib import Path

import pytest

_numbers = itertools.count()


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state folders of tests are."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def state_of_its_own(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test meet another one's journals, locks and counts of requests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(states / str(next(_numbers))))
