"""`extcal history` shows who changed what, when, by which commit and plan."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click

from reconciler import workflow
from reconciler.cli.apply_run import new_undo_file, report_inverse, save_inverse
from reconciler.cli.arguments import Command, manifest_paths, optional_paths_argument, refuse_empty, refuse_stdout
from reconciler.cli.console import Console
from reconciler.cli.formats import LISTING_FORMATS, Listing, show_listing
from reconciler.cli.history_selection import HistorySelection, one_entry
from reconciler.cli.options import current_options, global_options
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.errors import ExtcalError, UsageError
from reconciler.manifests import Limits, load
from reconciler.model.desired import Desired
from reconciler.model.history import HistoryEntry
from reconciler.render import table
from reconciler.render.history_markdown import history_markdown

_SPAN = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_HEADINGS = ("ID", "WHEN", "BY", "COMMIT", "PLAN", "ACTION", "CONNECTION", "ACCOUNT", "STATUS", "WHAT")
_SHORT = 7
_MARKDOWN = "markdown"


@click.command(
    cls=Command,
    examples=[
        "extcal history --since 7d",
        "extcal history manifests --connection dr-lee-apple",
        "extcal history manifests --undo 1 --out undo.plan",
    ],
)
@optional_paths_argument
@click.option("--site", "sites", metavar="NAME|ID", multiple=True, help="Only this site; may be repeated.")
@click.option(
    "--connection",
    "connections",
    metavar="NAME|ID",
    multiple=True,
    help="Only this connection: NAME, SITE/NAME, its account's email, or the id of the live one; may be repeated.",
)
@click.option("--since", metavar="TIME", help="Only what came later: 30m, 24h, 7d, or 2027-01-31 (UTC).")
@click.option(
    "--format",
    "output",
    type=click.Choice([*LISTING_FORMATS, _MARKDOWN]),
    default="text",
    help="The format of the list on stdout; csv is for spreadsheets, markdown for a job summary.",
)
@click.option(
    "--undo",
    metavar="N|ID",
    help="Make a plan that undoes one entry: that of this id, or the Nth from the newest that is shown. Reads the live "
    "state. Needs --out.",
)
@click.option("--out", metavar="FILE", help="Where to save the plan of --undo, for apply --plan.")
@global_options
def history(
    paths: tuple[str, ...],
    limits: Limits,
    sites: tuple[str, ...],
    connections: tuple[str, ...],
    since: str | None,
    output: str,
    undo: str | None,
    out: str | None,
) -> int:
    """Show who changed what, when, by which commit and plan.

    Use it to find out why a connection is as it is. It lists the actions of apply and watch on this machine that sent
    something, or failed, the oldest first; nothing is asked of the service but by --undo.

    --undo saves a plan and changes nothing: apply --plan applies it. Change the manifests back, too, or the next apply
    does it again. What has changed since is left alone, and a warning names what can't be undone: a Google or Microsoft
    account that was disconnected takes its owner's consent again.

    PATH is a manifest file or a folder of them; without one, every site that was written to is shown.
    """
    refuse_empty(undo=undo)
    refuse_stdout(out=out)
    if (undo is None) != (out is None):
        raise UsageError("--undo and --out go together: which entry to undo, and the file that its plan is saved to.")
    options = current_options()
    desired = load(manifest_paths(paths), limits) if paths else None
    selection = HistorySelection(desired, sites, connections, None if since is None else _time(since))
    with target(options) as found:
        machine = found.service.machine
        folders = machine.known_sites() if desired is None else [machine.site(site.site_id) for site in desired.sites]
        read = (entry for folder in folders for entry in folder.history.read())
        # What it takes to undo an entry is most of it, and a list does without.
        entries = selection.chosen(read if undo is not None else (entry.shown() for entry in read))
        _tell_unknown(selection, desired, options.console)
        if undo is not None and out is not None:
            return _save_undo(one_entry(entries, undo), out, desired, found.service, options.console)
    if output == _MARKDOWN:
        options.console.show(history_markdown, entries)
    else:
        show_listing(options.console, output, _listing(entries), whole=bool(entries))
    if not entries:
        chosen = desired is not None or sites or connections or since is not None
        options.console.note("nothing was done" + (" that fits" if chosen else " on this machine yet"))
    return 0


def _tell_unknown(selection: HistorySelection, desired: Desired | None, console: Console) -> None:
    """Tell of a word that nothing is called: with manifests it is wrong usage, else something may be so some day."""
    try:
        selection.refuse_unknown()
    except UsageError as error:
        if desired is not None:
            raise
        console.note(str(error))


def _listing(entries: Sequence[HistoryEntry]) -> Listing:
    return Listing(
        _HEADINGS,
        [_row(entry) for entry in entries],
        [dict(entry.fields) for entry in entries],
        for_people=(_HEADINGS, [_row(entry, short=_SHORT) for entry in entries]),
    )


def _save_undo(
    entry: HistoryEntry, out: str, desired: Desired | None, service: workflow.Service, console: Console
) -> int:
    """Save the plan that undoes an entry, and say which one; 1 where nothing of it can be undone."""
    file = new_undo_file("--out", out)
    about = f"{entry.text('id')}, {_when(entry)}: {entry.text('action')} {entry.text('address')}"
    try:
        site, outcome = workflow.recorded_outcome(entry)
        declared = next((each for each in desired.sites if each.site_id == site.site_id), None) if desired else None
        if declared is not None:
            # How the site is reached, and what guards it, is as it is declared now; its name is as it was then.
            site = replace(declared.as_declared, name=site.name)
        inverse = run(workflow.undo_entry(site, outcome, service))
        save_inverse(inverse, file)
    except ExtcalError as error:
        raise ExtcalError(f"{about}: {error}") from error
    report_inverse(inverse, file, console)
    if not inverse.plan.sites:
        return 1
    console.note(f"{file} undoes {about}. To do it: extcal apply --plan {shlex.quote(str(file))}")
    return 0


def _when(entry: HistoryEntry) -> str:
    return entry.text("at")


def _row(entry: HistoryEntry, short: int | None = None) -> table.Row:
    """A row, with as much of the commit and of the plan's digest as `short` says, None is all."""
    return (
        entry.text("id"),
        _when(entry),
        entry.text("by"),
        entry.text("commit")[:short],
        entry.text("plan").removeprefix("sha256:")[:short],
        entry.text("action"),
        entry.text("address"),
        entry.text("account"),
        entry.text("status"),
        entry.text("error") or entry.text("reason"),
    )


def _time(since: str) -> str:
    """The first time to show, as entries have it; raises UsageError."""
    if (match := _SPAN.fullmatch(since)) is not None:
        moment = datetime.now(UTC) - timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    else:
        try:
            moment = datetime.fromisoformat(since)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment
        except (ValueError, OverflowError):
            raise UsageError(f"--since {since!r} is no time. Write 30m, 24h, 7d, or 2027-01-31.") from None
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"
