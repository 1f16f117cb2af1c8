"""What is pulled: sites as they were observed, and the connections that are to be written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.model.desired import DeclaredConnection, Site
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.model.sync import Direction, SyncConfig


@dataclass(frozen=True, slots=True)
class PulledSite:
    """One observed site.

    `site` is how it is declared, or is to be declared where no manifest does it yet. `schedule_names` holds what
    schedules are called, by id in lower case, and `calendar_names`, by connection id, names of calendars by their id
    that the sync config does not tell: both as far as they are known, for people to read. `known` holds what manifests
    outside the folder declare, by the ids of live connections.
    """

    site: Site
    live: LiveSite
    schedule_names: Mapping[str, str] = field(default_factory=dict)
    calendar_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    known: Mapping[str, DeclaredConnection] = field(default_factory=dict)

    def key(self, connection: LiveConnection) -> "LiveKey":
        """Which of all live connections one is."""
        return LiveKey(self.site.site_id, connection.id)


@dataclass(frozen=True, slots=True)
class Addition:
    """A live connection that no manifest declares yet, as one will; `notes` become comments above it."""

    declared: DeclaredConnection
    live: LiveConnection
    schedule_name: str
    notes: tuple[str, ...] = ()
    policy: str | None = None


class Layout(StrEnum):
    """As what new connections are written."""

    DOCUMENTS = "documents"
    SETS = "sets"
    ROSTERS = "rosters"


@dataclass(frozen=True, slots=True)
class PullOptions:
    """How new connections are written: by how many there are where no `layout` is given.

    `shared_policies` puts the policies that several sites need into one file of the folder.
    """

    layout: Layout | None = None
    shared_policies: bool = False


BY_SIZE = PullOptions()
"""What a site's size suggests."""


def effective(sync: SyncConfig) -> SyncConfig:
    """A sync config without what does not matter while a direction is off."""
    return replace(sync, imports=_effective(sync.imports), exports=_effective(sync.exports))


def _effective(direction: Direction | None) -> Direction | None:
    return Direction(enabled=False) if direction is not None and direction.enabled is False else direction


@dataclass(frozen=True, slots=True)
class LiveKey:
    """Which live connection is meant."""

    site_id: str
    connection_id: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """The new values of one direction: `enabled` and `chosen` (its arm and calendars), None for what stays.

    A `chosen` without an arm removes the field.
    """

    path: str
    enabled: bool | None
    chosen: Direction | None
