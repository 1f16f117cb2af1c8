"""Folders for tests: where quick ones are, and those that another user may enter."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOM = 1 << 30  # a container's may hold next to nothing


def memory() -> Path | None:
    """Where the system keeps files in memory, if temporary ones may lie there: none has been told to lie elsewhere.

    There must be room, and programs must start from there. Nothing waits for a disk: a new world of the sandbox is a
    hundred files, and a journal is synced at each step.
    """
    place = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    if "TMPDIR" in os.environ or not place.is_dir() or os.statvfs(place).f_flag & os.ST_NOEXEC:
        return None
    return place if shutil.disk_usage(place).free > _ROOM else None


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder, in memory where that may be; in a run of the tests all of them are."""
    return tempfile.TemporaryDirectory(dir=memory())


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
