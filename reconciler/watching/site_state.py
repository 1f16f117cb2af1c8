"""Remembers between rounds how the connections of a site are, for what one look can't tell.

*Lost*: it is listed as disconnected, or was seen standing and is no longer listed, since a service may forget it.
*Stuck*: in every look for over 30 minutes its sync had not ended. A look in which it could not be read changes nothing.
Another id is another connection, which begins anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.model.action import Action, Reason
from reconciler.model.key import ConnectionKey
from reconciler.model.live import Status
from reconciler.model.status import ConnectionStatus, Health
from reconciler.planning.account_warnings import OtherAccount
from reconciler.render import status_text, words
from reconciler.watching.site_round import SiteRound

STUCK_AFTER = 30 * 60.0
"""Seconds; the vendor's pages say that a first sync takes 5 to 10 minutes."""


@dataclass(frozen=True, slots=True)
class Syncing:
    """A live connection whose sync has not ended, since when it is seen so (`since`, in seconds), and if too long."""

    connection_id: str
    since: float
    stuck: bool


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How one connection is, and why; two are equal where there is nothing to tell."""

    health: Health
    """How it is."""

    why: str | None = None
    """Why it is not as declared; None where it is."""

    faulty: bool = False
    """Whether an alert of its site says so."""

    lost: bool = False
    """Whether it stood before and does not now, though its manifest declares it."""

    stood: ConnectionKey | None = field(default=None, compare=False)
    """Whose connection it was when it was last seen to stand; None before that."""

    syncing: Syncing | None = field(default=None, compare=False)
    """What is known of its sync; None where that has ended, or there is none."""

    @property
    def stuck(self) -> bool:
        """Whether its sync should have ended long ago."""
        return self.syncing is not None and self.syncing.stuck


@dataclass(frozen=True, slots=True)
class SiteState:
    """A site: its connections by address, the gists of its alerts, and other warnings.

    `seen` is False where the site could not be read; its connections are then as they were seen last.
    """

    connections: Mapping[str, ConnectionState]
    alerts: frozenset[tuple[str, str]] = frozenset()
    warnings: frozenset[str] = frozenset()
    seen: bool = True

    @property
    def stuck(self) -> int:
        """How many connections are stuck."""
        return sum(state.stuck for state in self.connections.values())


NEW = SiteState({})
"""A site that nothing is known of yet."""


_FORGOTTEN = f"was connected and is no longer listed; {words.WHY_GONE}"


def state_after(site_round: SiteRound, before: SiteState, seconds: float) -> SiteState:
    """The state of a site after a round that ended at `seconds` of a clock that never goes back."""
    alerts = frozenset(alert.gist for alert in site_round.alerts)
    # What is told of a connection is not told of its site once more.
    warnings = frozenset(site_round.final.warnings) - {
        str(OtherAccount(each.action, account))
        for each in site_round.status.connections
        if each.action is not None
        for account in each.other_accounts
    }
    if site_round.status.unread is not None:
        return SiteState(before.connections, alerts, warnings, seen=False)
    # By id: a connection that is declared by another name now goes on as it was.
    syncing = {state.syncing.connection_id: state.syncing for state in before.connections.values() if state.syncing}
    connections = {}
    for each in site_round.status.connections:
        former = before.connections.get(each.address)
        if each.action is None:
            state = _not_looked_at(each, former)
        else:
            state = replace(_state(each, each.action, former), syncing=_syncing(each, syncing, seconds))
        connections[each.address] = state
    return SiteState(connections, alerts, warnings)


def _not_looked_at(status: ConnectionStatus, before: ConnectionState | None) -> ConnectionState:
    """The state of a connection that could not be read or planned: what was known of it stays."""
    state = ConnectionState(status.health, status_text.reason(status), faulty=True)
    return state if before is None else replace(state, stood=before.stood, syncing=before.syncing)


def _state(status: ConnectionStatus, action: Action, before: ConnectionState | None) -> ConnectionState:
    stood = None if before is None else before.stood
    if status.connection_id is not None:
        stood = action.key
    elif status.health is Health.ABSENT:
        stood = None
    lost = None if status.other_accounts else why_lost(action, stood)
    return ConnectionState(status.health, lost or status_text.reason(status), lost=lost is not None, stood=stood)


def why_lost(action: Action, stood: ConnectionKey | None) -> str | None:
    """How a connection was lost that the action connects; None for any other. `stood` is what was seen before."""
    if action.reason is Reason.WAS_DISCONNECTED:
        return words.reason(action)
    return _FORGOTTEN if action.reason is Reason.NOT_CONNECTED and action.key == stood else None


def _syncing(status: ConnectionStatus, before: Mapping[str, Syncing], seconds: float) -> Syncing | None:
    if status.connection_id is None or status.health is Health.UNMANAGED:
        return None
    known = before.get(status.connection_id)
    if status.live_status == Status.UNDEFINED:
        # Not said: it may have ended, and may not.
        return known
    if status.live_status not in {Status.CONNECTED, Status.SYNC_IN_PROGRESS}:
        return None
    since = seconds if known is None else known.since
    return Syncing(status.connection_id, since, stuck=seconds - since > STUCK_AFTER)
