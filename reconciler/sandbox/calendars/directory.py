"""Which backend holds the calendars of which provider, and what was seen there a moment ago."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import CalendarError
from reconciler.sandbox.calendars.folder_names import file_name
from reconciler.sandbox.calendars.folders import FolderCalendars
from reconciler.sandbox.calendars.protocol import CalendarRef

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.sandbox.calendars.protocol import CalendarBackend, Login

FOLDER = "calendars"
"""Where the folders of the providers lie in the data folder."""

_MAX_SEEN = 10_000


_Seen = tuple[float, tuple[CalendarRef, ...] | CalendarError]
"""When (monotonic) what was seen."""


class CalendarDirectory:
    """The providers' calendars: those in `assigned` on a server, all others in folders below `folder`."""

    def __init__(self, folder: Path, assigned: Mapping[str, CalendarBackend]) -> None:
        self.folder = folder
        self._assigned = dict(assigned)
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, Login], _Seen] = {}

    def of(self, provider: str) -> CalendarBackend:
        """The backend of the provider with this slug."""
        return self._assigned.get(provider) or FolderCalendars(self.folder / (file_name(provider) or "unnamed"))

    def passwords(self, provider: str) -> tuple[tuple[str, str | None], ...]:
        """The accounts of a provider whose accounts are folders, each with its password if it has one."""
        backend = self.of(provider)
        return backend.passwords() if isinstance(backend, FolderCalendars) else ()

    def calendars(self, provider: str, login: Login, *, fresh: bool) -> tuple[CalendarRef, ...]:
        """The calendars of an account, the primary one first; raises `CalendarError`.

        Unless it must be `fresh`, what was seen a moment ago, an error too, is answered where asking costs much.
        """
        backend = self.of(provider)
        good_for = backend.look_again_after
        now = time.monotonic()
        if good_for and not fresh:
            with self._lock:
                seen = self._seen.get((provider, login))
            if seen is not None and now - seen[0] < good_for:
                if isinstance(seen[1], CalendarError):
                    raise seen[1]
                return seen[1]
        try:
            found = backend.calendars(login)
        except CalendarError as error:
            self._keep((provider, login), (now, error))
            raise
        self._keep((provider, login), (now, found))
        return found

    def close(self) -> None:
        """Let go of what the backends hold."""
        for backend in self._assigned.values():
            backend.close()

    def _keep(self, key: tuple[str, Login], seen: _Seen) -> None:
        with self._lock:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[key] = seen
