"""Runs tasks for several providers at once, so that a slow one delays none of the others.

Terms: a lane holds the tasks of one provider. A hand is a thread that works on a lane.

Steps: tasks are put into lanes, and each lane gets as many hands as its provider serves accounts at a time. A hand
takes one task after the other. An error of the kind that stops the lane becomes the outcome of all its later tasks.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from reconciler.sandbox.calendars.errors import CalendarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Task(Generic[_T]):
    """Work for one account of a provider, of which at most `at_once` run at a time.

    It may run in another thread: it doesn't touch the database.
    """

    provider: str
    at_once: int
    work: Callable[[], _T]


def run_tasks(tasks: Sequence[Task[_T]], *, until: type[CalendarError]) -> list[_T | CalendarError]:
    """The result of each task, or the error that ended it, in the order of the tasks.

    After an error of the kind `until` nothing more is asked of that provider: its later tasks come to the same error,
    even one that was done by then.
    """
    lanes: dict[str, _Lane[_T]] = {}
    for number, task in enumerate(tasks):
        lanes.setdefault(task.provider, _Lane(until)).tasks[number] = task
    hands = [lane for lane in lanes.values() for _ in range(lane.hands())]
    if len(hands) == 1:
        hands[0].work()
    elif hands:
        with ThreadPoolExecutor(len(hands), "calendars") as pool:
            for done in [pool.submit(lane.work) for lane in hands]:
                done.result()
    outcomes = {number: outcome for lane in lanes.values() for number, outcome in lane.outcomes()}
    return [outcomes[number] for number in range(len(tasks))]


class _Lane(Generic[_T]):
    """One provider's tasks, by their numbers."""

    def __init__(self, until: type[CalendarError]) -> None:
        self.tasks: dict[int, Task[_T]] = {}
        self._until = until
        self._lock = threading.Lock()
        self._taken = 0
        self._stopped = False
        self._done: dict[int, _T | CalendarError] = {}

    def hands(self) -> int:
        """How many threads may work on it."""
        return min(len(self.tasks), *(task.at_once for task in self.tasks.values()))

    def work(self) -> None:
        """Do what nobody has taken yet, one after the other."""
        for number in self._take():
            try:
                self._done[number] = self.tasks[number].work()
            except CalendarError as error:
                self._done[number] = error
                if isinstance(error, self._until):
                    self._stopped = True

    def outcomes(self) -> Iterator[tuple[int, _T | CalendarError]]:
        """Each task's; what was taken after the one that ended it all is later in order too."""
        ended: CalendarError | None = None
        for number in self.tasks:
            outcome = ended or self._done[number]
            if isinstance(outcome, self._until):
                ended = outcome
            yield number, outcome

    def _take(self) -> Iterator[int]:
        numbers = list(self.tasks)
        while True:
            with self._lock:
                if self._stopped or self._taken == len(numbers):
                    return
                self._taken += 1
                number = numbers[self._taken - 1]
            yield number
