"""`extcal validate`: the offline checks."""

import click

from reconciler.cli.arguments import manifest_paths, paths_argument
from reconciler.cli.options import current_options, global_options
from reconciler.errors import ManifestError
from reconciler.manifests import Limits, load
from reconciler.planning.account_warnings import account_warnings
from reconciler.render.github import annotations


@click.command
@paths_argument
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "github"]),
    default="text",
    help="How to show faults: lines on stderr, or GitHub's workflow commands on stdout, which annotate a pull request.",
)
@global_options
def validate(paths: tuple[str, ...], limits: Limits, output: str) -> int:
    """Check manifests without asking any service; every fault of every file is reported at once.

    PATH is a manifest file or a folder of them, of which .yaml and .yml files are read, and .json files that say
    apiVersion: extcal/. What says so and is not read is named in a warning, where its name holds one of these or it
    is in a dot-folder.
    """
    said = current_options()
    try:
        desired = load(manifest_paths(paths), limits)
    except ManifestError as error:
        if output == "github":
            # The annotations hold the faults whole, and a job's log shows both streams: once is enough.
            levels = (annotations(error.warnings, "warning"), annotations(error.faults))
            said.console.result("\n".join(filter(None, levels)))
            return error.exit_code
        raise
    warnings = [*(one.warning for one in desired.overlooked), *account_warnings(desired.connections)]
    if warnings and output == "github":
        said.console.result(annotations(warnings, "warning"))
    else:
        for warning in warnings:
            said.console.warning(str(warning))
    sites, connections = len(desired.sites), len(desired.connections)
    said.console.result(
        f"Valid: {sites} site{'' if sites == 1 else 's'}, {connections} connection{'' if connections == 1 else 's'}."
    )
    return 0
