"""Folders that are quick to write to: a sandbox writes many small files, and no test asks that they outlive it."""

import os
import shutil
import tempfile
from pathlib import Path

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
