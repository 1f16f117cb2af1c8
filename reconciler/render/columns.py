"""How wide text is on a terminal, in columns (source: Unicode Standard Annex 11, East Asian Width)."""

import itertools
import unicodedata

_DOUBLE = {"W", "F"}
_ON_THE_LETTER = {"Mn", "Me"}


def cut_to(text: str, columns: int) -> str:
    """As much of an inert text as fits into so many columns."""
    ends = itertools.accumulate(map(_width, text))
    return "".join(char for char, end in zip(text, ends, strict=True) if end <= columns)


def _width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in _ON_THE_LETTER:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _DOUBLE else 1
