"""Records what was connected, or is about to be, and has no sync config yet.

What `ignoreChanges` names is set once, when a connection is made, and never again: a run that ended in between must
know that it was not. A file of lines that are JSON objects, only ever added to; one that was cut off is passed over.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.model.account import Account
from reconciler.safe_paths import opened

_LARGEST = 16 * 1024 * 1024
_COMPACT = 64 * 1024
_UNSENT = "so nothing was sent: a connect is recorded first"
_SET_AGAIN = "so the fields of ignoreChanges may be set once more; repair or delete the file"


_Key = tuple[str, Account | None]


class UnfinishedError(ExtcalError):
    """What is unfinished can't be read or written."""


class UnfinishedFile:
    """The connections of a site whose sync config is yet to come, in the file `path`; `make` makes its folder.

    They are known by address and account. Only who holds the site's lock may add and remove.
    """

    def __init__(self, path: Path, make: Callable[[], None]) -> None:
        self._path = path
        self._make = make
        self._known: set[_Key] | None = None

    def holds(self, address: str, account: Account | None) -> bool:
        """Whether the sync config of a connection is yet to come; raises UnfinishedError."""
        return (address, account) in self._found()

    def add(self, address: str, account: Account | None) -> None:
        """Note that a connection is about to be made; raises UnfinishedError."""
        key = (address, account)
        if key not in self._found():
            self._guarded([*self._found(), key], _line("begun", key), _UNSENT)
            self._found().add(key)

    def remove(self, address: str, account: Account | None) -> None:
        """Note that a connection has its sync config; raises UnfinishedError."""
        key = (address, account)
        if key in self._found():
            left = [other for other in self._found() if other != key]
            self._guarded(left, _line("ended", key), _SET_AGAIN)
            self._found().discard(key)

    def _found(self) -> set[_Key]:
        if self._known is None:
            known: set[_Key] = set()
            for begun, key in self._lines():
                (known.add if begun else known.discard)(key)
            self._known = known
        return self._known

    def _lines(self) -> Iterator[tuple[bool, _Key]]:
        for line in self._read().splitlines():
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                fields = json.loads(line)
                begun = "begun" in fields
                address, account = str(fields["begun" if begun else "ended"]), str(fields["account"])
                yield begun, (address, Account(account) if account else None)

    def _read(self) -> bytes:
        if not self._path.exists():
            return b""
        try:
            with os.fdopen(opened(self._path, os.O_RDONLY), "rb") as file:
                return file.read(_LARGEST)
        except OSError as error:
            why = f"{self._path}: {error.strerror}, so the connections without their sync config can't be found"
            raise UnfinishedError(f"{why}; repair or delete the file") from error

    def _guarded(self, standing: Sequence[_Key], line: dict[str, str], consequence: str) -> None:
        """Write a line, after which `standing` is what is unfinished; a file that has grown is written anew."""
        self._make()
        try:
            if not standing:
                self._path.unlink(missing_ok=True)
                return
            with os.fdopen(opened(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab", buffering=0) as file:
                lines = [line]
                if os.fstat(file.fileno()).st_size > _COMPACT:
                    file.truncate(0)
                    lines = [_line("begun", key) for key in sorted(standing, key=lambda key: (key[0], str(key[1])))]
                file.write("".join(f"\n{json.dumps(each)}\n" for each in lines).encode())
        except OSError as error:
            raise UnfinishedError(f"{self._path}: {error.strerror}, {consequence}") from error


def _line(what: str, key: _Key) -> dict[str, str]:
    address, account = key
    return {what: address, "account": "" if account is None else account.given}
