"""Serves callbacks on loopback: owners' browsers are sent here from the consent page.

It answers to no other name than its own address, so that no web page can reach it under a name that it has made
point here.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from reconciler.consent.pages import (
    HtmlPage,
    checking_page,
    not_found_page,
    result_page,
    stale_page,
    status_page,
    unreadable_page,
)
from reconciler.consent.pending import PendingConsent, PendingConsents, StaleCallback
from reconciler.errors import ExtcalError
from reconciler.http_server import BoundedHandler, BoundedServer, in_thread
from reconciler.model.consent import Callback, ConsentRefusal

HOST = "127.0.0.1"
_FAREWELL_SECONDS = 3.0
_LONGEST_ID = 4096
_MOST_FIELDS = 10
_REFUSALS = {refusal.value: refusal for refusal in ConsentRefusal}


@contextmanager
def serve_callbacks(page_timeout: float = 60.0, redact: Callable[[str], str] = str) -> Iterator[PendingConsents]:
    """Serve callbacks on a free loopback port for the length of the block.

    Raises ExtcalError where that can't be.

    A browser waits for its result for at most `page_timeout` seconds. `redact` takes secrets out of each page.
    """
    try:
        server = _CallbackServer(page_timeout, redact)
    except OSError as error:
        why = f"can't listen on {HOST} for callbacks: {error.strerror}; use --consent poll or link"
        raise ExtcalError(why) from error
    with in_thread(server, "extcal-consent"):
        try:
            yield server.pending
        finally:
            server.wait_for_pages()


class _CallbackServer(BoundedServer):
    def __init__(self, page_timeout: float, redact: Callable[[str], str]) -> None:
        super().__init__((HOST, 0), _CallbackHandler)
        self.redact = redact
        self.page_timeout = page_timeout
        self.authority = f"{HOST}:{self.server_port}"
        self.pending = PendingConsents(f"http://{self.authority}")
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
        """Let the pages that are on their way arrive, for a moment.

        The command may end right after a result.
        """
        with self._shown:
            self._shown.wait_for(lambda: not self._showing, _FAREWELL_SECONDS)


class _CallbackHandler(BoundedHandler):
    server: _CallbackServer  # type: ignore[mutable-override] # only that server makes it

    def refuse(self, status: HTTPStatus) -> None:
        """Refuse with a page that is only the status."""
        self._show(status_page(status))

    def head(self) -> None:
        """Looking answers nothing: nonces are not used up by it."""
        self._show(not_found_page() if self._pending() is None else status_page(HTTPStatus.OK))

    def get(self) -> None:
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
        self.answer(page.status, page.headers, self.server.redact(page.html).encode())


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
    """Read a callback: exactly one of `connectionId` and `error`; None where that can't be."""
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
