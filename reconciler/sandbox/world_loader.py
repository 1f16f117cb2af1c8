"""Writes a world into the database, replacing the one that is there."""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import TYPE_CHECKING

from reconciler.sandbox import schema
from reconciler.sandbox.calendars.folder.account_folders import write_accounts
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.sync_config import starting_config, to_stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.sandbox.world import Account, ExistingConnection, Site, World


def new_connection_id() -> str:
    """A fresh connection id: opaque, URL-safe, 128 characters, and no GUID."""
    return secrets.token_urlsafe(96)


def load_world(database: sqlite3.Connection, world: World, calendars: Path, *, api_key: str, now: float) -> None:
    """Replace all sites by those of `world`.

    `api_key` is the API key of each site without its own.

    The accounts become folders below `calendars`; account folders that exist stay unchanged. `now` is in seconds since
    the epoch. Raises `SandboxError` where a connection names what the world doesn't hold, an id stands twice, or a file
    can't be written.
    """
    for table in schema.CHILDREN_FIRST:
        database.execute(f"DELETE FROM {table}")  # noqa: S608 -- a fixed list of our own tables
    accounts = {(account.provider, account.email): account for account in world.accounts}
    try:
        for site in world.sites:
            _insert_site(database, site, api_key)
            for connection in site.connections:
                _insert_connection(database, site, connection, accounts, now)
    except sqlite3.IntegrityError as error:
        raise SandboxError(f"the world has a duplicate ({error})") from error
    write_accounts(calendars, world.accounts)


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
    accounts: Mapping[tuple[str, str], Account],
    now: float,
) -> None:
    provider = next((provider for provider in site.providers if provider.id == connection.provider_id), None)
    known_schedule = any(schedule.id == connection.schedule_id for schedule in site.schedules)
    account = None if provider is None else accounts.get((provider.slug, connection.account))
    if provider is None or not known_schedule or account is None:
        raise SandboxError(
            f"site {site.name}: a connection names provider {connection.provider_id}, schedule "
            f"{connection.schedule_id} and account {connection.account}, and not all of them are in the world"
        )
    config = connection.sync_config or starting_config(
        provider.import_support,
        has_primary=provider.has_primary,
        calendar_ids=[calendar.id for calendar in account.calendars],
    )
    database.execute(
        "INSERT INTO connection (id, site_id, schedule_id, provider_id, account_email, password, email_shown, status,"
        " error_reason, connected_at, sync_config) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            connection.id or new_connection_id(),
            site.id,
            connection.schedule_id,
            connection.provider_id,
            account.email,
            account.password,
            connection.email_shown,
            connection.status,
            connection.error_reason,
            now,
            to_stored(config),
        ),
    )
