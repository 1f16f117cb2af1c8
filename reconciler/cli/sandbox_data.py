"""Which sandbox a command is about, whether its data folder is our own, and its errors as ours."""

import functools
import os
import shlex
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from reconciler.cli.options import DEFAULT_SANDBOX, current_options
from reconciler.errors import ExtcalError, UsageError
from reconciler.safe_paths import MisplacedError, check_folder

if TYPE_CHECKING:
    from reconciler.sandbox.local import LocalSandbox


_P = ParamSpec("_P")
_R = TypeVar("_R")
_Test = Callable[[int, int], bool]
_OTHER_FOLDER = "name a folder of your own: --sandbox DIR"


def data_option(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Give a command its `data`, a Path: what --data says, else --sandbox, else EXTCAL_SANDBOX, else the default.

    Another folder than the one that was named, or one that isn't ours, must not be served, written to, or deleted.
    """

    @functools.wraps(function)
    def with_folder(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        kwargs["data"] = data = _folder(kwargs["data"])
        check_ours(data)
        return function(*args, **kwargs)

    return click.option(
        "--data",
        metavar="DIR",
        help=f"The folder of the sandbox's data; --sandbox DIR is the same.  [default: {DEFAULT_SANDBOX}]",
    )(with_folder)


@contextmanager
def opened(data: Path) -> Iterator["LocalSandbox"]:
    """The sandbox in the folder `data`, with the servers that the operator names; raises ExtcalError."""
    from reconciler.sandbox import local  # noqa: PLC0415 - only these commands need the other tower

    with explained(), local.opened(data, current_options().sandbox_config_file()) as sandbox:
        yield sandbox


def check_ours(folder: Path) -> None:
    """Raise ExtcalError where `folder` holds what may be somebody else's; one that is absent or empty does not.

    What comes with a checkout is its author's: a link in it would lead what is written elsewhere, and its database and
    its accounts are not those that the operator has made.
    """
    try:
        check_folder(folder)
    except MisplacedError as error:
        raise _refused(folder, str(error)) from error
    try:
        found = folder.lstat()
    except OSError:
        return
    from reconciler import safe_paths  # noqa: PLC0415 - only where a data folder is there already

    # It looks groups up, and thousands of files have few modes and groups.
    others_write = functools.cache(safe_paths.others_write)
    _check(folder, found, others_write)
    if stat.S_ISDIR(found.st_mode):
        _check_contents(folder, others_write)


def _check_contents(folder: Path, others_write: _Test) -> None:
    from reconciler import git  # noqa: PLC0415 - as for ownership

    entries = [Path(place, name) for place, folders, files in os.walk(folder) for name in (*folders, *files)]
    if entries and git.is_tracked(folder):
        raise _refused(
            folder,
            f"git tracks what is in it, so it came with the checkout. Where you put it there: git rm -r --cached "
            f"{folder}. Else {_OTHER_FOLDER}.",
        )
    for entry in entries:
        try:
            found = entry.lstat()
        except FileNotFoundError:
            # Another sandbox may be running here.
            continue
        _check(entry, found, others_write)


def _check(entry: Path, found: os.stat_result, others_write: _Test) -> None:
    is_file = stat.S_ISREG(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        raise _refused(entry, f"it is a link, which a checkout can bring. Remove it, or {_OTHER_FOLDER}.")
    if not is_file and not stat.S_ISDIR(found.st_mode):
        raise _refused(entry, f"it is neither a file nor a folder. Remove it, or {_OTHER_FOLDER}.")
    if found.st_uid != os.geteuid():
        raise _refused(entry, f"it belongs to another user. Remove it, or {_OTHER_FOLDER}.")
    if others_write(found.st_mode, found.st_gid):
        raise _refused(entry, f"others may write to it. chmod go-w {shlex.quote(str(entry))}, or {_OTHER_FOLDER}.")
    if is_file and found.st_nlink > 1:
        raise _refused(entry, f"it has another name elsewhere (a hard link). Replace it by a copy, or {_OTHER_FOLDER}.")


def _refused(place: Path, why: str) -> ExtcalError:
    return ExtcalError(f"sandbox: {place}: {why}")


def _folder(data: object) -> Path:
    options = current_options()
    if data is None:
        return options.sandbox_folder() or Path(DEFAULT_SANDBOX)
    if options.sandbox is not None and options.sandbox != data:
        raise UsageError(f"--data {data} and --sandbox {options.sandbox} name two folders. Give one.")
    return Path(str(data))


@contextmanager
def explained() -> Iterator[None]:
    """Turn a `SandboxError` into an error of the command's own."""
    from reconciler.sandbox.errors import (  # noqa: PLC0415 - only these commands need the other tower
        SandboxError,
        UnclearScheduleError,
    )

    try:
        yield
    except UnclearScheduleError as error:
        raise UsageError(f"sandbox: {error}") from error
    except SandboxError as error:
        raise ExtcalError(f"sandbox: {error}") from error
