"""A real HTTP server on loopback that answers as a test's script says, and remembers what it was asked."""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar
from urllib.parse import parse_qsl

from tests.support.servers.http import Handler, served

_LONGEST = 120.0
"""Seconds after which a test that hangs is over."""


class Fate(Enum):
    """What becomes of an answer on its way."""

    WHOLE = "whole"
    RESET = "reset"  # the connection is reset before anything is answered
    CUT = "cut"  # the body breaks off half way


@dataclass(frozen=True)
class Reply:
    """One scripted answer, which begins once `held` is set, where it is given, and `delay` seconds have passed."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    held: threading.Event | None = None
    fate: Fate = Fate.WHOLE

    def raw(self) -> bytes:
        """The body's bytes: bytes as they are, everything else as JSON, None as nothing."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    verb: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body, parsed."""
        return json.loads(self.body)


class Scripted:
    """The script and the log; replies are given in order, and `otherwise` answers when none is left."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.otherwise: Callable[[], Reply] = lambda: Reply({"message": "the script has ended"}, 418)
        self.url = ""
        self._replies: deque[Reply] = deque()
        self._changed = threading.Condition()

    def script(self, *replies: Reply) -> None:
        """Answer the next requests with `replies`."""
        self._replies.extend(replies)

    def wait_until_asked(self, times: int) -> None:
        """Return once so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= times, _LONGEST)

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request, which is logged."""
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
            return self._replies.popleft() if self._replies else self.otherwise()


@contextmanager
def serving() -> Iterator[Scripted]:
    """A scripted server that runs for the length of a block."""
    scripted = Scripted()

    class Script(Handler):
        timeout: ClassVar[float | None] = _LONGEST

        def respond(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.content()
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = scripted.answer(Asked(self.command, path, tuple(parse_qsl(query)), headers, body))
            if reply.held is not None:
                reply.held.wait(_LONGEST)
            time.sleep(reply.delay)
            if reply.fate is Fate.RESET:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            raw = reply.raw()
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(raw)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.fate is Fate.CUT:
                self.close_connection = True
                raw = raw[: len(raw) // 2]
            self.wfile.write(raw)

    with served(Script) as scripted.url:
        yield scripted
