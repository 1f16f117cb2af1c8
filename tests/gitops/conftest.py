"""What the tests of the GitOps files share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitops.fake_gitlab import Project, served
from tests.gitops.runner import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner in an empty folder, for a repository in which nothing has happened yet."""
    return Runner(tmp_path)


@pytest.fixture
def project() -> Iterator[Project]:
    """A project whose API is served."""
    with served(Project()) as found:
        yield found
