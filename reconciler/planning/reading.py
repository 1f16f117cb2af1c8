"""Declared connections made sense of: references resolved against what the site offers, then matched."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.model.desired import DeclaredConnection, Scope, Site
from reconciler.model.live import LiveConnection, LiveSite, Provider
from reconciler.model.source import Fault
from reconciler.planning import providers, schedules
from reconciler.planning.match import Matching, Resolved, folded, match


@dataclass(frozen=True, slots=True)
class Reading:
    """The declared connections of a site against what is live.

    A matched one has the provider that its live connection stands at. `unread` names those that could not be
    compared since the service answered only in part;
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
    known_schedules = schedules.Schedules(live.schedules)
    for connection in sorted(declared, key=lambda connection: connection.address):
        schedule = schedules.resolve(connection, known_schedules)
        if not isinstance(schedule, Fault):
            named.add(schedule.id.lower())
        provider = providers.resolve(connection.provider, live.providers, connection)
        if not isinstance(provider, Fault) and provider.id in live.failed_provider_ids:
            unread.append(_unread(connection, provider))
        elif isinstance(schedule, Fault) or isinstance(provider, Fault):
            faults += [found for found in (schedule, provider) if isinstance(found, Fault)]
        else:
            resolved.append(Resolved(connection, schedule, provider))
    unique, doubled = _without_doubles(resolved)
    matching = match(unique, live.connections)
    hidden = {item.declared.address: failed for item, failed in _perhaps_hidden(matching, live)}
    unread += [
        _unread(item.declared, hidden[a]) for item, _ in matching.pairs if (a := item.declared.address) in hidden
    ]
    by_id = {provider.id: provider for provider in live.providers}
    pairs = tuple(
        (item if found is None else replace(item, provider=by_id.get(found.provider_id, item.provider)), found)
        for item, found in matching.pairs
        if item.declared.address not in hidden
    )
    return Reading(replace(matching, pairs=pairs), (*faults, *doubled), tuple(unread), frozenset(named))


def _perhaps_hidden(matching: Matching, live: LiveSite) -> Iterator[tuple[Resolved, Provider]]:
    """The declared connections without a match that may be at a provider whose connections could not be read."""
    failed = [provider for provider in live.providers if provider.id in live.failed_provider_ids]
    for item, found in matching.pairs:
        could_be_at = (p for p in failed if providers.is_meant(item.declared.provider, p))
        if found is None and (provider := next(could_be_at, None)) is not None:
            yield item, provider


def _unread(connection: DeclaredConnection, provider: Provider) -> Fault:
    message = f"the service could not read the connections of provider {provider.name}: not planned"
    return Fault(connection.sources.root, connection.address, message, "plan again later")


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
