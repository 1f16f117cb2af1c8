"""A nearly right name deserves the right one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the closest known name, or an empty text."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return f"did you mean {by_folded[close[0]]}?" if close else ""
