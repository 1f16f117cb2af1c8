"""A headless Chromium, driven through a pipe by the Chrome DevTools Protocol."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from os import close, pipe
from pathlib import Path
from typing import cast

from tests.support.tools import CHROMIUM

Json = dict[str, object]

# The browser reads commands from descriptor 3 and writes to 4.
_ON_3_AND_4 = (
    "import fcntl, os, sys; i, o = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]); "
    "os.dup2(i, 3); os.dup2(o, 4); os.execv(sys.argv[3], sys.argv[3:])"
)
# Root, as CI jobs in containers are, gets no browser without --no-sandbox; the pages are our own.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
_SECONDS_TO_END = 120.0


@dataclass
class Browser:
    """One page of a running browser; `events` holds what it has told of."""

    _commands: FileIO
    _answers: BufferedReader
    _number: int = 0
    _session: str | None = None
    events: list[Json] = field(default_factory=list)

    def send(self, method: str, **params: object) -> Json:
        """A command's answer; raises RuntimeError where the browser refuses it."""
        self._number += 1
        message: Json = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return cast("Json", answer["result"])
            self.events.append(answer)

    def attach(self) -> None:
        """Open a page and listen to what it asks of the network, logs and throws."""
        opened = self.send("Target.createTarget", url="about:blank")
        self._session = str(self.send("Target.attachToTarget", targetId=opened["targetId"], flatten=True)["sessionId"])
        for domain in ("Page", "Network", "Runtime", "Log", "Performance"):
            self.send(f"{domain}.enable")

    def show(self, page: Path, *, width: int = 1280, scheme: str = "light") -> None:
        """Load a file at this width, in this colour scheme, and wait until it is there."""
        self.events.clear()
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media="", features=features)
        self.send("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def value(self, expression: str) -> object:
        """What a JavaScript expression comes to in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return cast("Json", answer["result"]).get("value")

    def count(self, name: str) -> int:
        """How often the page has done something so far, by the name of one of the browser's metrics."""
        metrics = cast("list[Json]", self.send("Performance.getMetrics")["metrics"])
        return next(int(cast("float", metric["value"])) for metric in metrics if metric["name"] == name)

    def close(self) -> None:
        """Let the browser end by itself, so that it clears its folders."""
        self._session = None
        self.send("Browser.close")

    def told(self, method: str) -> list[Json]:
        """The events of one kind."""
        return [cast("Json", event["params"]) for event in self.events if event.get("method") == method]

    def _read(self) -> Json:
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("the browser has ended")
            message += byte
        return cast("Json", json.loads(message))


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with an empty profile in `folder`; it has ended when the block is left."""
    read_commands, write_commands = pipe()
    read_answers, write_answers = pipe()
    shim = [sys.executable, "-c", _ON_3_AND_4, str(read_commands), str(write_answers)]
    command = [*shim, str(CHROMIUM), *_FLAGS, f"--user-data-dir={folder}"]
    given, quiet = (read_commands, write_answers), subprocess.DEVNULL
    with (
        FileIO(write_commands, "w") as commands,
        open(read_answers, "rb") as answers,  # noqa: PTH123 - a descriptor, no path
        subprocess.Popen(command, pass_fds=given, stdout=quiet, stderr=quiet) as process,
    ):
        for descriptor in given:
            close(descriptor)
        found = Browser(commands, answers)
        try:
            found.attach()
            yield found
            found.close()
            process.wait(_SECONDS_TO_END)
        finally:
            process.kill()
