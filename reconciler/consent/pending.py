"""The owners who are waited for, each behind an address that nobody can guess; shared by the loop and the listener."""

import asyncio
import hmac
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum

from reconciler.model.consent import Callback, Finding, Verdict
from reconciler.model.plan import Action

_NONCE_BYTES = 32


class _State(Enum):
    WAITING = "waiting"
    CHECKING = "checking"
    ANSWERED = "answered"
    OVER = "over"


class Turned(Enum):
    """Why a browser that came to a true address is turned away."""

    USED = "used"
    LATE = "late"


class Visit:
    """One owner who is waited for, until their browser has brought a true answer or nobody waits any longer."""

    def __init__(self, action: Action, base: str) -> None:
        self.action = action
        self._nonce = secrets.token_urlsafe(_NONCE_BYTES)
        self.redirect_url = f"{base}/{self._nonce}"
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[Callback] = asyncio.Queue()
        self._lock = threading.Lock()
        self._state = _State.WAITING
        self._verdict: Future[Verdict] = Future()

    async def arrival(self) -> Callback:
        """Wait for what a browser brings."""
        return await self._arrived.get()

    def tell(self, verdict: Verdict) -> None:
        """Show it to the browser that came. After a foreign callback the true one may still come."""
        with self._lock:
            told = self._verdict
            if verdict.finding is Finding.FOREIGN:
                self._state, self._verdict = _State.WAITING, Future()
            else:
                self._state = _State.ANSWERED
        told.set_result(verdict)

    def is_at(self, nonce: str) -> bool:
        """Whether `nonce` is this visit's; takes as long whatever it is."""
        return hmac.compare_digest(self._nonce.encode(), nonce.encode())

    def bring(self, callback: Callback) -> Future[Verdict] | Turned:
        """From the listener's threads: hand over what a browser brought; the verdict comes later, once."""
        with self._lock:
            if self._state is _State.OVER:
                return Turned.LATE
            if self._state is not _State.WAITING:
                return Turned.USED
            self._state = _State.CHECKING
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, callback)
            return self._verdict

    def end(self) -> None:
        """Nobody waits any longer; a browser that was about to be told is told no more."""
        with self._lock:
            if self._state is not _State.ANSWERED:
                self._state = _State.OVER
                self._verdict.cancel()


class Visits:
    """All visits of a run; `base` is the listener's origin. Those that are over are still known, to say so."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._all: list[Visit] = []

    @contextmanager
    def expect(self, action: Action) -> Iterator[Visit]:
        """Wait for an action's owner until the block ends; from the event loop."""
        visit = Visit(action, self._base)
        self._all.append(visit)
        try:
            yield visit
        finally:
            visit.end()

    def at(self, nonce: str) -> Visit | None:
        """The visit with that nonce."""
        found = [visit for visit in tuple(self._all) if visit.is_at(nonce)]
        return found[0] if found else None
