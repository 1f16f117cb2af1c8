"""Keeps who changed what: a line for each action of a run that sent something, or failed.

A file of lines for a site, each a JSON object, only ever added to; one that was cut off by a crash is passed over. When
the file has grown, it is set aside under a number, and the oldest that was set aside goes.
"""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from reconciler.errors import ExtcalError, request_id_of
from reconciler.machine.record import RecordFile
from reconciler.model.desired import Site
from reconciler.model.encoding import Json, encoded
from reconciler.model.history import HistoryEntry, Origin, RecordedAction
from reconciler.model.result import Outcome
from reconciler.safe_paths import opened

ROTATE_SIZE = 1024 * 1024
"""Bytes beyond which a file is set aside."""
KEPT = 9
"""How many files that were set aside are kept."""
_LARGEST = 16 * 1024 * 1024
_LONGEST_LINE = 1024 * 1024
_LARGEST_RECORDED = 64 * 1024
_ID_DIGITS = 8


class HistoryError(ExtcalError):
    """The history can't be read or written."""


class HistoryFile:
    """The history of one site in the file `path`; `make` makes its folder. Only who holds the site's lock may add.

    `origin` is who runs this; `redact` takes secrets out of a text; `now` tells the seconds since the epoch. `record`
    gets the same lines, where there is one.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[], None],
        origin: Origin,
        redact: Callable[[str], str] = str,
        now: Callable[[], float] = time.time,
        record: RecordFile | None = None,
    ) -> None:
        self._path = path
        self._make = make
        self._origin = origin
        self._redact = redact
        self._now = now
        self._record = record

    def add(self, outcome: Outcome, site: Site, plan: str) -> None:
        """Write down how an action on the site, of the plan with this digest, has ended, without its link.

        Raises HistoryError; what can't be written to one of both files is written to the other.
        """
        line = json.dumps(self._fields(outcome, site, plan)).encode()
        failures: list[str] = []
        for add in (self._add,) if self._record is None else (self._add, self._record.add):
            try:
                add(line)
            except ExtcalError as error:
                failures.append(str(error))
        if failures:
            raise HistoryError("; ".join(failures))

    def _fields(self, outcome: Outcome, site: Site, plan: str) -> Json:
        action, at = outcome.action, datetime.fromtimestamp(int(self._now()), UTC)
        recorded = encoded(RecordedAction(site, action))
        # One that was cut short, or that has a secret taken out of it, would do something else.
        fits = len(json.dumps(recorded)) <= _LARGEST_RECORDED and self._redacted(recorded) == recorded
        fields: dict[str, Json] = {
            "id": uuid.uuid4().hex[:_ID_DIGITS],
            "at": at.isoformat().replace("+00:00", "Z"),
            "by": self._origin.actor,
            "host": self._origin.host,
            "commit": self._origin.commit,
            "plan": plan,
            "site": action.site,
            "site_id": action.site_id,
            "address": action.address,
            "action": action.kind.value,
            "reason": action.reason.value,
            "account": encoded(action.account),
            "connection_id": outcome.connection_id or action.connection_id,
            "changes": encoded(action.changes),
            "status": outcome.status.value,
            "error": outcome.error,
            "request_id": request_id_of(outcome.error or ""),
            "recorded": recorded if fits else None,
        }
        return self._redacted(fields)

    def _add(self, content: bytes) -> None:
        # Each line begins with an end of line: what a crash has cut off before it can't spoil it.
        line = b"\n" + content + b"\n"
        self._make()
        try:
            self._rotate()
            with os.fdopen(opened(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as file:
                file.write(line)
                # Unbuffered, a disk that is nearly full may take a part, and nobody would hear of it.
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise HistoryError(f"{self._path}: {error.strerror}, so the history lacks it") from error

    def read(self) -> Iterator[HistoryEntry]:
        """What was written down, the oldest first; raises HistoryError."""
        for path in (*map(self._aside, range(KEPT, 0, -1)), self._path):
            for line in _lines(path):
                with suppress(ValueError, RecursionError):
                    if (entry := _entry(json.loads(line))) is not None:
                        yield entry

    def _rotate(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < ROTATE_SIZE:
            return
        for number in range(KEPT - 1, 0, -1):
            if self._aside(number).exists():
                self._aside(number).replace(self._aside(number + 1))
        self._path.replace(self._aside(1))

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _redacted(self, value: Json) -> Json:
        match value:
            case str():
                return self._redact(value)
            case dict():
                return {key: self._redacted(item) for key, item in value.items()}
            case list():
                return [self._redacted(item) for item in value]
            case _:
                return value


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, one at a time; of one that is longer than any of ours, pieces that are no JSON."""
    if not path.exists():
        return
    try:
        with os.fdopen(opened(path, os.O_RDONLY), "rb") as file:
            while file.tell() < _LARGEST and (line := file.readline(_LONGEST_LINE)):
                yield line
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}, so the history can't be read") from error


def _entry(fields: object) -> HistoryEntry | None:
    """The entry of a line; None where it is none of ours."""
    match fields:
        case {"at": str(), "address": str(), "site": str(), "action": str(), "status": str(), **_others}:
            return HistoryEntry(cast("dict[str, Json]", fields))
        case _:
            return None
