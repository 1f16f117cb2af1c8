"""A loop whose waits take no time: what takes minutes by its clock is over in a moment."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")


class _NoWaiting(selectors.SelectSelector):
    """Where a loop would wait for its next timer, the time until then has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; waiting takes no time."""
        if timeout is None:
            raise AssertionError("everything waits, and nothing will ever happen")
        self.passed += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._waits = _NoWaiting()
        super().__init__(self._waits)

    def time(self) -> float:
        return self._waits.passed


def passing(work: Coroutine[object, object, T]) -> T:
    """The result of `work`, in a loop whose clock begins at 0 and whose waits take no time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


def now() -> float:
    """Seconds since the work of `passing` began."""
    return asyncio.get_running_loop().time()


class PassingClock:
    """The clock of that loop, as a session takes one."""

    def monotonic(self) -> float:
        """Seconds since the work began."""
        return now()

    def now(self) -> datetime:
        """The time of day, which does not matter."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        await asyncio.sleep(seconds)
