"""Where files may be written: never through a link that somebody else can have put in the way."""

import os
import stat
from pathlib import Path

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

    That is: a relative path that a link leads out of the working folder, since the links of a repository come with
    what is reviewed in it; a link on the way that another user owns; and the system's devices and processes.
    """
    try:
        real, here = folder.resolve(), Path.cwd().resolve()
        strange = next((step for step in (folder, *folder.parents) if _is_strangers(step)), None)
    except (OSError, RuntimeError, ValueError) as error:
        raise MisplacedError(_reason(error)) from error
    if strange is not None:
        raise MisplacedError(f"{strange} is another user's link; name the place itself that is meant")
    if not folder.is_absolute() and ".." not in folder.parts and not real.is_relative_to(here):
        raise MisplacedError(f"a link leads out of this folder, to {real}; if that is meant, name it itself")
    if any(real.is_relative_to(system) for system in _SYSTEM) and not real.is_relative_to(_IN_MEMORY):
        raise MisplacedError(f"{real} holds the system's own, and no files; name another folder")


def _is_strangers(step: Path) -> bool:
    return step.is_symlink() and step.lstat().st_uid not in {0, os.geteuid()}


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not a path"
