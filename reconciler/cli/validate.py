"""`extcal validate` checks manifests offline."""

import click

from reconciler.cli.arguments import Command, manifest_paths, paths_argument
from reconciler.cli.options import current_options, offline_options
from reconciler.errors import ManifestError
from reconciler.manifests import Limits, load
from reconciler.planning.account_warnings import account_warnings
from reconciler.render.github import annotations


@click.command(cls=Command, examples=["extcal validate manifests", "extcal validate manifests --format github"])
@paths_argument
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "github"]),
    default="text",
    help="How to report faults: text on stderr, or github, workflow commands on stdout that annotate a pull request.",
)
@offline_options
def validate(paths: tuple[str, ...], limits: Limits, output: str) -> int:
    """Check manifests offline, without asking the service.

    Use it in an editor, in a pre-commit hook, or first in CI: it needs no key, and reports every fault of every file at
    once.

    PATH is a manifest file, or a folder whose .yaml and .yml files are read, and those .json files that say apiVersion:
    extcal/. Files that look like manifests but are not read are named in a warning.
    """
    options = current_options()
    try:
        desired = load(manifest_paths(paths), limits)
    except ManifestError as error:
        if output == "github":
            # The annotations hold the faults whole, and a job's log shows both streams: once is enough.
            levels = (annotations(error.warnings, "warning"), annotations(error.faults))
            options.console.result("\n".join(filter(None, levels)))
            return error.exit_code
        raise
    warnings = [*(one.warning for one in desired.overlooked), *account_warnings(desired.connections)]
    if output == "github":
        levels = (annotations(warnings, "warning"), annotations(desired.notes, "notice"))
        if any(levels):
            options.console.result("\n".join(filter(None, levels)))
    else:
        for warning in warnings:
            options.console.warning(str(warning))
        for note in desired.notes:
            options.console.note(f"note: {note}")
    sites, connections = len(desired.sites), len(desired.connections)
    options.console.result(
        f"Valid: {sites} site{'' if sites == 1 else 's'}, {connections} connection{'' if connections == 1 else 's'}."
    )
    return 0
