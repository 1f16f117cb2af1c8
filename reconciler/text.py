"""Makes text for people inert, measures and cuts it, and suggests names that are nearly right.

One set for all rooms: `inert` takes out what nobody sees, `escaped` shows it; `one_line` and `clipped` make one line;
`cut` drops the end, `cut_middle` the middle; `width`, `padded` and `cut_columns` count columns of a terminal.
"""

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache

HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, format characters (bidi overrides, tags, zero-width ones), surrogates, line and paragraph ends."""
UNDRAWN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)
"""What else is never drawn: fillers, selectors of variants but for those of text and emoji, and what is no character.

Source: Unicode Character Database, DerivedCoreProperties, Default_Ignorable_Code_Point.
"""
FORMULA = re.compile(r"(?:^|(?<=[;,|\t]))(?=[\s\"']*[=+\-@＝＋－＠])")  # noqa: RUF001 - the wide forms count too
"""Where a text has what a spreadsheet may take for a formula: at its start, or behind what may divide cells there.

Source: OWASP, CSV Injection.
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


# Controls, and separators of lines and paragraphs: of what is harmful, what keeps words apart.
_ENDS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# No script puts more marks on one letter; a pile of them would cover the lines above.
_MOST_MARKS = 8
# What a CI's log takes for a command: `::name::` first on a line, and anywhere `##[name]`, `##vso[…]` and their kin
# (source: GitHub's runner, ActionCommand; Azure Pipelines, Logging commands).
_COMMAND = re.compile(r"(?<=^:)(?=:)|(?<=#)(?=#\w*\[)")


def inert(text: str) -> str:
    """The text without characters that move the cursor, hide or reorder what a reader sees.

    A blank breaks what a CI that logs the text would take for a command.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_drawn(UNDRAWN.sub("", text)))
    if "::" in text or "##" in text:
        lead = len(text) - len(text.lstrip())
        text = text[:lead] + _COMMAND.sub(" ", text[lead:])
    return text


def _drawn(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in MARKS else 0
        if category not in HARMFUL and marks <= _MOST_MARKS:
            kept.append(char)
    return kept


def one_line(text: str) -> str:
    """The text inert and on one line: controls and ends of lines become blanks, and blanks single."""
    return " ".join(inert(_ENDS.sub(" ", text)).split())


def clipped(text: str, longest: int = 160) -> str:
    """The text on one line, cut in the middle; never empty."""
    return cut_middle(one_line(text), longest) or "(empty)"


def escaped(text: str) -> str:
    """The text with what `inert` would take out written as escapes, so that it can be found in a file."""
    if text.isprintable() and not UNDRAWN.search(text):
        return text
    return "".join(map(_escape, text))


def _escape(char: str) -> str:
    if unicodedata.category(char) in HARMFUL or UNDRAWN.match(char):
        return char.encode("unicode_escape").decode("ascii")
    return char


def cut(text: str, longest: int) -> str:
    """The text with at most so many characters; one that was cut ends in an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


_TAIL = 12


def cut_middle(text: str, longest: int) -> str:
    """The text with at most so many characters; one that was cut keeps its last ones, which tell ids apart."""
    return text if len(text) <= longest else f"{text[: longest - _TAIL - 1]}…{text[-_TAIL:]}"


_DOUBLE = {"W", "F"}


def width(text: str) -> int:
    """How many columns an inert text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_width, text))


def padded(text: str, columns: int) -> str:
    """An inert text with blanks after it, so that it takes so many columns."""
    return text + " " * (columns - width(text))


def cut_columns(text: str, columns: int) -> str:
    """As much of an inert text as fits into so many columns."""
    ends = itertools.accumulate(map(_width, text))
    return "".join(char for char, end in zip(text, ends, strict=True) if end <= columns)


def _width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _DOUBLE else 1


_MOST_COMPARED = 1_000
_LONGEST_COMPARED = 128
_NEAR = 0.7
# A word that is shorter than what is meant is compared with what names begin with, and that must be nearer.
_BEGINS_NEAR = 0.8
_SHORTEST_PART = 4
# Beginnings that many names share make them alike for difflib. What tells them apart must be near, too: one slip in
# each word, and another for every so many letters.
_LETTERS_A_SLIP = 4
_WORDS = re.compile(r"[^\W_]+")
_MOST_CHECKED = 5
_MOST_ANSWERS = 200
_MOST_LISTED = 20


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the closest known name, or an empty text.

    Of more names than any account has, only the first of those that begin alike are compared: each takes its time.
    """
    return Suggestions(known).hint(word)


class Suggestions:
    """The same for many words among the same names; answers are kept, and after the first 200 there are none."""

    def __init__(self, known: Iterable[str]) -> None:
        self._names = sorted(known)
        self._answers: dict[str, str] = {}

    def hint(self, word: str) -> str:
        """`did you mean X?`, or an empty text."""
        if word not in self._answers and len(self._answers) < _MOST_ANSWERS:
            close = self._closest(word)
            self._answers[word] = "" if close is None else f"did you mean {inert(close)}?"
        return self._answers.get(word, "")

    def _closest(self, word: str) -> str | None:
        from difflib import get_close_matches  # noqa: PLC0415 - needed only where something is wrong

        if len(word) > _LONGEST_COMPARED:
            return None
        folded, names = word.casefold(), self._names
        if len(names) > _MOST_COMPARED:
            names = [name for name in names if name[:1].casefold() == folded[:1]][:_MOST_COMPARED]
        by_folded = {name.casefold(): name for name in names}
        for near in get_close_matches(folded, by_folded, n=_MOST_CHECKED, cutoff=_NEAR):
            if _is_near(folded, near):
                return by_folded[near]
        if len(folded) < _SHORTEST_PART:
            return None
        beginnings: dict[str, str] = {}
        for each, name in by_folded.items():
            beginnings.setdefault(each[: len(folded)], name)
        for near in get_close_matches(folded, beginnings, n=_MOST_CHECKED, cutoff=_BEGINS_NEAR):
            if _is_near(folded, near):
                return beginnings[near]
        return next((name for each, name in by_folded.items() if folded in each), None)


def _is_near(word: str, name: str) -> bool:
    """Whether each word of one text is nearly that of the other; where one has more words, whether the texts are."""
    words, names = _WORDS.findall(word), _WORDS.findall(name)
    pairs = zip(words, names, strict=True) if len(words) == len(names) else ((word, name),)
    return all(_slips(one, other) <= max(1, len(one) // _LETTERS_A_SLIP) for one, other in pairs)


def _slips(one: str, other: str) -> int:
    """How many letters must be put in, left out, replaced or swapped with the next to make one text of the other.

    This is the distance of optimal string alignment.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        two_before, before, row = before, row, [i]
        for j, as_written in enumerate(other, start=1):
            slips = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != as_written))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == as_written:
                slips = min(slips, two_before[j - 2] + 1)
            row.append(slips)
    return row[-1]


def listed(names: Collection[str]) -> str:
    """The names in order, the first of very many; `none` where there is none."""
    shown = sorted(names)
    more = f" and {len(shown) - _MOST_LISTED} more" if len(shown) > _MOST_LISTED else ""
    return ", ".join(shown[:_MOST_LISTED]) + more if shown else "none"
