"""A nearly right name deserves the right one."""

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the closest known name, or an empty text."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only where something is wrong

    by_folded = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return f"did you mean {by_folded[close[0]]}?" if close else ""
