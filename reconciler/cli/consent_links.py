"""The file of `--consent-file`: new, readable by its owner alone, with a link on each line.

A line is a JSON object, or a row of CSV where the file's name ends in `.csv`.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.cli.redaction import redacted
from reconciler.errors import ExtcalError, UsageError
from reconciler.model.action import Action
from reconciler.model.encoding import encoded
from reconciler.render.data_text import csv_text
from reconciler.safe_paths import MisplacedError, check_folder
from reconciler.text import FORMULA

_DIVIDERS = str.maketrans({",": "%2C", ";": "%3B", "|": "%7C"})


class LinkFile:
    """A file that is made before the first link is; each link is on the disk before it is shown anywhere.

    It is made anew and never through a link, since who could put one there would get the links. Where none was
    written, nothing stays behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._length = 0
        self._as_csv = path.suffix.lower() == ".csv"
        self._written: set[str] = set()

    def __enter__(self) -> Self:
        """Make the file; raises UsageError where it can't be made."""
        try:
            check_folder(self.path.parent)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise UsageError(
                f"--consent-file {self.path}: the file exists already. Remove it, or name a new one."
            ) from error
        except MisplacedError as error:
            raise UsageError(f"--consent-file {self.path}: {error}") from error
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not a path"
            raise UsageError(f"--consent-file {self.path}: {why}") from error
        return self

    def write(self, action: Action, url: str) -> None:
        """Add a link; raises ExtcalError where it can't be written."""
        if url in self._written:
            return
        fields = {
            "address": action.address,
            "account": encoded(action.account),
            "provider": action.provider,
            "url": url,
        }
        text = self._row(fields | {"schedule": action.schedule_name}) if self._as_csv else json.dumps(redacted(fields))
        line = f"{text}\n".encode()
        length = self._length + len(line)
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
            os.fsync(self._descriptor)
        except OSError as error:
            # Half a row would look like a whole one, with a link that is cut.
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._length)
                os.lseek(self._descriptor, self._length, os.SEEK_SET)
            raise ExtcalError(
                f"--consent-file {self.path}: {error.strerror}. The link was not saved; apply again."
            ) from error
        self._length = length
        self._written.add(url)

    def _row(self, fields: Mapping[str, object]) -> str:
        """A row of CSV, below the header row where it is the first."""
        cells = {name: str(redacted(value) or "") for name, value in fields.items()}
        if FORMULA.search(cells["url"]):
            # The quote that makes a cell harmless would break the link; without what divides cells it needs none.
            cells["url"] = cells["url"].translate(_DIVIDERS)
        lines = csv_text(list(cells), [list(cells.values())]).splitlines()
        return "\n".join(lines[bool(self._written) :])

    def holds(self, url: str) -> bool:
        """Whether a link was written."""
        return url in self._written

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, and leave nothing behind where no link was written."""
        made = os.fstat(self._descriptor)
        os.close(self._descriptor)
        if not self._written:
            # What was put in its place meanwhile is not ours to remove.
            with suppress(OSError):
                if os.path.samestat(made, self.path.lstat()):
                    self.path.unlink()
