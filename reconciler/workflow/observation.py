"""Observes a site: reads what planning it takes, with the fewest requests.

Providers, schedules and connections are read side by side; calendars then, for the connections whose calendars are
named. Where only some connections are planned (`select` in planning says when that can be), no more is read than
they take.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.api.client import Reader
from reconciler.errors import ApiError
from reconciler.machine.calendars import CalendarFile
from reconciler.model.desired import DeclaredConnection
from reconciler.model.live import ConnectionList, LiveSite, Provider, Schedule, Status, each_once
from reconciler.model.sync import SyncConfig
from reconciler.planning import lookup, providers
from reconciler.planning.planner import ConnectionLookups, calendar_lookups, connection_lookups
from reconciler.planning.select import needs_schedules, schedule_ids
from reconciler.workflow.calendars import with_calendars


async def observe(
    declared: Sequence[DeclaredConnection],
    reader: Reader,
    chosen: Sequence[DeclaredConnection] = (),
    beside: Sequence[DeclaredConnection] = (),
    file: CalendarFile | None = None,
    foresee: Callable[[int], None] = lambda _lookups: None,
) -> LiveSite:
    """Observe one site for these declared connections; raises ApiError or SecretError.

    Where only some are planned and their schedules are enough (`select` in planning), `chosen` are those: then the
    connections of other schedules are not read, nor calendars for other connections. `beside` are planned against the
    same site, by themselves. `file` has calendars that were listed before; `foresee` is told how many accounts'
    calendars are asked for, before they are.
    """
    asked = asyncio.create_task(find_schedules([*declared, *beside], reader))

    async def connections_read() -> ConnectionList:
        # What is asked in any case may be waited for: that costs a while, and no request.
        known = await asked if needs_schedules(chosen) else FoundSchedules()
        return await reader.list_connections(schedule_ids(chosen, lookup.Schedules(known.listed, known.others)))

    offering = asyncio.create_task(_find_providers([*declared, *beside], reader))
    connections = asyncio.create_task(connections_read())
    # All are waited for, so that of several errors the same one is raised each time.
    await asyncio.gather(offering, connections, asked, return_exceptions=True)
    offered, listed, found = offering.result(), connections.result(), asked.result()
    live = LiveSite(
        offered,
        listed.connections,
        listed.failed_provider_ids,
        schedules=found.listed,
        other_schedules=found.others,
    )
    only = frozenset(each.address for each in chosen) or None
    own_lookups, others = connection_lookups(declared, live, only=only), connection_lookups(beside, live)
    live = await _with_directions(live, reader, own_lookups.beside(others))
    lookups = (*calendar_lookups(declared, live, only=only), *calendar_lookups(beside, live))
    whole = only is None and not live.failed_provider_ids
    return await with_calendars(live, lookups, reader, file, foresee, whole=whole)


async def _find_providers(declared: Iterable[DeclaredConnection], reader: Reader) -> tuple[Provider, ...]:
    """Ask for the providers; those that were answered before will do unless one is declared that they lack."""
    began = reader.moment
    found = await reader.list_providers()
    if providers.are_unresolved((each.provider for each in declared), found):
        found = await reader.list_providers(began)
    return each_once(found)


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
    every, began = tuple(declared), reader.moment
    found = await _query_schedules(every, reader)
    if lookup.schedules_unresolved(every, lookup.Schedules(found.listed, found.others)):
        # What was answered before may be older than the schedule that is named.
        found = await _query_schedules(every, reader, began)
    return found


async def _query_schedules(every: Sequence[DeclaredConnection], reader: Reader, since: int = 0) -> FoundSchedules:
    if (query := lookup.schedule_query(every)) is None:
        return FoundSchedules()
    listed = each_once(await reader.query_schedules(query.external_ids, query.app_ids, since))
    if (beyond := lookup.query_beyond(every, lookup.Schedules(listed))) is None:
        return FoundSchedules(listed)
    known = {schedule.id for schedule in listed}
    answer = each_once(await reader.query_schedules(beyond.external_ids, since=since))
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
    return completed(live, {one.id: one.sync for one in answers})


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
    return completed(live, found)


def completed(live: LiveSite, found: Mapping[str, SyncConfig]) -> LiveSite:
    """The site, where its list leaves something out, with what was found by the connections' ids."""
    connections = tuple(
        replace(each, sync=each.sync.completed_by(found[each.id])) if each.id in found else each
        for each in live.connections
    )
    return replace(live, connections=connections)
