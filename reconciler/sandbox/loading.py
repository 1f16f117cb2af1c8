"""Writes a world into the database, replacing the one that is there."""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import TYPE_CHECKING

from reconciler.sandbox import schema
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.sync_config import starting_config, to_stored
from reconciler.sandbox.world import Frequency

if TYPE_CHECKING:
    from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Recurrence, Site, World

_DAYS = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}
_DAY_SECONDS = 86_400


def new_connection_id() -> str:
    """A fresh connection id: opaque, URL-safe, 128 characters, and no GUID."""
    return secrets.token_urlsafe(96)


def load_world(database: sqlite3.Connection, world: World, *, api_key: str, now: float) -> None:
    """Replace all sites and accounts by those of `world`; `api_key` opens each site that has no key of its own.

    `now` is in seconds since the epoch. Raises `SandboxError` where a connection names what the world doesn't hold, or
    an id stands twice.
    """
    for table in schema.CHILDREN_FIRST:
        database.execute(f"DELETE FROM {table}")  # noqa: S608 -- a fixed list of our own tables
    try:
        accounts = {(account.provider, account.email): _insert_account(database, account) for account in world.accounts}
        for site in world.sites:
            _insert_site(database, site, api_key)
            for connection in site.connections:
                _insert_connection(database, site, connection, accounts, now)
    except sqlite3.IntegrityError as error:
        raise SandboxError(f"the world holds one thing twice ({error})") from error


def _insert_account(database: sqlite3.Connection, account: Account) -> int:
    cursor = database.execute(
        "INSERT INTO account (provider, email, password) VALUES (?, ?, ?)",
        (account.provider, account.email, account.password),
    )
    account_id = int(cursor.lastrowid or 0)
    for calendar in account.calendars:
        _insert_calendar(database, account_id, calendar)
    return account_id


def _insert_calendar(database: sqlite3.Connection, account_id: int, calendar: Calendar) -> None:
    cursor = database.execute(
        "INSERT INTO calendar (account_id, id, name) VALUES (?, ?, ?)", (account_id, calendar.id, calendar.name)
    )
    database.executemany(
        "INSERT INTO event (calendar_seq, title, start_at, end_at, all_day, step, last_start)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                cursor.lastrowid,
                event.title,
                int(event.start.timestamp()),
                int(event.end.timestamp()),
                event.all_day,
                *_recurrence(event.recurrence),
            )
            for event in calendar.events
        ],
    )


def _recurrence(recurrence: Recurrence | None) -> tuple[int | None, int | None]:
    if recurrence is None:
        return None, None
    step = _DAYS[recurrence.frequency] * recurrence.interval * _DAY_SECONDS
    return step, None if recurrence.until is None else int(recurrence.until.timestamp())


def _insert_site(database: sqlite3.Connection, site: Site, api_key: str) -> None:
    database.execute(
        "INSERT INTO site (id, name, instance_id, premium) VALUES (?, ?, ?, ?)",
        (site.id, site.name, site.instance_id, site.premium),
    )
    database.execute("INSERT INTO api_key VALUES (?, ?, 1)", (site.api_key or api_key, site.id))
    if site.read_only_key is not None:
        database.execute("INSERT INTO api_key VALUES (?, ?, 0)", (site.read_only_key, site.id))
    database.executemany(
        "INSERT INTO schedule VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                site.id,
                schedule.id,
                schedule.name,
                schedule.external_id,
                schedule.owner_id,
                schedule.owner_name,
                schedule.time_zone,
                schedule.app_id,
                schedule.status,
            )
            for schedule in site.schedules
        ],
    )
    database.executemany(
        "INSERT INTO provider VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                site.id,
                provider.id,
                provider.slug,
                provider.name,
                provider.calendar_type,
                json.dumps(provider.connect_methods),
                provider.update_sync_config,
                provider.import_support,
                provider.export_support,
                provider.has_primary,
                provider.down,
            )
            for provider in site.providers
        ],
    )


def _insert_connection(
    database: sqlite3.Connection,
    site: Site,
    connection: ExistingConnection,
    accounts: dict[tuple[str, str], int],
    now: float,
) -> None:
    provider = next((provider for provider in site.providers if provider.id == connection.provider_id), None)
    known_schedule = any(schedule.id == connection.schedule_id for schedule in site.schedules)
    account_id = None if provider is None else accounts.get((provider.slug, connection.account))
    if provider is None or not known_schedule or account_id is None:
        raise SandboxError(
            f"site {site.name}: a connection names provider {connection.provider_id}, schedule "
            f"{connection.schedule_id} and account {connection.account}, which the world doesn't hold all"
        )
    config = connection.sync_config or starting_config(
        provider.import_support,
        has_primary=provider.has_primary,
        calendar_ids=[
            str(row["id"])
            for row in database.execute("SELECT id FROM calendar WHERE account_id = ? ORDER BY seq", (account_id,))
        ],
    )
    database.execute(
        "INSERT INTO connection (id, site_id, schedule_id, provider_id, account_id, email_shown, status,"
        " error_reason, connected_at, sync_config) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            connection.id or new_connection_id(),
            site.id,
            connection.schedule_id,
            connection.provider_id,
            account_id,
            connection.email_shown,
            connection.status,
            connection.error_reason,
            now,
            to_stored(config),
        ),
    )
