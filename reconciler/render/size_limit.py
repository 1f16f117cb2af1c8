"""Keeping a report under a limit by leaving out whole entries, those of the least important part first.

Sizes are bytes of UTF-8, which are never fewer than the characters that a limit may be counted in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_LEAST = 6_000
"""Bytes that every part gets, however much the more important ones have to say."""


@dataclass(frozen=True, slots=True)
class Part:
    """The sizes of a part's entries, each of which is there whole or not at all, and of what frames them."""

    entries: tuple[int, ...]
    frame: int

    @property
    def size(self) -> int:
        """The bytes of the whole part; one without entries is not there."""
        return self.frame + sum(self.entries) if self.entries else 0


def size(text: str) -> int:
    """The bytes of a text and of the end of its line."""
    return len(text.encode()) + 1


def fitted(parts: Sequence[Part], limit: int) -> list[int]:
    """How many entries of each part fit into `limit` bytes; the most important part comes first."""
    kept: list[int] = []
    left = limit
    for place, part in enumerate(parts):
        promised = sum(min(later.size, _LEAST) for later in parts[place + 1 :])
        count, used = _as_many(part, left - promised)
        kept.append(count)
        left -= used
    return kept


def _as_many(part: Part, room: int) -> tuple[int, int]:
    """How many entries fit, from the first on, and the bytes that they take."""
    used = part.frame if part.entries else 0
    for count, entry in enumerate(part.entries):
        if used + entry > room:
            return count, used
        used += entry
    return len(part.entries), used
