"""`extcal schema`: the JSON Schemas, for editors."""

import click

from reconciler.cli.options import global_options, said_globals
from reconciler.manifests import schema_text


@click.command
@click.argument("kind")
@global_options
def schema(kind: str) -> None:
    """Print the JSON Schema of KIND: Site, SyncPolicy, Connection, plan or status."""
    said_globals().console.result(schema_text(kind).rstrip("\n"))
