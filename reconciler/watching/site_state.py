"""Remembers between rounds how the connections of a site are, for what one look can't tell.

A connection that was seen standing and is gone was disconnected, though the service may have forgotten it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.action import Reason
from reconciler.model.key import ConnectionKey
from reconciler.model.status import ConnectionStatus, Health
from reconciler.planning.account_warnings import OtherAccount
from reconciler.render import status_text, words
from reconciler.watching.site_round import SiteRound


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
    """Whether it was disconnected though its manifest declares it."""

    stood: ConnectionKey | None = field(default=None, compare=False)
    """Whose connection it was when it was last seen to stand; None before that."""


@dataclass(frozen=True, slots=True)
class SiteState:
    """A site: its connections by address, the gists of its alerts, and other warnings.

    `seen` is False where the site could not be read; its connections are then as they were seen last.
    """

    connections: Mapping[str, ConnectionState]
    alerts: frozenset[tuple[str, str]] = frozenset()
    warnings: frozenset[str] = frozenset()
    seen: bool = True


NEW = SiteState({})
"""A site that nothing is known of yet."""


def state_after(site_round: SiteRound, before: SiteState) -> SiteState:
    """The state of a site after a round."""
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
    connections = {
        each.address: _state(each, before.connections.get(each.address)) for each in site_round.status.connections
    }
    return SiteState(connections, alerts, warnings)


def _state(status: ConnectionStatus, before: ConnectionState | None) -> ConnectionState:
    stood = None if before is None else before.stood
    action = status.action
    if action is None:
        return ConnectionState(status.health, status_text.reason(status), faulty=True, stood=stood)
    if status.connection_id is not None:
        stood = action.key
    elif status.health is Health.ABSENT:
        stood = None
    forgotten = action.reason is Reason.NOT_CONNECTED and action.key == stood and not status.other_accounts
    return ConnectionState(
        status.health,
        words.WAS_DISCONNECTED if forgotten else status_text.reason(status),
        lost=forgotten or action.reason is Reason.WAS_DISCONNECTED,
        stood=stood,
    )
