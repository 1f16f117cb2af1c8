"""The callback server on loopback, to which owners' browsers are sent back from the provider's consent page.

One request a connection, GET and HEAD only, heads bounded in size and time, a thread each, and not many of those.
It answers to no other name than its own address, so that no web page can reach it under a name that it has made
point here.
"""

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from reconciler.consent.head import Head, TooLongError
from reconciler.consent.layout import HtmlPage
from reconciler.consent.pages import (
    checking_page,
    not_found_page,
    result_page,
    stale_page,
    status_page,
    unreadable_page,
)
from reconciler.consent.pending import PendingConsent, PendingConsents, StaleCallback
from reconciler.errors import ExtcalError
from reconciler.model.consent import Callback, ConsentRefusal

HOST = "127.0.0.1"
_MOST_AT_ONCE = 32
_WRITE_SECONDS = 10.0
_FAREWELL_SECONDS = 3.0
_LONGEST_ID = 4096
_MOST_FIELDS = 10
_REFUSALS = {refusal.value: refusal for refusal in ConsentRefusal}


@contextmanager
def serve_callbacks(page_timeout: float = 60.0, redact: Callable[[str], str] = str) -> Iterator[PendingConsents]:
    """Serve callbacks on a free loopback port for the length of the block; raises ExtcalError where that can't be.

    A browser waits for its result for at most `page_timeout` seconds. `redact` takes secrets out of each page.
    """
    try:
        server = _CallbackServer(page_timeout, redact)
    except OSError as error:
        raise ExtcalError(
            f"can't listen on {HOST} for owners to come back: {error.strerror}; use --consent link"
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="extcal-consent")
    thread.start()
    try:
        yield server.pending
    finally:
        server.wait_for_pages()
        server.shutdown()
        thread.join()
        server.server_close()


class _CallbackServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, page_timeout: float, redact: Callable[[str], str]) -> None:
        super().__init__((HOST, 0), _CallbackHandler)
        self.redact = redact
        self.page_timeout = page_timeout
        self.authority = f"{HOST}:{self.server_port}"
        self.pending = PendingConsents(f"http://{self.authority}")
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._showing = 0
        self._shown = threading.Condition()

    @contextmanager
    def showing(self) -> Iterator[None]:
        """While a page is on its way to an owner."""
        with self._shown:
            self._showing += 1
        try:
            yield
        finally:
            with self._shown:
                self._showing -= 1
                self._shown.notify_all()

    def wait_for_pages(self) -> None:
        """Let the pages that are on their way arrive, for a moment: the command may end right after a result."""
        with self._shown:
            self._shown.wait_for(lambda: not self._showing, _FAREWELL_SECONDS)

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
        """A client that went away is no news, and nothing of a request may reach a log."""


class _CallbackHandler(BaseHTTPRequestHandler):
    server: _CallbackServer  # type: ignore[mutable-override] # only that server makes it
    command = ""
    request_version = "HTTP/1.0"

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
        """Write nothing: a request's path is as good as a key."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse with a page that repeats nothing of the request."""
        del message, explain
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self._show(status_page(HTTPStatus(code)))

    def do_HEAD(self) -> None:
        """Looking answers nothing: nonces are not used up by it."""
        self._show(not_found_page() if self._pending() is None else status_page(HTTPStatus.OK))

    def do_GET(self) -> None:
        """Show the page that follows from the callback."""
        with self.server.showing():
            pending, timeout = self._pending(), self.server.page_timeout
            self._show(not_found_page() if pending is None else _answer(pending, urlsplit(self.path).query, timeout))

    def _pending(self) -> PendingConsent | None:
        """The pending consent whose callback address was asked for, under the server's own name."""
        if self.headers.get_all("host", []) != [self.server.authority]:
            return None
        try:
            nonce = urlsplit(self.path).path.removeprefix("/")
        except ValueError:
            return None
        return self.server.pending.find(nonce)

    def _show(self, page: HtmlPage) -> None:
        body = self.server.redact(page.html).encode()
        self.connection.settimeout(_WRITE_SECONDS)
        self.send_response_only(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _answer(pending: PendingConsent, query: str, page_timeout: float) -> HtmlPage:
    """The page for a browser at a callback address; waits for the result of its callback."""
    callback = _callback(query)
    if callback is None:
        return unreadable_page()
    agreed = callback.connection_id is not None
    result = pending.deliver(callback)
    if isinstance(result, StaleCallback):
        return stale_page(result, agreed=agreed)
    try:
        return result_page(result.result(page_timeout), pending.action)
    except CancelledError:
        return stale_page(StaleCallback.LATE, agreed=agreed)
    except TimeoutError:
        return checking_page()


def _callback(query: str) -> Callback | None:
    """What a browser says: exactly one of `connectionId` and `error`; None where it can't be read."""
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    ids, errors = fields.get("connectionId", []), fields.get("error", [])
    match ids, errors:
        case [connection_id], [] if 0 < len(connection_id) <= _LONGEST_ID and connection_id.isprintable():
            return Callback(connection_id)
        case [], [error]:
            # A reason that is not known yet is an internal one: new values may appear.
            return Callback(_REFUSALS.get(error, ConsentRefusal.INTERNAL))
        case _:
            return None
