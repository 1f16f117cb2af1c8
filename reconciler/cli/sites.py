"""Finds the sites of a command that only reads: by manifests, by id, or the sandbox's."""

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import click

from reconciler.api.client import Reader
from reconciler.cli.arguments import manifest_paths, optional_paths_argument, select_sites
from reconciler.cli.formats import LISTING_FORMATS
from reconciler.cli.options import GlobalOptions
from reconciler.cli.redaction import redacted
from reconciler.cli.signals import run
from reconciler.cli.target import Target, target
from reconciler.errors import ExtcalError, UsageError
from reconciler.manifests import Limits, load
from reconciler.manifests.convert import DEFAULT_AUTH, DEFAULT_MAX_DISCONNECTS
from reconciler.model.desired import Scope, Site
from reconciler.model.key import comparable_id
from reconciler.model.source import Source
from reconciler.text import did_you_mean, listed
from reconciler.workflow import sessions

_Command = TypeVar("_Command", bound=Callable[..., object])
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """Which sites the command line means: those of manifests at `paths`, named or all, or those given by id."""

    paths: tuple[str, ...]
    limits: Limits
    names: tuple[str, ...]
    site_ids: tuple[str, ...]

    def sites(self, found: Target) -> list[Site]:
        """The sites; raises UsageError where there are none, and where the ways to name them exclude each other."""
        if self.paths and self.site_ids:
            raise UsageError("PATH and --site-id exclude each other. Give one.")
        if self.names and self.site_ids:
            raise UsageError("--site and --site-id exclude each other. Give one.")
        if self.paths:
            desired = load(manifest_paths(self.paths), self.limits)
            wanted = select_sites(desired, self.names)
            return [site.as_declared for site in desired.sites if wanted is None or site.name in wanted]
        if self.site_ids:
            return [_site(site_id, site_id) for site_id in self.site_ids]
        if found.sandbox_sites:
            _check_names(self.names, [name for _, name in found.sandbox_sites])
            return [_site(name, site_id) for site_id, name in found.sandbox_sites if name in (self.names or (name,))]
        raise UsageError(
            "no site is given. Give a PATH with manifests, or --site-id ID with the key in EXTCAL_API_KEY."
        )


def _check_names(names: tuple[str, ...], there: Collection[str]) -> None:
    for name in names:
        if name not in there:
            hint = did_you_mean(name, there) or f"there are {listed(there)}"
            raise UsageError(f"--site {name}: the sandbox has no such site; {hint}")


def sites_options(function: _Command) -> Callable[..., object]:
    """Give a command the ways to say which sites it looks at; it gets them as one argument, `chosen`."""

    @functools.wraps(function)
    def command(
        *args: object,
        paths: tuple[str, ...],
        limits: Limits,
        names: tuple[str, ...],
        site_ids: tuple[str, ...],
        **others: object,
    ) -> object:
        return function(*args, chosen=SiteChoice(paths, limits, names, site_ids), **others)

    options = [
        optional_paths_argument,
        click.option(
            "--site",
            "names",
            metavar="NAME",
            multiple=True,
            help="Only this site of the manifests or the sandbox; may be repeated.",
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
