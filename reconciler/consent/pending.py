"""Keeps the pending consents of a run, which the event loop and the callback server share.

Each has a callback address that nobody can guess. Those that are over are still known, to say so.
"""

import asyncio
import hmac
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum

from reconciler.model.action import Action
from reconciler.model.consent import Callback, CallbackResult, CallbackStatus

_NONCE_BYTES = 32


class _State(Enum):
    WAITING = "waiting"
    CHECKING = "checking"
    ANSWERED = "answered"
    OVER = "over"


class StaleCallback(Enum):
    """Why a callback at a true address no longer counts."""

    USED = "used"
    LATE = "late"


class PendingConsent:
    """One consent that an owner was asked for.

    It is pending until a true callback has come, or the wait for it has ended.
    """

    def __init__(self, action: Action, base: str) -> None:
        self.action = action
        self._nonce = secrets.token_urlsafe(_NONCE_BYTES)
        self.redirect_url = f"{base}/{self._nonce}"
        self._loop = asyncio.get_running_loop()
        self._callbacks: asyncio.Queue[Callback] = asyncio.Queue()
        self._lock = threading.Lock()
        self._state = _State.WAITING
        self._result: Future[CallbackResult] = Future()

    async def receive(self) -> Callback:
        """Wait for a callback."""
        return await self._callbacks.get()

    def reply(self, result: CallbackResult) -> None:
        """Show the result to the browser that came; after a foreign one the true one may come."""
        with self._lock:
            shown = self._result
            if result.status is CallbackStatus.FOREIGN:
                self._state, self._result = _State.WAITING, Future()
            else:
                self._state = _State.ANSWERED
        shown.set_result(result)

    def has_nonce(self, nonce: str) -> bool:
        """Whether `nonce` is that of its callback address; takes as long whatever it is."""
        return hmac.compare_digest(self._nonce.encode(), nonce.encode())

    def deliver(self, callback: Callback) -> Future[CallbackResult] | StaleCallback:
        """From the server's threads: deliver a callback; its result comes later, once."""
        with self._lock:
            if self._state is _State.OVER:
                return StaleCallback.LATE
            if self._state is not _State.WAITING:
                return StaleCallback.USED
            self._state = _State.CHECKING
            self._loop.call_soon_threadsafe(self._callbacks.put_nowait, callback)
            return self._result

    def close(self) -> None:
        """End the wait; a browser that still waits for a result gets none."""
        with self._lock:
            if self._state is not _State.ANSWERED:
                self._state = _State.OVER
                self._result.cancel()


class PendingConsents:
    """All pending consents of a run; `base` is the server's origin.

    Those that are over are still known, to say so.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._all: list[PendingConsent] = []

    @contextmanager
    def open(self, action: Action) -> Iterator[PendingConsent]:
        """A pending consent for an action, until the block ends; from the event loop."""
        pending = PendingConsent(action, self._base)
        self._all.append(pending)
        try:
            yield pending
        finally:
            pending.close()

    def find(self, nonce: str) -> PendingConsent | None:
        """The pending consent with that nonce."""
        found = [pending for pending in tuple(self._all) if pending.has_nonce(nonce)]
        return found[0] if found else None
