"""Folders that are quick to write to: a sandbox writes many small files, and no test asks that they outlive it."""

import shutil
import tempfile
from pathlib import Path

_ROOM = 1 << 30  # a container's may hold next to nothing


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, where the system has room for such; else one among the other temporary ones."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > _ROOM
    return tempfile.TemporaryDirectory(prefix="extcal-tests-", dir=shared if roomy else None)
