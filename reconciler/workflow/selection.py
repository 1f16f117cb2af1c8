"""Asks the service what a command line may mean by a word that no manifest holds: a live id, or a schedule's name."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.api.client import Reader
from reconciler.errors import ExtcalError
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.live import LiveConnection, LiveSite, Schedule
from reconciler.model.source import Fault
from reconciler.model.sync import SyncConfig
from reconciler.planning.resolve import resolve_declared
from reconciler.workflow.observation import observe
from reconciler.workflow.service import Service, run_bounded, sessions


@dataclass(frozen=True, slots=True)
class MatchedSite:
    """A site's live connections, and which of them are declared."""

    live: LiveSite
    matched: Mapping[str, LiveConnection | None] = field(default_factory=dict)
    """By address, None where a declared one is not connected."""

    unclear: Mapping[str, Fault] = field(default_factory=dict)
    """By address, why it can't be told whether a declared one is connected."""


async def match_live(declared: Sequence[DeclaredConnection], reader: Reader) -> MatchedSite:
    """Read a site and match its declared connections; raises ApiError or SecretError.

    What is imported is not asked for: it would cost a request for each connection that names a calendar.
    """
    plain = [replace(each, sync=SyncConfig()) for each in declared]
    live = await observe(plain, reader)
    resolved = resolve_declared(plain, live)
    return MatchedSite(
        live,
        {item.declared.address: found for item, found in resolved.matching.pairs},
        {fault.where: fault for fault in (*resolved.faults, *resolved.matching.faults, *resolved.unread)},
    )


@dataclass(frozen=True, slots=True)
class SiteLookup:
    """What the service says of a site, as far as it was asked; `error` says why it could not be."""

    schedules: tuple[Schedule, ...] = ()
    connections: tuple[LiveConnection, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    """By the id of a live connection, the address of the declared one that it is."""

    error: str | None = None


async def look_up(
    desired: Desired, sites: Sequence[Site], service: Service, *, schedules: bool, connections: bool
) -> dict[str, SiteLookup]:
    """What the service says of these sites, by name: of their schedules in one request each, of their connections."""
    by_site: dict[str, list[DeclaredConnection]] = defaultdict(list)
    for each in desired.connections:
        by_site[each.site].append(each)

    async with sessions(sites, service) as opened:

        async def matched(declared: Sequence[DeclaredConnection], reader: Reader) -> MatchedSite:
            return await match_live(declared, reader) if connections else MatchedSite(LiveSite((), ()))

        async def queried(reader: Reader) -> tuple[Schedule, ...]:
            return await reader.query_schedules() if schedules else ()

        async def one(site: Site) -> SiteLookup:
            reader = opened[site.name].reader()
            asked = asyncio.create_task(queried(reader))
            matching = asyncio.create_task(matched(by_site[site.name], reader))
            # Both are waited for, so that of two errors the same one is raised each time.
            await asyncio.gather(asked, matching, return_exceptions=True)
            try:
                found, known = matching.result(), asked.result()
            except ExtcalError as error:
                return SiteLookup(error=str(error))
            addresses = {live.id: address for address, live in found.matched.items() if live is not None}
            return SiteLookup(known, found.live.connections, addresses)

        answers = await run_bounded(one, sites, opened.at_once)
    return {site.name: answer for site, answer in zip(sites, answers, strict=True)}
