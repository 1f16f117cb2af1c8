"""A Dask scheduler and its workers on loopback, each a process that a test may kill."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

_OFF = {
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60s",
}


class Cluster:
    """The scheduler at `address`; `workers` are processes in the order in which they were started."""

    def __init__(self, folder: Path, address: str, environ: Mapping[str, str], preload: Sequence[str]) -> None:
        self.address = address
        self.workers: list[subprocess.Popen[bytes]] = []
        self.folder = folder
        self._environ = environ
        self._preload = preload

    def start_worker(self, *, threads: int = 1) -> subprocess.Popen[bytes]:
        """One more worker; it keeps its state folder to itself."""
        number = len(self.workers)
        environ = {**self._environ, "EXTCAL_STATE_DIR": str(self.folder / f"state-{number}")}
        args = ["--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        args += ["--name", f"worker-{number}", "--local-directory", str(self.folder / f"worker-{number}")]
        args += self._preload
        log = (self.folder / f"worker-{number}.log").open("wb")
        with log:
            command = [sys.executable, "-m", "dask", "worker", self.address, *args]
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=self.folder)
        self.workers.append(process)
        return process

    def replace(self) -> None:
        """Kill all workers and start as many others; those who wait for one are served once these are there."""
        lost = [number for number, process in enumerate(self.workers) if process.poll() is None]
        for _ in lost:
            self.start_worker(threads=2)
        for number in lost:
            self.workers[number].kill()
            self.workers[number].wait(TIMEOUT)
        for number in range(len(self.workers) - len(lost), len(self.workers)):
            _until_registered(self, number)

    def log(self, number: int) -> str:
        """What a worker has written."""
        return (self.folder / f"worker-{number}.log").read_text(encoding="utf-8")


@contextmanager
def cluster(
    folder: Path, environ: Mapping[str, str], *, workers: int, threads: int = 1, preload: Sequence[str] = ()
) -> Iterator[Cluster]:
    """A cluster for the length of the block; `environ` is added to what its workers see.

    The module `preload` is loaded by its scheduler and its workers before they begin: `--preload NAME`.
    """
    found = folder / "scheduler.json"
    places = {"PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(folder)}
    inherited = {**os.environ, **_OFF, **places}
    args = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(found), *preload]
    command = [sys.executable, "-m", "dask", "scheduler", *args]
    with (folder / "scheduler.log").open("wb") as log:
        scheduler = subprocess.Popen(command, env=inherited, stdout=log, stderr=log, cwd=folder)
    made: Cluster | None = None
    try:
        made = Cluster(folder, _address(found), {**inherited, **environ}, preload)
        for _ in range(workers):
            made.start_worker(threads=threads)
        for number in range(workers):
            _until_registered(made, number)
        yield made
    finally:
        for process in [*(made.workers if made is not None else ()), scheduler]:
            process.kill()
            process.wait(TIMEOUT)


def _address(found: Path) -> str:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if found.exists() and (text := found.read_text(encoding="utf-8")):
            return str(json.loads(text)["address"])
        time.sleep(0.05)
    raise TimeoutError(found)


def _until_registered(made: Cluster, number: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while "Registered to:" not in made.log(number):
        if time.monotonic() > deadline:
            raise TimeoutError(made.log(number))
        time.sleep(0.05)
