"""What all tests share: one way of trying properties, places of their own, and a run that leaves nothing behind."""

import itertools
from pathlib import Path

import pytest

from tests.support import profiles

pytest_plugins = ("tests.support.environment", "tests.support.leftovers", "tests.support.skips")

_numbers = itertools.count()
profiles.load()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a soak every property is a soak test."""
    if profiles.SOAK:
        for item in items:
            if getattr(getattr(item, "function", None), "is_hypothesis_test", False):
                item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state folders of tests are."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def state_of_its_own(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test meet another one's journals, locks and counts of requests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(states / str(next(_numbers))))
