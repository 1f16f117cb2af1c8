"""Parses the first document of each outline, and fills the others in: they differ in words alone.

The figure `validate, 10,000` of `make bench` needs it: without it, validating takes 1.4 times as long.
`tests/manifests/test_parse_cache.py` holds that values, places and faults are those of one parse of the whole file.

Terms: a fleet is thousands of documents of a few shapes. A *word* is a plain text that is a whole value and ends its
line; what stands around the words of a document is its *outline*. Another document with the same outline has the
same structure, since a plain text in the place of another one changes nothing around it, and nothing stands to the
right of it whose place would change.

Steps: a file is split at `---`; the text of each document is split into outline and words; a known outline's
*template* is filled with the words, an unknown one is parsed and kept as a template.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Self

import yaml

from reconciler.manifests.entry_lines import with_lines
from reconciler.manifests.faults import FileReport
from reconciler.manifests.limits import Limit
from reconciler.manifests.values import YamlMapping
from reconciler.manifests.yaml_reader import BEGINNING, are_text, parse_documents, read_documents

# Nothing of it means anything to YAML inside a plain text; what is no text at all is left to the outline. What it
# begins with is no part of a word: expressions that begin with the same characters are searched for much faster.
_BEFORE = ": "
_WORD = re.compile(_BEFORE + r"(?!(?:true|false|null|[0-9.]+)[}\]]*\n)(\w[\w./@+'()-]*(?: [\w./@+'()-]+)*)(?=[}\]]*\n)")
_GAP = f"{_BEFORE}\0"
_MOST_OUTLINES = 1_000
_LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class _Template:
    """A mapping of the first document, which of its fields are words (name, index), and its mappings that hold some."""

    fields: YamlMapping
    words: tuple[tuple[str, int], ...]
    inner: tuple[tuple[str, "_Template"], ...]

    def filled(self, words: list[str]) -> YamlMapping:
        """The same mapping with other words; what holds none is shared."""
        copy = self.fields.same()
        for name, index in self.words:
            copy[name] = words[index]
        for name, part in self.inner:
            copy[name] = part.filled(words)
        return copy


class ParseCache:
    """The outlines that were seen, each with the document that it makes of words."""

    def __init__(self) -> None:
        self._parts: dict[str, _Template | None] = {}
        self.sizes: dict[str, int] = {}
        """Of entries of sets, by their outlines."""

    def document(self, outline: "Outline") -> YamlMapping | None:
        """The document that a known outline makes; None where it must be parsed."""
        part = self._parts.get(outline.around)
        words = outline.words
        if part is None or max(map(len, words), default=0) > _LONGEST_WORD or not are_text(words):
            return None
        return part.filled(words)

    def learn(self, outline: "Outline", document: YamlMapping) -> None:
        """Keep a document that was parsed without a fault, if each of its words is one of its values."""
        if outline.around not in self._parts and len(self._parts) < _MOST_OUTLINES:
            found: set[int] = set()
            part = _part(document, outline.places(), outline.words, found)
            self._parts[outline.around] = part if part and len(found) == len(outline.words) else None


@dataclass(frozen=True, slots=True)
class Outline:
    """A document's text as its words and what is around them."""

    around: str
    words: list[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """The outline of a text that ends with a line break."""
        parts = _WORD.split(text)
        return cls(_GAP.join(parts[::2]), parts[1::2])

    def places(self) -> dict[tuple[int, int], int]:
        """Where each word begins (line and column from 0), with its index."""
        found: dict[tuple[int, int], int] = {}
        line = column = 0
        for index, before in enumerate(self.around.split("\0")[: len(self.words)]):
            lines = before.count("\n")
            line += lines
            column = len(before) - before.rfind("\n") - 1 if lines else column + len(before)
            found[line, column] = index
            column += len(self.words[index])
        return found


def _part(
    fields: YamlMapping, places: dict[tuple[int, int], int], words: list[str], found: set[int]
) -> _Template | None:
    """The mapping with its words, which are added to `found`; None where one turns up twice."""
    own: list[tuple[str, int]] = []
    inner: list[tuple[str, _Template]] = []
    for (name, value), (_, mark) in zip(fields.items(), fields.marks, strict=True):
        index = places.get((mark.line, mark.column))
        if index is not None and value == words[index]:
            if index in found:
                return None
            found.add(index)
            own.append((name, index))
        elif isinstance(value, YamlMapping):
            before = len(found)
            part = _part(value, places, words, found)
            if part is None:
                return None
            if len(found) > before:
                inner.append((name, part))
    return _Template(fields, tuple(own), tuple(inner))


_LONGEST = 10_000
_SEPARATOR = "---\n"
# A separator with something beside it, and an end of a document.
_ODD = re.compile(r"\n(?:---[^\n]|---\Z|\.\.\.)")
_ODD_BREAKS = "\r\x85\u2028\u2029"
"""Breaks of lines that only YAML knows."""


def read_cached(text: str, report: FileReport, cache: ParseCache) -> Iterator[YamlMapping]:
    """The documents of a text, as `read_documents` gives them; the report's `lines` are set to where each begins.

    Raises SpoiledError where the text can't be read on; the documents before are good.
    """
    odd = _ODD.search(text) or _ODD.match(f"\n{text[:4]}") or any(each in text for each in _ODD_BREAKS)
    # Aliases are bounded for a file as a whole.
    if odd or ("&" in text and "*" in text):
        yield from read_documents(text, report)
        return
    begin = 0
    for section in _split(text):
        # What is kept of a long one would cost more than it saves.
        outline = Outline.of(section) if len(section) <= _LONGEST else None
        document = with_lines(section, cache.sizes) if outline is None else cache.document(outline)
        if document is not None:
            report.count(Limit.DOCUMENTS, BEGINNING)
            yield document
        elif begin and not section.strip():
            report.count(Limit.DOCUMENTS, BEGINNING)
        elif section.strip() and not (yield from _parsed(section, outline, report, cache)):
            # Faults are reported as the parse of the whole rest finds them.
            yield from read_documents(text[begin:], report)
            return
        begin += len(section) + len(_SEPARATOR)
        report.lines += section.count("\n") + 1


def _split(text: str) -> Iterator[str]:
    """The text between the separators, one after the other: all at once they would take as much memory again."""
    begin = 0
    while (end := _separator(text, begin)) >= 0:
        yield text[begin:end]
        begin = end + len(_SEPARATOR)
    yield text[begin:]


def _separator(text: str, begin: int) -> int:
    """Where the next separator stands from `begin` on, which is where a line begins; -1 where there is none."""
    if text.startswith(_SEPARATOR, begin):
        return begin
    found = text.find(f"\n{_SEPARATOR}", begin)
    return found if found < 0 else found + 1


def _parsed(
    section: str, outline: Outline | None, report: FileReport, cache: ParseCache
) -> Generator[YamlMapping, None, bool]:
    """The document of a section; answers whether it is YAML."""
    faults = len(report.faults)
    try:
        documents = list(parse_documents(section, report))
    except yaml.YAMLError:
        del report.faults[faults:]
        return False
    for document in documents:
        if outline is not None and len(report.faults) == faults:
            cache.learn(outline, document)
        yield document
    return True
