"""Keeps a site's journal of connects: written before they are sent, closed when settled.

A file of lines, each a JSON object, only ever added to. A line that was cut off by a crash is the last one: an intent
in it was never sent, and an ending in it is found out again.
"""

import functools
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reconciler.errors import ExtcalError
from reconciler.model.account import Account
from reconciler.model.encoding import DecodingError, Json, canonical, decoded, encoded
from reconciler.model.intent import Fate, Intent, Made, Pending
from reconciler.model.key import ConnectionKey
from reconciler.safe_paths import opened

_T = TypeVar("_T")
_FORMAT = 2
_LARGEST = 16 * 1024 * 1024
COMPACT_SIZE = 64 * 1024
"""Bytes beyond which a journal in which nothing is pending starts anew."""
_LATEST = 1 << 53
# The folders of the site, of the service and of the machine, and where that stands.
_AS_NEW = 4
_UNSENT = "so nothing was sent: a connect is recorded first"
_UNREADABLE = "so the connects that are still open can't be found"


class JournalError(ExtcalError):
    """A journal can't be read or written."""


@dataclass(frozen=True, slots=True)
class _Line:
    """An intent that begins (`intent`), or one that ends (`ended`, `ending`) with a connection that shows an `account`.

    `at` counts seconds from the epoch, `up` milliseconds of the machine's monotonic clock.
    """

    format: int
    at: int
    up: int
    intent: Intent | None = None
    ended: str | None = None
    ending: Fate | None = None
    connection_id: str | None = None
    account: Account | None = None


class FileJournal:
    """The journal in the file `path`; `make` makes its folder. Only who holds the site's lock may write.

    `redact` takes secrets out of a text; `now` tells the seconds since the epoch, `up` those of the monotonic clock.
    `connected` hears of each intent that has made a connection before its end is written: should it fail, or this
    process end with it, the intent stays open.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[], None],
        now: Callable[[], float] = time.time,
        up: Callable[[], float] = time.monotonic,
        connected: Callable[[Intent], None] = lambda _intent: None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._redact = redact
        self._path = path
        self._make = make
        self._now = now
        self._up = up
        self._connected = connected

    def begin(self, intent: Intent) -> None:
        """Write an intent down; when this returns it is on the disk. Raises JournalError."""
        ids = (intent.key.schedule_id, intent.provider_id, *intent.known, intent.answered or "")
        # With another id in its place, a connection that was there before would be taken for what the connect made.
        if any(self._redact(id_) != id_ for id_ in ids):
            raise JournalError(f"{intent.address}: the service repeats a secret in an id, {_UNSENT}; change the secret")
        self._make()
        line = _Line(_FORMAT, *self._moment(), intent=intent)
        self._guarded(functools.partial(self._append, line, lasting=True), _UNSENT)

    def end(
        self, intent: Intent, ending: Fate, connection_id: str | None = None, account: Account | None = None
    ) -> None:
        """Write down what became of an intent; raises JournalError, and leaves it open for the next run.

        `account` is the one that its connection shows.
        """
        if ending in {Fate.DONE, Fate.ADOPTED}:
            self._connected(intent)
        connection_id = None if connection_id is None else self._redact(connection_id)
        account = None if account is None else Account(self._redact(account.given))
        line = _Line(_FORMAT, *self._moment(), None, intent.id, ending, connection_id, account)
        became = " ".join(filter(None, (intent.address, ending, connection_id)))
        lost = f"so the outcome of a connect was not recorded ({became}); apply again: extcal looks for it first"
        self._guarded(functools.partial(self._append, line), lost)
        if self._size() > COMPACT_SIZE and not self.pending():
            # What can't be made smaller now is made smaller another time.
            with suppress(OSError, JournalError):
                self._compact()

    def made(self, intent: Intent) -> Made | None:
        """What the last connect of the intent's key has made, if that doesn't show its account; raises JournalError."""
        made, _lines = self._remembered().get(intent.key, (None, ()))
        return made

    def _remembered(self) -> dict[ConnectionKey, tuple[Made | None, tuple[_Line, _Line]]]:
        """By key what its last connect has made, None where that shows its account; with the lines that say so."""
        begun: dict[str, _Line] = {}
        found: dict[ConnectionKey, tuple[Made | None, tuple[_Line, _Line]]] = {}
        for line in self._lines():
            if line.intent is not None:
                begun[line.intent.id] = line
                continue
            before = begun.pop(line.ended or "", None)
            if before is None or before.intent is None or line.ending in {Fate.NOTHING, Fate.REFUSED}:
                continue
            as_asked = line.account is not None and line.account == before.intent.key.account
            other = line.connection_id is not None and not as_asked and line.ending is not Fate.FORGOTTEN
            made = Made(line.connection_id or "", line.account) if other else None
            found[before.intent.key] = (made, (before, line))
        return found

    def pending(self) -> tuple[Pending, ...]:
        """The intents that have no end, the oldest first; raises JournalError where the file is not a journal."""
        open_: dict[str, Pending] = {}
        for line in self._lines():
            if line.intent is not None:
                open_[line.intent.id] = Pending(line.intent, self._age(line))
            else:
                open_.pop(line.ended or "", None)
        return tuple(open_.values())

    def _moment(self) -> tuple[int, int]:
        return int(self._now()), int(self._up() * 1000)

    def _age(self, line: _Line) -> float:
        """How many seconds ago a line was written, or fewer: a clock that was set must not make it older.

        The monotonic clock is never set, but begins anew with the machine.
        """
        by_day, by_machine = self._now() - line.at, self._up() - line.up / 1000
        return max(0.0, by_day if by_machine < 0 else min(by_day, by_machine))

    def _lines(self) -> list[_Line]:
        if self._size() > _LARGEST:
            raise self._broken(f"larger than {_LARGEST} bytes")
        text = self._guarded(self._read, _UNREADABLE)
        whole, _, _cut_off = text.rpartition(b"\n")
        return [self._line(number, line) for number, line in enumerate(whole.split(b"\n"), 1) if line]

    def _read(self) -> bytes:
        try:
            descriptor = opened(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def _line(self, number: int, text: bytes) -> _Line:
        try:
            parsed = json.loads(text)
            # Another version's line may have other fields.
            if isinstance(parsed, dict) and parsed.get("format", _FORMAT) != _FORMAT:
                raise self._broken("written by another version of extcal", number)
            line = decoded(_Line, parsed)
        except (ValueError, RecursionError, DecodingError) as error:
            raise self._broken("not a line of a journal", number) from error
        if (line.intent is None) == (line.ended is None) or max(abs(line.at), abs(line.up)) > _LATEST:
            raise self._broken("not a line of a journal", number)
        return line

    def _append(self, line: _Line, *, lasting: bool = False) -> None:
        json_line: Json = encoded(line)
        self._write((canonical(json_line) + "\n").encode(), lasting=lasting)

    def _write(self, data: bytes, *, lasting: bool) -> None:
        descriptor = opened(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
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
            for folder in self._path.parents[:_AS_NEW]:
                # One that is not its user's own was there before.
                with suppress(PermissionError):
                    sync_folder(folder)

    def _compact(self) -> None:
        """Keep nothing but what is remembered."""
        kept = [line for made, lines in self._remembered().values() if made is not None for line in lines]
        descriptor = opened(self._path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)
        for line in kept:
            self._append(line)

    def _size(self) -> int:
        try:
            return self._path.lstat().st_size
        except OSError:
            return 0

    def _guarded(self, work: Callable[[], _T], consequence: str) -> _T:
        try:
            return work()
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}, {consequence}") from error

    def _broken(self, why: str, line: int | None = None) -> JournalError:
        at = self._path if line is None else f"{self._path}:{line}"
        return JournalError(f"{at}: {why}; check which connections of the site are new, then delete the file")


def sync_folder(folder: Path) -> None:
    """Let what was made in a folder just now be found after a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
