"""What the connections were a moment ago, for reads that are to be stale."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from reconciler.sandbox.store import Store

    Rows = tuple[sqlite3.Row, ...]

_MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class _Sample:
    since: float
    rows: Rows


class History:
    """The table of connections, all sites', as it was in the last `seconds`; safe to use from several threads.

    It learns of a write when it observes the table: behind every write of the API, and in front of every request, which
    catches what the consent page and other programs wrote. The first observation is taken for what always was.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: list[_Sample] = []
        self._tokens: OrderedDict[str, float] = OrderedDict()

    def observe(self, store: Store, token: str | None = None) -> None:
        """Look at the table as it is now, behind the write whose consistency token is `token` where one is given."""
        # Read under the lock, so that a later sample never holds older rows.
        with self._lock, store.transaction(write=False) as database:
            rows = tuple(database.execute("SELECT * FROM connection ORDER BY seq"))
            now = self._clock()
            if not self._samples or self._samples[-1].rows != rows:
                self._samples.append(_Sample(now, rows))
            while len(self._samples) > 1 and self._samples[1].since <= now - self._seconds:
                del self._samples[0]
            if token is not None:
                self._tokens[token] = now
                if len(self._tokens) > _MAX_TOKENS:
                    self._tokens.popitem(last=False)

    def forget(self) -> None:
        """Let the next observation be taken for what always was."""
        with self._lock:
            self._samples.clear()

    def rows(self, seconds: float, token: str | None) -> Rows | None:
        """The rows of `seconds` ago, or of the write with the consistency token `token` where that came later.

        None where nothing was written since, or nothing is known yet.
        """
        with self._lock:
            moment = max(self._clock() - seconds, self._tokens.get(token or "", float("-inf")))
            known = [each for index, each in enumerate(self._samples) if index == 0 or each.since <= moment]
            return known[-1].rows if known and known[-1] is not self._samples[-1] else None
