"""`extcal schema` prints the JSON Schemas, for editors."""

import click

from reconciler.cli.arguments import Command
from reconciler.cli.options import current_options, offline_options
from reconciler.manifests import schema_text


@click.command(cls=Command, examples=["extcal schema Connection"])
@click.argument("kind")
@offline_options
def schema(kind: str) -> None:
    """Print the JSON Schema of manifests, or plan and status JSON.

    Use it to let an editor complete and check manifests, or a script check what it reads.

    KIND is Site, SyncPolicy, Connection or ConnectionSet; or plan or status, of what these commands print with --format
    json.
    """
    current_options().console.result(schema_text(kind).rstrip("\n"))
