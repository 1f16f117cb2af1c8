"""A practice whose Apple accounts are in a drawer of ours: its sandbox, its API, and the site's side of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.local import LocalSandbox, opened
from reconciler.sandbox.server import running
from tests.sandbox_caldav.drawer import Drawer
from tests.support.caldav.paper import EMAIL, PASSWORD
from tests.support.caldav.scripted import scripted
from tests.support.sandbox.api import UNHURRIED, Api, client
from tests.support.sandbox.clock import NOON, Clock
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.caldav.scripted import Scripted

OURS = "Harbor Dental"
"""The calendar that the sandbox makes."""


@dataclass(slots=True)
class Office:
    """The server, and both sides of the sandbox."""

    drawer: Drawer
    script: Scripted
    api: Api
    site: LocalSandbox
    data: Path
    config: Path

    def connect(self) -> str:
        """Connect Dr. Lee's account; answers the connection's id."""
        return str(self.api.connect(email=EMAIL, password=PASSWORD)["id"])

    def export(self) -> str:
        """Connect it and export to a calendar of its own."""
        connection_id = self.connect()
        wanted = {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}}
        answer = self.api.update(connection_id, wanted)
        assert answer.status_code == 200, answer.text
        return connection_id

    def add(self, title: str, hours: int = 1) -> str:
        """An event some hours after noon; its id."""
        start = NOON + timedelta(hours=hours)
        return self.site.add_event("Dr. Lee", title, start, start + timedelta(minutes=30))

    def move(self, event_id: str, hours: int) -> None:
        """Move an event to some hours after noon."""
        start = NOON + timedelta(hours=hours)
        self.site.move_event(event_id, start, start + timedelta(minutes=30))

    def titles(self) -> list[str]:
        """What the calendar of ours holds, by title."""
        lines = [line for content in self.drawer.calendar(OURS).values() for line in content.splitlines()]
        return sorted(line.removeprefix("SUMMARY:") for line in lines if line.startswith("SUMMARY:"))

    def look(self) -> list[dict[str, Any]]:
        """ListEvents, the occasion at which exports are tried again; the events that it answers."""
        span = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
        answer = self.api.get("/events", span | {"partialFailure": "true", "fieldsets": "OWN_PI"})
        found: list[dict[str, Any]] = answer.json().get("events", [])
        return found

    def pending(self) -> dict[str, list[tuple[bool, str]]]:
        """Which events wait, by title: whether to be taken back, and why."""
        listed = [(each.event.title, each.pending) for each in self.site.events()]
        return {title: [(each.removal, each.reason) for each in waits] for title, waits in listed if waits}

    def states(self) -> list[tuple[str, str | None]]:
        """The connections' statuses and reasons."""
        return [(each["status"], each.get("errorReason")) for each in self.api.connections()]


@contextmanager
def office(data: Path) -> Iterator[Office]:
    """Run it for the length of the block."""
    data.mkdir()
    config = data / "sandbox.yaml"
    drawer = Drawer()
    with scripted(drawer) as script:
        config.write_text(f"apple: {{caldav: {{url: '{script.url}'}}}}\n")
        with (
            running(data, config=config, settings=Settings(clock=Clock(), operation_seconds=TIMEOUT)) as sandbox,
            client(sandbox.endpoint, sandbox.api_key) as http,
            opened(data, config, UNHURRIED) as site,
        ):
            yield Office(drawer, script, Api(http), site, data, config)
