"""A watch in a process of its own: what it tells is read as it comes, and its port is asked."""

import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cli.command import Extcal
from tests.support.timeouts import TIMEOUT


class Watcher:
    """The process, and the lines that it has told so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.address = ""
        self._coming: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._coming.put(line.rstrip("\n"))
        self._coming.put(None)

    def until(self, text: str, patience: float = TIMEOUT) -> str:
        """Wait for a line that holds `text`, not longer than `patience` seconds for each line; the line."""
        while (line := self._coming.get(timeout=patience)) is not None:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}: {self.lines}")

    def ready(self) -> None:
        """Wait until it serves."""
        found = re.search(r"http://\S+", self.until("metrics and health on "))
        assert found is not None
        self.address = found[0]

    def get(self, path: str) -> httpx.Response:
        """What its port answers."""
        with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
            return client.get(self.address + path)

    def sample(self, name: str, **labels: str) -> float | None:
        """The value of one metric, None where there is none."""
        for family in text_string_to_metric_families(self.get("/metrics").text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    def hurry(self) -> None:
        """Ask for a round now."""
        self.process.send_signal(signal.SIGHUP)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, read what it still says, and wait; its exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended; its exit code."""
        code = self.process.wait(TIMEOUT)
        self._reader.join()
        while (line := self._coming.get(timeout=TIMEOUT)) is not None:
            self.lines.append(line)
        return code

    def close(self) -> None:
        """End it, however it is."""
        self.process.kill()
        self._reader.join()


@contextmanager
def watching(extcal: Extcal, *args: str) -> Iterator[Watcher]:
    """A watch of the folder `manifests` that begins a round when it is asked to, on a free port."""
    words = ("watch", "manifests", "--interval", "1h", "--listen", "127.0.0.1:0", *args)
    with extcal.started(*words) as process:
        watcher = Watcher(process)
        try:
            yield watcher
        finally:
            watcher.close()
