"""The entry point: `extcal`."""

import atexit
import gc
import sys

import click

from reconciler import __version__
from reconciler.cli.group import LateGroup
from reconciler.cli.options import global_options

# What a command makes lives as long as the command: looking for garbage in a fleet of it again and again, and once more
# at the end, finds nothing.
gc.freeze()
gc.set_threshold(50_000, 20, 100)
atexit.register(gc.freeze)
# Where its extra is installed, httpx loads a command line of its own, with all that draws it: a tenth of a second.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # importing it then fails, which httpx expects


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(__version__, prog_name="extcal")
@global_options
def main() -> None:
    """Manage external calendar connections as code.

    Manifests declare which external calendars are connected to which schedules of a site, and how they sync. plan
    shows what would change, and apply changes it. To try it without an account: extcal --sandbox providers.

    Results go to stdout, everything else to stderr. --format json is for scripts.

    Exit codes: 0 done, or nothing to do; 1 failed, in whole or part; 2 changes pending (plan and merge with
    --detailed-exitcode); 3 applied, consent awaited; 64 wrong usage; 130 interrupted; 143 ended by SIGTERM.
    """
