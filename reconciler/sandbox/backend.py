"""Opens a data folder, and holds what all requests share."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.behaviour.model import Behaviour
from reconciler.sandbox.behaviour.switch import BehaviourSwitch
from reconciler.sandbox.calendars.directory import FOLDER, CalendarDirectory
from reconciler.sandbox.calendars.icalendar.expander import Expander
from reconciler.sandbox.config import read_config, refuse_unnamed
from reconciler.sandbox.contents import prepare
from reconciler.sandbox.contract import ConnectMethod
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.messages import WarningLog
from reconciler.sandbox.store import Store, explained

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.sandbox.calendars.protocol import CalendarBackend
    from reconciler.sandbox.config import CalDavServer
    from reconciler.sandbox.contents import Keys
    from reconciler.sandbox.records import ProviderRecord
    from reconciler.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds.

    A new connection is `CONNECTED`, then `SYNC_IN_PROGRESS` from `sync_starts_after`, then `SYNCED` from
    `sync_done_after`. `clock` tells the seconds since the epoch. `operation_seconds` is how long the external calendars
    may keep one request waiting.
    """

    sync_starts_after: float = 1.0
    sync_done_after: float = 3.0
    token_lifetime: float = 4 * 3600.0
    operation_seconds: float = 9.0
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Backend:
    """`endpoint` is the base URL, without a slash at its end; `switch` holds the behaviour."""

    store: Store
    calendars: CalendarDirectory
    expander: Expander
    warnings: WarningLog
    switch: BehaviourSwitch
    settings: Settings
    endpoint: str

    def close(self) -> None:
        """Let go of everything."""
        self.expander.close()
        self.calendars.close()
        self.store.close()


_NEEDED = ("tzlocal", "tzdata")
_SERVERS = "servers"
"""What the data remembers the providers by whose calendars are on a server."""


def assemble(
    data: Path,
    settings: Settings,
    *,
    endpoint: str,
    world: World | None = None,
    api_key: str | None = None,
    config: Path | None = None,
    behaviour: Behaviour | None = None,
) -> tuple[Backend, Keys]:
    """What all requests share, and the keys.

    A fresh folder is filled first. Close the backend in the end.

    `config` is the file that assigns providers to servers. Raises `SandboxError` where it or the folder can't be used.
    """
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise SandboxError(f"the sandbox needs {name}. Install it: pip install 'extcal[sandbox]'")
    if config is None:
        refuse_unnamed(data)
    servers = {} if config is None else read_config(config)
    store = Store(data)
    try:
        calendars = data / FOLDER
        with explained(store.path), store.transaction(write=True) as database:
            keys = prepare(database, calendars, world=world, api_key=api_key, now=settings.clock())
            _check_assigned(database, config, servers)
            _check_named(database, behaviour or Behaviour())
        directory = CalendarDirectory(calendars, _backends(config, servers))
        expander, switch = Expander(settings.operation_seconds), BehaviourSwitch(behaviour or Behaviour())
        return Backend(store, directory, expander, WarningLog(), switch, settings, endpoint), keys
    except BaseException:
        store.close()
        raise


def _check_assigned(database: sqlite3.Connection, config: Path | None, servers: Mapping[str, CalDavServer]) -> None:
    """A server needs a provider, and one that connects by credentials.

    A provider that had a server still has one.

    Without it passwords would be compared with folders, and healthy connections be taken for broken.
    """
    known = database.execute("SELECT value FROM meta WHERE name = ?", (_SERVERS,)).fetchone()
    forgotten = set() if known is None else set(json.loads(known["value"])) - servers.keys()
    if forgotten:
        raise SandboxError(
            f"the calendars of {', '.join(sorted(forgotten))} are on a CalDAV server, and no config file names it. "
            "Pass --sandbox-config FILE (EXTCAL_SANDBOX_CONFIG), or reset the data folder."
        )
    providers = _providers(database)
    for slug in servers:
        if slug not in providers:
            raise SandboxError(f"{config}: {_unknown(slug, providers)}")
        if ConnectMethod.CREDENTIALS not in providers[slug].connect_methods:
            raise SandboxError(
                f"{config}: {slug} connects by OAuth, and a CalDAV server takes passwords. Choose a provider "
                "that connects by credentials"
            )
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_SERVERS, json.dumps(sorted(servers))))


def _check_named(database: sqlite3.Connection, behaviour: Behaviour) -> None:
    """A provider that the behaviour names is there: a name misspelt would change nothing, and nobody would notice."""
    providers = _providers(database)
    for slug in sorted(behaviour.without_primary - providers.keys()):
        raise SandboxError(f"withoutPrimary: {_unknown(slug, providers)}")


def _providers(database: sqlite3.Connection) -> dict[str, ProviderRecord]:
    """The providers of all sites by their slugs."""
    sites = [str(row["id"]) for row in database.execute("SELECT id FROM site")]
    return {each.slug: each for site in sites for each in records.providers(database, site)}


def _unknown(slug: str, providers: Mapping[str, ProviderRecord]) -> str:
    return f"unknown provider {slug!r}. Known providers: {', '.join(sorted(providers)) or 'none'}"


def _backends(config: Path | None, servers: Mapping[str, CalDavServer]) -> dict[str, CalendarBackend]:
    if not servers:
        return {}
    from reconciler.sandbox.calendars.caldav import open_caldav  # noqa: PLC0415 -- only where a server is assigned

    backends: dict[str, CalendarBackend] = {}
    for slug, server in servers.items():
        try:
            backends[slug] = open_caldav(server.url, server.hosts)
        except ValueError as error:
            raise SandboxError(f"{config}: {slug}.caldav: {error}") from error
    return backends
