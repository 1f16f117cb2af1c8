"""The port on which figures and health can be read: a few pages, GET and HEAD, and nothing that can be changed.

One request a connection, heads bounded in size and time, a thread each, and not many of those.
"""

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from reconciler.consent.head import Head, TooLongError
from reconciler.errors import ExtcalError
from reconciler.watching.host import Address, is_loopback, refusal
from reconciler.watching.readiness import ProbeResult

TEXT = "text/plain; charset=utf-8"
_MOST_AT_ONCE = 16
_WRITE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class MonitoringPage:
    """What is answered."""

    body: bytes
    content_type: str = TEXT
    status: HTTPStatus = HTTPStatus.OK

    @classmethod
    def of(cls, verdict: ProbeResult) -> "MonitoringPage":
        """The answer to a probe."""
        status = HTTPStatus.OK if verdict.yes else HTTPStatus.SERVICE_UNAVAILABLE
        return cls(f"{verdict.why}\n".encode(), status=status)


MonitoringPages = Mapping[str, Callable[[], MonitoringPage]]
"""What makes the page of a path; it is called in another thread."""


@contextmanager
def serving(address: Address, pages: MonitoringPages) -> Iterator[Address]:
    """Serve for the length of the block, in threads; yields where, and raises ExtcalError where that can't be."""
    try:
        server = _Server(address, pages)
    except OSError as error:
        why = error.strerror or error
        raise ExtcalError(f"can't listen on {address}: {why}; name another address: --listen HOST:PORT") from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="extcal-watch")
    thread.start()
    try:
        yield server.at
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: Address, pages: MonitoringPages) -> None:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        self.pages = pages
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((address.host, address.port), _Handler)
        self.at = Address(address.host, self.server_port)
        self.on_loopback = is_loopback(self.server_name)

    def server_bind(self) -> None:
        """Bind, without the look-up of our own name that the library makes, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve it in a thread of its own, where there is room."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve it, then make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # type: ignore[mutable-override] # only that server makes it
    # What can't be read is answered with a status all the same.
    default_request_version = request_version = "HTTP/1.0"
    command = ""

    def setup(self) -> None:
        """Read the head through the bounds."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(Head(self.connection))

    def handle(self) -> None:
        """Answer one request."""
        with contextlib.suppress(OSError):
            try:
                self.handle_one_request()
            except TooLongError:
                self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives it
        """Write nothing: probes come every few seconds."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in a line that repeats nothing of the request."""
        del message, explain
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        status = HTTPStatus(code)
        self._show(MonitoringPage(f"{status.phrase}\n".encode(), TEXT, status))

    def do_GET(self) -> None:
        """Show a page to whoever means this server."""
        make, at, refused = self.server.pages.get(self.path.partition("?")[0]), self.server.at, None
        if self.server.on_loopback:
            refused = refusal(self.headers.get_all("host", []), self.request_version, at)
        if refused is HTTPStatus.MISDIRECTED_REQUEST:
            self._show(MonitoringPage(f"{refused.phrase}: ask for {at}\n".encode(), status=refused))
        elif refused is not None:
            self.send_error(refused)
        elif make is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._show(make())

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def _show(self, page: MonitoringPage) -> None:
        self.connection.settimeout(_WRITE_SECONDS)
        self.send_response_only(page.status)
        self.send_header("content-type", page.content_type)
        self.send_header("content-length", str(len(page.body)))
        self.send_header("cache-control", "no-store")
        self.send_header("x-content-type-options", "nosniff")
        if page.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("allow", "GET, HEAD")
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)
