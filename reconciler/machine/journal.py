"""The journal of a site: connects, written down before they are sent and closed when it is known what they made.

A file of lines, each a JSON object, only ever added to. A line that was cut off by a crash is the last one: an intent
in it was never sent, and an ending in it is found out again.
"""

import functools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reconciler.errors import ExtcalError
from reconciler.model.encoding import DecodingError, Json, canonical, decoded, encoded
from reconciler.model.intent import Fate, Intent, Pending

_T = TypeVar("_T")
_FORMAT = 1
_LARGEST = 16 * 1024 * 1024
_COMPACT = 64 * 1024


class JournalError(ExtcalError):
    """A journal can't be read or written."""


@dataclass(frozen=True, slots=True)
class _Line:
    """An intent that begins (`intent`), or one that ends (`ended`, `ending`); `at` counts seconds from the epoch."""

    format: int
    at: int
    intent: Intent | None = None
    ended: str | None = None
    ending: Fate | None = None
    connection_id: str | None = None


class FileJournal:
    """The journal in the file `path`; `make` makes its folder. Only who holds the site's lock may write."""

    def __init__(self, path: Path, make: Callable[[], None], now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._make = make
        self._now = now

    def begin(self, intent: Intent) -> None:
        """Write an intent down; when this returns it is on the disk. Raises JournalError."""
        self._make()
        self._append(_Line(_FORMAT, int(self._now()), intent=intent), lasting=True)

    def end(self, intent: Intent, ending: Fate, connection_id: str | None = None) -> None:
        """Write down what became of an intent; raises JournalError."""
        self._append(_Line(_FORMAT, int(self._now()), ended=intent.id, ending=ending, connection_id=connection_id))
        if self._size() > _COMPACT and not self.pending():
            self._guarded(lambda: os.truncate(self._path, 0))

    def pending(self) -> tuple[Pending, ...]:
        """The intents that have no end, the oldest first; raises JournalError where the file is not a journal."""
        open_: dict[str, Pending] = {}
        for line in self._lines():
            if line.intent is not None:
                # A clock that was set back must not make an intent younger than it can be.
                open_[line.intent.id] = Pending(line.intent, max(0.0, self._now() - line.at))
            else:
                open_.pop(line.ended or "", None)
        return tuple(open_.values())

    def _lines(self) -> list[_Line]:
        if self._size() > _LARGEST:
            raise self._broken(0, f"larger than {_LARGEST} bytes")
        text = self._guarded(self._read)
        whole, _, _cut_off = text.rpartition(b"\n")
        return [self._line(number, line) for number, line in enumerate(whole.split(b"\n"), 1) if line]

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def _line(self, number: int, text: bytes) -> _Line:
        try:
            line = decoded(_Line, json.loads(text))
        except (ValueError, RecursionError, DecodingError) as error:
            raise self._broken(number, "not a line of a journal") from error
        if line.format != _FORMAT:
            raise self._broken(number, f"written by another version of extcal (format {line.format})")
        if (line.intent is None) == (line.ended is None):
            raise self._broken(number, "not a line of a journal")
        return line

    def _append(self, line: _Line, *, lasting: bool = False) -> None:
        json_line: Json = encoded(line)
        self._guarded(functools.partial(self._write, (canonical(json_line) + "\n").encode(), lasting=lasting))

    def _write(self, data: bytes, *, lasting: bool) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            # What a crash or a full disk has cut off would make one broken line with what is written now.
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                end = os.pread(descriptor, end, 0).rfind(b"\n") + 1
                os.ftruncate(descriptor, end)
            while data:
                data = data[os.write(descriptor, data) :]
            if lasting:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if lasting and not end:
            self._sync_folder()

    def _sync_folder(self) -> None:
        """Let a file that was made just now be found after a loss of power."""
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _guarded(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}; nothing is connected without the journal") from error

    def _broken(self, line: int, why: str) -> JournalError:
        return JournalError(
            f"{self._path}:{line}: {why}; look which connections of the site are new, then remove the file"
        )
