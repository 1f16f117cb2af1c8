"""Finds the backend that holds a provider's calendars, and caches its listings briefly."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import CalendarError, NoAnswerError
from reconciler.sandbox.calendars.folder.backend import FolderCalendars
from reconciler.sandbox.calendars.folder.files import file_name
from reconciler.sandbox.calendars.protocol import CalendarRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reconciler.sandbox.calendars.protocol import CalendarBackend, Deadline, Login

FOLDER = "calendars"
"""Where the folders of the providers lie in the data folder."""

_MAX_SEEN = 10_000


_Seen = tuple[float, tuple[CalendarRef, ...] | CalendarError]
"""When (monotonic) what was seen."""


class _Memory:
    """What was seen a moment ago, for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, Login], _Seen] = {}

    def get(self, key: tuple[str, Login]) -> _Seen | None:
        with self._lock:
            return self._seen.get(key)

    def put(self, key: tuple[str, Login], what: tuple[CalendarRef, ...] | CalendarError) -> None:
        with self._lock:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[key] = (time.monotonic(), what)


class CalendarDirectory:
    """The providers' calendars: those `assigned` to a server, all others in folders."""

    def __init__(
        self,
        folder: Path,
        assigned: Mapping[str, CalendarBackend],
        deadline: Deadline | None = None,
        memory: _Memory | None = None,
    ) -> None:
        self.folder = folder
        self._assigned = dict(assigned)
        self._deadline = deadline
        self._memory = memory or _Memory()

    def within(self, deadline: Deadline) -> CalendarDirectory:
        """The same calendars for one operation, as `CalendarBackend.within` says."""
        assigned = {slug: backend.within(deadline) for slug, backend in self._assigned.items()}
        return CalendarDirectory(self.folder, assigned, deadline, self._memory)

    def of(self, provider: str) -> CalendarBackend:
        """The backend of the provider with this slug."""
        folder = self.folder / (file_name(provider) or "unnamed")
        return self._assigned.get(provider) or FolderCalendars(folder, self._deadline)

    def passwords(self, provider: str) -> tuple[tuple[str, str | None], ...]:
        """The accounts of a provider in folders, each with its password if it has one."""
        backend = self.of(provider)
        return backend.passwords() if isinstance(backend, FolderCalendars) else ()

    def calendars(
        self, provider: str, login: Login, *, fresh: bool, used: Iterable[str] = ()
    ) -> tuple[CalendarRef, ...]:
        """The calendars of an account, the primary one first; raises `CalendarError`.

        Unless it must be `fresh`, what was seen a moment ago, an error too, is answered where asking costs much. Those
        that are `used` are asked for by themselves where the listing lacks them, and come last if they are there.
        """
        backend = self.of(provider)
        good_for = backend.look_again_after
        if good_for and not fresh:
            seen = self._memory.get((provider, login))
            if seen is not None and time.monotonic() - seen[0] < good_for:
                if isinstance(seen[1], CalendarError):
                    raise seen[1]
                return self._with_used(provider, login, seen[1], used)
        given = self._deadline
        had_time = given is None or 2 * given.left() > given.seconds
        try:
            found = backend.calendars(login)
        except CalendarError as error:
            # That no answer came at the end of an operation says little of the provider.
            if had_time or not isinstance(error, NoAnswerError):
                self._memory.put((provider, login), error)
            raise
        self._memory.put((provider, login), found)
        return self._with_used(provider, login, found, used)

    def _with_used(
        self, provider: str, login: Login, listed: tuple[CalendarRef, ...], used: Iterable[str]
    ) -> tuple[CalendarRef, ...]:
        ids = {calendar.id for calendar in listed}
        found = (self.of(provider).find_calendar(login, each) for each in dict.fromkeys(used) if each not in ids)
        return (*listed, *(calendar for calendar in found if calendar is not None))

    def close(self) -> None:
        """Let go of what the backends hold."""
        for backend in self._assigned.values():
            backend.close()
