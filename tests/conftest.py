"""What all tests share: nothing of theirs is left in the home of whoever runs them."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import settings

_numbers = itertools.count()

# How long an example takes says how busy the machine is. CI tries the same examples in every run.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state folders of tests are."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def state_of_its_own(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test meet another one's journals, locks and counts of requests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(states / str(next(_numbers))))
