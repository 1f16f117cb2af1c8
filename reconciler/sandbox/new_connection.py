"""Makes a connection, once the account's owner has agreed by password or by consent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.behaviour.model import Reconnect, StartsWith
from reconciler.sandbox.contract import ImportSupport, Status
from reconciler.sandbox.health import lost_imports
from reconciler.sandbox.sync_config import SyncConfig, from_stored, starting_config, to_stored, widest_export
from reconciler.sandbox.unknown_fields import starting_fields
from reconciler.sandbox.world_loader import new_connection_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reconciler.sandbox.behaviour.model import Behaviour
    from reconciler.sandbox.calendars.protocol import CalendarRef, Login
    from reconciler.sandbox.records import ProviderRecord, ScheduleRecord


@dataclass(frozen=True, slots=True)
class ConnectTarget:
    """What an account is connected to, by whom (None: an owner's consent), and how the service behaves in that."""

    site_id: str
    schedule: ScheduleRecord
    provider: ProviderRecord
    connected_by: str | None
    behaviour: Behaviour


def connect(
    database: sqlite3.Connection, target: ConnectTarget, login: Login, calendars: Sequence[CalendarRef], now: float
) -> str:
    """Connect an account, which has `calendars`; returns the connection's id. Call it inside a write transaction.

    A connection of this schedule, provider and account in `ERROR` is reused, unless the behaviour has it otherwise:
    same id and sync config, minus imported calendars that are gone, by which it would break again at once. If none of
    those that it names is left, it imports as a new connection does. A dedicated calendar that was lost will be made
    anew. Otherwise a new connection is made, even where another stands already: connecting is not idempotent.
    """
    broken = _broken(database, target, login.email)
    config = _first_config(target, [calendar.id for calendar in calendars])
    if broken is not None:
        config = _without_lost(from_stored(broken["sync_config"]), calendars, config)
        dedicated = broken["dedicated_calendar"]
        database.execute(
            "UPDATE connection SET status = ?, error_reason = NULL, connected_at = ?, connected_by = ?,"
            " email_shown = 1, password = ?, sync_config = ?, dedicated_calendar = ? WHERE id = ?",
            (
                *(Status.CONNECTED, now, target.connected_by, login.password, to_stored(config)),
                dedicated if dedicated in {calendar.id for calendar in calendars} else None,
                broken["id"],
            ),
        )
        return str(broken["id"])
    connection_id = new_connection_id()
    database.execute(
        "INSERT INTO connection (id, site_id, schedule_id, provider_id, account_email, password, email_shown, status,"
        " error_reason, connected_at, connected_by, sync_config) VALUES (?, ?, ?, ?, ?, ?, 1, ?, NULL, ?, ?, ?)",
        (
            *(connection_id, target.site_id, target.schedule.id, target.provider.id, login.email, login.password),
            *(Status.CONNECTED, now, target.connected_by, to_stored(config)),
        ),
    )
    return connection_id


def used_calendars(database: sqlite3.Connection, target: ConnectTarget, email: str) -> tuple[str, ...]:
    """The calendars of the connection that connecting the account would heal.

    Empty where it would make a new one.
    """
    broken = _broken(database, target, email)
    return () if broken is None else records.connection(database, target.site_id, str(broken["id"])).used_calendars


def _broken(database: sqlite3.Connection, target: ConnectTarget, email: str) -> sqlite3.Row | None:
    if target.behaviour.reconnect is Reconnect.NEW_ID:
        return None
    found: sqlite3.Row | None = database.execute(
        "SELECT id, sync_config, dedicated_calendar FROM connection"
        " WHERE site_id = ? AND schedule_id = ? AND provider_id = ? AND account_email = ? AND status = ? ORDER BY seq",
        (target.site_id, target.schedule.id, target.provider.id, email, Status.ERROR),
    ).fetchone()
    return found


def _without_lost(config: SyncConfig, calendars: Sequence[CalendarRef], starting: SyncConfig) -> SyncConfig:
    lost = lost_imports(config.imports, calendars)
    left = tuple(calendar for calendar in config.imports.calendars or () if calendar not in lost)
    if not lost:
        return config
    return replace(config, imports=replace(config.imports, calendars=left) if left else starting.imports)


def _first_config(target: ConnectTarget, calendar_ids: Sequence[str]) -> SyncConfig:
    """The sync config of a new connection."""
    behaviour, provider = target.behaviour, target.provider
    config = SyncConfig()
    if behaviour.starts_with is not StartsWith.NOTHING:
        has_primary = provider.slug not in behaviour.without_primary
        if has_primary or provider.import_support == ImportSupport.SPECIFIC_CALENDARS:
            starts_primary = provider.has_primary and has_primary
            config = starting_config(provider.import_support, has_primary=starts_primary, calendar_ids=calendar_ids)
        if behaviour.starts_with is StartsWith.EVERYTHING:
            config = replace(config, exports=widest_export(provider.export_support, has_primary=has_primary))
    if behaviour.unknown_fields:
        config = replace(config, unknown=starting_fields(config.imports.calendars or ()))
    return config
