"""How much is done at once: a few actions of a site, on a few sites."""

import asyncio
from types import TracebackType

_PER_SITE = 4


class Slots:
    """The slots of one site, each to be held (`async with`) while an action of it is under way.

    While one of them is held, the site is at work and holds one of `at_work`, which all sites share.
    """

    def __init__(self, at_work: asyncio.Semaphore) -> None:
        self._free = asyncio.Semaphore(_PER_SITE)
        self._at_work = at_work
        self._beginning = asyncio.Lock()
        self._held = 0

    async def __aenter__(self) -> None:
        """Wait for a slot."""
        await self._free.acquire()
        try:
            async with self._beginning:
                if not self._held:
                    await self._at_work.acquire()
                self._held += 1
        except BaseException:
            self._free.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the slot back; the site rests when it was the last one."""
        self._held -= 1
        if not self._held:
            self._at_work.release()
        self._free.release()
