"""`extcal providers | schedules | connections | calendars` list what is live."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import click

from reconciler.api.client import Reader
from reconciler.cli.arguments import Command, manifest_paths
from reconciler.cli.formats import Listing, show_listing
from reconciler.cli.options import current_options, global_options
from reconciler.cli.sites import SiteChoice, read_sites, sites_options
from reconciler.errors import (
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    ResponseError,
    UsageError,
)
from reconciler.manifests import load
from reconciler.model.account import shown
from reconciler.model.desired import BOOKINGS_APP_ID, DeclaredConnection, Site
from reconciler.model.live import NOT_SAID, Calendar, LiveConnection, Provider, Schedule, Status
from reconciler.model.sync import SyncConfig
from reconciler.planning.providers import shown_type, word
from reconciler.planning.resolve import resolve_declared
from reconciler.render import table
from reconciler.text import did_you_mean
from reconciler.workflow import observe


@click.command(cls=Command, examples=["extcal providers manifests"])
@sites_options
@global_options
def providers(chosen: SiteChoice, output: str) -> int:
    """List a site's calendar providers and what they support.

    Use it to find the word to write as `provider` in a manifest, and whether a provider imports and exports.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Provider]]:
        return [(site, provider) for provider in await reader.list_providers()]

    options = current_options()
    rows, whole = read_sites(options, chosen, read)
    listing = Listing(
        ("SITE", "PROVIDER", "WRITE IT AS", "CONNECTS BY", "IMPORT", "EXPORT", "CONFIG", "ID"),
        [_provider_row(site, provider) for site, provider in rows],
        [table.provider_json(site.name, provider) for site, provider in rows],
    )
    show_listing(options.console, output, listing, whole=whole)
    return 0 if whole else 1


_CONFIG_WORDS = {True: "can be changed", False: "is fixed", None: NOT_SAID}


def _provider_row(site: Site, provider: Provider) -> table.Row:
    features = provider.features
    return (
        site.name,
        provider.name,
        word(provider.calendar_type) or f"{{name: {provider.name}}}",
        ", ".join(features.connect_methods) or NOT_SAID,
        features.imports or NOT_SAID,
        features.exports or NOT_SAID,
        _CONFIG_WORDS[features.update_sync_config],
        provider.id,
    )


@click.command(cls=Command, examples=["extcal schedules --site-id 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"])
@sites_options
@global_options
def schedules(chosen: SiteChoice, output: str) -> int:
    """List a site's active schedules.

    Use it to find the name or id to write as `schedule` in a manifest. A name or external id there means a schedule of
    the bookings app, or of the app that the Site's schedules.appId says. These come first; APP says whose one is.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Schedule]]:
        found = await reader.query_schedules()
        return [(site, s) for s in sorted(found, key=lambda s: s.app_id not in {site.schedules_app_id, None})]

    options = current_options()
    rows, whole = read_sites(options, chosen, read)
    listing = Listing(
        ("SITE", "SCHEDULE", "ID", "EXTERNAL ID", "APP"),
        [(site.name, s.name, s.id, s.external_id or "", _app(s)) for site, s in rows],
        [table.schedule_json(site.name, s) for site, s in rows],
    )
    show_listing(options.console, output, listing, whole=whole)
    return 0 if whole else 1


def _app(schedule: Schedule) -> str:
    return "bookings" if schedule.app_id == BOOKINGS_APP_ID else schedule.app_id or "not shown"


@click.command(cls=Command, examples=["extcal connections manifests --format json"])
@sites_options
@global_options
def connections(chosen: SiteChoice, output: str) -> int:
    """List a site's connections with status and sync config.

    Use it to see what is live, declared or not. Only reads are sent.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """
    options = current_options()
    rows, whole = read_sites(options, chosen, _connection_rows)
    listing = Listing(
        ("SITE", "PROVIDER", "ACCOUNT", "STATUS", "IMPORT", "EXPORT", "SCHEDULE ID", "ID"),
        [_connection_row(site, connection) for site, connection in rows],
        [table.connection_json(site.name, connection) for site, connection in rows],
    )
    show_listing(options.console, output, listing, whole=whole)
    return 0 if whole else 1


async def _connection_rows(site: Site, reader: Reader) -> list[tuple[Site, LiveConnection]]:
    return [(site, connection) for connection in await _live(reader, site)]


def _connection_row(site: Site, connection: LiveConnection) -> table.Row:
    imports, exports = table.sync_words(connection.sync)
    reason = f" ({connection.error_word})" if connection.error_word else ""
    return (
        site.name,
        shown_type(connection.calendar_type),
        shown(connection.account, "not shown"),
        f"{connection.shown_status}{reason}",
        imports,
        exports,
        connection.schedule_id,
        connection.id,
    )


_Row = tuple[Site, LiveConnection, Calendar]
_UNLISTED = {Status.DISCONNECTED, Status.ERROR}


@click.command(cls=Command, examples=["extcal calendars manifests --connection dr-lee-apple"])
@sites_options
@click.option(
    "--connection",
    "connections",
    metavar="NAME|ID",
    multiple=True,
    help="Only the account of this connection: NAME or SITE/NAME in the manifests at PATH, or the ID of a live one; "
    "may be repeated.",
)
@global_options
def calendars(chosen: SiteChoice, connections: tuple[str, ...], output: str) -> int:
    """List the calendars of connected accounts.

    Use it to find the names or ids to write as `calendars` in a sync config. Only reads are sent.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """
    options = current_options()
    wanted = _Wanted(connections, _declared(chosen) if connections else ())

    async def calendars_of(site: Site, reader: Reader) -> list[_Row]:
        if connections:
            live = await wanted.on(site, reader)
        else:
            live = [each for each in await _live(reader, site) if each.status not in _UNLISTED]
        lists = await asyncio.gather(*(_calendars_or_refusal(reader, connection) for connection in live))
        found = list(zip(live, lists, strict=True))
        wanted.note_refused(site, [(c, why) for c, why in found if isinstance(why, ResponseError)])
        return [(site, c, each) for c, listed in found if not isinstance(listed, ResponseError) for each in listed]

    rows, whole = read_sites(options, chosen, calendars_of)
    if whole:
        wanted.refuse_unknown()
    listing = Listing(
        ("SITE", "PROVIDER", "ACCOUNT", "CALENDAR", "ID"),
        [
            (
                site.name,
                shown_type(c.calendar_type),
                shown(c.account, "not shown"),
                k.name,
                k.id,
            )
            for site, c, k in rows
        ],
        [table.calendar_json(site.name, c, k) for site, c, k in rows],
    )
    show_listing(options.console, output, listing, whole=whole and not wanted.unlisted)
    for why in wanted.unlisted:
        options.console.error(why)
    return 0 if whole and not wanted.unlisted else 1


async def _calendars_or_refusal(reader: Reader, connection: LiveConnection) -> Sequence[Calendar] | ResponseError:
    """The calendars of an account, or why the service does not list those of this one."""
    try:
        return await reader.list_calendars(connection.id)
    except (PermissionDeniedError, PreconditionFailedError, NotFoundError) as error:
        return error


def _declared(chosen: SiteChoice) -> Sequence[DeclaredConnection]:
    return load(manifest_paths(chosen.paths), chosen.limits).connections if chosen.paths else ()


async def _live(reader: Reader, site: Site) -> tuple[LiveConnection, ...]:
    answer = await reader.list_connections()
    _warn_of_failed(site, answer.failed_provider_ids)
    return answer.connections


def _warn_of_failed(site: Site, failed: Sequence[str]) -> None:
    if failed:
        current_options().console.warning(f"{site.name}: the service could not read the providers {', '.join(failed)}")


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
            _warn_of_failed(site, live.failed_provider_ids)
            reading = resolve_declared(declared, live)
            unclear = {fault.where: fault for fault in (*reading.faults, *reading.matching.faults, *reading.unread)}
            matched = {item.declared.address: found for item, found in reading.matching.pairs}
            connections = live.connections
        else:
            connections, matched, unclear = await _live(reader, site), {}, {}
        self._there |= {connection.id for connection in connections}
        found = {each.id: (each.id, each) for each in connections if each.id in self._names}
        for address in named:
            if address in unclear:
                self.unlisted.append(str(unclear[address]))
            elif (connection := matched.get(address)) is None:
                self.unlisted.append(
                    f"{address}: not connected, so its calendars can't be listed. Apply its manifest first."
                )
            else:
                found[connection.id] = (address, connection)
        return [each for name, each in found.values() if self._is_listed(name, each)]

    def _is_listed(self, name: str, connection: LiveConnection) -> bool:
        if connection.status not in _UNLISTED:
            return True
        self.unlisted.append(
            f"{name}: its status is {connection.status}, so its calendars can't be listed. See extcal status."
        )
        return False

    def note_refused(self, site: Site, refused: Sequence[tuple[LiveConnection, ResponseError]]) -> None:
        """Note whose calendars of a site the service does not list; one of the refusals says why."""
        if refused:
            connection, why = refused[0]
            more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
            account = f"{shown_type(connection.calendar_type)} {shown(connection.account, 'an account not shown')}"
            self.unlisted.append(f"{site.name}: the calendars of {account}{more} can't be listed: {why}")

    def refuse_unknown(self) -> None:
        """Raise UsageError for a name that none of the sites has, once all were read."""
        for name in sorted(self._names - self._there):
            hint = did_you_mean(name, self._there) or "extcal connections shows the live ones"
            raise UsageError(f"--connection {name}: no connection has this name or id; {hint}")
