"""A proxy in front of the sandbox that takes its time, and counts the sites that are asked about at once."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.support.servers.http import Handler, served
from tests.support.timeouts import TIMEOUT

PAUSE = 0.02


@dataclass
class Traffic:
    """The proxy's address, and how many sites had a request under way at once: ever, and while writing.

    No request is answered before `least` sites have had one at once, so that it does not take a quick machine.
    """

    endpoint: str = ""
    most: int = 0
    most_writing: int = 0
    least: int = 1
    _active: Counter[str] = field(default_factory=Counter)
    _writing: Counter[str] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def forget(self, least: int) -> None:
        """Count from here, and wait for so many sites."""
        self.most = self.most_writing = 0
        self.least = least

    @contextmanager
    def passing(self, site: str, *, writes: bool) -> Iterator[None]:
        """A request about a site is under way."""
        counters = [self._active, self._writing] if writes else [self._active]
        with self._changed:
            for counter in counters:
                counter[site] += 1
            self.most = max(self.most, len(+self._active))
            self.most_writing = max(self.most_writing, len(+self._writing))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self.least, TIMEOUT)
        try:
            yield
        finally:
            with self._changed:
                for counter in counters:
                    counter[site] -= 1


@contextmanager
def proxy(endpoint: str) -> Iterator[Traffic]:
    """A running proxy to `endpoint`."""
    traffic = Traffic()
    with httpx.Client(base_url=endpoint, timeout=TIMEOUT) as client:

        class Script(Handler):
            def respond(self) -> None:
                body = self.content()
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                with traffic.passing(self.headers["wix-site-id"], writes=self.command != "GET"):
                    time.sleep(PAUSE)
                    answer = client.request(self.command, self.path, content=body, headers=headers)
                self.send_response(answer.status_code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

        with served(Script) as traffic.endpoint:
            yield traffic
