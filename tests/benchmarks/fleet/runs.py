"""Whole processes, measured by the system's own account of them, and the server that they talk to."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.fleet.worlds import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.fleet.worlds import Fleet, Live

ROOT = Path(__file__).parents[3]
# What is installed has its bytecode beside it, and the peers have: where this is set, a checkout is compiled each time.
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
_CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("EXTCAL_", "COVERAGE_")) and name != _UNCOMPILED
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command to measure: its words, the folder it runs in, and the exit codes that mean that all went well.

    `state` is the folder that extcal keeps its state in; without one it is its user's.
    """

    words: Sequence[str]
    folder: Path = ROOT
    fine: frozenset[int] = frozenset({0})
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took: seconds on the clock and of the processors, and its largest memory in MiB."""

    wall: float
    cpu: float
    peak: float
    requests: int = 0


class FailedError(Exception):
    """A measured command did not do what it was to do; the text holds what it said."""


def measured(command: Command, output: Path) -> Usage:
    """Run a command to its end; what it prints goes to the file `output`.

    The peak is the process's own as long as this one is smaller, since a child begins as a copy of its parent.
    """
    environment = _CLEAN | ENVIRONMENT | {"CHECKPOINT_DISABLE": "1"}
    if command.state is not None:
        environment["EXTCAL_STATE_DIR"] = str(command.state)
    with output.open("wb") as stream:
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(command.words), cwd=command.folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.fine:
        said = output.read_text(errors="replace")[-2000:]
        raise FailedError(f"{' '.join(command.words)} ended with {process.returncode}:\n{said}")
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20)


@dataclass(frozen=True, slots=True)
class Server:
    """The server of one fleet, which runs in a process of its own."""

    port: int

    @property
    def endpoint(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self, live: Live) -> None:
        """Lay the state anew, and count from zero."""
        self._ask("POST", f"/-/begin/{live.name}")

    def requests(self) -> tuple[int, int]:
        """How many requests came since, and how many of them for the site with the most."""
        total, most = self._ask("GET", "/-/count")
        return total, most

    def _ask(self, verb: str, path: str) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(verb, path)
            found: list[int] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


@contextmanager
def serving(fleet: Fleet, latency: float = 0.0) -> Iterator[Server]:
    """A server for a fleet, in the state in which it agrees with the manifests; it answers after `latency` seconds."""
    numbers = (fleet.connections, fleet.sites, int(fleet.by_credentials), latency)
    words = [sys.executable, "-m", "tests.benchmarks.fleet.server", *map(str, numbers)]
    with subprocess.Popen(words, cwd=ROOT, env=_CLEAN, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=120)


def installed(name: str) -> str:
    """The path of a command that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def words(*parts: object) -> tuple[str, ...]:
    """A command's words as text."""
    return tuple(map(str, parts))
