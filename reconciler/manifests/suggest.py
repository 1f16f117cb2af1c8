"""`did you mean …`: the nearest of a few names to one that is not known."""

from collections.abc import Iterable

from reconciler.manifests.faults import shown

_MOST_CANDIDATES = 1_000
_MOST_QUESTIONS = 200
_LONGEST = 128


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` most looks like, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only where something is wrong

    if len(word) > _LONGEST:
        return None
    by_fold = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.7)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing."""
    found = nearest(word, candidates)
    return "" if found is None else f"did you mean {shown(found)}?"


class Suggester:
    """Suggestions among the names of one kind, which may be very many: the work is bounded, the answers kept."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)
        self._answers: dict[str, str] = {}

    def hint(self, word: str) -> str:
        """`did you mean …`, or what there is to choose from."""
        if word in self._answers:
            return self._answers[word]
        if len(self._answers) >= _MOST_QUESTIONS:
            return ""
        candidates = self._names
        if len(candidates) > _MOST_CANDIDATES:
            candidates = [name for name in candidates if name[:1].casefold() == word[:1].casefold()][:_MOST_CANDIDATES]
        answer = self._answers[word] = did_you_mean(word, candidates)
        return answer
