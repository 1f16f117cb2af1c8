"""Bounds what answers cost in bytes, values and seconds, and inflates bodies within that.

A service that sends without end must cost this machine neither its memory nor a day. Encodings: RFC 9110, 8.4.
"""

import zlib
from dataclasses import dataclass

import httpx

ACCEPTED = "gzip"
_GZIP = 31


class CodingError(Exception):
    """A body that is not encoded as it was asked for, or not as it says; the text says how."""


async def read_body(response: httpx.Response, most: int) -> bytes | None:
    """The body, None where it has more than `most` bytes, on the wire or inflated; raises CodingError.

    Whatever decoders are installed, one gzip is all that was asked for, and all that is taken.
    """
    body = _inflating(response, most)
    try:
        async for chunk in response.aiter_raw():
            if not body.add(chunk):
                return None
    except zlib.error:
        raise CodingError("the answer is not compressed as it says") from None
    return body.end()


def _inflating(response: httpx.Response, most: int) -> "_Body":
    named = [coding.strip().lower() for coding in response.headers.get_list("content-encoding", split_commas=True)]
    codings = [coding for coding in named if coding not in {"", "identity"}]
    if codings not in ([], [ACCEPTED]):
        raise CodingError(f"the answer is encoded as {', '.join(codings)}; {ACCEPTED} was asked for, once at most")
    return _Body(most, zlib.decompressobj(_GZIP) if codings else None)


class _Body:
    def __init__(self, most: int, inflating: "zlib._Decompress | None") -> None:
        self._room = self._most = most
        self._inflating = inflating
        self._parts = bytearray()

    def add(self, chunk: bytes) -> bool:
        """Take what came over the wire; whether it was not too much."""
        self._room -= len(chunk)
        if self._inflating is not None:
            # One byte more than may be tells that there is more, and the rest of it is never made.
            chunk = self._inflating.decompress(chunk, self._most - len(self._parts) + 1)
            if self._inflating.unused_data:
                raise CodingError("the answer goes on after its compressed part")
        self._parts += chunk
        return self._room >= 0 and len(self._parts) <= self._most

    def end(self) -> bytes:
        """The whole body."""
        if self._inflating is not None and not self._inflating.eof and self._room != self._most:
            raise CodingError("the compressed answer is cut off")
        return bytes(self._parts)


_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes of bodies when they are inflated, values in their JSON, and seconds of sending and receiving."""

    bytes: float = 0.0
    values: float = 0.0
    seconds: float = 0.0

    def plus(self, other: "Cost", times: int = 1) -> "Cost":
        """Both together, the other one so many times."""
        return Cost(
            self.bytes + times * other.bytes, self.values + times * other.values, self.seconds + times * other.seconds
        )

    def words(self, kind: str) -> str:
        """How much it is of one kind, in words."""
        amount = getattr(self, kind)
        if kind == "bytes" and amount >= _MIB:
            return f"{amount / _MIB:.0f} MiB"
        return f"{amount:.0f} {kind}"


@dataclass(frozen=True, slots=True)
class CostLimit:
    """At most so much in all, and for each call so much more."""

    most: Cost
    each: Cost = Cost()


PAGES = CostLimit(Cost(64 * _MIB, 2_000_000, 300.0), Cost(seconds=5.0))
"""For all pages of one list: a thousand of them may be slow, and few of them large."""
RUN = CostLimit(Cost(512 * _MIB, 8_000_000, 900.0), Cost(256 * 1024, 4_000, 10.0))
"""For a run of a site: thousands of quick calls, or large lists read dozens of times."""


class Spending:
    """What was spent of a budget, and of the `whole` that it is part of; `where` ends the sentence that tells it."""

    def __init__(self, budget: CostLimit, where: str, whole: "Spending | None" = None) -> None:
        self._budget = budget
        self._where = where
        self._whole = whole
        self._calls = 0
        self._spent = Cost()

    def call(self) -> None:
        """Count a call."""
        self._calls += 1
        if self._whole is not None:
            self._whole.call()

    def spend(self, cost: Cost) -> None:
        """Count what a call has cost."""
        self._spent = self._spent.plus(cost)
        if self._whole is not None:
            self._whole.spend(cost)

    def left(self, kind: str, most: float) -> tuple[float, str]:
        """How much is left of one kind, `most` at the most, and in words what the limit is."""
        limit = self._budget.most.plus(self._budget.each, self._calls)
        left = getattr(limit, kind) - getattr(self._spent, kind)
        outer = (most, Cost(**{kind: most}).words(kind)) if self._whole is None else self._whole.left(kind, most)
        return outer if outer[0] <= left else (left, f"{limit.words(kind)} {self._where}")
