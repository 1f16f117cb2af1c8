"""The option `--record`, and what the history says of a run: at which commit its manifests are."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from reconciler import workflow
from reconciler.cli.arguments import refuse_empty, refuse_stdout
from reconciler.machine.record import RecordFile

_Command = TypeVar("_Command", bound=Callable[..., object])


def record_option(function: _Command) -> _Command:
    """Give a command `--record`; it gets the file, which can be written to, as `record`."""
    return click.option(
        "--record",
        metavar="FILE",
        callback=_file,
        help="Append what extcal history shows of this run to FILE, too, a JSON object a line.",
    )(function)


def _file(_context: click.Context, _parameter: click.Parameter, value: str | None) -> RecordFile | None:
    if value is None:
        return None
    refuse_empty(record=value)
    refuse_stdout(record=value)
    return RecordFile(Path(value))


def recorded(service: workflow.Service, manifests: Sequence[Path], record: RecordFile | None) -> workflow.Service:
    """The service, whose history says at which commit the manifests are; of a saved plan, there are none."""
    commit = workflow.commit_of_manifests(manifests) if manifests else None
    return replace(service, machine=service.machine.recorded(commit, record))
