"""Folders for tests: quick ones in memory, and those that another user may enter."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VARIABLE = "TESTS_RUN_MEMORY"
"""The environment variable that names the folder of this run in memory."""
_ROOM = 1 << 30  # a container's may hold next to nothing


def shared() -> Path | None:
    """Where the system keeps files in memory, if there is room."""
    place = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    return place if place.is_dir() and shutil.disk_usage(place).free > _ROOM else None


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, where there is room for such; else one among the other temporary ones."""
    return tempfile.TemporaryDirectory(dir=os.environ.get(VARIABLE))


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
