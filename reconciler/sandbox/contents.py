"""Prepares what a data folder holds: its keys, its world, and the summary shown at start."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.seed import APP_ID, seeded_world
from reconciler.sandbox.world_loader import load_world

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the sandbox: the API key, and the app that may ask for tokens."""

    api_key: str
    app_id: str
    app_secret: str


def prepare(
    database: sqlite3.Connection, calendars: Path, *, world: World | None, api_key: str | None, now: float
) -> Keys:
    """The keys of the data folder; a fresh one is filled first, with `world` or the seeded one.

    The accounts' folders lie in `calendars`; those that are there already stay as they are.

    Raises `SandboxError` where the folder is filled already and a world, or another key, is asked for.
    """
    keys = _keys(database)
    if keys is None:
        keys = Keys(api_key or _new_key("key"), APP_ID, _new_key("secret"))
        stored = {
            "api_key": keys.api_key,
            "app_id": keys.app_id,
            "app_secret": keys.app_secret,
            "cursor_secret": secrets.token_urlsafe(32),
            "instance": secrets.token_hex(6),
        }
        database.executemany("INSERT INTO meta VALUES (?, ?)", stored.items())
        filling = seeded_world(datetime.fromtimestamp(now, UTC)) if world is None else world
        load_world(database, filling, calendars, api_key=keys.api_key, now=now)
        return keys
    if world is not None:
        raise SandboxError("the data folder already holds a world. Reset it, or choose another folder.")
    if api_key is not None and api_key != keys.api_key:
        raise SandboxError("the data folder has another API key. Leave the key out, or reset the folder.")
    return keys


def instance_of(database: sqlite3.Connection) -> str:
    """What tells this sandbox from others that write into the same calendars."""
    return str(database.execute("SELECT value FROM meta WHERE name = 'instance'").fetchone()["value"])


def summary(database: sqlite3.Connection, calendars: CalendarDirectory) -> list[dict[str, object]]:
    """Each site with its app instance, its schedules, and the accounts in folders.

    An account is its provider's, not a site's: every site that has the provider can be connected to it.
    """
    return [
        {
            "site_id": site["id"],
            "name": site["name"],
            "instance_id": site["instance_id"],
            "schedules": [
                {"id": schedule.id, "name": schedule.name, "app_id": schedule.app_id}
                for schedule in records.schedules(database, site["id"])
            ],
            "accounts": [
                {"provider": provider.slug, "email": email} | ({} if password is None else {"password": password})
                for provider in records.providers(database, site["id"])
                for email, password in calendars.passwords(provider.slug)
            ],
        }
        for site in database.execute("SELECT id, name, instance_id FROM site ORDER BY rowid").fetchall()
    ]


def first_instance(database: sqlite3.Connection) -> str | None:
    """The instance id of the app on the first site that has one."""
    row = database.execute("SELECT instance_id FROM site WHERE instance_id IS NOT NULL ORDER BY rowid").fetchone()
    return None if row is None else str(row["instance_id"])


def set_provider_down(database: sqlite3.Connection, provider_id: str, *, down: bool) -> None:
    """Let a provider be out of reach, or back; raises `SandboxError` where no site has it."""
    changed = database.execute("UPDATE provider SET down = ? WHERE id = ?", (down, provider_id))
    if not changed.rowcount:
        raise SandboxError(f"no site has the provider {provider_id}")


def _keys(database: sqlite3.Connection) -> Keys | None:
    meta = {str(row["name"]): str(row["value"]) for row in database.execute("SELECT name, value FROM meta")}
    return Keys(meta["api_key"], meta["app_id"], meta["app_secret"]) if meta else None


def _new_key(kind: str) -> str:
    return f"sandbox-{kind}-{secrets.token_urlsafe(32)}"
