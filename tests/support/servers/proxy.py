"""A service in front of a sandbox that passes requests on as a test sees fit: late, or as others."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from tests.support.servers.http import Handler, served
from tests.support.timeouts import TIMEOUT

Passing = Callable[[str, str], tuple[str, str]]
"""Takes a request's method and path when it comes, and gives those that are passed on; it may take its time."""


def forgetful(method: str, path: str) -> tuple[str, str]:
    """Say yes to a new sync config and forget it."""
    return ("GET", path.removesuffix("/sync-config")) if method == "PATCH" else (method, path)


def as_it_is(content: bytes) -> bytes:
    """The content of an answer, unchanged."""
    return content


def without_disconnected(content: bytes) -> bytes:
    """The content of an answer, where it lists connections without those that are DISCONNECTED."""
    answer = json.loads(content)
    if "connections" not in answer:
        return content
    listed = [connection for connection in answer["connections"] if connection["status"] != "DISCONNECTED"]
    return json.dumps({**answer, "connections": listed}).encode()


def exporting(content: bytes) -> bytes:
    """The content of an answer, where it is about one connection as if that exported to a dedicated calendar."""
    answer = json.loads(content)
    if "connection" not in answer:
        return content
    sync = {**answer["connection"]["syncConfig"], "syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}}
    return json.dumps({**answer, "connection": {**answer["connection"], "syncConfig": sync}}).encode()


def nothing() -> None:
    """What is done between the service's answer and its passing on, where nothing is."""


class Held:
    """Connects that are kept from a service, but for the first, until they are let go; then no more are."""

    def __init__(self) -> None:
        self.reads_too = False
        self._connects = 0
        self._let_go = threading.Event()
        self._changed = threading.Condition()

    def __call__(self, method: str, path: str) -> tuple[str, str]:
        """Pass a request on, a connect or, if they are held too, a read, once it may go."""
        connects = path.endswith(":connectByCredentials")
        with self._changed:
            self._connects += connects
            first = connects and self._connects == 1
            self._changed.notify_all()
        if (connects and not first) or (self.reads_too and method == "GET"):
            self._let_go.wait(TIMEOUT)
        return method, path

    def until(self, count: int) -> None:
        """Wait until so many connects are held at once."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._connects > count, TIMEOUT)

    def let_go(self) -> None:
        """Hold nothing any longer."""
        self._let_go.set()


@contextmanager
def stand_in(
    endpoint: str,
    passing: Passing,
    answered: Callable[[], None] = nothing,
    shown: Callable[[bytes], bytes] = as_it_is,
) -> Iterator[str]:
    """The endpoint of a service that passes requests on to `endpoint`; `answered` is called before an answer is.

    `shown` gives what is passed on of an answer's content. What it has been asked has been answered when the block is
    over.
    """
    # A connection that is kept may have been closed on the other side meanwhile.
    with httpx.Client(trust_env=False, timeout=TIMEOUT, limits=httpx.Limits(max_keepalive_connections=0)) as client:

        class Script(Handler):
            def respond(self) -> None:
                body = self.content()
                method, path = passing(self.command, self.path)
                kept = {name: self.headers[name] for name in ("authorization", "wix-site-id") if name in self.headers}
                answer = client.request(method, endpoint + path, content=body, headers=kept)
                answered()
                content = shown(answer.content)
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(content)))
                if "retry-after" in answer.headers:
                    self.send_header("Retry-After", answer.headers["retry-after"])
                self.end_headers()
                self.wfile.write(content)

        with served(Script) as url:
            yield url
