"""What the client `caldav`, which shares no code with ours, finds on a server; each call is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sandbox_caldav.paper import EMAIL, PASSWORD

if TYPE_CHECKING:
    from tests.sandbox_caldav.real import RealServer

_PROGRAM = Path(__file__).with_name("witness_program.py")


@dataclass(frozen=True, slots=True)
class Witness:
    """The account as an independent client sees it; calendars are known by their names."""

    python: Path
    server: RealServer

    def calendars(self) -> list[str]:
        """The names of the calendars."""
        return self._ask("calendars")

    def events(self, calendar: str) -> list[str]:
        """The objects of a calendar."""
        return self._ask("events", calendar)

    def make_calendar(self, calendar: str) -> None:
        """Make a calendar."""
        self._ask("make-calendar", calendar)

    def add(self, calendar: str, content: str) -> None:
        """Write an object."""
        self._ask("add", calendar, content)

    def remove(self, calendar: str, uid: str) -> None:
        """Delete the object with this UID."""
        self._ask("remove", calendar, uid)

    def remove_calendar(self, calendar: str) -> None:
        """Delete a calendar."""
        self._ask("remove-calendar", calendar)

    def _ask(self, *words: str) -> list[str]:
        authority = "" if self.server.authority is None else str(self.server.authority)
        command = [str(self.python), str(_PROGRAM), self.server.url, EMAIL, authority, *words]
        done = subprocess.run(
            command,
            env={**os.environ, "WITNESS_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answer: list[str] = json.loads(done.stdout)
        return answer
