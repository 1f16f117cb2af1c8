"""What was asked of a running sandbox, kept in memory for whoever started it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One answered request; `query` is as it was sent, without the `?`."""

    method: str
    path: str
    query: str
    status: int


class RequestLog:
    """The requests in the order in which they were answered, the latest 100 000 at most."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=_KEPT)

    def add(self, request: LoggedRequest) -> None:
        """Note one more."""
        self._entries.append(request)

    def clear(self) -> None:
        """Forget all, to count from here."""
        self._entries.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
