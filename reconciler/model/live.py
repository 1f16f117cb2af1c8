"""Models what the service answers: the live side of comparisons.

Source: External Calendars API v2, Objects.

Enumerations of the wire stay text, since new values may appear at any time; the enums here name those known. What
the service does not say (`UNDEFINED`, or a field that is missing) is None; of a status it is `UNDEFINED`.
`extra` keeps fields of the answer that are not known here, as (field, JSON text).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from reconciler.model.account import Account
from reconciler.model.sync import SyncConfig
from reconciler.text import one_line

Extra = tuple[tuple[str, str], ...]
_LONGEST_WORD = 100
NOT_SAID = "not said"
"""What people are shown where the service says `UNDEFINED`, or nothing."""


class Status(StrEnum):
    """Connection statuses."""

    UNDEFINED = "UNDEFINED"
    CONNECTED = "CONNECTED"
    SYNC_IN_PROGRESS = "SYNC_IN_PROGRESS"
    SYNCED = "SYNCED"
    DISCONNECTED = "DISCONNECTED"
    ERROR = "ERROR"


class ErrorReason(StrEnum):
    """Why a connection's status is ERROR."""

    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - the API's word, no secret
    CREATION_FAILED = "EXTERNAL_CALENDAR_CREATION_FAILED"
    CALENDAR_DELETED = "EXTERNAL_CALENDAR_DELETED"


class ConnectMethod(StrEnum):
    """How an account can be connected."""

    OAUTH = "OAUTH"
    CREDENTIALS = "CREDENTIALS"


class Support(StrEnum):
    """What a provider supports in one direction."""

    NONE = "NOT_SUPPORTED"
    PRIMARY = "PRIMARY_CALENDAR_ONLY"
    SPECIFIC_CALENDARS = "SPECIFIC_CALENDARS"
    SPECIFIC_CALENDAR = "SPECIFIC_CALENDAR"
    DEDICATED = "DEDICATED_CALENDAR"


@dataclass(frozen=True, slots=True)
class Features:
    """What a provider supports; `imports` and `exports` hold `Support` values or ones not known yet.

    What is not said (None; no connect method) may be supported or not: it is tried, and the service decides.
    """

    connect_methods: tuple[str, ...] = ()
    update_sync_config: bool | None = None
    imports: str | None = None
    exports: str | None = None

    @property
    def fixed_sync_config(self) -> bool:
        """Whether the provider says that its sync configs can't be changed."""
        return self.update_sync_config is False

    def connects_by(self, method: ConnectMethod) -> bool | None:
        """Whether accounts can be connected so; None where nothing is said of how."""
        return method in self.connect_methods if self.connect_methods else None


@dataclass(frozen=True, slots=True)
class Provider:
    """A third party that hosts calendars; ids differ between sites."""

    id: str
    name: str
    calendar_type: str | None
    features: Features
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """The link between one schedule and one account, as the service has it; `account` may not be known yet."""

    id: str
    provider_id: str
    calendar_type: str | None
    schedule_id: str
    account: Account | None
    status: str
    error_reason: str | None
    sync: SyncConfig
    user_id: str | None = None
    app_id: str | None = None
    extra: Extra = ()

    @property
    def error_word(self) -> str | None:
        """The service's word for what is wrong, inert and on one line; None where it gives none."""
        word = one_line(self.error_reason or "")
        if word in {"", Status.UNDEFINED.value}:
            return None
        # Not cut: what is cut may be a half of a secret that the service repeats, which redacting doesn't find.
        return word if len(word) <= _LONGEST_WORD else f"a reason of {len(word):,} characters"

    @property
    def shown_status(self) -> str:
        """The status as people are shown it."""
        return NOT_SAID if self.status == Status.UNDEFINED else self.status


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar of an account; names are not unique."""

    id: str
    name: str
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of the site, as the Calendar API lists it."""

    id: str
    name: str
    """Not unique: a member of staff has two, one of them for working hours, and every service has its own."""

    external_id: str | None
    """What the app calls it; a member of staff's resource id."""

    status: str
    time_zone: str | None = None
    app_id: str | None = None
    """The app that it belongs to, None where the service does not say."""

    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Event:
    """An external event; `start` and `end` are RFC 3339 text, `end` is exclusive; the rest may be private."""

    schedule_id: str
    calendar_type: str | None
    start: str
    end: str
    all_day: bool
    schedule_owner_id: str | None = None
    calendar_name: str | None = None
    title: str | None = None
    schedule_owner_name: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class ConnectionList:
    """ListConnections' answer; connections of `failed_provider_ids` could not be read and may be missing."""

    connections: tuple[LiveConnection, ...]
    failed_provider_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveSite:
    """One observation of a site.

    `schedules` is empty unless a manifest refers to one by name or external id; it holds what the service answers when
    it is asked for those of the site's app, and `other_schedules` what it answers beyond that, where it had to be asked
    for those of every app. `calendars` holds, by connection id, the lists that had to be asked for, and `unlisted` why
    one was not to be had.
    """

    providers: tuple[Provider, ...]
    connections: tuple[LiveConnection, ...]
    failed_provider_ids: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    calendars: Mapping[str, tuple[Calendar, ...]] = field(default_factory=dict)
    unlisted: Mapping[str, str] = field(default_factory=dict)
    other_schedules: tuple[Schedule, ...] = ()


_Item = TypeVar("_Item", Provider, Schedule, Calendar)


def each_once(items: Iterable[_Item]) -> tuple[_Item, ...]:
    """Order what the service lists in any order by id, each once, so that no plan depends on it."""
    distinct = {item.id: item for item in items}
    return tuple(distinct[key] for key in sorted(distinct))
