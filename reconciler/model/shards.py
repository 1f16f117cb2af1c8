"""Cuts a fleet into shards; which sites are in one is the same on every machine."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

MOST = 10_000
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards with these `numbers` (1 to `of`, ascending) of a fleet that is cut into `of` (at most MOST).

    Every site is in exactly one of them, told by its id alone: sites that come or go move no other. With another
    `of` most sites are in another shard. Raises ValueError for numbers that can't be.
    """

    of: int
    numbers: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what is no part of a fleet."""
        if not 1 <= self.of <= MOST:
            raise ValueError(f"a fleet is cut into 1 to {MOST} shards, not {self.of}")
        if not self.numbers or list(self.numbers) != sorted(set(self.numbers)):
            raise ValueError("shards are named by their numbers, ascending, each once")
        if not 1 <= self.numbers[0] <= self.numbers[-1] <= self.of:
            raise ValueError(f"of {self.of} shards the numbers are 1 to {self.of}")

    def holds(self, site_id: str) -> bool:
        """Whether a site is in one of these; the case of its id does not matter."""
        return shard_of(site_id, self.of) in self.numbers

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the other shards."""
        return tuple(sorted(set(range(1, self.of + 1)) - set(self.numbers)))

    def __str__(self) -> str:
        """`shard 2 of 4`, or `shards 1-3, 7 of 9`."""
        word = "shard" if len(self.numbers) == 1 else "shards"
        return f"{word} {spans(self.numbers)} of {self.of}"


def shard_of(site_id: str, of: int) -> int:
    """The number of the shard, 1 to `of`, that a site is in."""
    first = hashlib.sha256(site_id.lower().encode()).digest()[:8]
    return int.from_bytes(first) % of + 1


def spans(numbers: Iterable[int]) -> str:
    """Ascending numbers in few words: `1-3, 7`; where there are very many, `1, 3, 5, … and 40 more`."""
    found = list(_spans(numbers))
    shown = ", ".join(text for text, _ in found[:_SHOWN])
    rest = sum(count for _, count in found[_SHOWN:])
    return f"{shown}, … and {rest} more" if rest else shown


def _spans(numbers: Iterable[int]) -> Iterator[tuple[str, int]]:
    """Each run of neighbours with its length."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield (str(members[0]) if len(members) == 1 else f"{members[0]}-{members[-1]}"), len(members)
