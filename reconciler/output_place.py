"""Where files may be written: never through a link that somebody else can have put in the way."""

import os
import stat
from pathlib import Path

from reconciler.way import Step, steps

_SYSTEM = (Path("/dev"), Path("/proc"), Path("/sys"))
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - files that whoever runs the command puts there are theirs
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class MisplacedError(Exception):
    """Nothing may be written at a place; the text says why, and what to name instead."""


def check_file(file: Path) -> None:
    """Raise MisplacedError where `file` is no place for a file that is put there whole, by a rename.

    Its folder must pass `check_folder`. What stands at the place already may be a file, or a link, which a rename
    replaces and does not follow; a pipe, a device or a folder stays as it is.
    """
    check_folder(file.parent)
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise MisplacedError(_reason(error)) from error
    kind = next((name for test, name in _KINDS if test(mode)), None)
    if kind is not None:
        raise MisplacedError(f"it is {kind}; name a file")


def check_folder(folder: Path) -> None:
    """Raise MisplacedError where somebody else can have led `folder` elsewhere, or where it holds no files.

    That is: where a link in the working folder leads out of it, however the path is written, since the links of a
    repository come with what is reviewed in it; a link on the way that another user owns; and the system's devices
    and processes.
    """
    try:
        here = Path.cwd().resolve()
        for step in steps(folder):
            if step.is_link:
                _check_link(step, here)
        real = folder.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise MisplacedError(_reason(error)) from error
    if any(real.is_relative_to(system) for system in _SYSTEM) and not real.is_relative_to(_IN_MEMORY):
        raise MisplacedError(f"{real} holds the system's own, and no files; name another folder")


def _check_link(link: Step, here: Path) -> None:
    if link.found is not None and link.found.st_uid not in {0, os.geteuid()}:
        raise MisplacedError(f"{link.path} is another user's link; name the place itself that is meant")
    if not Path(link.path).is_relative_to(here):
        return
    real = Path(link.path).resolve()
    if not real.is_relative_to(here):
        raise MisplacedError(f"a link leads out of this folder, to {real}; if that is meant, name it itself")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not a path"
