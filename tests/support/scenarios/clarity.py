"""Settles every doubt as to which live connection a manifest means, by changing the world."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.sandbox.contract import Status
from reconciler.sandbox.world import ExistingConnection, Site
from tests.support.scenarios.statements import Statement

_Key = tuple[str, str, str]


def clarified(site: Site, statements: Sequence[Statement]) -> Site:
    """The site with one healthy connection at most for each key that is stated, or one broken one alone.

    A connection that shows no account stays so only where it can be nothing but what it is.
    """
    stated = {(s.schedule.id, s.provider.slug, s.account.email) for s in statements if s.site.id == site.id}
    slugs = {provider.id: provider.slug for provider in site.providers}
    connections = _without_rivals(site.connections, slugs, stated)
    return replace(site, connections=_with_accounts(connections, slugs, stated))


def _key(connection: ExistingConnection, slugs: dict[str, str]) -> _Key:
    return (connection.schedule_id, slugs[connection.provider_id], connection.account)


def _without_rivals(
    connections: Sequence[ExistingConnection], slugs: dict[str, str], stated: set[_Key]
) -> list[ExistingConnection]:
    """Disconnects what would leave open which connection of a key is meant."""
    kept = list(connections)
    chosen: dict[_Key, ExistingConnection] = {}
    # Healthy ones come first: broken ones beside a healthy one leave nothing open, where they are the same provider's.
    for index in sorted(range(len(kept)), key=lambda index: kept[index].status == Status.ERROR):
        connection = kept[index]
        key = _key(connection, slugs)
        if connection.status == Status.DISCONNECTED or key not in stated:
            continue
        first = chosen.setdefault(key, connection)
        twin = connection.status == Status.ERROR != first.status and connection.provider_id == first.provider_id
        if first is not connection and not twin:
            kept[index] = replace(connection, status=Status.DISCONNECTED, error_reason=None)
    return kept


def _with_accounts(
    connections: Sequence[ExistingConnection], slugs: dict[str, str], stated: set[_Key]
) -> tuple[ExistingConnection, ...]:
    """Shows the accounts without which a manifest could mean another connection than the one it is about."""
    result = list(connections)
    active = [index for index, connection in enumerate(result) if connection.status != Status.DISCONNECTED]
    for index in active:
        if result[index].email_shown:
            continue
        key = _key(result[index], slugs)
        beside = [result[other] for other in active if other != index and _key(result[other], slugs)[:2] == key[:2]]
        matched = {_key(connection, slugs) for connection in beside if connection.email_shown}
        unmatched = {other for other in stated if other[:2] == key[:2]} - matched - {key}
        doubtful = any(not other.email_shown or _key(other, slugs) == key for other in beside)
        if doubtful or unmatched:
            result[index] = replace(result[index], email_shown=True)
    return tuple(result)
