"""Defines a world: everything that a fresh sandbox holds, described as values.

`reconciler.sandbox.seed` describes the world of a fresh data folder; tests describe their own and hand them to
`reconciler.sandbox.server.running` or `RunningSandbox.replace_world`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import (
    BOOKINGS_APP_ID,
    CalendarType,
    ConnectMethod,
    ExportSupport,
    ImportSupport,
    Status,
)

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.sandbox.sync_config import SyncConfig


class Frequency(StrEnum):
    """How often a recurring event comes back."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurrence in UTC: every `interval` days or weeks, at most until `until`.

    `until` is the latest start of an instance; without it the event recurs for ever.
    """

    frequency: Frequency
    interval: int = 1
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An event in a calendar.

    `start` and `end` (exclusive) are aware; an all-day one begins at 00:00 UTC.
    """

    title: str
    start: datetime
    end: datetime
    all_day: bool = False
    recurrence: Recurrence | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar of an account. The id is unique in its account; the name need not be."""

    id: str
    name: str
    events: tuple[CalendarEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account at the provider with the slug `provider`.

    Its first calendar is its primary one.

    `password` is None where the provider connects by OAuth alone.
    """

    provider: str
    email: str
    password: str | None = None
    calendars: tuple[Calendar, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as one site has it installed.

    `slug` ties it to its accounts; ids differ from site to site.

    The features are plain strings so that a world can hold values that no reader knows yet. `has_primary` says whether
    a new connection starts with the primary calendar; `down` that the provider can't be reached.
    """

    id: str
    slug: str
    name: str
    calendar_type: str = CalendarType.OTHER
    connect_methods: tuple[str, ...] = (ConnectMethod.CREDENTIALS,)
    update_sync_config: bool = True
    import_support: str = ImportSupport.SPECIFIC_CALENDARS
    export_support: str = ExportSupport.DEDICATED_CALENDAR
    has_primary: bool = True
    down: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of a site. `owner_id` is the GUID of the user it belongs to."""

    id: str
    name: str
    external_id: str | None = None
    owner_id: str | None = None
    owner_name: str | None = None
    time_zone: str = "UTC"
    app_id: str = BOOKINGS_APP_ID
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class ExistingConnection:
    """A connection that stands from the start.

    `provider_id` and `schedule_id` name a provider and a schedule of its site, `account` an account's email at that
    provider. Its status stays as given, unless it is `CONNECTED`: then it goes on as a new connection's does. Without a
    `sync_config` it has the provider's defaults; without an `id` it gets one. `email_shown=False` leaves
    `externalAccountEmail` out of the answers.
    """

    provider_id: str
    schedule_id: str
    account: str
    status: str = Status.SYNCED
    error_reason: str | None = None
    sync_config: SyncConfig | None = None
    email_shown: bool = True
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A site. With an `api_key` of its own the world's key doesn't open it.

    Its `read_only_key` may not write.

    `premium=False` makes the methods that need it answer `PREMIUM_FEATURE_NOT_ENABLED`.
    """

    id: str
    name: str
    schedules: tuple[Schedule, ...] = ()
    providers: tuple[Provider, ...] = ()
    connections: tuple[ExistingConnection, ...] = ()
    instance_id: str | None = None
    api_key: str | None = None
    read_only_key: str | None = None
    premium: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a sandbox holds: its sites, and the accounts to connect to them.

    GUIDs are in lower case throughout.
    """

    sites: tuple[Site, ...] = ()
    accounts: tuple[Account, ...] = field(default=())
