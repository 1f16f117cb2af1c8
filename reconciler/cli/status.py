"""`extcal status`: how every declared connection is."""

import asyncio
from datetime import UTC, datetime

import click

from reconciler import workflow
from reconciler.cli.arguments import (
    manifest_paths,
    paths_argument,
    select_connections,
    select_sites,
    selection_options,
)
from reconciler.cli.options import Globals, global_options, said_globals
from reconciler.cli.report import failing_as
from reconciler.cli.target import target
from reconciler.manifests import load
from reconciler.model.desired import Desired
from reconciler.model.status import FleetStatus
from reconciler.render.html.status_page import status_failure_html, status_html
from reconciler.render.status_json import status_failure_json, status_json
from reconciler.render.status_text import status_text

FAILED = 1


@click.command
@paths_argument
@selection_options
@click.option(
    "--format", "output", type=click.Choice(["text", "json", "html"]), default="text", help="How to show the status."
)
@global_options
def status(paths: tuple[str, ...], sites: tuple[str, ...], connections: tuple[str, ...], output: str) -> int:
    """Show how every declared connection is, and which live ones no manifest declares; only reads are sent.

    PATH is a manifest file or a folder of them. The exit code is 1 where something could not be read, and 0 otherwise,
    whatever was found.
    """
    said = said_globals()
    failures = {"json": status_failure_json, "html": lambda messages: status_failure_html(messages, _now())}
    with failing_as(said.console, failures.get(output)):
        desired = load(manifest_paths(paths))
        fleet = asyncio.run(_status(desired, said, sites, connections))
    match output:
        case "json":
            shown = status_json(fleet)
        case "html":
            shown = status_html(fleet, _now())
        case _:
            shown = status_text(fleet, said.console.paint)
    said.console.result(shown)
    for site in fleet.sites:
        if site.unread is not None:
            said.console.fault(site.unread)
    return 0 if fleet.whole else FAILED


async def _status(desired: Desired, said: Globals, sites: tuple[str, ...], connections: tuple[str, ...]) -> FleetStatus:
    selection = workflow.Selection(select_sites(desired, sites), select_connections(desired, connections))
    with target(said) as found:
        chosen = workflow.selected_sites(desired, selection)
        async with workflow.sessions(chosen, found.service) as opened:
            return await workflow.status(desired, opened, selection)


def _now() -> datetime:
    return datetime.now(UTC)
