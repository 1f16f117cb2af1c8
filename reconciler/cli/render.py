"""`extcal render` prints what sets and rosters expand to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import click

from reconciler.cli.arguments import Command, manifest_paths, paths_argument
from reconciler.cli.options import current_options, offline_options
from reconciler.manifests import Limits
from reconciler.render.data_text import json_text
from reconciler.workflow.expansion import expand

if TYPE_CHECKING:
    from reconciler.model.encoding import Json


@click.command(cls=Command, examples=["extcal render manifests", "extcal render manifests --format json"])
@paths_argument
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="The format on stdout: YAML documents, each below a comment that says where it comes from, or a JSON array of "
    "them, each with its source.",
)
@offline_options
def render(paths: tuple[str, ...], limits: Limits, output: str) -> int:
    """Print the Connections that sets and rosters expand to.

    Use it to see what a ConnectionSet means, entry by entry and row by row, or to turn it into documents. Connections
    that are documents already, Sites and SyncPolicies are not printed. Nothing is asked of the service.

    PATH is a manifest file or a folder of them.
    """
    console = current_options().console
    found = expand(manifest_paths(paths), limits)
    if output == "json":
        console.result(json_text([cast("Mapping[str, Json]", one.fields) for one in found]))
    elif found:
        console.result("\n---\n".join(one.text for one in found))
    else:
        console.note("The manifests have no ConnectionSets, so nothing is printed.")
    return 0
