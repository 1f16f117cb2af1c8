"""A server of paper and a backend that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.exchange import Bounds
from reconciler.sandbox.calendars.protocol import Login
from tests.support.caldav.paper import CALENDAR, EMAIL, PASSWORD, Paper, event
from tests.support.caldav.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.calendars.protocol import CalendarContents

LOGIN = Login(EMAIL, PASSWORD)
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
PATIENT = Bounds(connect=120.0, silence=120.0, search=120.0, whole=120.0)
"""Bounds within which a server of paper answers on any machine; what is about time has shorter ones of its own."""


@dataclass(slots=True)
class CalDavStub:
    """A server of paper, what runs it, and a backend that asks it."""

    paper: Paper
    script: Scripted
    backend: CalDavBackend

    def read(self) -> dict[str, bytes]:
        """The contents of the calendar by name, as the backend reads them in March 2026."""
        return {found.name: found.content for found in self.reading().objects}

    def reading(self) -> CalendarContents:
        """What the backend reads of the calendar in March 2026."""
        return self.backend.read(LOGIN, CALENDAR, START, END)

    def warm_up(self) -> None:
        """Read until the backend knows the calendar and how to follow it."""
        self.read()
        self.read()

    def asked_for(self, read: Callable[[], object]) -> list[str]:
        """What the server is asked while `read` runs."""
        self.paper.calls.clear()
        read()
        return list(self.paper.calls)


def fill(stub: CalDavStub, count: int = 3) -> None:
    """Put some events into the calendar."""
    for number in range(count):
        stub.paper.put(f"e{number}.ics", event(f"e{number}"))
