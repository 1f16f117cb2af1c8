"""The frame of every HTTP server on loopback that a test writes: it says nothing, and clients may break off."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers requests of one connection after another; those who inherit it say how, in `respond`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """As http.server does; a client that is gone is no error."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def respond(self) -> None:
        """Answer a request."""
        raise NotImplementedError

    def content(self) -> bytes:
        """What a request brings."""
        return self.rfile.read(int(self.headers.get("content-length", "0")))

    def do_GET(self) -> None:
        """Answer a request."""
        self.respond()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_CONNECT = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server that runs for the length of a block; what it was asked is answered when that is over."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
