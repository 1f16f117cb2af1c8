"""Models how declared connections are: the live state judged by the manifests."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.account import Account
from reconciler.model.action import Action
from reconciler.model.desired import Site
from reconciler.model.shards import Shards
from reconciler.model.source import Fault


class Health(StrEnum):
    """How one connection is, the worst first."""

    ERROR = "error"
    MISSING = "missing"
    UNKNOWN = "unknown"
    AWAITING_CONSENT = "awaiting-consent"
    DRIFTED = "drifted"
    SYNCING = "syncing"
    OK = "ok"
    ABSENT = "absent"
    UNMANAGED = "unmanaged"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: it is neither as declared nor nobody's business."""
        return self not in {Health.SYNCING, Health.OK, Health.ABSENT, Health.UNMANAGED}


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One declared connection, or a live one that no manifest declares.

    `schedule_id` is None where a manifest names the schedule otherwise and the service could not be asked; `schedule`
    is its name where that is known; `live_status` the service's word for it. `action` is what would be done about it,
    and `fault` why that could not be planned: one of the two is always there. `other_accounts` are connected where its
    owner's consent is awaited, and declared by no manifest: the owner may have taken another account.
    """

    address: str
    site: str
    site_id: str
    schedule_id: str | None
    schedule: str | None
    provider: str
    account: Account | None
    connection_id: str | None
    health: Health
    live_status: str | None = None
    action: Action | None = None
    fault: Fault | None = None
    other_accounts: tuple[Account, ...] = ()


MOST_OUT_OF_SCOPE = 20
"""How many connections of a site that are out of scope are named to people."""


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """The connections of one site, by address; `unread` says why the site could not be read at all.

    `out_of_scope` are live ones on schedules that no manifest names; none where that can't be known.
    """

    site: Site
    connections: tuple[ConnectionStatus, ...] = ()
    unread: Fault | None = None
    out_of_scope: tuple[ConnectionStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The status of every site that was looked at; `shards` says which part of a fleet those are, None is all."""

    sites: tuple[SiteStatus, ...] = ()
    shards: Shards | None = None

    @property
    def connections(self) -> tuple[ConnectionStatus, ...]:
        """Every connection of every site."""
        return tuple(connection for site in self.sites for connection in site.connections)

    @property
    def out_of_scope(self) -> tuple[ConnectionStatus, ...]:
        """Every live connection that no site's manifests answer for, as far as that is known."""
        return tuple(connection for site in self.sites for connection in site.out_of_scope)

    @property
    def whole(self) -> bool:
        """Whether everything that is declared could be read."""
        unread = any(site.unread is not None for site in self.sites)
        return not unread and all(c.health is not Health.UNKNOWN for c in self.connections)


def counted(connections: Iterable[ConnectionStatus]) -> dict[Health, int]:
    """How many connections there are of each health, the worst first."""
    counts = Counter(connection.health for connection in connections)
    return {health: counts[health] for health in Health}
