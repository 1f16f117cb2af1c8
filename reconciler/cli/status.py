"""`extcal status` shows the state of every declared connection."""

from dataclasses import replace

import click

from reconciler import workflow
from reconciler.cli.arguments import (
    Command,
    NamesOptions,
    manifest_paths,
    names_options,
    parallelism_option,
    paths_argument,
)
from reconciler.cli.consent_requests import known_requests
from reconciler.cli.formats import STATUS_FORMATS, failures_as, report_view, warn_of_overlooked
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.schedule_names import asks_for_names, named_status
from reconciler.cli.selection import SelectionOptions, selection_options
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.manifests import Limits, load
from reconciler.model.consent_request import KnownRequests
from reconciler.model.desired import Desired
from reconciler.model.status import FleetStatus

FAILED = 1


@click.command(cls=Command, examples=["extcal status manifests", "extcal status manifests --format csv"])
@paths_argument
@selection_options
@click.option(
    "--format",
    "output",
    type=click.Choice(list(STATUS_FORMATS)),
    default="text",
    help="The format of the status on stdout; csv is for spreadsheets, markdown for summaries of jobs.",
)
@names_options
@parallelism_option
@global_options
def status(
    paths: tuple[str, ...],
    limits: Limits,
    selection: SelectionOptions,
    output: str,
    names: NamesOptions,
    parallelism: int,
) -> int:
    """Show the state of every declared connection.

    Use it to see which connections are ok, syncing, drifted, awaiting consent or in error, since when owners are
    awaited, and which live connections no manifest declares. Only reads are sent. The exit code is 1 if something could
    not be read, and 0 otherwise, whatever was found.

    PATH is a manifest file or a folder of them.
    """
    options = current_options()
    with failures_as(options.console, STATUS_FORMATS[output].failure):
        desired = load(manifest_paths(paths), limits)
        warn_of_overlooked(desired, options.console)
        selected = selection.looked_up(desired, options).of(desired, options.console)
        named = asks_for_names(names, STATUS_FORMATS[output])
        fleet, requests = run(_status(desired, options, selected, parallelism, named=named))
    view = replace(report_view(paths, options, wide=names.wide), requests=requests)
    options.console.show(lambda fleet: STATUS_FORMATS[output].shown(fleet, options.console.paint, view), fleet)
    for site in fleet.sites:
        if site.unread is not None:
            options.console.fault(site.unread)
    return 0 if fleet.whole else FAILED


async def _status(
    desired: Desired, options: GlobalOptions, selection: workflow.Selection, parallelism: int, *, named: bool
) -> tuple[FleetStatus, KnownRequests]:
    """The status, and what is known of the owners that are awaited."""
    with target(options) as found:
        chosen = workflow.selected_sites(desired, selection)
        async with workflow.sessions(chosen, replace(found.service, parallelism=parallelism)) as opened:
            fleet = await workflow.status(desired, opened, selection)
            if named:
                fleet = await named_status(fleet, opened, options.console)
        actions = [status.action for status in fleet.connections if status.action is not None]
        return fleet, known_requests(actions, found.service, options.console)
