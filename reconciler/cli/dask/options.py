"""Who does the work of a run: this process, or the workers of a Dask scheduler."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.cli.options import GlobalOptions
from reconciler.errors import ExtcalError, UsageError
from reconciler.model.plan import Allowance

if TYPE_CHECKING:
    from reconciler.cli.consent_options import ConsentOptions
    from reconciler.cli.dask.driver import DaskRunner

_Command = TypeVar("_Command", bound=Callable[..., object])
_DASK = "dask"
NO_WAITING = "--runner dask can't wait for owners, who are asked from this machine. Add --consent link."
NO_MAIL = (
    "--runner dask can't mail owners: what they were asked is noted where apply runs. Leave --runner out, or add "
    "--consent link."
)
NO_UNDO = (
    "--undo-out and --runner dask exclude each other: the undo is made from what this process reads. Leave one out."
)

NO_RECORD = (
    "--record and --runner dask exclude each other: each worker keeps the history in its own state folder. Leave one "
    "out, and run extcal history there."
)


def runner_options(function: _Command) -> _Command:
    """Give a command `--runner` and `--scheduler`; it gets the scheduler's address, or None where it works itself."""
    runner = click.option(
        "--runner",
        type=click.Choice(["local", _DASK]),
        default="local",
        expose_value=False,
        callback=_keep,
        help="Where to run: in this process, or on the workers of a Dask scheduler, one task a site.",
    )
    scheduler = click.option(
        "--scheduler",
        metavar="URL",
        callback=_scheduler,
        help="The address of the Dask scheduler, tcp://HOST:PORT. Its workers need the secrets; this process needs "
        "none.",
    )
    return runner(scheduler(function))


def _keep(context: click.Context, _parameter: click.Parameter, value: str) -> None:
    context.meta[_DASK] = value == _DASK
    _agree(context)


def _scheduler(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    context.meta["scheduler"] = value
    _agree(context)
    return value


def _agree(context: click.Context) -> None:
    """Both options are there, or none; they are read in whatever order."""
    if _DASK not in context.meta or "scheduler" not in context.meta:
        return
    if context.meta[_DASK] and not context.meta["scheduler"]:
        raise UsageError("--runner dask needs a scheduler. Add --scheduler tcp://HOST:PORT.")
    if context.meta["scheduler"] and not context.meta[_DASK]:
        raise UsageError("--scheduler is for Dask. Add --runner dask.")


def for_workers(options: GlobalOptions, consent: "ConsentOptions", undo_out: str | None, *, records: bool) -> None:
    """Refuse what workers can't serve; raises UsageError."""
    from reconciler.model.consent import ConsentMode  # noqa: PLC0415 - planning has no use for it

    not_embedded(options)
    if consent.mode in {ConsentMode.WAIT, ConsentMode.POLL}:
        raise UsageError(NO_WAITING)
    if consent.mode is ConsentMode.MAIL:
        raise UsageError(NO_MAIL)
    if undo_out is not None:
        raise UsageError(NO_UNDO)
    if records:
        raise UsageError(NO_RECORD)


def not_embedded(options: GlobalOptions) -> None:
    """Refuse the embedded API, which workers can't reach; raises UsageError."""
    if options.sandbox_folder() is not None:
        raise UsageError(
            "--runner dask: workers can't reach --sandbox. Run extcal sandbox serve, and give its --endpoint."
        )


def dask(scheduler: str, endpoint: str, allowed: frozenset[Allowance]) -> AbstractAsyncContextManager["DaskRunner"]:
    """A run on the workers of a scheduler; raises ExtcalError where the extra is missing or nobody is there."""
    try:
        from reconciler.cli.dask.driver import dask_runner  # noqa: PLC0415 - an extra, and a slow import
    except ImportError as error:
        raise ExtcalError(f"--runner dask needs {error.name}. Install it: pip install 'extcal[dask]'") from error
    return dask_runner(scheduler, endpoint, allowed)
