"""A small HTTP server for a few pages, which nobody who comes can tie up.

One request a connection, its head bounded in size and time, a thread each, and not many of those. What is refused is
refused with a page that repeats nothing of the request, and nothing of a request is written to any log.
"""

import contextlib
import io
import socket
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MOST_AT_ONCE = 32
_LONGEST_HEAD = 16 * 1024
HEAD_SECONDS = 10.0
_WRITE_SECONDS = 10.0


class BoundedServer(ThreadingHTTPServer):
    """Serves so many requests at a time and no more; who comes beyond that is turned away."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type["BoundedHandler"]) -> None:
        self._slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve it in a thread of its own, where there is a slot."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve it, then give the slot back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news, and nothing of a request may reach a log."""


@contextmanager
def in_thread(server: BoundedServer, name: str) -> Iterator[None]:
    """Run a server in a thread of that name for the length of the block, then close it."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name=name)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class BoundedHandler(BaseHTTPRequestHandler):
    """Answers one request; what a page is, its subclasses say."""

    # What can't be read is answered with a status all the same.
    default_request_version = request_version = "HTTP/1.0"
    command = ""

    @abstractmethod
    def refuse(self, status: HTTPStatus) -> None:
        """Answer with a page for a status that refuses the request."""

    @abstractmethod
    def get(self) -> None:
        """Answer a GET."""

    def head(self) -> None:
        """Answer a HEAD, as a GET is answered but for the body."""
        self.get()

    def do_GET(self) -> None:
        """Answer a GET."""
        self.get()

    def do_HEAD(self) -> None:
        """Answer a HEAD."""
        self.head()

    def setup(self) -> None:
        """Read the head through the bounds."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Head(self.connection))

    def handle(self) -> None:
        """Answer one request."""
        with contextlib.suppress(OSError):
            try:
                self.handle_one_request()
            except _TooLongError:
                self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives it
        """Write nothing: a request's path may be as good as a key."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the library refuses: a method that is not there is one that is not allowed."""
        del message, explain
        self.refuse(HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code))

    def answer(self, status: HTTPStatus, headers: Mapping[str, str], body: bytes) -> None:
        """Send a page and end the connection; no body for HEAD."""
        self.connection.settimeout(_WRITE_SECONDS)
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("allow", "GET, HEAD")
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _TooLongError(Exception):
    """A head larger than any browser's."""


class _Head(io.RawIOBase):
    """What a client sends, up to a size and a moment."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = _LONGEST_HEAD
        self._until = time.monotonic() + HEAD_SECONDS

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader hands over
        """Read some; raises TimeoutError after the moment, and _TooLongError beyond the size."""
        if self._left <= 0:
            raise _TooLongError
        self._connection.settimeout(max(0.001, self._until - time.monotonic()))
        count = self._connection.recv_into(buffer[: self._left])
        self._left -= count
        return count
