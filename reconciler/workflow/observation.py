"""Observes a site: reads what planning it takes, with the fewest requests.

Providers, schedules and connections are read side by side; calendars then, for the connections whose calendars are
named. Where only some connections are planned (`select` in planning says when that can be), no more is read than
they take.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.api.client import Reader
from reconciler.errors import ApiError
from reconciler.model.desired import DeclaredConnection
from reconciler.model.live import Calendar, ConnectionList, LiveSite, Provider, Schedule, Status
from reconciler.model.sync import SyncConfig
from reconciler.planning import lookup
from reconciler.planning.planner import ConnectionLookups, calendar_lookups, connection_lookups
from reconciler.planning.select import needs_schedules, schedule_ids

_T = TypeVar("_T", Provider, Schedule, Calendar)


async def observe(
    declared: Sequence[DeclaredConnection],
    reader: Reader,
    chosen: Sequence[DeclaredConnection] = (),
    beside: Sequence[DeclaredConnection] = (),
) -> LiveSite:
    """Observe one site for these declared connections; raises ApiError or SecretError.

    Where only some are planned and their schedules are enough (`select` in planning), `chosen` are those: then the
    connections of other schedules are not read, nor calendars for other connections. `beside` are planned against the
    same site, by themselves.
    """
    asked = asyncio.create_task(find_schedules([*declared, *beside], reader))

    async def connections_read() -> ConnectionList:
        # What is asked in any case may be waited for: that costs a while, and no request.
        known = await asked if needs_schedules(chosen) else FoundSchedules()
        return await reader.list_connections(schedule_ids(chosen, lookup.Schedules(known.listed, known.others)))

    providers, connections = asyncio.create_task(reader.list_providers()), asyncio.create_task(connections_read())
    # All are waited for, so that of several errors the same one is raised each time.
    await asyncio.gather(providers, connections, asked, return_exceptions=True)
    offered, listed, found = providers.result(), connections.result(), asked.result()
    live = LiveSite(
        _by_id(offered),
        listed.connections,
        listed.failed_provider_ids,
        schedules=found.listed,
        other_schedules=found.others,
    )
    only = frozenset(each.address for each in chosen) or None
    own_lookups, others = connection_lookups(declared, live, only=only), connection_lookups(beside, live)
    live = await _with_directions(live, reader, own_lookups.beside(others))
    own = calendar_lookups(declared, live, only=only)
    wanted = tuple(dict.fromkeys((*own, *calendar_lookups(beside, live))))
    answers = await asyncio.gather(*(_calendars(reader, connection_id) for connection_id in wanted))
    by_id = dict(zip(wanted, answers, strict=True))
    return replace(
        live,
        calendars={key: answer for key, answer in by_id.items() if not isinstance(answer, str)},
        unlisted={key: answer for key, answer in by_id.items() if isinstance(answer, str)},
    )


@dataclass(frozen=True, slots=True)
class FoundSchedules:
    """The schedules among which references are looked up, as `Schedules` in planning tells them apart."""

    listed: tuple[Schedule, ...] = ()
    others: tuple[Schedule, ...] = ()


async def find_schedules(declared: Iterable[DeclaredConnection], reader: Reader) -> FoundSchedules:
    """Ask for the schedules that are named otherwise than by id; raises ApiError or SecretError.

    Those of every app are asked for only where a reference means none of its own app's: it may mean one by external
    id, and else a person is told where it is.
    """
    every = tuple(declared)
    if (query := lookup.schedule_query(every)) is None:
        return FoundSchedules()
    listed = _by_id(await reader.query_schedules(query.external_ids, query.app_ids))
    if (beyond := lookup.query_beyond(every, lookup.Schedules(listed))) is None:
        return FoundSchedules(listed)
    known = {schedule.id for schedule in listed}
    answer = _by_id(await reader.query_schedules(beyond.external_ids))
    return FoundSchedules(listed, tuple(schedule for schedule in answer if schedule.id not in known))


async def with_whole_configs(live: LiveSite, reader: Reader, *, of: Collection[str | None] | None = None) -> LiveSite:
    """The site with every direction that the service shows of a connection, also where its list leaves some out.

    Only the connections `of` these ids are looked at, where they are given. Raises ApiError or SecretError where one
    can't be read: what is left out may be on.
    """
    asked = [
        one.id
        for one in live.connections
        if not one.sync.whole and one.status != Status.DISCONNECTED and (of is None or one.id in of)
    ]
    answers = await asyncio.gather(*map(reader.get_connection, asked))
    return _completed(live, {one.id: one.sync for one in answers})


async def _with_directions(live: LiveSite, reader: Reader, lookups: ConnectionLookups) -> LiveSite:
    """The site with the directions that its list does not show.

    A list may leave out a direction because it is off, or all of them. One of those that are to be off tells which:
    where asking for it shows more than the list, all are asked for. One that can't be read stays as it is listed: it is
    looked up again before anything is sent.
    """

    async def looked_up(connection_id: str) -> SyncConfig | None:
        try:
            return (await reader.get_connection(connection_id)).sync
        except ApiError:
            return None

    async def shown(connection_ids: Sequence[str]) -> dict[str, SyncConfig]:
        answers = await asyncio.gather(*map(looked_up, connection_ids))
        found = zip(connection_ids, answers, strict=True)
        return {connection_id: sync for connection_id, sync in found if sync is not None}

    if not lookups.to_work and not lookups.to_be_off:
        return live
    found = await shown((*lookups.to_work, *lookups.to_be_off[:1]))
    listed = {connection.id: connection.sync for connection in live.connections}
    if any(listed[key].completed_by(sync) != listed[key] for key, sync in found.items()):
        found |= await shown(lookups.to_be_off[1:])
    return _completed(live, found)


def _completed(live: LiveSite, found: Mapping[str, SyncConfig]) -> LiveSite:
    """The site, where its list leaves something out, with what was found by the connections' ids."""
    connections = tuple(
        replace(each, sync=each.sync.completed_by(found[each.id])) if each.id in found else each
        for each in live.connections
    )
    return replace(live, connections=connections)


async def _calendars(reader: Reader, connection_id: str) -> tuple[Calendar, ...] | str:
    """List the account's calendars, or say why not: one's error must not hide the site."""
    try:
        return _by_id(await reader.list_calendars(connection_id))
    except ApiError as error:
        return str(error)


def _by_id(items: Sequence[_T]) -> tuple[_T, ...]:
    """Order what the service lists in any order, each once, so that no plan depends on it."""
    distinct = {item.id: item for item in items}
    return tuple(distinct[key] for key in sorted(distinct))
