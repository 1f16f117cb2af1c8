"""Shows how far a phase of a command has come, and how long it may still take."""

import sys
import time
from collections.abc import Callable

from reconciler.cli.console import Console

_IN_A_LOG = 15.0
_TELLING = 3


def reading(console: Console) -> Callable[[str, int], None]:
    """Hears of each site that was read and of how many there are, and shows it; begins anew when all were."""
    phase: list[Progress] = []

    def read(name: str, total: int) -> None:
        if not phase or phase[0].over:
            phase[:] = [Progress(console, "reading sites", total)]
        phase[0].step(name)

    return read


class Progress:
    """A phase of `total` steps, named by what it does (`reading sites`); `monotonic` is a clock in seconds.

    A log gets a line every 15 seconds, so a short phase leaves none there. The estimate comes from the pace so far.
    """

    def __init__(
        self, console: Console, phase: str, total: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._phase = phase
        self._total = total
        self._monotonic = monotonic
        self._began = self._shown = monotonic()
        self._done = 0

    @property
    def over(self) -> bool:
        """Whether every step is done."""
        return self._done >= self._total

    def step(self, latest: str = "") -> None:
        """One more step is done; `latest` says which."""
        self._done += 1
        live = sys.stderr.isatty()
        now = self._monotonic()
        text = f"{self._phase}: {self._done} of {self._total}{self._left(now)}"
        if live:
            self._console.progress(f"{text}; {latest}" if latest else text)
        elif now - self._shown >= _IN_A_LOG:
            self._console.note(text)
            self._shown = now

    def _left(self, now: float) -> str:
        """About how long the rest will take, once there is a pace."""
        if self._done < _TELLING or self.over:
            return ""
        seconds = (now - self._began) / self._done * (self._total - self._done)
        if seconds < 1:
            return ""
        minutes = round(seconds / 60)
        return f", about {seconds:.0f} s left" if minutes < 2 else f", about {minutes} min left"  # noqa: PLR2004
