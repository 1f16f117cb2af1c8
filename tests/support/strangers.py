"""Folders for tests in which another user takes part: nobody else may enter the one of a run of the tests."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder that every user may enter; skips the test where the temporary files of this machine lie closed."""
    beside = Path(tempfile.gettempdir()).parent
    if not all(place.stat().st_mode & 0o001 for place in (beside, *beside.parents)):
        pytest.skip("what another user may not write to: set TMPDIR to a folder that every user may enter")
    with tempfile.TemporaryDirectory(prefix="extcal-read-only-", dir=beside) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
