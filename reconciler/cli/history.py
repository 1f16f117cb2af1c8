"""`extcal history` shows who changed what, when, by which commit and plan."""

import re
from datetime import UTC, datetime, timedelta

import click

from reconciler.cli.arguments import Command, manifest_paths, optional_paths_argument
from reconciler.cli.formats import LISTING_FORMATS, Listing, show_listing
from reconciler.cli.options import current_options, global_options
from reconciler.cli.target import target
from reconciler.errors import UsageError
from reconciler.manifests import Limits, load
from reconciler.model.account import Account
from reconciler.model.history import HistoryEntry
from reconciler.render import table

_SPAN = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_HEADINGS = ("WHEN", "BY", "COMMIT", "PLAN", "ACTION", "CONNECTION", "ACCOUNT", "STATUS", "WHAT")
_SHORT = 7


@click.command(
    cls=Command, examples=["extcal history --since 7d", "extcal history manifests --connection dr-lee-apple"]
)
@optional_paths_argument
@click.option("--site", "sites", metavar="NAME|ID", multiple=True, help="Only this site; may be repeated.")
@click.option(
    "--connection",
    "connections",
    metavar="NAME|ACCOUNT",
    multiple=True,
    help="Only this connection, by its name, SITE/NAME or account; may be repeated.",
)
@click.option("--since", metavar="TIME", help="Only what came later: 30m, 24h, 7d, or 2027-01-31 (UTC).")
@click.option(
    "--format",
    "output",
    type=click.Choice(list(LISTING_FORMATS)),
    default="text",
    help="The format of the list on stdout; csv is for spreadsheets.",
)
@global_options
def history(
    paths: tuple[str, ...],
    limits: Limits,
    sites: tuple[str, ...],
    connections: tuple[str, ...],
    since: str | None,
    output: str,
) -> int:
    """Show who changed what, when, by which commit and plan.

    Use it to find out why a connection is as it is. It lists the actions of apply and watch on this machine that sent
    something, or failed, the oldest first; nothing is asked of the service.

    PATH is a manifest file or a folder of them; without one, every site that was written to is shown.
    """
    options = current_options()
    after = None if since is None else _time(since)
    declared = load(manifest_paths(paths), limits).sites if paths else None
    with target(options) as found:
        machine = found.service.machine
        folders = machine.known_sites() if declared is None else [machine.site(site.site_id) for site in declared]
        entries = sorted((entry for folder in folders for entry in folder.history.read()), key=_when)
    chosen = [
        entry
        for entry in entries
        if (not sites or {entry.text("site"), entry.text("site_id")} & set(sites))
        and (not connections or any(_is_about(entry, word) for word in connections))
        and (after is None or _when(entry) >= after)
    ]
    listing = Listing(
        _HEADINGS,
        [_row(entry) for entry in chosen],
        [dict(entry.fields) for entry in chosen],
        for_people=(_HEADINGS, [_row(entry, short=_SHORT) for entry in chosen]),
    )
    show_listing(options.console, output, listing, whole=bool(chosen))
    if not chosen:
        options.console.note("nothing was done" + (" that fits" if entries else " on this machine yet"))
    return 0


def _when(entry: HistoryEntry) -> str:
    return entry.text("at")


def _is_about(entry: HistoryEntry, word: str) -> bool:
    account = entry.text("account")
    return word in {entry.text("address"), entry.text("address").partition("/")[2]} or (
        bool(account) and Account(account) == Account(word)
    )


def _row(entry: HistoryEntry, short: int | None = None) -> table.Row:
    """A row, with as much of the commit and of the plan's digest as `short` says, None is all."""
    return (
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
