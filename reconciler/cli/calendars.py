"""`extcal calendars`: the calendars of the connected accounts, to look at."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import click

from reconciler.api.client import Reader
from reconciler.cli.arguments import manifest_paths
from reconciler.cli.formats import LISTING_FORMATS, Listing
from reconciler.cli.options import global_options, said_globals
from reconciler.cli.sites import SiteChoice, read_sites, sites_options
from reconciler.errors import UsageError
from reconciler.manifests import load
from reconciler.model.account import shown
from reconciler.model.desired import DeclaredConnection, Site
from reconciler.model.live import Calendar, LiveConnection, Status
from reconciler.model.sync import SyncConfig
from reconciler.planning.providers import word
from reconciler.planning.resolve import read
from reconciler.render import table
from reconciler.text import did_you_mean
from reconciler.workflow import observe

_Row = tuple[Site, LiveConnection, Calendar]
_UNLISTED = {Status.DISCONNECTED, Status.ERROR}


@click.command
@sites_options
@click.option(
    "--connection",
    "connections",
    metavar="NAME|ID",
    multiple=True,
    help="Only this connection's account: by its NAME or SITE/NAME in the manifests at PATH, or by the live one's ID; "
    "may be repeated.",
)
@global_options
def calendars(chosen: SiteChoice, connections: tuple[str, ...], output: str) -> int:
    """List the calendars of every connected account."""
    said = said_globals()
    wanted = _Wanted(connections, _declared(chosen) if connections else ())

    async def calendars_of(site: Site, reader: Reader) -> list[_Row]:
        if connections:
            live = await wanted.on(site, reader)
        else:
            live = [each for each in await _connections(reader, site) if each.status not in _UNLISTED]
        lists = await asyncio.gather(*(reader.list_calendars(connection.id) for connection in live))
        return [(site, c, calendar) for c, found in zip(live, lists, strict=True) for calendar in found]

    rows, whole = read_sites(said, chosen, calendars_of)
    if whole:
        wanted.refuse_unknown()
    listing = Listing(
        ("SITE", "PROVIDER", "ACCOUNT", "CALENDAR", "ID"),
        [
            (site.name, word(c.calendar_type) or c.calendar_type, shown(c.account, "not shown"), k.name, k.id)
            for site, c, k in rows
        ],
        [table.calendar_json(site.name, c, k) for site, c, k in rows],
    )
    said.console.show(LISTING_FORMATS[output], listing)
    for why in wanted.unlisted:
        said.console.error(why)
    return 0 if whole and not wanted.unlisted else 1


def _declared(chosen: SiteChoice) -> Sequence[DeclaredConnection]:
    return load(manifest_paths(chosen.paths), chosen.limits).connections if chosen.paths else ()


async def _connections(reader: Reader, site: Site) -> tuple[LiveConnection, ...]:
    answer = await reader.list_connections()
    _tell_failed(site, answer.failed_provider_ids)
    return answer.connections


def _tell_failed(site: Site, failed: Sequence[str]) -> None:
    if failed:
        said_globals().console.warning(f"{site.name}: the service could not read the providers {', '.join(failed)}")


class _Wanted:
    """The connections that the command line names; `unlisted` says of which there is no list, and why."""

    def __init__(self, names: Sequence[str], declared: Sequence[DeclaredConnection]) -> None:
        self._names = frozenset(names)
        self._declared: dict[str, list[DeclaredConnection]] = defaultdict(list)
        for connection in declared:
            # What is imported is not asked for: it would cost a request for each that names a calendar.
            self._declared[connection.site].append(replace(connection, sync=SyncConfig()))
        self._there: set[str] = set()
        self.unlisted: list[str] = []

    async def on(self, site: Site, reader: Reader) -> list[LiveConnection]:
        """Those of a site whose calendars can be listed."""
        declared = self._declared[site.name]
        self._there |= {name for each in declared for name in (each.address, each.name)}
        named = [each.address for each in declared if {each.address, each.name} & self._names]
        if named:
            live = await observe(declared, reader)
            _tell_failed(site, live.failed_provider_ids)
            reading = read(declared, live)
            unclear = {fault.where: fault for fault in (*reading.faults, *reading.matching.faults, *reading.unread)}
            matched = {item.declared.address: found for item, found in reading.matching.pairs}
            connections = live.connections
        else:
            connections, matched, unclear = await _connections(reader, site), {}, {}
        self._there |= {connection.id for connection in connections}
        found = {each.id: (each.id, each) for each in connections if each.id in self._names}
        for address in named:
            if address in unclear:
                self.unlisted.append(str(unclear[address]))
            elif (connection := matched.get(address)) is None:
                self.unlisted.append(f"{address}: it is not connected, so that its calendars can't be listed")
            else:
                found[connection.id] = (address, connection)
        return [each for name, each in found.values() if self._is_listed(name, each)]

    def _is_listed(self, name: str, connection: LiveConnection) -> bool:
        if connection.status not in _UNLISTED:
            return True
        self.unlisted.append(f"{name}: it is {connection.status}, so that its calendars can't be listed")
        return False

    def refuse_unknown(self) -> None:
        """Raise UsageError for a name that none of the sites has, once all were read."""
        for name in sorted(self._names - self._there):
            hint = did_you_mean(name, self._there) or "extcal connections shows the live ones"
            raise UsageError(f"--connection {name}: no connection has this name or id; {hint}")
