"""Entries of a set that are a line each, kept as lines: most of them are never parsed.

The figures of sets in `make bench` need it, with `connection_sets_fast`. `tests/manifests/test_entry_lines.py` holds
that values, places and faults are those of one parse of the whole file.

Terms: as in `parse_cache`, a *word* is a plain text that is a whole value, here within braces, and what stands around
the words of a line is its *outline*. A line is an entry in braces and nothing else; the lines of a block begin in the
same column. Then the document has the same structure with a single line of the block, and the others are read apart.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self, cast

import yaml

from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.values import Value, YamlMapping, YamlSequence
from reconciler.manifests.yaml_reader import MAX_DIGITS, MAX_SET_NODES, parse_documents

_BLOCK = re.compile(r"^( +)connections:\n((\1 *- )\{[^\n]*\}\n(?:\3\{[^\n]*\}\n)+)", re.MULTILINE)
_WORD = re.compile(r": (?!(?:true|false|null|[0-9.]+)[,}\]])(\w[\w./@+'()-]*(?: [\w./@+'()-]+)*)(?=[,}\]])")
_BREAK = "\n"
_FEWEST = 8
_LINES_OF_AN_OUTLINE = 4
_LONGEST_LINE = MAX_DIGITS
"""Beyond this a word may be no number that can be read."""


class EntryLine(NamedTuple):
    """A line: its entry, what stands around the words of that, and the words."""

    text: str
    outline: str
    words: list[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """The line of an entry in braces."""
        parts = _WORD.split(text)
        outline, words = "\0".join(parts[::2]), parts[1::2]
        if "'" in outline and any("'" in word for word in words):
            # What looks like a word may be inside quotes, where an apostrophe is no text.
            return cls(text, text, [])
        return cls(text, outline, words)

    def columns(self, first: int) -> dict[int, int]:
        """Where each word begins, from 0, in a line whose entry begins at `first`; with its index."""
        found, column = {}, first
        for index, before in enumerate(self.outline.split("\0")[: len(self.words)]):
            column += len(before) + len(": ")
            found[column] = index
            column += len(self.words[index])
        return found


class LineMark(NamedTuple):
    """Where an entry begins."""

    line: int
    column: int


class EntryLines(YamlSequence):
    """Entries that are parsed one by one when they are asked for; the first begins at `first`."""

    __slots__ = ("first", "lines")

    def __init__(self, lines: list[EntryLine], first: LineMark, parsed: Value) -> None:
        super().__init__()
        self.append(parsed)
        self.lines = lines
        self.first = first
        self.marks = [LineMark(first.line + index, first.column) for index in range(len(lines))]

    def __iter__(self) -> Iterator[Value]:
        """Every entry, with marks as in the whole document."""
        return (self.entry(index) for index in range(len(self.lines)))

    def entry(self, index: int) -> YamlMapping:
        """One entry."""
        mark = self.marks[index]
        entry = _document(" " * mark.column + self.lines[index].text)
        _move(entry, mark.line)
        return entry


def _move(value: Value, line: int) -> None:
    """Let a value that was parsed apart begin on another line: empty lines before it would be parsed for each."""
    inner: Iterable[Value] = ()
    if isinstance(value, YamlMapping):
        value.mark = LineMark(line, value.mark.column)
        value.marks = [(LineMark(line, key.column), LineMark(line, begin.column)) for key, begin in value.marks]
        inner = value.values()
    elif isinstance(value, YamlSequence):
        value.marks = [LineMark(line, mark.column) for mark in value.marks]
        inner = value
    for each in inner:
        _move(each, line)


def _document(text: str) -> YamlMapping:
    """The document that a text is; raises YAMLError, SpoiledError, and ValueError where it is no one mapping."""
    report = FileReport("")
    (found,) = parse_documents(text, report)
    if report.faults:
        raise ValueError(text)
    return found


def with_lines(section: str, sizes: dict[str, int]) -> YamlMapping | None:
    """The document of a section of a file, with its entries as lines; None where it has to be parsed whole.

    `sizes` are how many values the entries of an outline have, of all that were parsed.
    """
    section = section if section.endswith("\n") else f"{section}\n"
    block = _BLOCK.search(section)
    texts = [] if block is None else block[2].split("\n")[:-1]
    if block is None or len(texts) < _FEWEST or max(map(len, texts)) > _LONGEST_LINE:
        return None
    first = LineMark(section.count("\n", 0, block.start(2)), len(block[3]))
    lines = [EntryLine.of(text[first.column :]) for text in texts]
    # The lines stay, empty, so that what comes after them keeps its place.
    rest = f"{section[: block.start(2)]}{block[3]}{lines[0].text}{_BREAK * len(lines)}{section[block.end(2) :]}"
    try:
        document = _document(rest)
        entries, known = _entries(document), _are_apart(lines, sizes)
    except (yaml.YAMLError, SpoiledError, ValueError):
        return None
    if entries is None or not known or [(one.line, one.column) for one in entries.marks] != [first]:
        return None
    cast("YamlMapping", document["spec"])["connections"] = EntryLines(lines, first, entries[0])
    return document


def _are_apart(lines: Sequence[EntryLine], sizes: dict[str, int]) -> bool:
    """Whether lines of a few outlines are an entry each, and no more together than a set may have.

    Raises as `_document` does.
    """
    outlines, counts = {line.outline: line for line in lines}, Counter(line.outline for line in lines)
    if len(outlines) * _LINES_OF_AN_OUTLINE > len(lines):
        return False
    for outline, line in outlines.items():
        if outline not in sizes:
            sizes[outline] = _nodes(_document(line.text))
    return sum(sizes[outline] * count for outline, count in counts.items()) < MAX_SET_NODES


def _entries(document: YamlMapping) -> YamlSequence | None:
    """The entries of a set."""
    spec = document.get("spec")
    found = spec.get("connections") if isinstance(spec, YamlMapping) else None
    return found if isinstance(found, YamlSequence) and document.get("kind") == "ConnectionSet" else None


def _nodes(value: Value) -> int:
    """How many names and values there are."""
    if isinstance(value, YamlMapping):
        return 1 + sum(1 + _nodes(each) for each in value.values())
    return 1 + sum(map(_nodes, value)) if isinstance(value, YamlSequence) else 1
