"""Finds declared connections that stand more than once; a plan leaves all of them alone.

A person decides which stays. What counts as one is what matching takes for one: schedule, provider and account. A
connection that shows no account is nobody's duplicate, and one in ERROR beside a healthy one is no question.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.model.account import Account
from reconciler.model.desired import DeclaredConnection, State
from reconciler.model.key import ConnectionKey
from reconciler.model.live import LiveConnection, LiveSite, Status
from reconciler.model.source import Fault
from reconciler.planning import lookup, providers


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The live connections, by id, that all are the one declared at `address`."""

    address: str
    site: str
    site_id: str
    key: ConnectionKey
    connections: tuple[LiveConnection, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the connections."""
        return tuple(connection.id for connection in self.connections)


def find_duplicates(site_id: str, declared: Sequence[DeclaredConnection], live: LiveSite) -> tuple[Duplicates, ...]:
    """What stands more than once of one site, by address, but for what plans have another fault of."""
    known = lookup.schedules_of(live)
    by_account = _by_account(live.connections)
    found: list[Duplicates] = []
    for connection in sorted(declared, key=lambda connection: connection.address):
        schedule = lookup.resolve_schedule(connection, known)
        provider = providers.resolve(connection.provider, live.providers, connection)
        if isinstance(schedule, Fault) or isinstance(provider, Fault) or connection.state is State.ABSENT:
            continue
        beside = by_account[schedule.id, connection.account]
        same = {each.id: each for each in beside if providers.serves(connection.provider, provider, each)}
        label = providers.label(provider, provider.calendar_type)
        standing = tuple(same[key] for key in sorted(same))
        key = ConnectionKey(schedule.id, label, connection.account)
        found.append(Duplicates(connection.address, connection.site, site_id, key, standing))
    wanted = Counter(key for each in found for key in each.ids)
    return tuple(each for each in found if _is_open(each) and all(wanted[key] == 1 for key in each.ids))


def unread(declared: Sequence[DeclaredConnection], live: LiveSite) -> tuple[str, ...]:
    """The names of the providers at which something is declared and whose connections could not be read."""
    failed = [provider for provider in live.providers if provider.id in live.failed_provider_ids]
    return tuple(p.name for p in failed if any(providers.is_meant(c.provider, p) for c in declared))


def still_standing(duplicates: Duplicates, connections: Sequence[LiveConnection]) -> tuple[str, ...]:
    """The ids of those of the duplicates that stand by now, of the same schedule and account as they did."""
    same = {each.id for each in _by_account(connections)[duplicates.key.schedule_id, duplicates.key.account]}
    return tuple(key for key in duplicates.ids if key in same)


def _by_account(connections: Iterable[LiveConnection]) -> dict[tuple[str, Account | None], list[LiveConnection]]:
    """What stands and shows its account, by schedule and account."""
    found: dict[tuple[str, Account | None], list[LiveConnection]] = defaultdict(list)
    for connection in connections:
        if connection.account and connection.status != Status.DISCONNECTED:
            found[connection.schedule_id, connection.account].append(connection)
    return found


def _is_open(found: Duplicates) -> bool:
    healthy = sum(connection.status != Status.ERROR for connection in found.connections)
    return len(found.connections) > 1 and healthy != 1
