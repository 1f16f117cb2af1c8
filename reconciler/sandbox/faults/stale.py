"""ListConnections and GetConnection on rows of a moment ago.

Such an answer only repeats what was known then. It neither looks at the accounts nor exports anything: what is long
over must not be acted on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.connection_view import connection_json
from reconciler.sandbox.methods.connections import addressed, answer
from reconciler.sandbox.methods.providers import refuse_failed
from reconciler.sandbox.operations import Operation

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call
    from reconciler.sandbox.faults.history import Rows


def stale_answer(call: Call, operation: Operation, rows: Rows) -> dict[str, object]:
    """What `operation`, one of the two, answers where `rows` are all connections that there are."""
    _put_in_place(call.database, rows)
    if operation is Operation.LIST_CONNECTIONS:
        return _list(call)
    return answer(call, addressed(call).id)


def _list(call: Call) -> dict[str, object]:
    schedule_ids = call.query.guids("scheduleIds")
    partial = call.query.boolean("partialFailure") or False
    call.query.check()
    failed = [provider.id for provider in records.providers(call.database, call.site.id) if provider.down]
    if not partial:
        refuse_failed(call, failed)
    return {
        "connections": [
            connection_json(call, connection)
            for connection in records.connections(call.database, call.site.id)
            if (not schedule_ids or connection.schedule.id in schedule_ids) and connection.provider.id not in failed
        ],
        "failedProviderIds": failed,
    }


def _put_in_place(database: sqlite3.Connection, rows: Rows) -> None:
    """Let `connection` mean the rows for the rest of the session: SQLite finds a temporary table first.

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
