"""`extcal providers | schedules | connections`: what is live, to look at."""

import click

from reconciler.api.client import Reader
from reconciler.cli.formats import LISTING_FORMATS, Listing
from reconciler.cli.options import global_options, said_globals
from reconciler.cli.sites import SiteChoice, read_sites, sites_options
from reconciler.model.account import shown
from reconciler.model.desired import Site
from reconciler.model.live import LiveConnection, Provider, Schedule
from reconciler.planning.providers import word
from reconciler.render import table


@click.command
@sites_options
@global_options
def providers(chosen: SiteChoice, output: str) -> int:
    """List the providers of a site and what each supports."""

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Provider]]:
        return [(site, provider) for provider in await reader.list_providers()]

    said = said_globals()
    rows, whole = read_sites(said, chosen, read)
    listing = Listing(
        ("SITE", "PROVIDER", "WRITE IT AS", "CONNECTS BY", "IMPORT", "EXPORT", "CONFIG", "ID"),
        [_provider_row(site, provider) for site, provider in rows],
        [table.provider_json(site.name, provider) for site, provider in rows],
    )
    said.console.show(LISTING_FORMATS[output], listing)
    return 0 if whole else 1


def _provider_row(site: Site, provider: Provider) -> table.Row:
    features = provider.features
    return (
        site.name,
        provider.name,
        word(provider.calendar_type) or f"{{name: {provider.name}}}",
        ", ".join(features.connect_methods),
        features.imports,
        features.exports,
        "can be changed" if features.update_sync_config else "is fixed",
        provider.id,
    )


@click.command
@sites_options
@global_options
def schedules(chosen: SiteChoice, output: str) -> int:
    """List the active schedules of a site."""

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Schedule]]:
        return [(site, schedule) for schedule in await reader.query_schedules()]

    said = said_globals()
    rows, whole = read_sites(said, chosen, read)
    listing = Listing(
        ("SITE", "SCHEDULE", "ID", "EXTERNAL ID"),
        [(site.name, s.name, s.id, s.external_id or "") for site, s in rows],
        [table.schedule_json(site.name, s) for site, s in rows],
    )
    said.console.show(LISTING_FORMATS[output], listing)
    return 0 if whole else 1


@click.command
@sites_options
@global_options
def connections(chosen: SiteChoice, output: str) -> int:
    """List the connections of a site with their status and sync config."""
    said = said_globals()
    rows, whole = read_sites(said, chosen, _connections)
    listing = Listing(
        ("SITE", "PROVIDER", "ACCOUNT", "STATUS", "IMPORT", "EXPORT", "SCHEDULE ID", "ID"),
        [_connection_row(site, connection) for site, connection in rows],
        [table.connection_json(site.name, connection) for site, connection in rows],
    )
    said.console.show(LISTING_FORMATS[output], listing)
    return 0 if whole else 1


async def _connections(site: Site, reader: Reader) -> list[tuple[Site, LiveConnection]]:
    answer = await reader.list_connections()
    if answer.failed_provider_ids:
        failed = ", ".join(answer.failed_provider_ids)
        said_globals().console.warning(f"{site.name}: the service could not read the providers {failed}")
    return [(site, connection) for connection in answer.connections]


def _connection_row(site: Site, connection: LiveConnection) -> table.Row:
    imports, exports = table.sync_words(connection.sync)
    reason = f" ({connection.error_reason})" if connection.error_reason else ""
    return (
        site.name,
        word(connection.calendar_type) or connection.calendar_type,
        shown(connection.account, "not shown"),
        f"{connection.status}{reason}",
        imports,
        exports,
        connection.schedule_id,
        connection.id,
    )
