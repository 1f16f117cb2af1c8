"""Which sandbox a command of `extcal sandbox` is about: the folder that holds its data."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from reconciler.cli.options import DEFAULT_SANDBOX, said_globals
from reconciler.cli.sandbox_errors import explained
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.sandbox.local import LocalSandbox

_P = ParamSpec("_P")
_R = TypeVar("_R")


def data_option(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Give a command its `data`, a Path: what --data says, else --sandbox, else EXTCAL_SANDBOX, else the default.

    Another folder than the one that was named must not be served, written to, or deleted.
    """

    @functools.wraps(function)
    def with_folder(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        kwargs["data"] = _folder(kwargs["data"])
        return function(*args, **kwargs)

    return click.option(
        "--data",
        metavar="DIR",
        help=f"The folder that holds its data, as --sandbox DIR names it, too.  [default: {DEFAULT_SANDBOX}]",
    )(with_folder)


@contextmanager
def opened(data: Path) -> Iterator["LocalSandbox"]:
    """The sandbox in the folder `data`, with the servers that the operator names; raises ExtcalError."""
    from reconciler.sandbox import local  # noqa: PLC0415 - only these commands need the other tower

    with explained(), local.opened(data, said_globals().sandbox_config_file()) as sandbox:
        yield sandbox


def _folder(data: object) -> Path:
    said = said_globals()
    if data is None:
        return said.sandbox_folder() or Path(DEFAULT_SANDBOX)
    if said.sandbox is not None and said.sandbox != data:
        raise UsageError(f"--data {data} and --sandbox {said.sandbox} name two folders; say which one is meant")
    return Path(str(data))
