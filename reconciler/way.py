"""The way to a folder: every folder and link between the root and it, as the system follows them."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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
