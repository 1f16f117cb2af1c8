"""A server on a loopback port that answers whatever a test wants, and remembers what it was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

XML = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; `headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `length` is what is said of the body's length; `raw`, where given, is sent in the place of it all."""

    status: int = 207
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": XML})
    length: int | None = None
    raw: Iterable[bytes] | None = None


@dataclass(slots=True)
class Scripted:
    """A running server: `asked` is what it was asked, oldest first; `answer` may be changed at any time."""

    answer: Callable[[Asked], Reply]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Its address, as a manifest of hosts would name it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{self.origin}/"


@contextmanager
def scripted(answer: Callable[[Asked], Reply]) -> Iterator[Scripted]:
    """Serve for the length of the block."""
    script = Scripted(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            script.asked.append(asked)
            self.close_connection = True
            try:
                self.write(script.answer(asked))
            except (BrokenPipeError, ConnectionResetError):
                return  # the client has had enough, which is what some tests are about

        def write(self, reply: Reply) -> None:
            if reply.raw is not None:
                for piece in reply.raw:
                    self.wfile.write(piece)
                return
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if reply.length is None else reply.length))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
            """Say nothing."""

    for method in ("GET", "PUT", "DELETE", "PROPFIND", "REPORT", "MKCALENDAR"):
        setattr(Handler, f"do_{method}", Handler.handle_any)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    script.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
