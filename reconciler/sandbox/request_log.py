"""Logs what was asked of a running sandbox, in memory, for whoever started it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

FAULT = "fault"
"""Where a request's `scope["state"]` holds the name of the fault that it gets."""

_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request; `query` is as it was sent, without the `?`.

    `fault` names what was injected, in the order in which it took hold. `status` is 0 where not a byte of an answer was
    sent; where one was cut off, it is the status of the whole.
    """

    method: str
    path: str
    query: str
    status: int
    fault: str | None = None


def logged(scope: Mapping[str, Any], status: int) -> LoggedRequest:
    """The entry of an ASGI request."""
    fault: str | None = scope["state"].get(FAULT)
    return LoggedRequest(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), status, fault)


class RequestLog:
    """The requests in the order in which they were answered, or refused an answer.

    The latest 100 000 at most.
    """

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
