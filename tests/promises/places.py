"""Things of the file system that are no plain file, made for a test and taken away again."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path


class FileKind(StrEnum):
    """What may stand where a file is expected."""

    FOLDER = "folder"
    PIPE = "pipe"
    SOCKET = "socket"
    NOWHERE = "link that leads nowhere"
    ITSELF = "link to itself"
    TO_PIPE = "link to a pipe"
    OUTSIDE = "link to a file outside"
    ZERO = "/dev/zero"
    STDIN = "/dev/stdin"
    ENVIRON = "/proc/self/environ"
    MEMORY = "/proc/self/mem"
    VAST = "file of a terabyte"

    @contextmanager
    def made(self, path: Path) -> Iterator[str]:
        """Make it at `path`, and give the path to name; the system's own files are where they are."""
        match self:
            case FileKind.ZERO | FileKind.STDIN | FileKind.ENVIRON | FileKind.MEMORY:
                yield str(self)
                return
            case FileKind.SOCKET:
                with socket.socket(socket.AF_UNIX) as listener:
                    # The whole path may be longer than a socket's may be.
                    listener.bind(os.path.relpath(path))
                    yield str(path)
                return
            case _:
                self._make(path)
                yield str(path)

    def _make(self, path: Path) -> None:
        beside = path.parent.parent / "outside"
        match self:
            case FileKind.FOLDER:
                path.mkdir()
            case FileKind.PIPE:
                os.mkfifo(path)
            case FileKind.NOWHERE:
                path.symlink_to("nowhere")
            case FileKind.ITSELF:
                path.symlink_to(path)
            case FileKind.TO_PIPE:
                os.mkfifo(path.with_name("pipe"))
                path.symlink_to("pipe")
            case FileKind.OUTSIDE:
                beside.write_text("a secret of somebody else's")
                path.symlink_to(beside)
            case FileKind.VAST:
                with path.open("wb") as stream:
                    stream.truncate(2**40)
            case _:
                raise NotImplementedError(self)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """Everything in a folder: its mode, and the content of a file or where a link leads."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for path in sorted(folder.rglob("*")):
        content: bytes | str | None = None
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found
