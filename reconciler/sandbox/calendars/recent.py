"""Caches the values that were used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """Values by key, for several threads.

    What wasn't used for longest goes when all weigh more than `capacity`.
    """

    def __init__(self, capacity: int, weight: Callable[[_Value], int]) -> None:
        self._capacity = capacity
        self._weight = weight
        self._values: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> _Value | None:
        """The value kept under `key`."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: _Value) -> None:
        """Keep `value`, in the place of what is there."""
        weight = self._weight(value)
        with self._lock:
            self._forget(key)
            self._values[key] = (value, weight)
            self._total += weight
            while self._total > self._capacity:
                self._forget(next(iter(self._values)))

    def _forget(self, key: Hashable) -> None:
        _, weight = self._values.pop(key, (None, 0))
        self._total -= weight
