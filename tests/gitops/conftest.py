"""What the tests of the GitOps files share."""

from collections.abc import Iterator

import pytest

from tests.gitops.action import echo
from tests.gitops.fake_gitlab import Project, served
from tests.support.github.fixtures import runner

__all__ = ["echo", "project", "runner"]


@pytest.fixture
def project() -> Iterator[Project]:
    """A project whose API is served."""
    with served(Project()) as found:
        yield found
