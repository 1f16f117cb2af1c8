"""`extcal calendars` lists the calendars of connected accounts."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import click

from reconciler import workflow
from reconciler.api.client import Reader
from reconciler.cli.arguments import Command
from reconciler.cli.formats import Listing, show_listing
from reconciler.cli.options import current_options, global_options
from reconciler.cli.selectors import UNDECLARED, DeclaredIndex, Sought, one_connection
from reconciler.cli.sites import SiteChoice, live_connections, read_sites, sites_options, warn_of_failed
from reconciler.errors import NotFoundError, PermissionDeniedError, PreconditionFailedError, ResponseError
from reconciler.model.account import Account, shown
from reconciler.model.desired import DeclaredConnection, Site
from reconciler.model.live import Calendar, LiveConnection, Status
from reconciler.model.sync import CalendarRef
from reconciler.planning.providers import shown_type
from reconciler.pull.yaml_emit import copied_item
from reconciler.render import table

_Row = tuple[Site, LiveConnection, Calendar]
_UNLISTED = {Status.DISCONNECTED, Status.ERROR}


@click.command(cls=Command, examples=["extcal calendars manifests --connection dr-lee-apple"])
@sites_options
@click.option(
    "--connection",
    "connections",
    metavar="NAME|ID",
    multiple=True,
    help="Only the account of this connection: NAME or SITE/NAME in the manifests at PATH, the account's email, or the "
    "ID of a live one; may be repeated.",
)
@global_options
def calendars(chosen: SiteChoice, connections: tuple[str, ...], output: str) -> int:
    """List the calendars of connected accounts.

    Use it to find what to write as `calendars` in a sync config: copy an item of WRITE IT AS. Only reads are sent.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """
    options = current_options()
    wanted = _Wanted(connections, chosen)

    async def calendars_of(site: Site, reader: Reader) -> list[_Row]:
        if connections:
            live = await wanted.on(site, reader)
        else:
            live = [each for each in await live_connections(reader, site) if each.status not in _UNLISTED]
        lists = await asyncio.gather(*(_calendars_or_refusal(reader, connection) for connection in live))
        found = list(zip(live, lists, strict=True))
        wanted.note_refused(site, [(c, why) for c, why in found if isinstance(why, ResponseError)])
        return [(site, c, each) for c, listed in found if not isinstance(listed, ResponseError) for each in listed]

    rows, whole = read_sites(options, replace(chosen, only=wanted.sites), calendars_of)
    wanted.refuse(whole=whole)
    cells = [(site.name, shown_type(c.calendar_type), shown(c.account, "not shown"), k.name) for site, c, k in rows]
    heads = ("SITE", "PROVIDER", "ACCOUNT", "CALENDAR")
    listing = Listing(
        (*heads, "ID"),
        [(*row, k.id) for row, (_, _, k) in zip(cells, rows, strict=True)],
        [table.calendar_json(site.name, c, k) for site, c, k in rows],
        for_people=(
            (*heads, "WRITE IT AS"),
            [(*row, _item(k)) for row, (_, _, k) in zip(cells, rows, strict=True)],
        ),
    )
    show_listing(options.console, output, listing, whole=whole and not wanted.unlisted)
    for why in wanted.unlisted:
        options.console.error(why)
    return 0 if whole and not wanted.unlisted else 1


def _item(calendar: Calendar) -> str:
    """A calendar as an item of `calendars` in a manifest."""
    written = copied_item(CalendarRef(id=calendar.id, name=calendar.name), table.WIDEST)
    return written or "its id is nothing that a manifest can hold"


async def _calendars_or_refusal(reader: Reader, connection: LiveConnection) -> Sequence[Calendar] | ResponseError:
    """The calendars of an account, or why the service does not list those of this one."""
    try:
        return await reader.list_calendars(connection.id)
    except (PermissionDeniedError, PreconditionFailedError, NotFoundError) as error:
        return error


class _Wanted:
    """The connections that the command line names; `unlisted` says of which there is no list, and why.

    A word that the manifests hold means a declared connection, and its site alone is read; any other one is looked for
    among what is live. `sites` are those to read, None where it may be any.
    """

    def __init__(self, words: Sequence[str], chosen: SiteChoice) -> None:
        self._chosen = chosen
        self._named: dict[str, dict[str, DeclaredConnection]] = defaultdict(dict)
        index = DeclaredIndex(each for declared in chosen.declared.values() for each in declared) if words else None
        self._declared_names = index.names if index is not None else []
        live: list[str] = []
        for word in words:
            found = index.named(word) if index is not None else []
            one_connection("--connection", word, found)
            for each in found:
                self._named[each.site][each.address] = each
            if not found:
                live.append(word)
        self.sites = frozenset(self._named) if words and not live else None
        self._sought = Sought("--connection", live, "connections")
        self._ids: set[str] = set()
        self._accounts: set[str] = set()
        self.unlisted: list[str] = []

    async def on(self, site: Site, reader: Reader) -> list[LiveConnection]:
        """Those of a site whose calendars can be listed."""
        named = self._named[site.name]
        declared = self._chosen.declared[site.name] if named else ()
        matched = await workflow.match_live(declared, reader) if named else None
        if matched is None:
            connections = await live_connections(reader, site)
        else:
            connections = matched.live.connections
            warn_of_failed(site, matched.live.failed_provider_ids)
        self._ids |= {each.id for each in connections}
        self._accounts |= {str(each.account) for each in connections if each.account is not None}
        found = {each.id: (word, each) for word in self._sought.words for each in self._live(word, site, connections)}
        found |= self._matched(named, matched) if matched is not None else {}
        return [each for name, each in found.values() if self._is_listed(name, each)]

    def _matched(self, addresses: Iterable[str], site: workflow.MatchedSite) -> dict[str, tuple[str, LiveConnection]]:
        """The live connections of declared ones, by id, each with the address."""
        found: dict[str, tuple[str, LiveConnection]] = {}
        for address in addresses:
            if (why := site.unclear.get(address)) is not None:
                self.unlisted.append(str(why))
            elif (connection := site.matched.get(address)) is None:
                self.unlisted.append(
                    f"{address}: not connected, so its calendars can't be listed. Apply its manifest first."
                )
            else:
                found[connection.id] = (address, connection)
        return found

    def _live(self, word: str, site: Site, connections: Sequence[LiveConnection]) -> Iterator[LiveConnection]:
        """Those of a site that a word means by id or account; of an account, those that work where any does."""
        meant = [each for each in connections if word in {each.id, f"{site.name}{UNDECLARED}{each.id}"}]
        if not meant and "@" in word:
            meant = [each for each in connections if each.account == Account(word)]
            meant = [each for each in meant if each.status not in _UNLISTED] or meant
        for each in meant:
            account = f"{shown_type(each.calendar_type)} {shown(each.account)}"
            self._sought.found(word, f"{site.name} {account} [{each.id}]")
            yield each

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

    def refuse(self, *, whole: bool) -> None:
        """Raise UsageError for a word that means several connections or, once all sites were read, none."""
        self._sought.refuse_ambiguous("Give the id of one.")
        if whole:
            missing = "no connection has this name, account or id"
            if not self._chosen.paths:
                missing = "no live connection has this account or id (for a manifest's name, give its PATH)"
            near = self._ids.union(self._declared_names)
            self._sought.refuse_unknown(missing, self._accounts, "connected are", near)
