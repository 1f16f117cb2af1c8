"""Makes a connection, once the account's owner has agreed by password or by consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.loading import new_connection_id
from reconciler.sandbox.sync_config import starting_config, to_stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reconciler.sandbox.calendars.protocol import CalendarRef, Login
    from reconciler.sandbox.records import ProviderRecord, ScheduleRecord


def connect(
    database: sqlite3.Connection,
    calendars: Sequence[CalendarRef],
    site_id: str,
    schedule: ScheduleRecord,
    provider: ProviderRecord,
    login: Login,
    now: float,
) -> str:
    """The id of the connection of an account, which has `calendars`, to `schedule`; in a transaction that writes.

    A connection of the three whose status is `ERROR` is healed in place: it keeps its id and its sync config, and a
    dedicated calendar that was lost will be made anew. Otherwise a new one is made, even where another stands already:
    connecting is not idempotent ("What writes do").
    """
    broken = database.execute(
        "SELECT id FROM connection WHERE site_id = ? AND schedule_id = ? AND provider_id = ? AND account_email = ?"
        " AND status = ? ORDER BY seq",
        (site_id, schedule.id, provider.id, login.email, Status.ERROR),
    ).fetchone()
    if broken is not None:
        database.execute(
            "UPDATE connection SET status = ?, error_reason = NULL, connected_at = ?, email_shown = 1, password = ?,"
            " dedicated_calendar = CASE error_reason WHEN ? THEN NULL ELSE dedicated_calendar END WHERE id = ?",
            (Status.CONNECTED, now, login.password, ErrorReason.EXTERNAL_CALENDAR_DELETED, broken["id"]),
        )
        return str(broken["id"])
    config = starting_config(
        provider.import_support,
        has_primary=provider.has_primary,
        calendar_ids=[calendar.id for calendar in calendars],
    )
    connection_id = new_connection_id()
    database.execute(
        "INSERT INTO connection (id, site_id, schedule_id, provider_id, account_email, password, email_shown, status,"
        " error_reason, connected_at, sync_config) VALUES (?, ?, ?, ?, ?, ?, 1, ?, NULL, ?, ?)",
        (
            connection_id,
            site_id,
            schedule.id,
            provider.id,
            login.email,
            login.password,
            Status.CONNECTED,
            now,
            to_stored(config),
        ),
    )
    return connection_id
