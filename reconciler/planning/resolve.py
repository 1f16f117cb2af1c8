"""Resolves the references of declared connections by what the site offers, then matches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.model.desired import DeclaredConnection, ProviderRef, Scope, Site
from reconciler.model.live import LiveConnection, LiveSite, Provider
from reconciler.model.source import Fault
from reconciler.planning import lookup, providers
from reconciler.planning.match import Matching, Resolved, match
from reconciler.planning.overlaps import shared_accounts


@dataclass(frozen=True, slots=True)
class ResolvedSite:
    """The declared connections of a site against what is live.

    A matched one has the provider that its live connection stands at. `unread` names those that could not be
    compared since the service answered only in part;
    `named_schedules` are the ids of the schedules that a manifest names, `unread_schedules` those of
    them on which not everything declared could be compared; `schedule_ids` are those by address, as far as they could
    be resolved.
    """

    matching: Matching
    faults: tuple[Fault, ...]
    unread: tuple[Fault, ...]
    named_schedules: frozenset[str]
    unread_schedules: frozenset[str]
    schedule_ids: Mapping[str, str]

    def in_scope(self, site: Site, connection: LiveConnection) -> bool:
        """Whether the manifests answer for a live connection, as `scope` in its Site says."""
        return site.scope is Scope.SITE or connection.schedule_id in self.named_schedules


def resolve_declared(declared: Sequence[DeclaredConnection], live: LiveSite) -> ResolvedSite:
    """Resolve and match the declared connections of one site."""
    resolved: list[Resolved] = []
    faults: list[Fault] = []
    named: dict[str, str] = {}
    known_schedules = lookup.schedules_of(live)
    known_providers: dict[ProviderRef, Provider] = {}
    for connection in sorted(declared, key=lambda connection: connection.address):
        schedule = lookup.resolve_schedule(connection, known_schedules)
        provider = known_providers.get(connection.provider) or providers.resolve(
            connection.provider, live.providers, connection
        )
        if not isinstance(schedule, Fault):
            named[connection.address] = schedule.id
        if isinstance(schedule, Fault) or isinstance(provider, Fault):
            faults += [found for found in (schedule, provider) if isinstance(found, Fault)]
        else:
            known_providers[connection.provider] = provider
            resolved.append(Resolved(connection, schedule, provider))
    unique, duplicates = _without_duplicates(resolved)
    matching = match(unique, live.connections)
    by_id = {provider.id: provider for provider in live.providers}
    pairs: list[tuple[Resolved, LiveConnection | None]] = []
    unread: dict[str, Fault] = {}
    unread_schedules: set[str] = set()
    for item, found in matching.pairs:
        if (name := _could_not_be_read(item, found, live)) is not None:
            unread[item.declared.address] = _unread(item.declared, name)
            unread_schedules.add(item.schedule.id)
        elif found is None:
            pairs.append((item, None))
        else:
            provider = by_id.get(found.provider_id, item.provider)
            pairs.append((item if provider is item.provider else replace(item, provider=provider), found))
    return ResolvedSite(
        matching=replace(matching, pairs=tuple(pairs)),
        faults=(*faults, *duplicates, *shared_accounts(unique, live)),
        unread=tuple(unread.values()),
        named_schedules=frozenset(named.values()),
        unread_schedules=frozenset(unread_schedules),
        schedule_ids=named,
    )


def _could_not_be_read(item: Resolved, found: LiveConnection | None, live: LiveSite) -> str | None:
    """The provider that may hold the connection and whose connections could not be read, by name."""
    if not live.failed_provider_ids:
        return None
    failed = set(live.failed_provider_ids)
    if found is not None:
        return found.provider_id if found.provider_id in failed else None
    return next(providers.may_hide(item.declared.provider, live.providers, failed), None)


def _unread(connection: DeclaredConnection, provider: str) -> Fault:
    message = f"the service could not read the connections of provider {provider}: not planned"
    return Fault(connection.sources.root, connection.address, message, "plan again later")


def _without_duplicates(resolved: Sequence[Resolved]) -> tuple[list[Resolved], list[Fault]]:
    """Find manifests that turn out to declare one connection once their references are resolved."""
    groups: dict[tuple[str, str, str], list[Resolved]] = defaultdict(list)
    for item in resolved:
        groups[item.schedule.id, item.provider.id, item.declared.account.normal].append(item)
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
