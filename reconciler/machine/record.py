"""Appends the lines of the history to a file of the operator's: an artifact of CI, or a log that is collected."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from reconciler.errors import ExtcalError, UsageError
from reconciler.safe_paths import MisplacedError, opened_to_append


class RecordError(ExtcalError):
    """A line could not be appended."""


class RecordFile:
    """The file `path`, to which several processes may append at a time, each line whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Make the file if it is not there yet; raises UsageError where nothing can be appended to it."""
        try:
            os.close(opened_to_append(self._path))
        except (MisplacedError, OSError) as error:
            raise UsageError(f"--record {self._path}: {_reason(error)}. Name a file that can be written to.") from error

    def add(self, line: bytes) -> None:
        """Append a line, which has no end of line yet; raises RecordError."""
        try:
            descriptor = opened_to_append(self._path)
            try:
                whole = (b"" if _ends_a_line(descriptor) else b"\n") + line + b"\n"
                # One write at the end of a file is one piece there, whoever else appends.
                if os.write(descriptor, whole) < len(whole):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                with suppress(OSError):
                    # Not every kind of file system can.
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except (MisplacedError, OSError) as error:
            raise RecordError(f"{self._path}: {_reason(error)}, so the record lacks it") from error


def _ends_a_line(descriptor: int) -> bool:
    """Whether a line can begin at the end of a file: a write that was cut off has left the half of one."""
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
