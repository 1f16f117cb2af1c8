"""Records that a saved plan was used on a site: a plan is for one use.

Not every service shows what was disconnected.

A file for each plan, of lines that are JSON objects, only ever added to. A line that a crash cut off stands alone,
since each begins with a line's end: it is passed over. Only the plans that were used last are remembered.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.machine.journal import sync_folder
from reconciler.safe_paths import opened

MOST_PLANS = 500
"""How many plans are remembered as used; the oldest are forgotten."""
_LARGEST = 64 * 1024 * 1024


class UsedPlanError(ExtcalError):
    """What a saved plan was used for can't be read or written."""


class UsedPlan:
    """What the saved plan `plan_id` was used for, in a file of that name below `folder`.

    `make` makes the site's folder, `now` tells the seconds since the epoch. Only who holds the site's lock may add.
    """

    def __init__(
        self, folder: Path, plan_id: str, make: Callable[[], None], now: Callable[[], float] = time.time
    ) -> None:
        self.plan_id = plan_id
        self._folder = folder
        self._make = make
        self._now = now
        self._known: dict[str, str] | None = None

    def when(self, address: str) -> str | None:
        """When the action of an address was carried out, or was seen to have come about; raises UsedPlanError."""
        return self._found().get(address)

    def add(self, address: str) -> None:
        """Write down that the action of an address was carried out; then it is on the disk. Raises UsedPlanError."""
        known = self._found()
        if address in known:
            return
        at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self._now()))
        try:
            self._append(f"\n{json.dumps({'address': address, 'at': at})}\n".encode())
        except OSError as error:
            raise UsedPlanError(
                f"{self._folder / self.plan_id}: {error.strerror}, so it was not recorded that this plan was used: "
                "plan again before the next apply"
            ) from error
        known[address] = at

    def _found(self) -> dict[str, str]:
        if self._known is None:
            self._known = dict(self._lines())
        return self._known

    def _lines(self) -> Iterator[tuple[str, str]]:
        for line in self._read().splitlines():
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                fields = json.loads(line)
                yield str(fields["address"]), str(fields["at"])

    def _read(self) -> bytes:
        path = self._folder / self.plan_id
        try:
            with self._opened(os.O_RDONLY) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(_LARGEST)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise UsedPlanError(
                f"{path}: {error.strerror}, so the uses of this plan can't be found; plan again"
            ) from error

    def _append(self, data: bytes) -> None:
        self._make()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with self._opened(os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor:
            new = os.fstat(descriptor).st_size == 0
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        if new:
            self._make_room()

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        """The file's descriptor; raises OSError, also where it or its folder is a link, or no file."""
        descriptor = opened(self._folder / self.plan_id, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        if flags & os.O_CREAT:
            # A file that was made just now is to be found after a loss of power.
            sync_folder(self._folder)

    def _make_room(self) -> None:
        """Forget the plans whose last use is the longest ago; what can't be forgotten now is another time."""
        with suppress(OSError):
            others = [path for path in self._folder.iterdir() if path.name != self.plan_id]
            others.sort(key=lambda path: path.lstat().st_mtime_ns, reverse=True)
            for path in others[MOST_PLANS - 1 :]:
                path.unlink()
