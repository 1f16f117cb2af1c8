"""A process that asks a service as fast as it may: `python -m tests.promises.hammer URL STATE_FOLDER CALLS`."""

import asyncio
import sys
from pathlib import Path

from reconciler.api.limiter import Rate
from reconciler.api.session import Limits, SiteSession
from reconciler.machine import Machine
from tests.api.fakes import SITE_ID, key_site, secrets

RATE = Rate(5, 0.8)


async def hammer(url: str, state: str, calls: int) -> None:
    """Call as often as said, all at once."""
    ledger = Machine(Path(state), url).site(SITE_ID).ledger
    session = SiteSession(key_site(), endpoint=url, secrets=secrets(), limits=Limits(rate=RATE), ledger=ledger)
    async with session:
        await asyncio.gather(*(session.reader().list_providers() for _ in range(calls)))


if __name__ == "__main__":
    asyncio.run(hammer(sys.argv[1], sys.argv[2], int(sys.argv[3])))
