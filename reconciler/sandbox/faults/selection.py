"""Decides which request gets which fault: counts, probability, limits.

Terms: an entry is a fault with the operations that it concerns, and how far its counts have come. It fires when it is
to go wrong with a request.

Steps: for a request the entries are tried in order. Delays that fire add up; the first other fault that fires decides,
and later entries don't see the request. Each entry draws from a generator of its own, so that the same seed and
sequence of requests bring the same faults.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.sandbox.faults.model import Delay, Rate, Stale, When
from reconciler.sandbox.faults.stale_reads import History

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.contract import Operation
    from reconciler.sandbox.faults.model import Answer, Cut, Fault, Faults, Reset


@dataclass(frozen=True, slots=True)
class ChosenFault:
    """What one request gets: the delays before and after its effect, and at most one fault.

    `label` names all of it for the log; `entries` are the numbers of the entries that fired, from 1.
    """

    before: float
    after: float
    fault: Answer | Reset | Cut | Stale | Rate | None
    label: str
    entries: tuple[int, ...]


@dataclass(slots=True)
class _Entry:
    """An entry and how far it has come.

    `let_through` are the times of a site's requests that count for its rate.
    """

    fault: Fault
    random: random.Random
    seen: int = 0
    fired: int = 0
    let_through: dict[str, deque[float]] = field(default_factory=dict)

    def fires(self, site: str | None, now: float) -> bool:
        fault = self.fault
        self.seen += 1
        if self.seen <= fault.skip or self.fired == fault.times:
            return False
        # Drawn before anything else is asked: what the clock says must not shift the seeded draws.
        if self.random.random() >= fault.probability:
            return False
        if isinstance(fault.kind, Rate) and not self._is_over(fault.kind, site, now):
            return False
        self.fired += 1
        return True

    def _is_over(self, rate: Rate, site: str | None, now: float) -> bool:
        if site is None:
            return False
        times = self.let_through.setdefault(site, deque())
        while times and times[0] <= now - rate.seconds:
            times.popleft()
        if len(times) >= rate.requests:
            return True
        times.append(now)
        return False


class Injection:
    """Some faults, being injected; safe to use from several threads.

    `clock` tells seconds that never go back. `history` is there where some faults are stale reads.
    """

    def __init__(self, faults: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        # A generator each: another entry, or a request that isn't its own, changes none of its draws.
        self._entries = [
            _Entry(fault, random.Random(f"{faults.seed}/{number}"))  # noqa: S311 -- must be repeatable
            for number, fault in enumerate(faults.entries)
        ]
        longest = max((fault.kind.seconds for fault in faults.entries if isinstance(fault.kind, Stale)), default=None)
        self.history = None if longest is None else History(longest, clock)

    def needs_site(self, operation: Operation) -> bool:
        """Whether it matters for `operation` which site asks."""
        return any(isinstance(each.fault.kind, Rate) and each.fault.concerns(operation) for each in self._entries)

    def choose(self, operation: Operation, site: str | None) -> ChosenFault | None:
        """What the next request for `operation` gets, None where nothing is to go wrong.

        Counts the request.
        """
        waits = {When.BEFORE: 0.0, When.AFTER: 0.0}
        labels: list[str] = []
        numbers: list[int] = []
        decided: Answer | Reset | Cut | Stale | Rate | None = None
        with self._lock:
            now = self._clock()
            for number, entry in enumerate(self._entries, start=1):
                if not (entry.fault.concerns(operation) and entry.fires(site, now)):
                    continue
                kind = entry.fault.kind
                labels.append(str(kind))
                numbers.append(number)
                if not isinstance(kind, Delay):
                    decided = kind
                    break
                waits[kind.when] += kind.seconds
        if not numbers:
            return None
        return ChosenFault(waits[When.BEFORE], waits[When.AFTER], decided, ", ".join(labels), tuple(numbers))
