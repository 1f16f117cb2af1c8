"""Defines faults as values; an impossible one is refused with a `ValueError`."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, StrEnum

from reconciler.sandbox.contract import Operation

MAX_SECONDS = 3600.0
MAX_COUNT = 10**9
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, 5.5, in the characters that HTTP/1.1 can carry: text without blanks around it.
_FIELD_VALUE = re.compile(r"([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_FRAMING = {"content-length", "transfer-encoding"}
_WITHOUT_BODY = {204, 304}
_STALE = frozenset({Operation.LIST_CONNECTIONS, Operation.GET_CONNECTION})


class Effect(Enum):
    """Whether the request is carried out although its client gets the fault."""

    NONE = "none"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Later:
    """The request takes effect `seconds` after its client got the fault.

    At once when the sandbox stops before that.
    """

    seconds: float

    def __post_init__(self) -> None:
        _require_seconds(self.seconds)


class Body(StrEnum):
    """The body of an answer: an API error, a gateway's page, nothing, or broken JSON."""

    JSON = "json"
    HTML = "html"
    EMPTY = "empty"
    BROKEN = "broken"


class When(StrEnum):
    """On which side of the request's effect a delay lies."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Answer:
    """Another answer than the sandbox's own, which needn't be an error.

    `headers` are pairs of name and value.
    """

    status: int
    body: Body = Body.JSON
    headers: tuple[tuple[str, str], ...] = ()
    effect: Effect | Later = Effect.NONE

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:  # noqa: PLR2004 -- RFC 9110, 15: what a final answer may say
            raise ValueError("status must be from 200 to 599")
        if self.status in _WITHOUT_BODY and self.body is not Body.EMPTY:
            raise ValueError(f"body must be empty: an answer {self.status} has none")
        for name, value in self.headers:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"headers: {name!r} can't be the name of a header")
            if name.lower() in _FRAMING:
                raise ValueError(f"headers: the sandbox sets {name} itself. To break an answer off, use cut")
            _require_field_value("headers", value)

    def __str__(self) -> str:
        return f"answer {self.status}"


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset (RST) without a byte of an answer."""

    effect: Effect | Later = Effect.NONE

    def __str__(self) -> str:
        return "reset"


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is reset after the first `length` bytes of the raw answer.

    The status line and headers count.

    The request takes effect. An answer that isn't longer arrives whole, and the reset comes behind it.
    """

    length: int

    def __post_init__(self) -> None:
        _require_count("bytes", self.length, least=0)

    def __str__(self) -> str:
        return f"cut {self.length}"


@dataclass(frozen=True, slots=True)
class Delay:
    """The request waits `seconds` for its effect or, when that is done, for its answer."""

    seconds: float
    when: When = When.BEFORE

    def __post_init__(self) -> None:
        _require_seconds(self.seconds)

    def __str__(self) -> str:
        return f"delay {self.seconds:g}"


@dataclass(frozen=True, slots=True)
class Stale:
    """ListConnections and GetConnection don't see what was written in the last `seconds`.

    A request that carries the consistency token of a write sees that write, and all before it. Only writes after
    the faults were injected are hidden.
    """

    seconds: float

    def __post_init__(self) -> None:
        _require_seconds(self.seconds)

    def __str__(self) -> str:
        return f"stale {self.seconds:g}"


@dataclass(frozen=True, slots=True)
class Rate:
    """Over `requests` in any `seconds`, a site is answered 429, with `retry_after` if given.

    Only what was let through counts; requests without a valid key are never limited.
    """

    requests: int
    seconds: float
    retry_after: str | None = None

    def __post_init__(self) -> None:
        _require_count("requests", self.requests, least=0)
        _require_seconds(self.seconds)
        _require_field_value("retryAfter", self.retry_after or "")

    def __str__(self) -> str:
        return f"rate {self.requests}/{self.seconds:g}"


Kind = Answer | Reset | Cut | Delay | Stale | Rate
"""The kinds of faults; `str` of one is how the request log and stderr name it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry: what goes wrong, for which operations, and when.

    Of the requests that it is about, the first `skip` pass; then each gets the fault with `probability`, `times` times
    at most (None: without end).
    """

    kind: Kind
    on: Collection[Operation] = frozenset(Operation)
    skip: int = 0
    times: int | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.on if name not in frozenset(Operation)]
        if unknown or not self.on:
            raise ValueError(f"on must be reads, writes, or some of {', '.join(Operation)}")
        if isinstance(self.kind, Stale) and not _STALE & set(self.on):
            raise ValueError(f"on must have one of {', '.join(sorted(_STALE))}, as only they can be stale")
        _require_count("skip", self.skip, least=0)
        _require_count("times", 1 if self.times is None else self.times, least=1)
        if not 0 <= self.probability <= 1:
            raise ValueError("probability must be from 0 to 1")

    def concerns(self, operation: Operation) -> bool:
        """Whether a request for `operation` can get this fault."""
        return operation in self.on and (operation in _STALE or not isinstance(self.kind, Stale))


@dataclass(frozen=True, slots=True)
class Faults:
    """All that shall go wrong, in order.

    The same seed and sequence of requests bring the same faults.
    """

    entries: tuple[Fault, ...]
    seed: int = 0


def _require_seconds(seconds: float) -> None:
    if not (math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS):
        raise ValueError(f"seconds must be from 0 to {MAX_SECONDS:g}")


def _require_count(name: str, count: int, *, least: int) -> None:
    if not least <= count <= MAX_COUNT:
        raise ValueError(f"{name} must be a whole number from {least} to {MAX_COUNT}")


def _require_field_value(name: str, value: str) -> None:
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError(f"{name}: {value!r} can't be the value of a header")
