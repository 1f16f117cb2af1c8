"""How `--consent wait` and `poll` ask owners: their links are shown, and a line says who is still awaited."""

import asyncio
import math
import shutil
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Protocol

from reconciler.cli.consent_options import ConsentOptions
from reconciler.cli.console import Console
from reconciler.consent.pending import PendingConsent, PendingConsents
from reconciler.model.account import shown
from reconciler.model.action import Action
from reconciler.workflow import AuthorizationLink

_TICK = 1.0
_ON_THIS_MACHINE = "Each owner must open their authorization link in a browser on this machine."
_ANYWHERE = "Each owner must open their authorization link, in a browser on any device."
_FALLBACK = (
    "The service refuses to send browsers back to this machine, so owners land at the Site's oauth.redirectUrl, as "
    "with --consent poll. They may open their links on any device."
)


class LinkOutput(Protocol):
    """Shows links to those who may see them."""

    def show_link(self, action: Action, url: str) -> None:
        """Show a link right now, to the one place that it may be seen at."""
        ...


class OwnerPrompt:
    """Asks owners for their consent, several at once; `pending` is None where no browser comes back here."""

    def __init__(
        self, pending: PendingConsents | None, output: LinkOutput, console: Console, options: ConsentOptions
    ) -> None:
        self.timeout = float(options.timeout)
        self._pending = pending
        self._output = output
        self._console = console
        self._open_browser = options.open_browser
        self._awaited: dict[str, tuple[str, float]] = {}
        self._asked = 0
        self._explained: set[str] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._finding_browsers = threading.Lock()

    @contextmanager
    def open(self, action: Action) -> Iterator[PendingConsent | None]:
        """A pending consent for an action, until the block ends; None where no browser comes back here."""
        with nullcontext() if self._pending is None else self._pending.open(action) as pending:
            try:
                yield pending
            finally:
                self._awaited.pop(action.address, None)
                self.show_awaited()

    def show_link(self, action: Action, link: AuthorizationLink) -> None:
        """Show the link, and open it where that was asked for."""
        self._explain(_ON_THIS_MACHINE if link.returns_here else _ANYWHERE if self._pending is None else _FALLBACK)
        self._asked += 1
        until = asyncio.get_running_loop().time() + self.timeout
        self._awaited[action.address] = (shown(action.account), until)
        # A terminal that has gone away must not end what is under way.
        with suppress(OSError):
            self._output.show_link(action, link.url)
        if self._open_browser:
            task = asyncio.create_task(asyncio.to_thread(self._open_link, link.url))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        self.show_awaited()

    def _explain(self, note: str) -> None:
        """Say once what owners are to do."""
        if note not in self._explained:
            self._explained.add(note)
            self._console.note(note)

    def _open_link(self, url: str) -> None:
        with suppress(webbrowser.Error):
            # While one thread makes the module's list of browsers, others would find it empty.
            with self._finding_browsers:
                webbrowser.get()
            if webbrowser.open(url):
                return
        self._console.warning("no browser could be opened. Open the link yourself.")

    def show_awaited(self) -> None:
        """Say on the progress line who is awaited, and for how long."""
        if not self._awaited:
            return
        now = asyncio.get_running_loop().time()
        left = math.ceil(max(0.0, max(until for _, until in self._awaited.values()) - now))
        line = f"{left // 60}:{left % 60:02} left, {len(self._awaited)} of {self._asked} still to answer: "
        room = shutil.get_terminal_size().columns - len(line) - 1
        with suppress(OSError):
            self._console.progress(line + _fitting([account for account, _ in self._awaited.values()], room))

    async def keep_showing(self) -> None:
        """Let the time that is left be seen running."""
        while True:
            await asyncio.sleep(_TICK)
            self.show_awaited()


def _fitting(names: Sequence[str], room: int) -> str:
    """The names that there is room for, in characters, and how many more there are."""
    for count in range(len(names), 0, -1):
        more = f" +{len(names) - count}" if count < len(names) else ""
        text = ", ".join(names[:count]) + more
        if len(text) <= room:
            return text
    return ", ".join(names)
