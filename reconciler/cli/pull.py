"""`extcal pull` writes the live state as manifests."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.arguments import (
    Command,
    manifest_paths,
    optional_paths_argument,
    parallelism_option,
    refuse_empty,
    refuse_stdout,
)
from reconciler.cli.console import Console
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.selectors import select_sites
from reconciler.cli.signals import run
from reconciler.cli.sites import SiteChoice
from reconciler.cli.target import Target, target
from reconciler.errors import UsageError
from reconciler.manifests import Limits, load, overlooked
from reconciler.manifests.site_list import read_site_list
from reconciler.manifests.values import GUID
from reconciler.model.desired import Desired, Site
from reconciler.pull.yaml_emit import NAME
from reconciler.text import inert
from reconciler.workflow import pull as pull_sites

FAILED = 1


@click.command(
    cls=Command,
    examples=[
        "extcal pull --site-id 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b --output manifests",
        "extcal pull --sites sites.csv --output manifests",
        "extcal pull manifests --output manifests --check",
    ],
)
@optional_paths_argument
@click.option("--output", metavar="DIR", required=True, help="The folder of manifests to write or update.")
@click.option(
    "--site",
    "names",
    metavar="NAME|ID",
    multiple=True,
    help="Only this site of the manifests at PATH; may be repeated.",
)
@click.option(
    "--site-id",
    "site_ids",
    metavar="ID",
    multiple=True,
    help="A site by its id, with the key in EXTCAL_API_KEY; may be repeated.",
)
@click.option(
    "--name", "titles", metavar="NAME", multiple=True, help="The name of a new site; one for each --site-id, in order."
)
@click.option(
    "--sites",
    "listed",
    metavar="FILE",
    help="The sites that a CSV file lists, with the columns site_id, name, key_env (the variable of the key; "
    "EXTCAL_API_KEY where it is empty) and redirect_url; only site_id is needed.",
)
@click.option(
    "--as",
    "layout",
    type=click.Choice([layout.value for layout in pull_sites.Layout]),
    help="How to write what is new: a document for each connection, sets that list them, or sets with a CSV roster. By "
    "default as the site's manifests keep theirs; of a new site, documents up to 3 connections, a roster beyond 30.",
)
@click.option(
    "--shared-policies",
    is_flag=True,
    help="Write policies that several of the sites need into one file, policies.yaml at the top of DIR.",
)
@click.option("--check", is_flag=True, help="Write nothing; show what differs, and exit with 1 if anything does.")
@parallelism_option
@global_options
def pull(
    paths: tuple[str, ...],
    limits: Limits,
    output: str,
    names: tuple[str, ...],
    site_ids: tuple[str, ...],
    titles: tuple[str, ...],
    listed: str | None,
    layout: str | None,
    shared_policies: bool,  # noqa: FBT001 - click hands flags over as arguments
    check: bool,  # noqa: FBT001 - as above
    parallelism: int,
) -> int:
    """Write the live state as manifests.

    Use it to take over an existing site, or to bring drift into the manifests. The result plans as no change. Manifests
    in DIR are edited where they differ; comments, order, and what they don't manage stay. A connection that can't be
    written so is left out and named, and the exit code is 1.

    The sites are those of manifests at PATH, those given with --site-id or --sites, or the sandbox's. What PATH says of
    connections that are new to DIR is kept: names, references to passwords, lifecycle. A site that can't be read does
    not keep the others from being written.
    """
    options = current_options()
    refuse_stdout(output=output)
    _check_usage(paths, names, site_ids, titles, listed)
    folder = pull_sites.open_folder(Path(output), limits)
    for one in overlooked(Path(output), limits):
        options.console.warning(str(one))
    known = load(manifest_paths(paths), limits) if paths else Desired()
    takeover = None if listed is None else _listed(Path(listed), limits, folder, options.console)

    def choose(found: Target) -> list[Site]:
        if takeover is not None:
            return takeover
        if paths:
            wanted = select_sites(known.sites, names)
            sites = [site.as_declared for site in known.sites if wanted is None or site.name in wanted]
        else:
            sites = SiteChoice(paths, limits, names, site_ids).sites(found)
        return _named(sites, titles, folder)

    written = pull_sites.PullOptions(None if layout is None else pull_sites.Layout(layout), shared_policies)
    found = run(_pull(options, folder, known, choose, parallelism, written))
    return _report(folder, found, options, check=check)


def _report(folder: pull_sites.Folder, found: pull_sites.PullResult, options: GlobalOptions, *, check: bool) -> int:
    """Say what was found, and write it unless it is only to be checked."""
    console, pulled = options.console, found.pull
    for problem in found.unread:
        console.error(problem)
    whole = pulled is not None and not (found.unread or pulled.failures)
    if pulled is not None:
        for warning in pulled.warnings:
            console.warning(warning)
        for failure in pulled.failures:
            console.error(failure)
        whole &= _show(folder, pulled, console) if check else _write(folder, pulled, options)
    if not check:
        console.note(_total(found))
    return 0 if whole else FAILED


def _check_usage(
    paths: Sequence[str], names: Sequence[str], site_ids: Sequence[str], titles: Sequence[str], listed: str | None
) -> None:
    """Refuse what can't be meant."""
    refuse_empty(sites=listed)
    beside = {"PATH": paths, "--site-id": site_ids, "--name": titles, "--site": names}
    for name, given in beside.items():
        if listed is not None and given:
            raise UsageError(f"{name} and --sites exclude each other. Give one.")
    if paths and site_ids:
        raise UsageError("PATH and --site-id exclude each other. Give one.")
    if names and not paths:
        raise UsageError("--site selects a site of manifests. Give their PATH too.")
    for site_id in site_ids:
        if not GUID.fullmatch(site_id):
            raise UsageError(
                f"--site-id {site_id}: not a site's id. Write it like 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b."
            )
    if titles and len(titles) != len(site_ids):
        raise UsageError(f"{len(titles)} --name for {len(site_ids)} --site-id. Give one for each.")
    for title in titles:
        if not NAME.fullmatch(title):
            raise UsageError(
                f"--name {title}: not a name. Use at most 128 letters, digits, dots, dashes and underscores."
            )


async def _pull(
    options: GlobalOptions,
    folder: pull_sites.Folder,
    known: Desired,
    choose: Callable[[Target], list[Site]],
    parallelism: int,
    written: pull_sites.PullOptions,
) -> pull_sites.PullResult:
    with target(options) as found:
        sites = choose(found)
        service = replace(found.service, parallelism=parallelism)
        return await pull_sites.pull(sites, folder, service, options.console.warning, known, written)


def _named(sites: Sequence[Site], titles: Sequence[str], folder: pull_sites.Folder) -> list[Site]:
    """The sites by their names in the folder; raises UsageError where a --name can't be theirs."""
    if not titles:
        return pull_sites.with_names(sites, folder)
    titled = [replace(site, name=title) for site, title in zip(sites, titles, strict=True)]
    named = {site.site_id: site.name for site in pull_sites.with_names(titled, folder)}
    for site in titled:
        if named[site.site_id] != site.name:
            hint = f"{site.site_id} is called {named[site.site_id]} there. Leave --name out, or give another."
            raise UsageError(f"--name {site.name}: the folder can't use this name; {hint}")
    return pull_sites.with_names(titled, folder)


def _listed(path: Path, limits: Limits, folder: pull_sites.Folder, console: Console) -> list[Site]:
    """The sites that a CSV file lists."""
    found = read_site_list(path, limits)
    for note in found.ignored:
        console.note(f"note: {note}")
    return pull_sites.as_listed(found.sites, folder)


def _total(found: pull_sites.PullResult) -> str:
    """How many sites there were, and what became of them."""
    pulled, unread = found.pull, len(found.unread)
    kept, connections = (pulled.sites, pulled.connections) if pulled else (0, 0)
    unfit = pulled.unfit if pulled else 0
    total = f"{_counted(kept + unread + unfit, 'site')}: {kept} pulled, {_counted(connections, 'connection')}"
    wrong = [f"{count} {what}" for count, what in ((unread, "could not be read"), (unfit, "can't be added")) if count]
    return "; ".join([total, *wrong])


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _write(folder: pull_sites.Folder, pulled: pull_sites.Pull, options: GlobalOptions) -> bool:
    console, unchanged = options.console, () if options.quiet else pulled.unchanged
    saved = pull_sites.save(folder, pulled.files)
    for done, paths in (("created", saved.created), ("updated", saved.updated), ("unchanged", unchanged)):
        for path in sorted(paths):
            console.result(f"{done:9}  {inert(folder.show(path))}")
    for failure in saved.failures:
        console.error(failure)
    return not saved.failures


def _show(folder: pull_sites.Folder, pulled: pull_sites.Pull, console: Console) -> bool:
    """Show what a pull would change as a unified diff; whether that is nothing."""
    for line in folder.changes(pulled.files):
        console.result(inert(line))
    count = len(pulled.files)
    if count:
        differ = "1 file differs" if count == 1 else f"{count} files differ"
        console.note(f"{differ} from what is live. Pull without --check to write the changes.")
    return not pulled.files
