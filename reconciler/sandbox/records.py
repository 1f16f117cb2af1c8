"""Reads rows of the database as values, for the questions that several methods ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.protocol import Login
from reconciler.sandbox.contract import ErrorReason, ExportSupport, ExportTarget, Status
from reconciler.sandbox.errors import RefusedError
from reconciler.sandbox.sync_config import SyncConfig, from_stored

if TYPE_CHECKING:
    import sqlite3


_ACCOUNT_OPENS = {ErrorReason.EXTERNAL_CALENDAR_CREATION_FAILED, ErrorReason.EXTERNAL_CALENDAR_DELETED}


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """The site that a request is about, its caller's key (or app), and whether that may write."""

    id: str
    name: str
    premium: bool
    caller: str
    may_write: bool


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """A provider as a site has it installed."""

    id: str
    slug: str
    name: str
    calendar_type: str
    connect_methods: tuple[str, ...]
    update_sync_config: bool
    import_support: str
    export_support: str
    has_primary: bool
    down: bool


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A schedule of a site."""

    id: str
    name: str
    external_id: str | None
    owner_id: str | None
    owner_name: str | None
    time_zone: str
    app_id: str
    status: str


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """A connection as it is stored.

    `connected_at` is in seconds since the epoch, `connected_by` the caller who made it (None where an owner's consent
    did, or it stood from the start), `login` what opened the account when it was connected, `dedicated_calendar` the id
    of the calendar that was made to export to, and `export_error` why the last export over it was stopped.
    """

    seq: int
    id: str
    schedule: ScheduleRecord
    provider: ProviderRecord
    login: Login
    email_shown: bool
    status: str
    error_reason: str | None
    connected_at: float
    connected_by: str | None
    sync_config: SyncConfig
    dedicated_calendar: str | None
    export_error: str | None

    @property
    def used_calendars(self) -> tuple[str, ...]:
        """The calendars that it imports from by their ids, and the one that was made to export to."""
        named = self.sync_config.imports.calendars or ()
        return named if self.dedicated_calendar is None else (*named, self.dedicated_calendar)

    @property
    def exports_apart(self) -> bool:
        """Whether events go to a calendar that is made for them, not to the primary one."""
        target = self.sync_config.exports.target
        if target is None:
            return self.provider.export_support == ExportSupport.DEDICATED_CALENDAR
        return target == ExportTarget.DEDICATED

    @property
    def opens(self) -> bool:
        """Whether its account opens, as far as known, so that events can be synchronised.

        They are even where a calendar is lost, as far as the others go: a staff member who seems free is booked twice.
        """
        if self.status == Status.ERROR:
            return self.error_reason in _ACCOUNT_OPENS
        return self.status != Status.DISCONNECTED


def providers(database: sqlite3.Connection, site_id: str) -> tuple[ProviderRecord, ...]:
    """All providers of a site, in the order in which they were installed."""
    rows = database.execute("SELECT * FROM provider WHERE site_id = ? ORDER BY rowid", (site_id,))
    return tuple(_provider(row) for row in rows)


def provider(database: sqlite3.Connection, site_id: str, provider_id: str) -> ProviderRecord:
    """One provider; a refusal (404) where the site doesn't have it."""
    row = database.execute("SELECT * FROM provider WHERE site_id = ? AND id = ?", (site_id, provider_id)).fetchone()
    if row is None:
        raise RefusedError(404, f"Provider {provider_id} not found")
    return _provider(row)


def schedules(database: sqlite3.Connection, site_id: str) -> tuple[ScheduleRecord, ...]:
    """All schedules of a site, in the order in which they were made."""
    rows = database.execute("SELECT * FROM schedule WHERE site_id = ? ORDER BY rowid", (site_id,))
    return tuple(_schedule(row) for row in rows)


def schedule(database: sqlite3.Connection, site_id: str, schedule_id: str) -> ScheduleRecord:
    """One schedule; a refusal (404) where the site doesn't have it."""
    row = database.execute("SELECT * FROM schedule WHERE site_id = ? AND id = ?", (site_id, schedule_id)).fetchone()
    if row is None:
        raise RefusedError(404, f"Schedule {schedule_id} not found")
    return _schedule(row)


def connections(database: sqlite3.Connection, site_id: str) -> tuple[ConnectionRecord, ...]:
    """All connections of a site, oldest first."""
    by_schedule = {record.id: record for record in schedules(database, site_id)}
    by_provider = {record.id: record for record in providers(database, site_id)}
    rows = database.execute(
        "SELECT * FROM connection WHERE site_id = ? ORDER BY seq",
        (site_id,),
    )
    return tuple(
        _connection(row, by_schedule[str(row["schedule_id"])], by_provider[str(row["provider_id"])]) for row in rows
    )


def connection(database: sqlite3.Connection, site_id: str, connection_id: str) -> ConnectionRecord:
    """One connection; a refusal (404) where the site doesn't have it."""
    row = database.execute(
        "SELECT * FROM connection WHERE site_id = ? AND id = ?",
        (site_id, connection_id),
    ).fetchone()
    if row is None:
        raise RefusedError(404, "Connection not found")
    return _connection(
        row,
        schedule(database, site_id, str(row["schedule_id"])),
        provider(database, site_id, str(row["provider_id"])),
    )


def _provider(row: sqlite3.Row) -> ProviderRecord:
    return ProviderRecord(
        id=str(row["id"]),
        slug=str(row["slug"]),
        name=str(row["name"]),
        calendar_type=str(row["calendar_type"]),
        connect_methods=tuple(str(method) for method in json.loads(row["connect_methods"])),
        update_sync_config=bool(row["update_sync_config"]),
        import_support=str(row["import_support"]),
        export_support=str(row["export_support"]),
        has_primary=bool(row["has_primary"]),
        down=bool(row["down"]),
    )


def _schedule(row: sqlite3.Row) -> ScheduleRecord:
    return ScheduleRecord(
        id=str(row["id"]),
        name=str(row["name"]),
        external_id=row["external_id"],
        owner_id=row["owner_id"],
        owner_name=row["owner_name"],
        time_zone=str(row["time_zone"]),
        app_id=str(row["app_id"]),
        status=str(row["status"]),
    )


def _connection(row: sqlite3.Row, of: ScheduleRecord, at: ProviderRecord) -> ConnectionRecord:
    return ConnectionRecord(
        seq=int(row["seq"]),
        id=str(row["id"]),
        schedule=of,
        provider=at,
        login=Login(str(row["account_email"]), row["password"]),
        email_shown=bool(row["email_shown"]),
        status=str(row["status"]),
        error_reason=row["error_reason"],
        connected_at=float(row["connected_at"]),
        connected_by=row["connected_by"],
        sync_config=from_stored(str(row["sync_config"])),
        dedicated_calendar=row["dedicated_calendar"],
        export_error=row["export_error"],
    )
