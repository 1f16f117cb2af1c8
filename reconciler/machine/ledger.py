"""Counts the requests of all runs on one machine to a site: they share its rate limit.

Times are those of the machine's monotonic clock, which all its processes share and nobody sets back. After a restart
it begins anew: entries from the future are of before.
"""

import errno
import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.safe_paths import opened

_TIME = struct.Struct("<d")
# Longer than any wait that the service asks for and that is obeyed: what says more is no ledger's word.
_LONGEST_HOLD = 120.0
# A process that was suspended in the middle of a count must not hold the others up for ever.
LOCK_SECONDS = 2.0
"""Seconds for which another process may hold the ledger."""
_NAP = 0.001


class FileLedger:
    """The ledger in the file `path`, whose folder `make` makes; raises OSError or ExtcalError.

    What is no entry is passed over: a file that was torn, or is none of ours, begins anew.
    """

    def __init__(self, path: Path, make: Callable[[], None]) -> None:
        self._path = path
        self._make = make
        self._checked = False

    def take(self, clock: Callable[[], float], requests: int, seconds: float) -> float:
        """Count a request if there were fewer than `requests` in the last `seconds`; else how long to wait, in s."""
        with self._held() as descriptor:
            # Read while nobody else writes, so that no entry is from later than now.
            now = clock()
            held_until, sent = self._entries(descriptor, now, seconds)
            wait = max(held_until - now, sent[-requests] + seconds - now if len(sent) >= requests else 0.0)
            if wait > 0:
                return wait
            self._write(descriptor, held_until, [*sent, now])
            return 0.0

    def hold(self, clock: Callable[[], float], pause: float, seconds: float) -> None:
        """Let no run send anything for `pause` seconds."""
        with self._held() as descriptor:
            now = clock()
            held_until, sent = self._entries(descriptor, now, seconds)
            self._write(descriptor, max(held_until, now + pause), sent)

    def counted(self, clock: Callable[[], float], seconds: float) -> tuple[float, tuple[float, ...]]:
        """Until when nothing may go, and when the requests of the last `seconds` were sent, the oldest first."""
        with self._held() as descriptor:
            held_until, sent = self._entries(descriptor, clock(), seconds)
            return held_until, tuple(sent)

    @contextmanager
    def _held(self) -> Iterator[int]:
        try:
            descriptor = self._open()
        except FileNotFoundError:
            self._make()
            descriptor = self._open()
        try:
            _lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        descriptor = opened(self._path, os.O_RDWR | os.O_CREAT, checked=self._checked)
        self._checked = True
        return descriptor

    @staticmethod
    def _entries(descriptor: int, now: float, seconds: float) -> tuple[float, list[float]]:
        """Until when everything is held, and when what still counts was sent, the oldest first."""
        data = os.pread(descriptor, 1 << 16, 0)
        times = [time for (time,) in _TIME.iter_unpack(data[: len(data) // _TIME.size * _TIME.size])]
        held_until = times[0] if times and times[0] - now <= _LONGEST_HOLD else 0.0
        return held_until, sorted(time for time in times[1:] if now - seconds < time <= now)

    @staticmethod
    def _write(descriptor: int, held_until: float, sent: list[float]) -> None:
        data = b"".join(map(_TIME.pack, (held_until, *sent)))
        os.pwrite(descriptor, data, 0)
        os.ftruncate(descriptor, len(data))


def _lock(descriptor: int) -> None:
    """Wait for the others, who count in no time; raises OSError where one does not let go."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
            time.sleep(_NAP)
        else:
            return
