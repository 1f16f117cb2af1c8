"""Pulls sites: observes them, proposes manifests, verifies these, and keeps what matches the live state."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.api.client import Reader
from reconciler.api.redaction import MASK
from reconciler.api.secrets import Secrets
from reconciler.errors import ApiError, ExtcalError, ManifestError
from reconciler.manifests.site_list import ListedSite
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.key import comparable_id
from reconciler.model.source import Fault
from reconciler.model.text_fields import texts, with_texts
from reconciler.planning.resolve import resolve_declared
from reconciler.pull.compare import named_by_id, new_connections
from reconciler.pull.folder import Folder, SavedFiles, open_folder, save
from reconciler.pull.names import Taken, local_part, password_variable, slug
from reconciler.pull.propose import order, propose
from reconciler.pull.values import BY_SIZE, Layout, LiveKey, PulledSite, PullOptions
from reconciler.pull.verify import UnverifiedError, verify
from reconciler.pull.yaml_emit import NAME
from reconciler.text import escaped
from reconciler.workflow.observation import observe, with_whole_configs
from reconciler.workflow.service import Service, run_bounded, sessions

_MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Pull:
    """What a pull would write: the bytes of files by path relative to the folder.

    `unchanged` are the files of the pulled sites that are as they shall be; `warnings` tell of what is declared and
    only a person can settle, `failures` of what is left out, or could not be brought in line. `sites` is how many sites
    are pulled, `connections` how many are declared of these, and `unfit` how many sites can't be added.
    """

    files: dict[str, bytes]
    unchanged: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: tuple[str, ...]
    sites: int
    connections: int
    unfit: int = 0


def pull_into(folder: Folder, pulled: Sequence[PulledSite], options: PullOptions = BY_SIZE) -> Pull:
    """What brings the folder in line with the observed sites; it loads, and what it touches plans as no change.

    A site that can't be added does not keep the others from it. Raises ExtcalError where none can.
    """
    sites = order(pulled)
    try:
        return _verified(folder, sites, options)
    except UnverifiedError as error:
        if len(sites) == 1:
            raise ExtcalError(f"nothing was written: {error}") from error
    kept: list[PulledSite] = []
    failures: list[str] = []
    made = None
    for site in sites:
        try:
            made = _verified(folder, [*kept, site], options)
            kept.append(site)
        except UnverifiedError as error:
            failures.append(f"{site.site.name} is not pulled: {error}")
    if made is None:
        raise ExtcalError("\n".join(["nothing was written", *failures]))
    return replace(made, failures=(*made.failures, *failures), unfit=len(failures))


def _verified(folder: Folder, sites: Sequence[PulledSite], options: PullOptions) -> Pull:
    refused: dict[LiveKey, str] = {}
    for _ in range(_MOST_TRIES):
        proposal = propose(folder, sites, refused, options)
        wrong = verify(folder, proposal, sites)
        if not wrong:
            names = {site.site.name for site in sites}
            declared = sum(1 for one in folder.desired.connections if one.site in names)
            return Pull(
                files=proposal.files,
                unchanged=tuple(sorted(_held(folder, names) - proposal.files.keys())),
                warnings=tuple(proposal.warnings),
                failures=tuple(proposal.failures),
                sites=len(sites),
                connections=declared + sum(1 for edit in proposal.edits if edit.addition is not None),
            )
        refused |= wrong
    raise UnverifiedError("no manifests could be made that load and match the live state")


def _held(folder: Folder, sites: Collection[str]) -> set[str]:
    """The files that hold something of these sites."""
    documents = [one for one in folder.documents.connections if one.site is None or one.site in sites]
    policies = {one.policy for one in documents}
    held = {one.source.file for one in folder.desired.sites if one.name in sites}
    held |= {one.sources.root.file for one in folder.desired.connections if one.site in sites}
    held |= {one.member.set_root.file for one in documents if one.member is not None}
    for one in folder.documents.declarations:
        if one.kind == "SyncPolicy" and one.name is not None and one.name.text in policies:
            held.add(one.root.file)
    return {folder.files[shown].path for shown in held}


__all__ = [
    "Folder",
    "Layout",
    "Pull",
    "PullOptions",
    "PullResult",
    "SavedFiles",
    "as_listed",
    "open_folder",
    "pull",
    "save",
    "with_names",
]

_ID_SHOWN = 8
_NOTHING = Desired()


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull would write, and why some sites could not be read; None where none could."""

    pull: Pull | None
    unread: tuple[str, ...]


def with_names(sites: Iterable[Site], folder: Folder) -> list[Site]:
    """The sites by the names that the folder's manifests give them, or by slugs of their own that are free there.

    Each site comes once. A site's name may be any text, and its id where it has none.
    """
    declared = {site.site_id: site.name for site in folder.desired.sites}
    taken = Taken(declared.values())
    named: dict[str, Site] = {}
    for site in sites:
        if site.site_id not in named:
            name = declared.get(site.site_id) or taken.take(_name(site))
            named[site.site_id] = replace(site, name=name)
    return list(named.values())


def as_listed(listed: Iterable[ListedSite], folder: Folder) -> list[Site]:
    """The sites of a list by the names that it gives them; where it gives none, as `with_names` does.

    Raises ManifestError where the folder can't use a name.
    """
    rows = list(listed)
    named = {site.site_id: site for site in with_names((row.site for row in rows), folder)}
    there = {site.site_id for site in folder.desired.sites}
    faults = []
    for row in rows:
        wanted, name = _name(row.site), named[row.site.site_id].name
        if row.name_at is not None and name != wanted:
            why = f"the folder calls the site {name}" if row.site.site_id in there else "another site is called so"
            hint = "empty the cell, or write another name"
            faults.append(Fault(row.name_at, "name", f"the name '{escaped(wanted)}' can't be used: {why}", hint))
    if faults:
        raise ManifestError(faults)
    return list(named.values())


def _name(site: Site) -> str:
    short = f"site-{site.site_id[:_ID_SHOWN]}"
    if comparable_id(site.name) == site.site_id:
        return short
    return site.name if NAME.fullmatch(site.name) else slug(site.name) or short


async def pull(
    sites: Sequence[Site],
    folder: Folder,
    service: Service,
    warn: Callable[[str], None],
    known: Desired = _NOTHING,
    options: PullOptions = BY_SIZE,
) -> PullResult:
    """Observe sites, named as `with_names` does, and find what brings the folder in line; writes nothing.

    What `known` declares of connections that are new to the folder is carried over. A site that can't be read does not
    keep the others from being pulled. Raises ExtcalError where no manifests can be made of what was read.
    """
    declared: dict[str, list[DeclaredConnection]] = defaultdict(list)
    for connection in folder.desired.connections:
        declared[connection.site].append(connection)
    elsewhere = _elsewhere(known, folder)
    async with sessions(sites, service) as opened:

        async def one(site: Site) -> PulledSite | str:
            try:
                reader, beside = opened[site.name].reader(), elsewhere.get(site.site_id, ())
                found = await _look(site, declared[site.name], beside, reader, warn)
                return _without_secrets(found, service.secrets, warn)
            except ExtcalError as error:
                return f"{site.name}: {error}"
            finally:
                opened.read(site.name)

        answers = await run_bounded(one, sites, opened.at_once)
    read = [answer for answer in answers if not isinstance(answer, str)]
    unread = tuple(answer for answer in answers if isinstance(answer, str))
    return PullResult(pull_into(folder, read, options) if read else None, unread)


def _without_secrets(found: PulledSite, secrets: Secrets, warn: Callable[[str], None]) -> PulledSite:
    """The site as it may be written down: before files and connections are named after what it is called."""
    shown = secrets.redacted(found)
    # Some texts become one only when a name is made of them.
    named = {text: MASK for text in texts(shown) if any(secrets.redact(name) != name for name in _names(text))}
    if named:
        shown = with_texts(shown, named)
    if shown is not found:
        warn(f"{found.site.name}: the service's answers contain a secret; [secret] is written in its place")
    return shown


def _names(text: str) -> Iterator[str]:
    """What files, connections and variables may be called after a text."""
    for name in {slug(text), local_part(text)}:
        yield name
        yield password_variable(name)


def _elsewhere(known: Desired, folder: Folder) -> dict[str, list[DeclaredConnection]]:
    """The connections that only manifests outside the folder declare, by the site's id."""
    here = {site.name: site.site_id for site in folder.desired.sites}
    declared = {(here[one.site], one.name) for one in folder.desired.connections}
    ids = {site.name: site.site_id for site in known.sites}
    found: dict[str, list[DeclaredConnection]] = defaultdict(list)
    for one in known.connections:
        if (ids[one.site], one.name) not in declared:
            found[ids[one.site]].append(one)
    return found


async def _look(
    site: Site,
    declared: Sequence[DeclaredConnection],
    elsewhere: Sequence[DeclaredConnection],
    reader: Reader,
    warn: Callable[[str], None],
) -> PulledSite:
    """One site, with the names of schedules and calendars that are to be written down."""
    live = await with_whole_configs(await observe([*declared, *elsewhere], reader), reader)
    reading = resolve_declared(elsewhere, live)
    for fault in (*reading.faults, *reading.matching.faults):
        warn(f"{fault}; its name, password reference and lifecycle are not carried over")
    known = {one.id: item.declared for item, one in reading.matching.pairs if one is not None}
    found = PulledSite(site, live, known=known)
    if new_connections(found, declared):
        found = replace(found, schedule_names=await _schedule_names(site, reader, warn))
    wanted = named_by_id(found, declared)
    names = await asyncio.gather(*(_calendar_names(reader, connection_id) for connection_id in wanted))
    return replace(found, calendar_names=dict(zip(wanted, names, strict=True)))


async def _schedule_names(site: Site, reader: Reader, warn: Callable[[str], None]) -> dict[str, str]:
    """The names of schedules, which are only a help to readers: without them ids do."""
    try:
        return {schedule.id: schedule.name for schedule in await reader.query_schedules()}
    except ApiError as error:
        warn(f"{site.name}: schedules can't be read, so they are named by their ids: {error}")
        return {}


async def _calendar_names(reader: Reader, connection_id: str) -> dict[str, str]:
    """The names of an account's calendars; without them ids do."""
    try:
        return {calendar.id: calendar.name for calendar in await reader.list_calendars(connection_id)}
    except ApiError:
        return {}
