"""Names, reads and writes the files of an account's folder.

Reading is bounded and follows no links; a file is never half written.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from reconciler.sandbox.calendars.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MAX_FILE = 10 * 1024 * 1024
"""The most bytes of a calendar's file."""

SUFFIX = ".ics"
MAX_NAME = 200
"""The most bytes of an encoded name: file systems take 255, and the suffix and a temporary name must fit."""

_TEMPORARY = ".extcal-writing-"
_READABLE = "@+ ,'()=-_.~"


def is_real_folder(path: Path) -> bool:
    """Whether `path` is a folder, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def is_real_file(path: Path) -> bool:
    """Whether `path` is a file, not a link, a pipe or a device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_read_only(path: Path) -> bool:
    """Whether nobody may write a file. Replacing it would work, but its owner means it."""
    return not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def read_file(path: Path, *, limit: int = MAX_FILE) -> bytes:
    """The bytes of a file.

    Raises `FileNotFoundError`, and `UnreadableError` for what can't or may not be read.
    """
    content = read_head(path, limit + 1)
    if len(content) > limit:
        raise UnreadableError(f"{path.name}: larger than {limit} bytes, the most that is read")
    return content


def read_head(path: Path, size: int) -> bytes:
    """The first `size` bytes of a file; raises as `read_file` does."""
    try:
        # A pipe in the place of a file must not make the sandbox wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableError(f"{path.name}: not a file")
            return file.read(size)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(f"{path.name}: can't be read ({error.strerror})") from error


def write_new(path: Path, content: bytes) -> None:
    """Make a file that its user alone may read and write, whatever the umask; raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor, not a path
        file.write(content)


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file in one step, with the permissions that it had.

    Raises `OSError`.
    """
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    try:
        # One that a crash has left, or somebody has put there to have another file written to.
        temporary.unlink(missing_ok=True)
        write_new(temporary, content)
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other sandboxes from writing into a folder while the block runs; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def file_name(name: str) -> str | None:
    """`name` as the name of a file without suffix; None where it is empty or too long for one."""
    encoded = quote(name, safe=_READABLE)
    if encoded.startswith((".", "~", "-", " ")):
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    return encoded if 0 < len(encoded) <= MAX_NAME else None


def plain_name(encoded: str) -> str:
    """The inverse of `file_name`; a name that a person gave a file is taken as it is."""
    plain = unquote(encoded, errors="replace")
    return plain if file_name(plain) == encoded else encoded
