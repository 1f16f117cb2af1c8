"""Locks a site: one apply at a time on one machine.

The system releases the lock when its process ends, however it ends.
"""

import fcntl
import getpass
import json
import os
import resource
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.errors import ExtcalError
from reconciler.safe_paths import opened

_LONGEST = 4096
# Connections, pipes, modules that are being read.
_BESIDE = 512


def make_room(locks: int) -> None:
    """Let this process hold so many locks beside what else it has open, as far as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = locks + _BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        room = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, room), hard))


class LockedError(ExtcalError):
    """Another run holds the lock of a site."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lock: what runs (`command`), as which process of which user on which host."""

    command: str
    pid: int
    user: str
    host: str

    @classmethod
    def this_process(cls, command: str) -> "Owner":
        """The process that asks."""
        try:
            user = getpass.getuser()
        except (OSError, KeyError):
            user = str(os.getuid())
        return cls(command, os.getpid(), user, socket.gethostname())


class SiteLock:
    """The lock in the file `path`, whose folder `make` makes; a context manager that holds it.

    Raises LockedError where another run holds it, and ExtcalError where the file can't be used.
    """

    def __init__(self, path: Path, make: Callable[[], None], owner: Owner, site: str) -> None:
        self._path = path
        self._make = make
        self._owner = owner
        self._site = site
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take it, or say who has it."""
        self._make()
        try:
            self._descriptor = opened(self._path, os.O_RDWR | os.O_CREAT)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The signature only tells others who it is: a full disk must not stand in the way.
            with suppress(OSError):
                self._sign()
        except BlockingIOError:
            said = os.pread(self._descriptor, _LONGEST, 0)
            self._close()
            raise LockedError(
                f"{self._site} is being applied by {_told(said)}; wait until it ends, or stop it"
            ) from None
        except OSError as error:
            self._close()
            raise ExtcalError(
                f"{self._path}: can't be locked ({error.strerror}); it lets one apply run at a time: set "
                "EXTCAL_STATE_DIR to a folder that you can write to"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it up."""
        # Erase our name, or the next holder would be taken for us until it has written its own.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _sign(self) -> None:
        fields = {
            "command": self._owner.command,
            "pid": self._owner.pid,
            "user": self._owner.user,
            "host": self._owner.host,
            "at": time.strftime("%H:%M:%S"),
            # The clock of the machine, which all its processes share: it is not set back.
            "since": time.monotonic(),
        }
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(fields).encode(), 0)


def _told(said: bytes) -> str:
    """Who holds a lock, in words."""
    try:
        fields = json.loads(said)
        age = max(0.0, time.monotonic() - fields["since"])
        who = f"process {fields['pid']} of {fields['user']}@{fields['host']} ({fields['command']})"
        return f"{who} since {fields['at']}, for {_span(age)}"
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return "another process"


def _span(seconds: float) -> str:
    minutes = int(seconds) // 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes} min"  # noqa: PLR2004 - below, seconds say more
