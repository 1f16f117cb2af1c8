"""The bytes of a file: of regular files only, and never more than a manifest may hold."""

import os
import stat
from dataclasses import dataclass

from reconciler.manifests.limits import LOOKED_AT
from reconciler.manifests.recognition import says_so
from reconciler.manifests.report import START, harmless
from reconciler.model.source import Fault, Source

MAX_BYTES = 16 * 1024 * 1024
"""The largest manifest file; 10,000 connections take about 3 MB."""

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file to read: the name to show, and the path that has no link in it."""

    shown: str
    real: str


def read(file: ManifestFile) -> bytes | Fault:
    """What a file holds, or why it is refused; never waits for a pipe or a device."""
    try:
        content = _bytes(file, MAX_BYTES + 1)
    except OSError as error:
        return unreadable(file.shown, error)
    if isinstance(content, str):
        return fault(file.shown, f"is {content}, not a file", "manifests are read from regular files only")
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024 // 1024} MiB"
        return fault(file.shown, f"the file is larger than {limit}", "split it into several files")
    return content


def says_that_it_is_one(file: ManifestFile) -> bool:
    """Whether the beginning of a file says that it is a manifest; what is no regular file says nothing.

    Raises OSError where it can't be read.
    """
    content = _bytes(file, LOOKED_AT)
    return isinstance(content, bytes) and says_so(content)


def _bytes(file: ManifestFile, most: int) -> bytes | str:
    """The first bytes of a file, or what it is, being no regular one; raises OSError."""
    # Looking first keeps devices from being opened at all; looking again keeps them from being slipped in.
    irregular = _irregular(os.lstat(file.real))
    if irregular is not None:
        return irregular
    handle = os.open(file.real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        return _irregular(os.fstat(handle)) or stream.read(most)


def _irregular(status: os.stat_result) -> str | None:
    if stat.S_ISREG(status.st_mode):
        return None
    return next((name for test, name in _KINDS if test(status.st_mode)), "a link")


def unreadable(shown: str, error: OSError) -> Fault:
    """The fault of what can't be read."""
    return fault(printable(shown), f"can't be read: {error.strerror}", "check that it exists and who may read it")


def fault(shown: str, message: str, hint: str) -> Fault:
    """A fault of a file as a whole."""
    return Fault(Source(shown, *START), "", message, hint)


def printable(name: str) -> str:
    """A path as messages show it."""
    return harmless(os.fsencode(name).decode("utf-8", "backslashreplace"))
