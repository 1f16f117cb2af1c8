"""Holds the faults that a running sandbox injects, and ends their delays when it stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.sandbox.faults.selection import Injection

if TYPE_CHECKING:
    from reconciler.sandbox.faults.model import Faults


class Injector:
    """Shared by the sandbox's owner, in whatever thread, and its event loop.

    `injection` is None while nothing goes wrong; `entries` tells how many entries there are.
    """

    def __init__(self, faults: Faults | None) -> None:
        self.entries = 0
        self.injection: Injection | None = None
        self._stopping = False
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.inject(faults)

    def inject(self, faults: Faults | None) -> None:
        """Put `faults` in the place of what was injected; requests under way keep what they got."""
        self.entries = 0 if faults is None else len(faults.entries)
        self.injection = None if faults is None or not faults.entries else Injection(faults)

    def forget(self) -> None:
        """Let stale reads know nothing of what was before."""
        injection = self.injection
        if injection is not None and injection.history is not None:
            injection.history.forget()

    async def pause(self, seconds: float) -> None:
        """Wait; not any longer than the sandbox serves."""
        # In this order, as `stop` has it the other way round: one of the two sees the other.
        self._loop = asyncio.get_running_loop()
        if seconds > 0 and not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    def stop(self) -> None:
        """End all waiting, from any thread."""
        self._stopping = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._stopped.set)
