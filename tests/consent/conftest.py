"""The command and its sandbox, as the tests of the command line have them, and a browser."""

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, browser
from tests.support.cli.fixtures import bare, extcal, sandbox

__all__ = ["bare", "extcal", "sandbox"]


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests; its pages keep nothing that a next one could find."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found
