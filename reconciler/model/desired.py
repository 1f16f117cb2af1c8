"""Models what the manifests declare: the desired side of every comparison."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.model.account import Account
from reconciler.model.encoding import NOT_ENCODED
from reconciler.model.source import Fault, Source, SourceMap
from reconciler.model.sync import SyncConfig

BOOKINGS_APP_ID = "13d21c63-b5ec-5912-8397-c3a5ddb27a97"
"""The id of the bookings app, the same on every site."""


class SecretKind(StrEnum):
    """Where a secret is kept."""

    ENV = "env"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret: an environment variable's name or a file's; never the value."""

    kind: SecretKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class ApiKeyAuth:
    """Authentication by an API key, sent with the site's id."""

    api_key: SecretRef


@dataclass(frozen=True, slots=True)
class AppAuth:
    """Authentication as an app that is installed on the site, by client credentials."""

    app_id: str
    app_secret: SecretRef
    instance_id: str


class Scope(StrEnum):
    """Which live connections the manifests answer for."""

    SCHEDULES = "schedules"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Site:
    """A site; `max_disconnects` is a percentage (0 to 100) of its live connections in scope.

    `warnings` tell of files that may be about it and were not read, so that it is not pruned; `spared` says that its
    manifest asks for that. `schedules_app_id` is the app whose schedules are meant by a name or external id.
    """

    name: str
    site_id: str
    auth: ApiKeyAuth | AppAuth
    scope: Scope
    prune: bool
    max_disconnects: int
    redirect_url: str | None
    schedules_app_id: str = BOOKINGS_APP_ID
    source: Source = field(default=Source("saved plan", 1, 1), metadata=NOT_ENCODED)
    warnings: tuple[str, ...] = field(default=(), metadata=NOT_ENCODED)
    spared: bool = field(default=False, metadata=NOT_ENCODED)

    @property
    def as_declared(self) -> "Site":
        """The site as its manifest has it, for whoever writes it down or plans nothing."""
        return replace(self, prune=self.prune or self.spared, warnings=(), spared=False)


class ScheduleKey(StrEnum):
    """By what a manifest names a schedule."""

    ID = "id"
    NAME = "name"
    EXTERNAL_ID = "externalId"


@dataclass(frozen=True, slots=True)
class ScheduleRef:
    """A schedule, by its id, or by its name or external id among the schedules of an app; an id may have a label."""

    by: ScheduleKey
    value: str
    app_id: str = BOOKINGS_APP_ID
    """The app whose schedules are meant; an id needs none and has the default, so that it equals itself."""

    label: "ScheduleRef | None" = field(default=None, compare=False)
    """The name or external id that is written beside an id, for people: only the id counts."""

    def __str__(self) -> str:
        if self.label is not None:
            return f"{self.label.value} [{self.value}]"
        return self.value if self.by is ScheduleKey.NAME else f"{self.by} {self.value}"

    @property
    def name(self) -> str | None:
        """What the schedule is called, as far as the manifest says."""
        written = self.label or self
        return written.value if written.by is ScheduleKey.NAME else None


class ProviderKey(StrEnum):
    """By what a manifest names a provider; `type` is one of the words google, microsoft, apple."""

    TYPE = "type"
    NAME = "name"
    ID = "id"


@dataclass(frozen=True, slots=True)
class ProviderRef:
    """A provider, by type, or by the name or id that ListProviders gives it."""

    by: ProviderKey
    value: str

    def __str__(self) -> str:
        return self.value


class State(StrEnum):
    """Whether a declared connection shall exist."""

    PRESENT = "present"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What must not happen to a connection; `ignore_changes` holds paths that begin with `syncConfig`."""

    prevent_disconnect: bool = False
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredConnection:
    """A Connection manifest with its site and its policy resolved; `sync` is the merged sync config."""

    site: str
    name: str
    schedule: ScheduleRef
    provider: ProviderRef
    account: Account
    password: SecretRef | None
    state: State
    sync: SyncConfig
    lifecycle: Lifecycle
    sources: SourceMap

    @property
    def address(self) -> str:
        """`site/name`, by which plans, guards and reports name it."""
        return f"{self.site}/{self.name}"


@dataclass(frozen=True, slots=True)
class Overlooked:
    """A file that says that it is a manifest and is not read, and the declared sites that it may be about, by name."""

    warning: Fault
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desired:
    """All that a set of manifests declares, ordered by name whatever the order of files.

    A site of `overlooked` does not prune, and has the warning among its own.
    """

    sites: tuple[Site, ...] = ()
    connections: tuple[DeclaredConnection, ...] = ()
    overlooked: tuple[Overlooked, ...] = ()
    notes: tuple[Fault, ...] = ()
    """What is passed over and does no harm: columns of rosters that no connection has."""
