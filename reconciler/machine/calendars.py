"""Remembers the calendars of accounts for a day, so that planning need not list them each time to tell their names.

A file for a site: JSON, replaced as a whole, so that of two runs the last one wins and none reads a half of it. It may
be missing, or be anything: what is no file of ours holds nothing, and then the service is asked. What can't be written
is not remembered.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.model.account import Account
from reconciler.model.live import Calendar
from reconciler.safe_paths import opened

SECONDS = 24 * 60 * 60
"""For how long the calendars of an account are remembered."""
LARGEST = 16 * 1024 * 1024
"""How many bytes a site's file may have; what was listed the longest ago is forgotten for it."""
_FORMAT = 1
_FRAME = 100  # more than what stands around the entries


@dataclass(frozen=True, slots=True)
class ListedCalendars:
    """The calendars of a connection's account; `at` is when they were listed, in seconds from the epoch."""

    account: Account | None
    at: int
    calendars: tuple[Calendar, ...]


class CalendarFile:
    """The calendars of a site's accounts in the file `path`, by the ids of their connections.

    `make` makes its folder, `now` tells the seconds since the epoch, `redact` takes secrets out of a text: an entry
    that holds one is not written.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[], None],
        now: Callable[[], float] = time.time,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._path = path
        self._make = make
        self._now = now
        self._redact = redact

    def read(self) -> dict[str, ListedCalendars]:
        """What was listed at any time; nothing where that can't be told."""
        # JSON that is nested too deeply is a RecursionError.
        with suppress(OSError, ExtcalError, ValueError, RecursionError):
            return dict(_entries(self._content()))
        return {}

    def is_recent(self, entry: ListedCalendars) -> bool:
        """Whether it was listed in the last day."""
        # A clock that was set back makes entries of the future, whose age nobody knows.
        return 0 <= int(self._now()) - entry.at < SECONDS

    def write(self, entries: Mapping[str, ListedCalendars]) -> None:
        """Remember these and no others, as far as that can be."""
        with suppress(OSError, ExtcalError):
            if entries:
                self._make()
                self._replace(self._text(entries).encode())
            else:
                self._path.unlink(missing_ok=True)

    def _content(self) -> bytes:
        if not self._path.exists():
            return b"{}"
        with os.fdopen(opened(self._path, os.O_RDONLY), "rb") as file:
            content = file.read(LARGEST + 1)
        return content if len(content) <= LARGEST else b"{}"

    def _text(self, entries: Mapping[str, ListedCalendars]) -> str:
        newest_first = sorted(self._fit_to_keep(entries), key=lambda item: (-item[1].at, item[0]))
        return f'{{"format":{_FORMAT},"connections":{{\n{_cut([_encoded(*each) for each in newest_first])}\n}}}}\n'

    def _fit_to_keep(self, entries: Mapping[str, ListedCalendars]) -> list[tuple[str, ListedCalendars]]:
        """The entries that hold no secret."""
        texts = {key: "\n".join(_texts(key, entry)) for key, entry in entries.items()}
        # One search through all of them takes a fraction of the time of a search through each.
        whole = "\n".join(texts.values())
        clean = self._redact(whole) == whole
        return [item for item in entries.items() if clean or self._redact(texts[item[0]]) == texts[item[0]]]

    def _replace(self, content: bytes) -> None:
        """Put a file there whole; a link that is there is replaced, and not followed. Raises OSError."""
        new = self._path.with_name(f"{self._path.name}.new")
        with os.fdopen(opened(new, os.O_WRONLY | os.O_CREAT), "wb") as file:
            # Another run that is about to write has it; one that ended in the midst of it has left it.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_ino == new.lstat().st_ino:
                file.truncate(0)
                file.write(content)
                file.flush()
                new.replace(self._path)


def _entries(content: bytes) -> Iterator[tuple[str, ListedCalendars]]:
    """The entries of a file; raises ValueError where it is none of ours."""
    match json.loads(content):
        case {"format": format_, "connections": dict() as connections} if format_ == _FORMAT:
            for key, entry in connections.items():
                yield key, _decoded(entry)


def _decoded(entry: object) -> ListedCalendars:
    match entry:
        case {"account": str() | None as account, "at": int() as at, "calendars": list() as calendars}:
            return ListedCalendars(None if account is None else Account(account), at, tuple(map(_calendar, calendars)))
    raise ValueError("not an entry")


def _calendar(pair: object) -> Calendar:
    match pair:
        case [str() as id_, str() as name]:
            return Calendar(id_, name)
    raise ValueError("not a calendar")


def _texts(key: str, entry: ListedCalendars) -> Iterator[str]:
    yield key
    yield "" if entry.account is None else entry.account.given
    for calendar in entry.calendars:
        yield calendar.id
        yield calendar.name


def _encoded(key: str, entry: ListedCalendars) -> str:
    calendars = [[calendar.id, calendar.name] for calendar in entry.calendars]
    account = None if entry.account is None else entry.account.given
    fields = {"account": account, "at": entry.at, "calendars": calendars}
    return f"{json.dumps(key)}:{json.dumps(fields, separators=(',', ':'))}"


def _cut(texts: list[str]) -> str:
    """The first of them, joined, as many as a file may hold."""
    size = 0
    for count, text in enumerate(texts):
        size += len(text) + len(",\n")
        if size > LARGEST - _FRAME:
            return ",\n".join(texts[:count])
    return ",\n".join(texts)
