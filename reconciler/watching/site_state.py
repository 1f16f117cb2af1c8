"""The state of a site at the end of a round, and in what it differs from the round before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.model.status import ConnectionStatus, Health
from reconciler.planning.account_warnings import OtherAccount
from reconciler.render import status_words
from reconciler.text import inert
from reconciler.watching.site_round import SiteRound


@dataclass(frozen=True, slots=True)
class Line:
    """A line to tell; `bad` where somebody should look."""

    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How one connection is, and why; `faulty` where a fault says so, which is told as an alert of its site."""

    health: Health
    why: str | None = None
    faulty: bool = False


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
    return SiteState({each.address: _condition(each) for each in site_round.status.connections}, alerts, warnings)


def _condition(status: ConnectionStatus) -> ConnectionState:
    return ConnectionState(status.health, status_words.reason(status), faulty=status.fault is not None)


def changes(site_round: SiteRound, before: SiteState, now: SiteState) -> Iterator[Line]:
    """What is new since the round before, a line each; nothing where all is as it was."""
    if now.seen and not before.seen:
        yield Line(f"{site_round.first.site.name}: can be read again")
    for alert in site_round.alerts:
        if alert.gist not in before.alerts:
            yield Line(inert(alert.text), bad=True)
    for warning in sorted(now.warnings - before.warnings):
        yield Line(inert(warning))
    for address, condition in now.connections.items():
        yield from _change(address, before.connections.get(address), condition)


def _change(address: str, before: ConnectionState | None, now: ConnectionState) -> Iterator[Line]:
    if before == now or now.faulty:
        return
    if now.health.needs_attention:
        why = f": {now.why}" if now.why else ""
        yield Line(inert(f"{address}: {status_words.WORD[now.health]}{why}"), bad=now.health is Health.ERROR)
    elif before is not None and before.health.needs_attention:
        yield Line(inert(f"{address}: healed, {status_words.WORD[now.health]}"))
    elif now.health is Health.UNMANAGED and before is None:
        yield Line(inert(f"{address}: {status_words.WORD[now.health]}: {now.why}"))
