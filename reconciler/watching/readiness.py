"""Whether the loop is alive, and whether it is of use: what an orchestrator asks."""

from collections.abc import Callable
from dataclasses import dataclass

BEAT_SECONDS = 1.0
_STILL_ALIVE = 30.0
_FAILURES = 3


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Yes or no, and why in a line that tells nothing about anybody."""

    yes: bool
    why: str


class Readiness:
    """Written by the loop and read by other threads; `now` is the monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._beat = now()
        self._ready = ProbeResult(yes=False, why="no round has gone well yet")
        self._failures = 0

    def beat(self) -> None:
        """The loop turns."""
        self._beat = self._now()

    def went_well(self) -> None:
        """A round has reconciled at least one site."""
        self._failures = 0
        self._ready = ProbeResult(yes=True, why="the last round reconciled a site at least")

    def failed(self, why: str) -> None:
        """A round has reconciled nothing; a few of them in a row are too many."""
        self._failures += 1
        count = "the last round" if self._failures == 1 else f"the last {self._failures} rounds"
        yes = self._ready.yes and self._failures < _FAILURES
        until = f"; ready until {_FAILURES} in a row have" if yes else ""
        self._ready = ProbeResult(yes=yes, why=f"{count} failed: {why}{until}")

    def ready(self) -> ProbeResult:
        """Whether it reconciles."""
        return self._ready

    def alive(self) -> ProbeResult:
        """Whether the loop turns."""
        still = self._now() - self._beat
        return ProbeResult(yes=still <= _STILL_ALIVE, why="alive" if still <= _STILL_ALIVE else "the loop stands still")
