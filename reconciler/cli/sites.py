"""Finds the sites of a command that only reads: by manifests, by id, or the sandbox's."""

import asyncio
import functools
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

from reconciler.api.client import Reader
from reconciler.cli.arguments import manifest_paths, optional_paths_argument
from reconciler.cli.formats import LISTING_FORMATS
from reconciler.cli.options import GlobalOptions, current_options
from reconciler.cli.redaction import redacted
from reconciler.cli.selectors import select_sites, site_names
from reconciler.cli.signals import run
from reconciler.cli.target import Target, target
from reconciler.errors import ExtcalError, UsageError
from reconciler.manifests import Limits, load
from reconciler.manifests.convert import DEFAULT_AUTH, DEFAULT_MAX_DISCONNECTS
from reconciler.model.desired import DeclaredConnection, Desired, Scope, Site
from reconciler.model.key import comparable_id
from reconciler.model.live import LiveConnection
from reconciler.model.source import Source
from reconciler.workflow import sessions

_Command = TypeVar("_Command", bound=Callable[..., object])
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class SiteChoice:
    """Which sites the command line means: those of manifests at `paths`, chosen or all, or those given by id.

    `only` are the names of those of the manifests that what else is chosen leaves; None for all.
    """

    paths: tuple[str, ...]
    limits: Limits
    words: tuple[str, ...]
    site_ids: tuple[str, ...]
    only: frozenset[str] | None = None

    @functools.cached_property
    def desired(self) -> Desired:
        """What the manifests at the paths declare; nothing where there is no path."""
        return load(manifest_paths(self.paths), self.limits) if self.paths else Desired()

    @functools.cached_property
    def declared(self) -> Mapping[str, Sequence[DeclaredConnection]]:
        """The declared connections of the chosen sites of manifests, by site."""
        wanted = select_sites(self.desired.sites, self.words) if self.paths else frozenset()
        found: dict[str, list[DeclaredConnection]] = defaultdict(list)
        for each in self.desired.connections:
            if wanted is None or each.site in wanted:
                found[each.site].append(each)
        return found

    def sites(self, found: Target) -> list[Site]:
        """The sites; raises UsageError where there are none, and where the ways to name them exclude each other."""
        if self.paths and self.site_ids:
            raise UsageError("PATH and --site-id exclude each other. Give one.")
        if self.words and self.site_ids:
            raise UsageError("--site and --site-id exclude each other. Give one.")
        if self.paths:
            wanted = select_sites(self.desired.sites, self.words)
            named = [site for site in self.desired.sites if wanted is None or site.name in wanted]
            return [site.as_declared for site in named if self.only is None or site.name in self.only]
        if self.site_ids:
            return [_site(site_id, site_id) for site_id in self.site_ids]
        if found.sandbox_sites:
            there = [(name, site_id) for site_id, name in found.sandbox_sites]
            wanted = site_names(there, self.words, "the sandbox has no such site", "there are")
            return [_site(name, site_id) for name, site_id in there if wanted is None or name in wanted]
        raise UsageError(
            "no site is given. Give a PATH with manifests, or --site-id ID with the key in EXTCAL_API_KEY."
        )


def sites_options(function: _Command) -> Callable[..., object]:
    """Give a command the ways to say which sites it looks at; it gets them as one argument, `chosen`."""

    @functools.wraps(function)
    def command(
        *args: object,
        paths: tuple[str, ...],
        limits: Limits,
        sites: tuple[str, ...],
        site_ids: tuple[str, ...],
        **others: object,
    ) -> object:
        return function(*args, chosen=SiteChoice(paths, limits, sites, site_ids), **others)

    options = [
        optional_paths_argument,
        click.option(
            "--site",
            "sites",
            metavar="NAME|ID",
            multiple=True,
            help="Only this site of the manifests or the sandbox, by its name or its site id; may be repeated.",
        ),
        click.option(
            "--site-id",
            "site_ids",
            metavar="ID",
            multiple=True,
            help="A site by its id, with the key in EXTCAL_API_KEY; may be repeated.",
        ),
        click.option(
            "--format",
            "output",
            type=click.Choice(list(LISTING_FORMATS)),
            default="text",
            help="The format on stdout: a table, JSON in the API's fields, or CSV for spreadsheets.",
        ),
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def _site(name: str, site_id: str) -> Site:
    return Site(
        name=name,
        site_id=comparable_id(site_id),
        auth=DEFAULT_AUTH,
        scope=Scope.SCHEDULES,
        prune=False,
        max_disconnects=int(DEFAULT_MAX_DISCONNECTS.removesuffix("%")),
        redirect_url=None,
        source=Source("command line", 1, 1),
    )


def read_sites(
    options: GlobalOptions,
    chosen: SiteChoice,
    read: Callable[[Site, Reader], Awaitable[list[_Row]]],
) -> tuple[list[_Row], bool]:
    """Read every chosen site concurrently: (rows in the order of sites, whether all could be read).

    No secret is in them any more: what is made of an account, say, could not be told from any other text.
    """
    ended = itertools.count(1)

    async def one(site: Site, reader: Reader) -> list[_Row] | None:
        try:
            rows = await read(site, reader)
        except ExtcalError as error:
            options.console.error(f"{site.name}: {error}")
            return None
        options.console.progress(f"{next(ended)} sites read, the latest {site.name} with {len(rows)} rows")
        return rows

    async def every() -> list[list[_Row] | None]:
        with target(options) as found:
            sites = chosen.sites(found)
            async with sessions(sites, found.service) as opened:
                return list(await asyncio.gather(*(one(site, opened[site.name].reader()) for site in sites)))

    answers = run(every())
    return redacted([row for rows in answers if rows is not None for row in rows]), None not in answers


async def live_connections(reader: Reader, site: Site) -> tuple[LiveConnection, ...]:
    """A site's connections; providers that the service could not read are a warning."""
    answer = await reader.list_connections()
    warn_of_failed(site, answer.failed_provider_ids)
    return answer.connections


def warn_of_failed(site: Site, failed: Sequence[str]) -> None:
    """Warn of the providers of a site that the service could not read."""
    if failed:
        current_options().console.warning(f"{site.name}: the service could not read the providers {', '.join(failed)}")
