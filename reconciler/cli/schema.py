"""`extcal schema`: the JSON Schemas, for editors."""

import click

from reconciler.cli.options import current_options, global_options
from reconciler.manifests import schema_text


@click.command
@click.argument("kind")
@global_options
def schema(kind: str) -> None:
    """Print the JSON Schema of KIND: Site, SyncPolicy, Connection, plan or status."""
    current_options().console.result(schema_text(kind).rstrip("\n"))
