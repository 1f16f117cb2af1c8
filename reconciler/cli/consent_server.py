"""The door of `--consent wait`: links are given out, and a line says who is still missing."""

import asyncio
import math
import shutil
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from reconciler.cli.consent_options import Asking
from reconciler.cli.console import Console
from reconciler.consent.pending import Visit, Visits
from reconciler.model.account import shown
from reconciler.model.plan import Action

_TICK = 1.0


class Giver(Protocol):
    """Who gives links to those who may see them."""

    def give(self, action: Action, url: str) -> None:
        """Show a link right now, to the one place that it may be seen at."""
        ...


class WaitingRoom:
    """Where owners are expected, several at once."""

    def __init__(self, visits: Visits, giver: Giver, console: Console, asking: Asking) -> None:
        self._visits = visits
        self._giver = giver
        self._console = console
        self._asking = asking
        self._missing: dict[str, tuple[str, float]] = {}
        self._asked = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._finding_browsers = threading.Lock()

    @contextmanager
    def expect(self, action: Action) -> Iterator[Visit]:
        """Expect an action's owner, until the block ends."""
        with self._visits.expect(action) as visit:
            try:
                yield visit
            finally:
                self._missing.pop(action.address, None)
                self.show_missing()

    def asked(self, action: Action, url: str) -> None:
        """Show the link, and open it where that was asked for."""
        if not self._asked:
            self._console.note("Each owner opens their own link in a browser on this machine, and comes back by it.")
        self._asked += 1
        until = asyncio.get_running_loop().time() + self._asking.timeout
        self._missing[action.address] = (shown(action.account), until)
        # A terminal that has gone away must not end what is under way.
        with suppress(OSError):
            self._giver.give(action, url)
        if self._asking.open_browser:
            task = asyncio.create_task(asyncio.to_thread(self._open, url))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        self.show_missing()

    def _open(self, url: str) -> None:
        with suppress(webbrowser.Error):
            # While one thread makes the module's list of browsers, others would find it empty.
            with self._finding_browsers:
                webbrowser.get()
            if webbrowser.open(url):
                return
        self._console.warning("no browser could be opened here; open the link yourself")

    def show_missing(self) -> None:
        """Say on the progress line who has not come back yet, and for how long they are waited for."""
        if not self._missing:
            return
        now = asyncio.get_running_loop().time()
        left = math.ceil(max(0.0, max(until for _, until in self._missing.values()) - now))
        line = f"{left // 60}:{left % 60:02} left, {len(self._missing)} of {self._asked} still to answer: "
        room = shutil.get_terminal_size().columns - len(line) - 1
        with suppress(OSError):
            self._console.progress(line + _fitting([account for account, _ in self._missing.values()], room))

    async def keep_showing(self) -> None:
        """Let the time that is left be seen running."""
        while True:
            await asyncio.sleep(_TICK)
            self.show_missing()


def _fitting(names: Sequence[str], room: int) -> str:
    """The names that there is room for, in characters, and how many more there are."""
    for count in range(len(names), 0, -1):
        more = f" +{len(names) - count}" if count < len(names) else ""
        text = ", ".join(names[:count]) + more
        if len(text) <= room:
            return text
    return ", ".join(names)
