"""Fits the sections of a report in Markdown into the size that a comment on GitHub may have.

However large the report, the text stays under GitHub's limit of 65,536 characters a comment: whole entries are left
out, those of the least important part first, and counted. Sizes are bytes of UTF-8, which are never fewer than
characters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from reconciler.render.markdown import Bullet, owner_entry
from reconciler.render.owners import AwaitedOwner

LIMIT = 65_000
WHOLE_PLAN = "the whole plan is in the JSON artifact"
_OWNERS_SHOWN = 20
_LEAST = 6_000
"""Bytes that every part gets, however much the more important ones have to say."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The sizes of a part's entries, each of which is there whole or not at all, and of what frames them."""

    entries: tuple[int, ...]
    frame: int

    @property
    def size(self) -> int:
        """The bytes of the whole part; one without entries is not there."""
        return self.frame + sum(self.entries) if self.entries else 0


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its entries.

    `rest` says what those are that did not fit, and `whole` where they are; `more` are some that are not to be there.
    """

    heading: str
    entries: tuple[Bullet, ...]
    rest: str
    whole: str = WHOLE_PLAN
    more: int = 0

    def part(self) -> _Part:
        """Its size, the fold that entries lie in counted with the first of them."""
        folds = [None, *(entry.fold for entry in self.entries)]
        sizes = [
            _size(entry.text) + (_size(_open(entry.fold)) + _size(_CLOSE) if entry.fold not in {None, before} else 0)
            for entry, before in zip(self.entries, folds, strict=False)
        ]
        return _Part(tuple(sizes), _size(self.heading) + _size(self._cut(len(self.entries) + self.more)) + 4)

    def shown(self, count: int) -> Iterator[str]:
        """Its lines with the first `count` entries."""
        if not self.entries:
            return
        yield from (self.heading, "")
        for fold, group in groupby(self.entries[:count], key=lambda entry: entry.fold):
            texts = [entry.text for entry in group]
            yield from texts if fold is None else (_open(fold), *texts, _CLOSE)
        if left_out := len(self.entries) + self.more - count:
            yield from ("", self._cut(left_out))
        yield ""

    def _cut(self, count: int) -> str:
        return f"*… and {count:,} more {self.rest}; {self.whole}.*"


def _open(fold: str | None) -> str:
    return f"<details><summary>{fold}</summary>\n"


_CLOSE = "\n</details>\n"


def owners_section(owners: Sequence[AwaitedOwner], now: datetime, whole: str, where: str | None = None) -> Section:
    """Who must consent: who is awaited longest comes first, and only so many are named; `where` is where they land."""
    must = "1 must consent" if len(owners) == 1 else f"{len(owners):,} must consent"
    shown = owners[:_OWNERS_SHOWN]
    bullets = tuple(Bullet(owner_entry(owner, now)) for owner in shown)
    landing = "" if where is None else f"\n\n{where[:1].upper()}{where[1:]}."
    return Section(f"#### Owners: {must}{landing}", bullets, "owners", whole, more=len(owners) - len(shown))


def fitted(marker: str, head: Sequence[str], sections: Sequence[Section], foot: Sequence[str], limit: int) -> str:
    """The report in at most `limit` bytes, after a hidden `marker` by which a workflow finds it again."""
    frame = sum(map(_size, (marker, *head, *foot)))
    kept = _kept([section.part() for section in sections], limit - frame)
    body = [line for section, count in zip(sections, kept, strict=True) for line in section.shown(count)]
    return "\n".join([marker, *head, *body, *foot])


def _size(text: str) -> int:
    """The bytes of a text and of the end of its line."""
    return len(text.encode()) + 1


def _kept(parts: Sequence[_Part], limit: int) -> list[int]:
    """How many entries of each part fit into `limit` bytes; the most important part comes first."""
    kept: list[int] = []
    left = limit
    for place, part in enumerate(parts):
        promised = sum(min(later.size, _LEAST) for later in parts[place + 1 :])
        count, used = _as_many(part, left - promised)
        kept.append(count)
        left -= used
    return kept


def _as_many(part: _Part, room: int) -> tuple[int, int]:
    """How many entries fit, from the first on, and the bytes that they take."""
    used = part.frame if part.entries else 0
    for count, entry in enumerate(part.entries):
        if used + entry > room:
            return count, used
        used += entry
    return len(part.entries), used
