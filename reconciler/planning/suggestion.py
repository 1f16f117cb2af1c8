"""A nearly right name deserves the right one."""

from collections.abc import Collection, Iterable

_MOST_COMPARED = 1_000
_MOST_LISTED = 20


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the closest known name, or an empty text.

    Of more names than any account has, only the first of those that begin alike are compared: each takes its time.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - needed only where something is wrong

    folded = word.casefold()
    by_folded = {name.casefold(): name for name in sorted(known)}
    if len(by_folded) > _MOST_COMPARED:
        alike = [name for name in by_folded if name[:1] == folded[:1]][:_MOST_COMPARED]
        by_folded = {name: by_folded[name] for name in alike}
    close = get_close_matches(folded, by_folded, n=1)
    return f"did you mean {by_folded[close[0]]}?" if close else ""


def listed(names: Collection[str]) -> str:
    """The names in order, the first of very many; `none` where there is none."""
    shown = sorted(names)
    more = f" and {len(shown) - _MOST_LISTED} more" if len(shown) > _MOST_LISTED else ""
    return ", ".join(shown[:_MOST_LISTED]) + more if shown else "none"
