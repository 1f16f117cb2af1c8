"""Plans live connections that no manifest declares: unmanaged, pruned, or replaced."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reconciler.model.action import Action, Reason
from reconciler.model.desired import DeclaredConnection, Site, State
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.planning import actions, diff
from reconciler.planning.match import Resolved
from reconciler.planning.resolve import ResolvedSite


def with_undeclared(site: Site, planned: Sequence[Action], resolved: ResolvedSite, live: LiveSite) -> list[Action]:
    """The planned actions together with those for the live connections in scope that nobody declares.

    Where exactly one of them gives way to exactly one declared connection on its schedule, the connect among
    the planned actions becomes a replace. Nothing is pruned where nothing is declared, nor what the service
    could not read in full. A tombstone takes every connection of its key, and one in ERROR goes where a healthy one
    has its key: what a reconnect that was interrupted has left.
    """
    undeclared = [connection for connection in resolved.matching.undeclared if resolved.in_scope(site, connection)]
    by_id = {provider.id: provider for provider in live.providers}
    prune = site.prune and bool(resolved.named_schedules)
    replaced = _replacements(site, resolved, undeclared, live) if prune else {}
    superseded = {action.connection_id for action in replaced.values()}
    result = [replaced.get(action.address, action) for action in planned]
    for connection in undeclared:
        if connection.id in superseded:
            continue
        twin = resolved.matching.duplicates.get(connection.id)
        if twin is not None:
            # Whose it is tells its key, whatever else could not be read.
            pruned = connection.provider_id not in live.failed_provider_ids
        else:
            pruned = prune and _seen_in_full(connection, resolved, live)
        if twin is not None:
            reason = Reason.TOMBSTONE if twin.state is State.ABSENT else Reason.DUPLICATE
        elif pruned:
            reason = Reason.PRUNED
        else:
            reason = Reason.NOTHING_DECLARED if site.prune and not prune else Reason.NOT_DECLARED
        provider = by_id.get(connection.provider_id)
        result.append(actions.undeclared(site, connection, provider, reason, prune=pruned))
    return result


def out_of_scope(
    site: Site, declared: Sequence[DeclaredConnection], resolved: ResolvedSite, live: LiveSite
) -> Iterator[Action]:
    """The live connections on schedules that no manifest names, by address; none where that can't be known.

    It can't where a manifest's schedule is not found, or where the service answered only in part.
    """
    if live.failed_provider_ids or len(resolved.schedule_ids) < len(declared):
        return
    by_id = {provider.id: provider for provider in live.providers}
    for connection in sorted(resolved.matching.undeclared, key=lambda each: each.id):
        if not resolved.in_scope(site, connection):
            provider = by_id.get(connection.provider_id)
            yield actions.undeclared(site, connection, provider, Reason.OUT_OF_SCOPE, prune=False)


def changed_with_new_ids(resolved: ResolvedSite) -> Iterator[str]:
    """A warning for each direction that no manifest manages, and that goes or comes with a broken connection's twin.

    An owner who consents again may get a connection that starts as its provider likes, while the broken one stands by.
    """
    broken = {one.id: one for one in resolved.matching.undeclared if one.id in resolved.matching.duplicates}
    working = {item.declared.address: (item.declared, one) for item, one in resolved.matching.pairs if one is not None}
    for connection in sorted(broken.values(), key=lambda one: one.id):
        declared, twin = working.get(resolved.matching.duplicates[connection.id].address, (None, None))
        if declared is None or twin is None or declared.state is State.ABSENT:
            continue
        managed = diff.managed(declared.sync, declared.lifecycle.ignore_changes)
        shown = zip(diff.directions(managed, connection.sync), diff.directions(managed, twin.sync), strict=True)
        for (path, wanted, before), (_, _, now) in shown:
            managed_too = wanted is not None and wanted.enabled is not None
            if managed_too or before is None or now is None:
                continue
            if bool(before.enabled) != bool(now.enabled):
                on, off = ("worked", "is off") if before.enabled else ("was off", "works")
                yield (
                    f"{declared.address}: {path} {on} in its broken connection {connection.id}, and {off} in the one "
                    f"that took its place ({twin.id}); declare it, or set it in the site's dashboard"
                )


def _seen_in_full(connection: LiveConnection, resolved: ResolvedSite, live: LiveSite) -> bool:
    """Whether a connection is surely undeclared: nothing that it or its schedule's manifests mean was hidden."""
    unread_schedule = connection.schedule_id in resolved.unread_schedules
    return not unread_schedule and connection.provider_id not in live.failed_provider_ids


def _replacements(
    site: Site, resolved: ResolvedSite, undeclared: Sequence[LiveConnection], live: LiveSite
) -> dict[str, Action]:
    """The replaces, by address of the declared connection that takes over."""
    by_id = {provider.id: provider for provider in live.providers}
    freed: dict[str, list[LiveConnection]] = defaultdict(list)
    for connection in undeclared:
        # A duplicate goes for its twin, and what could not be read in full does not go at all.
        if connection.id not in resolved.matching.duplicates and _seen_in_full(connection, resolved, live):
            freed[connection.schedule_id].append(connection)
    wanting: dict[str, list[Resolved]] = defaultdict(list)
    for item, live_one in resolved.matching.pairs:
        if live_one is None and item.declared.state is State.PRESENT:
            wanting[item.schedule.id].append(item)
    replaced: dict[str, Action] = {}
    for schedule_id, items in wanting.items():
        candidates = freed.get(schedule_id, [])
        if len(items) == 1 and len(candidates) == 1:
            outcome = actions.replacing(site, items[0], candidates[0], by_id.get(candidates[0].provider_id))
            # A connect that can't be done is a fault of the declared connection already.
            if isinstance(outcome, Action):
                replaced[outcome.address] = outcome
    return replaced
