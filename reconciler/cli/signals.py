"""Signals that end a command: the first one ends it in good order, and the exit code says which it was.

What came second must not break what the first one is putting in order; only where that takes too long it ends at once.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from enum import Enum, auto
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reconciler.workflow import Stop

INTERRUPTED = 128 + signal.SIGINT
"""130, the exit code after Ctrl-C."""
TERMINATED = 128 + signal.SIGTERM
"""143, as whoever sends SIGTERM expects it of a process that this signal ends."""
ENDING = (signal.SIGINT, signal.SIGTERM)
_GRACE_SECONDS = 5.0
_T = TypeVar("_T")


class Ending:
    """What asked a command to end: the first of the signals that came."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._since = 0.0

    def record(self, number: int) -> bool:
        """Take note of a signal; whether it is the first one. One that comes after another changes nothing."""
        if self._first is None:
            self._first, self._since = number, time.monotonic()
            return True
        return False

    @property
    def requested(self) -> bool:
        """Whether a signal came."""
        return self._first is not None

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ended because of it; that of Ctrl-C where no signal came."""
        return INTERRUPTED if self._first is None else 128 + self._first

    def first(self, number: int) -> bool:
        """Take note of a signal; whether it is the first one. A later one ends the process if that takes too long."""
        if self.record(number):
            return True
        if time.monotonic() - self._since > _GRACE_SECONDS:
            os._exit(self.exit_code)
        return False

    def interrupt(self, number: int, _frame: FrameType | None) -> None:
        """As a handler of signals: interrupt whatever runs, once."""
        if self.first(number):
            raise KeyboardInterrupt


_ending: ContextVar[Ending | None] = ContextVar("ending", default=None)


@contextlib.contextmanager
def signals_handled() -> Iterator[Ending]:
    """Let SIGINT and SIGTERM interrupt the block, unless whoever started it ignores them for it.

    Once one has come they stay as they are: then the process ends, and must not be disturbed at that.
    """
    ending = Ending()
    token = _ending.set(ending)
    with _handling(ending):
        try:
            yield ending
        finally:
            _ending.reset(token)


@contextlib.contextmanager
def question_interruptible() -> Iterator[None]:
    """Let signals interrupt a question, for whose answer the event loop stands still."""
    with _handling(_ending.get()):
        yield


@contextlib.contextmanager
def _handling(ending: Ending | None) -> Iterator[None]:
    before = {}
    if ending is not None and threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, ending.interrupt) for number in _not_ignored()}
    try:
        yield
    finally:
        if ending is None or not ending.requested:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(main: Coroutine[object, object, _T]) -> _T:
    """As asyncio.run; the first signal cancels what runs, and KeyboardInterrupt is raised when all of it has ended."""
    import asyncio  # noqa: PLC0415 - slow, and of no use to commands that ask nobody anything

    ending = _ending.get()
    if ending is None or threading.current_thread() is not threading.main_thread():
        return asyncio.run(main)
    cancelled = False
    before = {}

    async def cancellable() -> _T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def cancel(number: int, _frame: FrameType | None) -> None:
            nonlocal cancelled
            if ending.first(number):
                cancelled = True
                if task is not None and not loop.is_closed():
                    loop.call_soon_threadsafe(task.cancel)

        before.update({number: signal.signal(number, cancel) for number in _not_ignored()})
        return await main

    try:
        result = asyncio.run(cancellable())
    except asyncio.CancelledError:
        if cancelled:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if cancelled:
        raise KeyboardInterrupt
    return result


class StopStep(Enum):
    """How far signals have brought a run that is being stopped."""

    GENTLY = auto()
    AT_ONCE = auto()
    ENDED = auto()


def stop_by_signals(stop: "Stop", ending: Ending, announce: Callable[[StopStep], None]) -> None:
    """Let the first signal stop a run gently, and the second at once; a third cancels the task that called this."""
    import asyncio  # noqa: PLC0415 - as above

    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def step(number: int) -> None:
        ending.record(number)
        if stop.at_once.is_set() and task is not None:
            task.cancel()
            reached = StopStep.ENDED
        elif stop.gently.is_set():
            stop.at_once.set()
            reached = StopStep.AT_ONCE
        else:
            stop.gently.set()
            reached = StopStep.GENTLY
        # A terminal that has gone away must not end what is under way.
        with contextlib.suppress(OSError):
            announce(reached)

    for number in ENDING:
        loop.add_signal_handler(number, step, number)


def _not_ignored() -> list[signal.Signals]:
    """The ending signals that our parent has not set to be ignored."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
