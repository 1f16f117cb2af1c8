"""YAML into documents, one at a time, with places; whatever could mislead or exhaust a reader is refused.

The documents are built from the parser's events, not from PyYAML's nodes: so the depth is known before anything
recurses, an alias to its own surroundings is seen, and a document's memory is free before the next one is read.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from reconciler.manifests.faults import FileReport, shown
from reconciler.manifests.limits import Limit
from reconciler.manifests.schema import BEGIN
from reconciler.manifests.values import START, Place, Scalar, TextMark, Value, YamlMapping, YamlSequence, place

MAX_DEPTH = 32
"""Collections within collections; a manifest needs eight."""
MAX_NODES = 10_000
"""Names and values in a document that is no set, aliases counted as what they stand for."""
MAX_SET_NODES = 250_000
"""The same of a ConnectionSet, whose `kind` comes before its connections, which have a dozen each."""
MAX_EXPANDED = 250_000
"""Names and values that all aliases of a file stand for."""
MAX_SCALAR = 4_096
"""Characters of a name or a value."""

BEGINNING = yaml.Mark("", 0, 0, 0, None, 0)
"""Where what is being read begins."""

_MOST_WORDS = 1_000
_CORE = "tag:yaml.org,2002:"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_MERGE = "write the fields out, or share a sync config with a SyncPolicy"
_SYNTAX = "the rest of the file was not read"
_INDENT = "indent it as the lines that it belongs to"
_ADVICE = {
    "did not find expected key": f"{_INDENT}; ",
    "did not find expected '-' indicator": f"{_INDENT}; ",
    "could not find expected ':'": "a name is followed by a colon and a space; ",
    "mapping values are not allowed": f"{_INDENT}, or quote a text that holds a colon; ",
    "cannot start any token": "indent with spaces, not tabs, and quote a text that begins with @ or a backtick; ",
    "found a tab character": "indent with spaces, not tabs; ",
}
"""What to do about libyaml's commonest complaints."""
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}


class RootFault(NamedTuple):
    """What is said of a document that is no mapping."""

    message: str
    hint: str


NO_MANIFEST = RootFault("a manifest must be a mapping of fields", BEGIN)


def read_documents(text: str, report: FileReport, no_mapping: RootFault = NO_MANIFEST) -> Iterator[YamlMapping]:
    """Every document of a text that is a mapping; empty ones are skipped, others reported.

    Raises SpoiledError where the text can't be read on; the documents before are good.
    """
    try:
        yield from _Documents(text, report, no_mapping).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f" ({error.context})" if error.context else ""
        message = f"not YAML: {error.problem}{context}"
        advice = next((advice for words, advice in _ADVICE.items() if words in str(error.problem)), "")
        raise report.spoil(place(mark) if mark else START, message, f"{advice}{_SYNTAX}") from None
    except yaml.YAMLError as error:
        raise report.spoil(START, f"not YAML: {shown(str(error))}", _SYNTAX) from None


def parse_documents(text: str, report: FileReport) -> Iterator[YamlMapping]:
    """The same; raises yaml.YAMLError for what is not YAML."""
    return _Documents(text, report, NO_MANIFEST).documents()


class _Documents:
    def __init__(self, text: str, report: FileReport, no_mapping: RootFault) -> None:
        self._no_mapping = no_mapping
        # None would only follow the end of the stream, where reading stops.
        self._next = cast("Callable[[], Event]", EventParser(text).get_event)
        self._report = report
        self._expanded = 0
        self._nodes = 0
        self._most = MAX_NODES
        self._anchors: dict[str, tuple[Value, int] | None] = {}
        self._words: set[str] = set()

    def documents(self) -> Iterator[YamlMapping]:
        """Every document that is a mapping."""
        while not isinstance(event := self._next(), StreamEndEvent):
            if not isinstance(event, DocumentStartEvent):
                continue
            self._report.count(Limit.DOCUMENTS, _mark(event))
            self._nodes, self._most = 0, MAX_NODES
            self._anchors.clear()
            first = self._next()
            root = self._value(first, 1)
            if isinstance(root, YamlMapping):
                yield root
            elif root is not None:
                self._report.add(_place(first), self._no_mapping.message, hint=self._no_mapping.hint)

    def _value(self, event: Event, depth: int) -> Value:
        if type(event) is ScalarEvent and event.implicit[0] and event.anchor is None and event.tag is None:
            return self._plain(event)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(event, 1)
        anchor = cast("NodeEvent", event).anchor
        if anchor is not None:
            self._anchors[anchor] = None
        value: Value
        if isinstance(event, ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            value = self._mapping(event, depth)
        else:
            value = self._sequence(cast("SequenceStartEvent", event), depth)
        if anchor is not None:
            self._anchors[anchor] = (value, self._nodes - before)
        return value

    def _plain(self, event: ScalarEvent) -> Scalar:
        """What almost every scalar is, and often a word that came before, which needs no second look."""
        self._nodes += 1
        if self._nodes > self._most:
            self._count(event, 0)
        text = event.value
        if text in self._words:
            return text
        faults = len(self._report.faults)
        value = self._scalar(event)
        # What is reported must be reported wherever it comes.
        if value == text and len(self._words) < _MOST_WORDS and len(self._report.faults) == faults:
            self._words.add(text)
        return value

    def _mapping(self, event: MappingStartEvent, depth: int) -> YamlMapping:
        self._enter(event, event.tag, "map", depth)
        fields = YamlMapping(_mark(event))
        merged: list[tuple[TextMark, Value]] = []
        while type(key_event := self._next()) is not MappingEndEvent:
            key = self._value(key_event, depth + 1)
            value_event = self._next()
            value = self._value(value_event, depth + 1)
            marks = _mark(key_event), _mark(value_event)
            if type(key) is str and key not in fields and (key != "<<" or not _merges(key_event)):
                fields[key] = value
                fields.marks.append(marks)
                if depth == 1 and key == "kind" and value == "ConnectionSet":
                    self._most = MAX_SET_NODES
            else:
                self._refuse_field(fields, key_event, key)
                if key == "<<" and _merges(key_event):
                    merged.append((marks[0], value))
        for mark, bringing in merged:
            # So that the fields it would have brought are not reported as missing.
            if isinstance(bringing, YamlMapping):
                for name in bringing.keys() - fields.keys():
                    fields.put(name, bringing[name], mark, mark)
        return fields

    def _refuse_field(self, fields: YamlMapping, event: Event, key: Value) -> None:
        if not isinstance(key, str):
            message, hint = "a field's name must be text", "quote it"
        elif key == "<<" and _merges(event):
            message, hint = "the merge key << is not supported: it is not YAML 1.2", _MERGE
        else:
            line, column = place(fields.mark_of(key, key=True))
            message, hint = f"the field {shown(key)} is written twice", f"first at {line + self._report.lines}:{column}"
        self._report.add(_place(event), message, hint=hint)

    def _sequence(self, event: SequenceStartEvent, depth: int) -> YamlSequence:
        self._enter(event, event.tag, "seq", depth)
        items = YamlSequence()
        while type(item_event := self._next()) is not SequenceEndEvent:
            items.append(self._value(item_event, depth + 1))
            items.marks.append(_mark(item_event))
        return items

    def _enter(self, event: Event, tag: str | None, expected: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            message = f"mappings and lists are nested more than {MAX_DEPTH} levels deep"
            raise self._report.spoil(_place(event), message, "a manifest needs eight")
        if tag is not None and tag not in {"!", _CORE + expected}:
            self._refuse_tag(event, tag)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        text = event.value
        if len(text) > MAX_SCALAR:
            raise self._report.spoil(_place(event), f"is longer than {MAX_SCALAR:,} characters", "shorten it")
        if not text.isprintable() and (found := _CONTROL.search(text)):
            what = "a line break" if found[0] in "\r\n" else f"the control character U+{ord(found[0]):04X}"
            self._report.add(_place(event), f"contains {what}", hint="write it on one line, without escapes")
            return "".join(character for character in text if character.isprintable()) or "-"
        if event.tag is None and not event.implicit[0]:
            return text
        try:
            return self._tagged(event, event.tag) if event.tag is not None else resolve(text)
        except ValueError:
            self._report.add(_place(event), "is too long for a number", hint="quote it")
            return text

    def _tagged(self, event: ScalarEvent, tag: str) -> Scalar:
        kind = tag.removeprefix(_CORE)
        if tag == "!" or (kind == "str" and kind != tag):
            return event.value
        value = resolve(event.value)
        if kind == tag or kind not in _SCALAR_TAGS or not isinstance(value, _SCALAR_TAGS[kind]):
            self._refuse_tag(event, tag)
        return value

    def _refuse_tag(self, event: Event, tag: str) -> None:
        name = tag.replace(_CORE, "!!", 1)
        self._report.add(_place(event), f"the tag {shown(name)} is refused here", hint="leave it out")

    def _alias(self, event: AliasEvent) -> Value:
        name = event.anchor or ""
        if name not in self._anchors:
            message = f"the alias {shown('*' + name)} has no anchor before it"
            raise self._report.spoil(_place(event), message, "write the value out, or quote the text")
        anchored = self._anchors[name]
        if anchored is None:
            message = f"the alias {shown('*' + name)} refers to the value that contains it"
            raise self._report.spoil(_place(event), message, "write the value out")
        value, size = anchored
        self._count(event, size)
        self._expanded += size
        if self._expanded > MAX_EXPANDED:
            message = f"the file's aliases expand to more than {MAX_EXPANDED:,} values"
            raise self._report.spoil(_place(event), message, "write it without aliases")
        return value

    def _count(self, event: Event, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._most:
            message = f"the document has more than {self._most:,} values"
            raise self._report.spoil(_place(event), message, "split it, or use fewer aliases")


def _merges(event: Event) -> bool:
    """Whether the name `<<` is the merge key: it is none where it is quoted."""
    return isinstance(event, ScalarEvent) and event.implicit[0]


def _mark(event: Event) -> TextMark:
    return event.start_mark or BEGINNING


def _place(event: Event) -> Place:
    return place(_mark(event))


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NOT_A_NUMBER = frozenset({".nan", ".NaN", ".NAN"})
# Almost all scalars are text by their first character alone.
_FIRST = frozenset("-+.0123456789~nNtTfF")

MAX_DIGITS = 400
"""Characters of the longest number; Python refuses to read very long ones."""


def resolve(text: str) -> Scalar:
    """The value of a plain scalar. Raises ValueError for is too long for a number."""
    if text[:1] not in _FIRST and text:
        return text
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return _number(text)


def are_text(scalars: Iterable[str]) -> bool:
    """Whether plain scalars, none of them empty, are text, all of them. Raises ValueError as `resolve` does."""
    return all(text[0] not in _FIRST or resolve(text) == text for text in scalars)


def is_text(scalar: str) -> bool:
    """The same of one."""
    return scalar[0] not in _FIRST or resolve(scalar) == scalar


def _number(text: str) -> int | float | str:
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if text in _NOT_A_NUMBER:
        return float("nan")
    base = 10 if _DECIMAL.fullmatch(text) else 8 if _OCTAL.fullmatch(text) else 16 if _HEX.fullmatch(text) else None
    if base is None and not _FLOAT.fullmatch(text):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(text[:8])
    return float(text) if base is None else int(text, base)


class PythonEventParser(Reader, Scanner, Parser):
    """The parser in Python, put together as PyYAML's own loaders do."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


try:
    from yaml._yaml import CParser as EventParser
except ImportError:
    EventParser = PythonEventParser  # type: ignore[misc, assignment]  # both give the same events

__all__ = ["EventParser"]
