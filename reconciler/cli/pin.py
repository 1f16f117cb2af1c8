"""`extcal pin` writes ids beside the names in manifests."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.arguments import Command, manifest_paths, parallelism_option, paths_argument
from reconciler.cli.console import Console
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.selectors import select_sites
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.manifests import Limits, overlooked
from reconciler.model.desired import Site
from reconciler.text import inert, listed
from reconciler.workflow import pin as pin_sites

FAILED = 1


@click.command(cls=Command, examples=["extcal pin manifests", "extcal pin manifests --check"])
@paths_argument
@click.option("--site", "names", metavar="NAME|ID", multiple=True, help="Only this site; may be repeated.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if a name could be pinned, or what is pinned is gone."
)
@parallelism_option
@global_options
def pin(
    paths: tuple[str, ...],
    limits: Limits,
    names: tuple[str, ...],
    check: bool,  # noqa: FBT001 - click hands flags over as arguments
    parallelism: int,
) -> int:
    """Write ids beside the names in manifests.

    Use it once connections are made, and when plan says that names cost it requests: a plan need not look up what has
    its id. A schedule's {name: Dr. Lee} becomes {id: …, name: Dr. Lee}, and so do calendars; the id counts from then
    on. Manifests and rosters are edited in place; comments and order stay. Providers, and what a SyncPolicy or a set's
    template names, stay names.

    It compares what is pinned already, too: what was renamed gets its new name, what is gone is an error.

    PATH is a manifest file or a folder of them.
    """
    options = current_options()
    where = manifest_paths(paths)
    folder = pin_sites.open_files(where, limits)
    for path in where:
        for one in overlooked(path, limits):
            options.console.warning(str(one))
    wanted = select_sites(folder.desired.sites, names)
    sites = [site for site in folder.desired.sites if wanted is None or site.name in wanted]
    found = run(_pin(where, folder, sites, options, parallelism))
    console = options.console
    whole = _report(found, console)
    if whole and not found.files.files:
        console.note("Nothing to pin.")
    if check:
        _show(folder, found, console)
        pinnable = any(count.schedules or count.calendars for count in found.files.counts.values())
        return FAILED if pinnable or not whole else 0
    return 0 if _write(folder, found, console) and whole else FAILED


async def _pin(
    where: Sequence[Path], folder: pin_sites.Folder, sites: Sequence[Site], options: GlobalOptions, parallelism: int
) -> pin_sites.PinResult:
    with target(options) as found:
        service = replace(found.service, parallelism=parallelism)
        return await pin_sites.pin(where, folder, sites, service)


def _report(found: pin_sites.PinResult, console: Console) -> bool:
    """Tell what was renamed, and what stays a name; whether all of it is known and nothing is gone."""
    for site in found.sites:
        for one in site.renamed:
            console.note(f"renamed: {one.address}: {one.kind} {one.before} is now {one.after} [{one.id}]")
        for line in (*site.remarks, *_staying(site)):
            console.note(line)
    for line in found.files.unwritten:
        console.warning(line)
    for problem in found.unread:
        console.error(problem)
    faults = [fault for site in found.sites for fault in site.faults]
    for fault in faults:
        console.fault(fault)
    return not found.unread and not faults


def _staying(site: pin_sites.SitePins) -> Iterator[str]:
    if site.waiting:
        one = f"{site.site.name}: 1 connection is not connected, so its calendars stay names until it is"
        many = f"{site.site.name}: {len(site.waiting)} connections are not connected, so their calendars stay names "
        yield f"{one if len(site.waiting) == 1 else f'{many}until they are'}: {listed(site.waiting)}"
    if site.broken:
        one = f"{site.site.name}: 1 connection is in error, so its calendars were not looked up"
        many = f"{site.site.name}: {len(site.broken)} connections are in error, so their calendars were not looked up"
        yield f"{one if len(site.broken) == 1 else many}: {listed(site.broken)}. extcal status says what to do"
    for policy in sorted(site.policies):
        stay = "which stay names there: accounts have their own. To pin them, name them in the connections"
        yield f"{site.site.name}: the SyncPolicy {policy} names calendars, {stay}."
    for name in sorted(site.sets):
        stay = "which stay names there: its connections share them. To pin them, name them in the connections"
        yield f"{site.site.name}: the template of the ConnectionSet {name} names a schedule or calendars, {stay}."


def _write(folder: pin_sites.Folder, found: pin_sites.PinResult, console: Console) -> bool:
    """Write the files, and say what is pinned in each; whether all could be written."""
    saved = pin_sites.save(folder, found.files.files)
    for path in sorted(saved.updated):
        console.result(f"pinned     {inert(folder.show(path))}: {_said(found.files.counts[path])}")
    for failure in saved.failures:
        console.error(failure)
    return not saved.failures


def _show(folder: pin_sites.Folder, found: pin_sites.PinResult, console: Console) -> None:
    """Show what would be written as a unified diff."""
    for line in folder.changes(found.files.files):
        console.result(inert(line))
    if counts := list(found.files.counts.values()):
        where = _counted(len(counts), "file", "files")
        console.note(f"{_said(sum(counts, pin_sites.PinCount()))} to write in {where}. Pin without --check to do it.")


def _said(count: pin_sites.PinCount) -> str:
    parts = [
        _counted(amount, one, many)
        for amount, one, many in (
            (count.schedules, "schedule", "schedules"),
            (count.calendars, "calendar", "calendars"),
            (count.names, "new name", "new names"),
        )
        if amount
    ]
    return ", ".join(parts)


def _counted(amount: int, one: str, many: str) -> str:
    return f"1 {one}" if amount == 1 else f"{amount:,} {many}"
