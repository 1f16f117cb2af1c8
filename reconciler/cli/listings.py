"""`extcal providers | schedules | connections` list what is live."""

import click

from reconciler.api.client import Reader
from reconciler.cli.arguments import Command, NamesOptions, names_options
from reconciler.cli.formats import Listing, show_listing
from reconciler.cli.listed_names import ScheduleNames
from reconciler.cli.options import current_options, global_options
from reconciler.cli.sites import SiteChoice, live_connections, read_sites, sites_options
from reconciler.model.account import shown
from reconciler.model.desired import BOOKINGS_APP_ID, Site
from reconciler.model.live import NOT_SAID, LiveConnection, Provider, Schedule
from reconciler.planning.providers import shown_type, word
from reconciler.render import table


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
@names_options
@global_options
def connections(chosen: SiteChoice, names: NamesOptions, output: str) -> int:
    """List a site's connections with status and sync config.

    Use it to see what is live, declared or not. Only reads are sent.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """
    options = current_options()
    schedule_names = ScheduleNames(chosen, names, wanted=output == "text")

    async def read(site: Site, reader: Reader) -> list[tuple[Site, LiveConnection, str]]:
        found = await live_connections(reader, site)
        shown_names = await schedule_names.shown({each.schedule_id for each in found}, site, reader)
        return [(site, each, shown_names[each.schedule_id]) for each in found]

    rows, whole = read_sites(options, chosen, read)
    heads = ("SITE", "PROVIDER", "ACCOUNT", "STATUS", "IMPORT", "EXPORT")
    ids = ("SCHEDULE ID",) if names.wide else ()
    listing = Listing(
        (*heads, "SCHEDULE ID", "ID"),
        [(*_connection_row(site, each), each.schedule_id, each.id) for site, each, _ in rows],
        [table.connection_json(site.name, each) for site, each, _ in rows],
        for_people=(
            (*heads, "SCHEDULE", *ids, "ID"),
            [
                (*_connection_row(site, each), name, *((each.schedule_id,) if names.wide else ()), each.id)
                for site, each, name in rows
            ],
        ),
    )
    show_listing(options.console, output, listing, whole=whole)
    return 0 if whole else 1


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
    )
