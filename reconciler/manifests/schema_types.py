"""The shapes that the JSON Schemas promise of a valid document, for the type checker."""

from typing import Literal, TypedDict


class SecretShape(TypedDict, total=False):
    """One of `env` and `file`."""

    env: str
    file: str


class AppShape(TypedDict):
    """`auth.app`."""

    appId: str
    appSecret: SecretShape
    instanceId: str


class AuthShape(TypedDict, total=False):
    """One of `apiKey` and `app`."""

    apiKey: SecretShape
    app: AppShape


class GuardsShape(TypedDict, total=False):
    """`guards`."""

    maxDisconnects: str


class OAuthShape(TypedDict):
    """`oauth`."""

    redirectUrl: str


class SchedulesShape(TypedDict, total=False):
    """`schedules`."""

    appId: str


class SiteOptions(TypedDict, total=False):
    """What a Site may leave out."""

    auth: AuthShape
    scope: str
    prune: bool
    guards: GuardsShape
    oauth: OAuthShape
    schedules: SchedulesShape


class SiteShape(SiteOptions):
    """A Site's `spec`."""

    siteId: str


class CalendarShape(TypedDict, total=False):
    """A calendar by its id, its name, or both."""

    id: str
    name: str


class ImportShape(TypedDict, total=False):
    """`listEventFromCalendars`."""

    enabled: bool
    primaryCalendar: dict[str, object]
    calendars: list[str | CalendarShape]


class ExportShape(TypedDict, total=False):
    """`syncToCalendar`."""

    enabled: bool
    primaryCalendar: dict[str, object]
    dedicatedCalendar: dict[str, object]


class SyncShape(TypedDict, total=False):
    """`syncConfig`."""

    listEventFromCalendars: ImportShape
    syncToCalendar: ExportShape


class PolicyShape(TypedDict):
    """A SyncPolicy's `spec`."""

    syncConfig: SyncShape


class CredentialsShape(TypedDict):
    """`credentials`."""

    password: SecretShape


class LifecycleShape(TypedDict, total=False):
    """`lifecycle`."""

    preventDisconnect: bool
    ignoreChanges: list[str]


class ConnectionOptions(TypedDict, total=False):
    """What a Connection may leave out."""

    site: str
    credentials: CredentialsShape
    state: Literal["present", "absent"]
    syncPolicy: str
    syncConfig: SyncShape
    lifecycle: LifecycleShape


class ConnectionShape(ConnectionOptions):
    """A Connection's `spec`; `schedule` has one field, or `id` and another; a `provider` that is no word has one."""

    schedule: dict[str, str]
    provider: str | dict[str, str]
    account: str
