"""Keeps what people were alerted to, so that a restart alerts nobody anew.

One JSON file, replaced as a whole, for each site and for the watch itself. It may be thrown away: what is wrong then is
told once more.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.model.encoding import Json
from reconciler.safe_paths import opened

_FORMAT = 1
_LARGEST = 64 * 1024 * 1024


class AlertsError(ExtcalError):
    """What people were alerted to can't be read or written."""


class AlertFile:
    """What is remembered of alerts, in the file `path`; `make` makes its folder."""

    def __init__(self, path: Path, make: Callable[[], None]) -> None:
        self._path = path
        self._make = make

    def read(self) -> object:
        """What was written last; None where nothing was; raises AlertsError."""
        if not self._path.exists():
            return None
        try:
            with os.fdopen(opened(self._path, os.O_RDONLY), "rb") as file:
                content = json.loads(file.read(_LARGEST))
        except OSError as error:
            raise self.unusable(error.strerror or "it can't be read") from error
        except (ValueError, RecursionError) as error:
            raise self.unusable() from error
        match content:
            case {"format": format_, "alerts": dict() as alerts} if format_ == _FORMAT:
                return alerts
        raise self.unusable()

    def unusable(self, why: str = "not what extcal has written") -> AlertsError:
        """The error that says that what was read is not of use, and what comes of it."""
        return AlertsError(f"{self._path}: {why}, so it is not known what was told; what is wrong is told once more")

    def write(self, alerts: Json) -> None:
        """Put this in the place of what was there; raises ExtcalError."""
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            self._make()
            with os.fdopen(opened(new, os.O_WRONLY | os.O_CREAT), "wb") as file:
                file.truncate(0)
                file.write((json.dumps({"format": _FORMAT, "alerts": alerts}, indent=1) + "\n").encode())
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise AlertsError(
                f"{self._path}: {error.strerror}; alerts go on, but after a restart they come once more"
            ) from error

    def forget(self) -> None:
        """Remember nothing."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise AlertsError(f"{self._path}: {error.strerror}, so it can't be deleted") from error
