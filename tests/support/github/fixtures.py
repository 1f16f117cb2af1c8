"""A runner for the tests of actions and workflows."""

from pathlib import Path

import pytest

from tests.support.github.runner import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner in an empty folder, for a repository in which nothing has happened yet."""
    return Runner(tmp_path)
