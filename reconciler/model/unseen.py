"""Characters that a reader does not see, or not for what they are."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, format characters (bidi overrides, tags, zero-width ones), surrogates, line and paragraph ends."""
UNDRAWN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""What else is never drawn: fillers, and selectors of variants but for those of text and emoji.

Source: Unicode Character Database, DerivedCoreProperties, Default_Ignorable_Code_Point.
"""
MARKS = frozenset({"Mn", "Me"})
"""What is drawn upon the letter before."""

_UNSEEN = HARMFUL | MARKS | {"Zs"}
# Letters, digits and ASCII are seen, but for fillers, which count as letters.
_FILLERS = "\u115f\u1160\u3164\uffa0"
_PERHAPS = re.compile(f"[^\\w -~]|[{_FILLERS}]")
_PERHAPS_OR_BLANK = re.compile(f"[^\\w!-~]|[{_FILLERS}]")


def unseen(text: str, *, blanks: bool = False) -> Iterator[tuple[int, int]]:
    """Where a text could be broken without its reader noticing it: what is never drawn, marks, and unusual blanks.

    Usual blanks are among them where `blanks` says so.
    """
    for found in (_PERHAPS_OR_BLANK if blanks else _PERHAPS).finditer(text):
        if _is_unseen(found[0]):
            yield found.span()


@cache
def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or UNDRAWN.match(character) is not None
