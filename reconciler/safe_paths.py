"""Checks links, modes and owners before files are read or written.

Three questions: may a file be put here (`check_file`, `check_folder`: nobody else led the way), is this a regular file
(`read_regular`), and is this folder its user's alone (`check_own_folder`, `opened`: nobody else can change what is in
it).
"""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reconciler.errors import ExtcalError

_LINKS = 40


class Step(NamedTuple):
    """A step of a way: its path, which goes through no link, and what is there, or None where nothing is."""

    path: str
    found: os.stat_result | None
    is_last: bool
    """Whether nothing comes after it, but for where it leads if it is a link."""

    @property
    def is_link(self) -> bool:
        """Whether the way goes on elsewhere."""
        return self.found is not None and stat.S_ISLNK(self.found.st_mode)


def steps(folder: Path) -> Iterator[Step]:
    """Each step of the way to a folder, the root first; what links lead to are steps as well.

    A `..` leaves the folder that a link has led to. Raises OSError where a step can't be looked at.
    """
    # Texts are faster than paths, and a fleet has many such folders.
    here, links = "", 0
    rest = [*reversed(folder.absolute().parts[1:])]
    yield Step("/", os.lstat("/"), is_last=not rest)
    while rest:
        name = rest.pop()
        if name == "..":
            here = here.rpartition("/")[0]
            continue
        step = f"{here}/{name}"
        try:
            found = os.lstat(step)
        except FileNotFoundError:
            found = None
        yield Step(step, found, is_last=not rest)
        if found is None or not stat.S_ISLNK(found.st_mode):
            here = step
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
        target = Path(step).readlink()
        here = "" if target.is_absolute() else here
        rest += reversed(target.parts[1:] if target.is_absolute() else target.parts)


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
        raise MisplacedError(f"{real} is a system folder; name another folder")


def _check_link(link: Step, here: Path) -> None:
    if link.found is not None and link.found.st_uid not in {0, os.geteuid()}:
        raise MisplacedError(f"{link.path} is another user's link; name its target instead")
    if not Path(link.path).is_relative_to(here):
        return
    real = Path(link.path).resolve()
    if not real.is_relative_to(here):
        raise MisplacedError(f"a link leads out of this folder, to {real}; if you mean that folder, name it instead")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not a path"


class IrregularFileError(Exception):
    """What was to be read is no regular file; the text says what it is."""


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """The first bytes of a regular file; no link is followed, no pipe waited for and no device opened.

    Raises IrregularFileError and OSError.
    """
    # Looking first keeps devices from being opened at all; looking again keeps them from being slipped in.
    _check_regular(os.lstat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        _check_regular(os.fstat(descriptor))
        return stream.read(most)


def _check_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise IrregularFileError(next((name for test, name in _KINDS if test(found.st_mode)), "a link"))


_ANOTHER = "set EXTCAL_STATE_DIR to a folder of your own (with --sandbox: choose another DIR)"


class NotOursError(ExtcalError):
    """A folder that another user can have made, or may write to; the text says which and what to do."""


def check_own_folder(folder: Path) -> bool:
    """Raise NotOursError where `folder`, or the way to it, is not its user's alone; whether it is there yet.

    Raises OSError where it can't be looked at.
    """
    for step in steps(folder):
        if step.found is None:
            return False
        _check(step.path, step.found, last=step.is_last)
    return True


def opened(file: Path, flags: int, *, checked: bool = False) -> int:
    """A descriptor of a file in a folder that passes `check_own_folder`, made for its user alone where `flags` say so.

    No link is followed, and nothing waited for; raises OSError where it is not a file of this user alone, too. Whoever
    has opened it before may have the folder taken as `checked`: nobody else can have put another one there.
    """
    # What comes to be there after a look may be anybody's.
    if not checked and not check_own_folder(file.parent):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
    descriptor = os.open(file, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    # One that has another name may be another file that its user may write to, and never meant to.
    if (
        stat.S_ISREG(found.st_mode)
        and found.st_nlink == 1
        and _is_trusted(found)
        and not others_write(found.st_mode, found.st_gid)
    ):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EPERM, "not a file of this user alone; check what it is, then delete it", str(file))


def opened_to_append(file: Path) -> int:
    """A descriptor at the end of a regular file, made for its user alone where it is not there yet.

    Nobody else may have led its folder elsewhere; no link is followed, no pipe waited for, and no other name of a file
    taken. Raises MisplacedError and OSError.
    """
    check_file(file)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        return descriptor
    os.close(descriptor)
    raise MisplacedError("it is no regular file with this one name; name another file")


def others_write(mode: int, group: int) -> bool:
    """Whether somebody else may write to what has this mode and group; a user's private group is nobody else."""
    return bool(mode & stat.S_IWOTH or (mode & stat.S_IWGRP and not _is_private(group)))


def _check(step: str, found: os.stat_result, *, last: bool) -> None:
    """Look at a step of a way; its last one may not even be a folder like /tmp."""
    is_link = stat.S_ISLNK(found.st_mode)
    if not _is_trusted(found):
        raise NotOursError(f"{step} is another user's {'link' if is_link else 'folder'}: {_ANOTHER}")
    sticky = bool(found.st_mode & stat.S_ISVTX)
    # Anybody may seem to write to a link; whether it can be turned is its folder's matter.
    if not is_link and others_write(found.st_mode, found.st_gid) and (last or not sticky):
        closable = found.st_uid == os.geteuid() and not sticky
        closing = f"chmod {'700' if last else 'go-w'} {step}, or " if closable else ""
        raise NotOursError(f"others may write to {step}: {closing}{_ANOTHER}")


def _is_trusted(found: os.stat_result) -> bool:
    return found.st_uid in {0, os.geteuid()}


def _is_private(group: int) -> bool:
    """Whether nobody but this user is in a group, as far as this machine knows."""
    user = os.geteuid()
    if group != user:
        return False
    try:
        members = set(grp.getgrgid(group).gr_mem)
    except KeyError:
        members = set()
    own = {each.pw_name for each in pwd.getpwall() if each.pw_uid == user}
    return members <= own and all(each.pw_uid == user for each in pwd.getpwall() if each.pw_gid == group)
