"""`extcal validate`: the offline checks."""

import click

from reconciler.cli.arguments import manifest_paths, paths_argument
from reconciler.cli.options import global_options, said_globals
from reconciler.manifests import load


@click.command
@paths_argument
@global_options
def validate(paths: tuple[str, ...]) -> None:
    """Check manifests without asking any service; every fault of every file is reported at once."""
    desired = load(manifest_paths(paths))
    sites, connections = len(desired.sites), len(desired.connections)
    said_globals().console.result(
        f"Valid: {sites} site{'' if sites == 1 else 's'}, {connections} connection{'' if connections == 1 else 's'}."
    )
