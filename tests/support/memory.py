"""Folders that are quick to write to: a sandbox writes many small files, and no test asks that they outlive it."""

import tempfile
from pathlib import Path


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, where the system has such; else one among the other temporary ones."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    return tempfile.TemporaryDirectory(prefix="extcal-tests-", dir=shared if shared.is_dir() else None)
