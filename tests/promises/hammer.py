"""A process that asks a service as fast as it may: `python -m tests.promises.hammer URL STATE_FOLDER CALLS`.

It prints the moment of each turn that it gets, by the clock that all processes of a machine share.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from reconciler.api.session import SessionLimits, SiteSession
from reconciler.machine import FileLedger, Machine
from reconciler.model.traffic import Rate
from tests.support.builders.api import SITE_ID, key_site, secrets

RATE = Rate(5, 0.8)


class TellingLedger(FileLedger):
    """A ledger that prints when a request was let through, since how long it is on its way says how busy all are."""

    def take(self, clock: Callable[[], float], requests: int, seconds: float) -> float:
        """As the ledger does it."""
        moments: list[float] = []

        def noted() -> float:
            moments.append(clock())
            return moments[-1]

        wait = super().take(noted, requests, seconds)
        if wait == 0:
            sys.stdout.write(f"{moments[-1]!r}\n")
            sys.stdout.flush()
        return wait


async def hammer(url: str, state: str, calls: int) -> None:
    """Call as often as said, all at once."""
    place = Machine(Path(state), url).site(SITE_ID)
    ledger = TellingLedger(place.path / "requests", place.make)
    session = SiteSession(key_site(), endpoint=url, secrets=secrets(), limits=SessionLimits(rate=RATE), ledger=ledger)
    async with session:
        await asyncio.gather(*(session.reader().list_connections() for _ in range(calls)))


if __name__ == "__main__":
    asyncio.run(hammer(sys.argv[1], sys.argv[2], int(sys.argv[3])))
