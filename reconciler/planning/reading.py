"""Declared connections made sense of: references resolved against what the site offers, then matched."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.model.desired import DeclaredConnection, Scope, Site
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.model.source import Fault
from reconciler.planning import providers, schedules
from reconciler.planning.match import Matching, Resolved, folded, match


@dataclass(frozen=True, slots=True)
class Reading:
    """The declared connections of a site against what is live.

    `unread` names those that could not be compared since the service answered only in part;
    `named_schedules` are the ids, in lower case, of the schedules that a manifest names.
    """

    matching: Matching
    faults: tuple[Fault, ...]
    unread: tuple[Fault, ...]
    named_schedules: frozenset[str]

    def in_scope(self, site: Site, connection: LiveConnection) -> bool:
        """Whether the manifests answer for a live connection (contract: Site, `scope`)."""
        return site.scope is Scope.SITE or connection.schedule_id.lower() in self.named_schedules


def read(declared: Sequence[DeclaredConnection], live: LiveSite) -> Reading:
    """Resolve and match the declared connections of one site."""
    resolved: list[Resolved] = []
    faults: list[Fault] = []
    unread: list[Fault] = []
    named: set[str] = set()
    for connection in sorted(declared, key=lambda connection: connection.address):
        schedule = schedules.resolve(connection, live.schedules)
        if not isinstance(schedule, Fault):
            named.add(schedule.id.lower())
        provider = providers.resolve(connection.provider, live.providers, connection)
        if not isinstance(provider, Fault) and provider.id in live.failed_provider_ids:
            message = f"the service could not read the connections of provider {provider.name}: not planned"
            unread.append(Fault(connection.sources.root, connection.address, message, "plan again later"))
        elif isinstance(schedule, Fault) or isinstance(provider, Fault):
            faults += [found for found in (schedule, provider) if isinstance(found, Fault)]
        else:
            resolved.append(Resolved(connection, schedule, provider))
    unique, doubled = _without_doubles(resolved)
    return Reading(match(unique, live.connections), (*faults, *doubled), tuple(unread), frozenset(named))


def _without_doubles(resolved: Sequence[Resolved]) -> tuple[list[Resolved], list[Fault]]:
    """Find manifests that turn out to declare one connection once their references are resolved."""
    groups: dict[tuple[str, str, str], list[Resolved]] = defaultdict(list)
    for item in resolved:
        groups[item.schedule.id.lower(), item.provider.id, folded(item.declared.account)].append(item)
    faults = [
        Fault(
            item.declared.sources.root,
            item.declared.address,
            f"declares the same connection as {group[0].declared.address} "
            f"({group[0].declared.sources.root}): same schedule, provider and account",
            "keep one of the two manifests",
        )
        for group in groups.values()
        for item in group[1:]
    ]
    return [group[0] for group in groups.values()], faults
