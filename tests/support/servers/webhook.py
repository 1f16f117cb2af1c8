"""A receiver of alerts on loopback: a real HTTP server that takes, refuses or keeps waiting."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.servers.http import Handler, served
from tests.support.timeouts import TIMEOUT


@dataclass(frozen=True)
class Received:
    """One alert: its title, its text, and whether something is bad or well (`failure`, `success`)."""

    title: str
    text: str
    kind: str


class Webhook:
    """What came, and how the next request is answered; `url` is what Apprise is to be given."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.asked = 0
        self.free = threading.Event()
        self.free.set()
        self._came: queue.Queue[Received] = queue.Queue()

    def next(self) -> Received:
        """Wait for the next alert that was taken."""
        return self._came.get(timeout=TIMEOUT)

    def all(self) -> list[Received]:
        """The alerts that were taken and not looked at."""
        found = []
        while not self._came.empty():
            found.append(self._came.get())
        return found

    def answer(self, body: bytes) -> int:
        """Take a request, or not; the status of the answer."""
        self.asked += 1
        self.free.wait(TIMEOUT)
        if self.status < 300:
            fields = json.loads(body)
            self._came.put(Received(fields["title"], fields["message"], fields["type"]))
        return self.status


@contextmanager
def webhook(path: str = "hook") -> Iterator[Webhook]:
    """A receiver that takes alerts, for the length of a block."""
    receiver = Webhook()

    class Hook(Handler):
        def respond(self) -> None:
            status = receiver.answer(self.content())
            self.send_response(status)
            if status in {301, 302, 307, 308}:
                self.send_header("Location", f"http://{self.headers['host']}/elsewhere")
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

    with served(Hook) as address:
        receiver.url = f"{address.replace('http', 'json', 1)}/{path}"
        try:
            yield receiver
        finally:
            receiver.free.set()
