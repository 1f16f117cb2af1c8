"""Folders and files that are their user's alone: nobody else can have made them, changed them or led them elsewhere.

Trusted are whoever runs the command and root, who may do all of that anyway; and a user's private group, which bears
the user's number and has nobody else in it. A folder is safe if another user can neither write to it nor put another
one in its place: so every folder on the way to it is looked at, and every link, as the system follows them. On the way
a folder that all may write to will do if it is sticky, as /tmp is: there nobody can move what is another's.
"""

import errno
import grp
import os
import pwd
import stat
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.way import steps

_ANOTHER = "a folder of your own by EXTCAL_STATE_DIR (with --sandbox: by its DIR)"


class NotOursError(ExtcalError):
    """A folder that another user can have made, or may write to; the text says which and what to do."""


def check_folder(folder: Path) -> bool:
    """Raise NotOursError where `folder`, or the way to it, is not its user's alone; whether it is there yet.

    Raises OSError where it can't be looked at.
    """
    for step in steps(folder):
        if step.found is None:
            return False
        _check(step.path, step.found, last=step.is_last)
    return True


def opened(file: Path, flags: int, *, checked: bool = False) -> int:
    """A descriptor of a file in a folder that passes `check_folder`, made for its user alone where `flags` say so.

    No link is followed, and nothing waited for; raises OSError where it is not a file of this user alone, too. Whoever
    has opened it before may have the folder taken as `checked`: nobody else can have put another one there.
    """
    # What comes to be there after a look may be anybody's.
    if not checked and not check_folder(file.parent):
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
    raise OSError(errno.EPERM, "not a file of this user alone; look what it is, then remove it", str(file))


def others_write(mode: int, group: int) -> bool:
    """Whether somebody else may write to what has this mode and group; a user's private group is nobody else."""
    return bool(mode & stat.S_IWOTH or (mode & stat.S_IWGRP and not _is_private(group)))


def _check(step: str, found: os.stat_result, *, last: bool) -> None:
    """Look at a step of a way; its last one may not even be a folder like /tmp."""
    is_link = stat.S_ISLNK(found.st_mode)
    if not _is_trusted(found):
        raise NotOursError(f"{step} is another user's {'link' if is_link else 'folder'}: name {_ANOTHER}")
    sticky = bool(found.st_mode & stat.S_ISVTX)
    # Anybody may seem to write to a link; whether it can be turned is its folder's matter.
    if not is_link and others_write(found.st_mode, found.st_gid) and (last or not sticky):
        closable = found.st_uid == os.geteuid() and not sticky
        closing = f"chmod {'700' if last else 'go-w'} {step}, or " if closable else ""
        raise NotOursError(f"others may write to {step}: {closing}name {_ANOTHER}")


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
