"""What the client `caldav`, which shares no code with ours, finds on a server; it has a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.caldav.paper import EMAIL, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.caldav.real import RealServer

_PROGRAM = Path(__file__).with_name("witness_program.py")
_SECONDS = 120.0
"""After which the program, which answers within moments, hangs."""


class Client:
    """The process; it signs in anew for each question."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, server: RealServer, word: str, *about: str) -> list[str]:
        """The answer to a question."""
        authority = "" if server.authority is None else str(server.authority)
        question = {"url": server.url, "login": EMAIL, "password": PASSWORD, "authority": authority}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({**question, "word": word, "about": about}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, f"the witness has ended at {word} {about}; see its errors above"
        answer: list[str] = json.loads(line)
        return answer


@contextmanager
def client(python: Path) -> Iterator[Client]:
    """The client, until the block is over."""
    environment = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
    with subprocess.Popen(
        [str(python), str(_PROGRAM)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Client(process)
            process.communicate(timeout=_SECONDS)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Witness:
    """The account as an independent client sees it; calendars are known by their names."""

    client: Client
    server: RealServer

    def calendars(self) -> list[str]:
        """The names of the calendars."""
        return self.client.ask(self.server, "calendars")

    def events(self, calendar: str) -> list[str]:
        """The objects of a calendar."""
        return self.client.ask(self.server, "events", calendar)

    def make_calendar(self, calendar: str) -> None:
        """Make a calendar."""
        self.client.ask(self.server, "make-calendar", calendar)

    def add(self, calendar: str, content: str) -> None:
        """Write an object."""
        self.client.ask(self.server, "add", calendar, content)

    def remove(self, calendar: str, uid: str) -> None:
        """Delete the object with this UID."""
        self.client.ask(self.server, "remove", calendar, uid)

    def clear(self, kept: Iterable[str]) -> None:
        """Delete all calendars but these."""
        self.client.ask(self.server, "clear", *kept)

    def remove_calendar(self, calendar: str) -> None:
        """Delete a calendar."""
        self.client.ask(self.server, "remove-calendar", calendar)
