"""A terminal with a person at it: extcal runs on a pseudo-terminal, its input typed and its screen read."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.cli.command import COMMAND, Extcal
from tests.support.timeouts import TIMEOUT

# No person is so quick that a key arrives between a question and the wait for its answer, where Python loses a Ctrl-C.
_QUICKEST = 0.5
# The process leads a session, so that what it is started with makes the terminal its own, Ctrl-C included.
_ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """The terminal's end at which the person sits."""

    def __init__(self, screen: int, process: subprocess.Popen[bytes]) -> None:
        self._screen = screen
        self._process = process
        self._seen = b""

    @property
    def seen(self) -> str:
        """All that has been shown so far."""
        return self._seen.decode().replace("\r\n", "\n")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode())

    def answer(self, question: str, keys: str) -> None:
        """Wait until a question is shown, and press keys as quickly as a person may."""
        self.expect(question)
        time.sleep(_QUICKEST)
        self.type(keys)

    def expect(self, text: str) -> None:
        """Wait until `text` is shown."""
        deadline = time.monotonic() + TIMEOUT
        while text not in self.seen:
            assert self._more(deadline), f"{text!r} was not shown, but: {self.seen!r}"

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        deadline = time.monotonic() + TIMEOUT
        while self._more(deadline):
            pass
        return self._process.wait(TIMEOUT)

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            chunk = os.read(self._screen, 65536)
        except OSError:
            # Linux says so when the last process has left the terminal.
            return False
        self._seen += chunk
        return bool(chunk)


@contextmanager
def terminal(extcal: Extcal, *args: str, env: Mapping[str, str | None] | None = None) -> Iterator[Terminal]:
    """Run extcal on a terminal, all its streams."""
    screen, side = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, *COMMAND, *args],
            cwd=extcal.folder,
            env=extcal.environment({"TERM": "xterm", **(env or {})}),
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        ) as process:
            os.close(side)
            try:
                yield Terminal(screen, process)
            finally:
                process.kill()
    finally:
        os.close(screen)
