"""Answers ListConnections and GetConnection from rows of a moment ago, kept in a history.

Such an answer only repeats what was known then. It neither checks the accounts nor exports anything: what is long over
must not be acted on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import Operation
from reconciler.sandbox.methods.access import addressed
from reconciler.sandbox.methods.answers import answer, listing
from reconciler.sandbox.methods.connections import failed_providers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from reconciler.sandbox.context import Call
    from reconciler.sandbox.store import Store

    Rows = tuple[sqlite3.Row, ...]


_MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class _Sample:
    since: float
    rows: Rows


class History:
    """The table of connections, all sites', as it was in the last `seconds`.

    Safe to use from several threads.

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
        """Record the table as it is now, behind the write with the consistency token, if given."""
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
        """The rows of `seconds` ago, or of the write with this token where that is later.

        None where nothing was written since, or nothing is known yet.
        """
        with self._lock:
            moment = max(self._clock() - seconds, self._tokens.get(token or "", float("-inf")))
            known = [each for index, each in enumerate(self._samples) if index == 0 or each.since <= moment]
            return known[-1].rows if known and known[-1] is not self._samples[-1] else None


def stale_answer(call: Call, operation: Operation, rows: Rows) -> dict[str, object]:
    """What `operation`, one of the two, answers if `rows` are all connections."""
    _put_in_place(call.database, rows)
    if operation is Operation.LIST_CONNECTIONS:
        return listing(call, lambda: failed_providers(call, ()))
    return answer(call, addressed(call).id)


def _put_in_place(database: sqlite3.Connection, rows: Rows) -> None:
    """Let `connection` mean the rows from here on: SQLite finds a temporary table first.

    What hangs on schedules or providers that aren't any more is left out: another program may have replaced the world.
    """
    database.execute("CREATE TEMP TABLE connection AS SELECT * FROM main.connection WHERE 0")
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        database.executemany(f"INSERT INTO temp.connection VALUES ({marks})", [tuple(row) for row in rows])  # noqa: S608 -- placeholders only
    database.execute(
        "DELETE FROM temp.connection WHERE (site_id, schedule_id) NOT IN (SELECT site_id, id FROM schedule)"
        " OR (site_id, provider_id) NOT IN (SELECT site_id, id FROM provider)"
    )
