"""Whose a schedule is; when that changes, the service disconnects the schedule's connections ("What writes do")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.contract import Status
from reconciler.sandbox.exports.export_sync import settle

if TYPE_CHECKING:
    from reconciler.sandbox.site_context import Desk


def set_owner(desk: Desk, schedule_id: str, owner_id: str, owner_name: str | None) -> int:
    """Give a schedule another owner; answers how many connections that disconnected.

    What was exported over them is taken back. For the owner that it has already only a name that is given is new.
    """
    schedule = records.schedule(desk.database, desk.site_id, schedule_id)
    changes = schedule.owner_id != owner_id
    standing = [
        connection
        for connection in records.connections(desk.database, desk.site_id)
        if connection.schedule.id == schedule_id and connection.status != Status.DISCONNECTED and changes
    ]
    with desk.session.writing():
        desk.database.execute(
            "UPDATE schedule SET owner_id = ?, owner_name = ? WHERE site_id = ? AND id = ?",
            (owner_id, owner_name or (None if changes else schedule.owner_name), desk.site_id, schedule_id),
        )
        desk.database.executemany(
            "UPDATE connection SET status = ?, error_reason = NULL WHERE seq = ?",
            [(Status.DISCONNECTED, connection.seq) for connection in standing],
        )
    for connection in standing:
        settle(desk, records.connection(desk.database, desk.site_id, connection.id), prepare=False)
    return len(standing)
