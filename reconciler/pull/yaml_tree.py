"""YAML text as a tree of nodes that know which stretch of the text they are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.manifests.values import Place
from reconciler.manifests.yaml_reader import EventParser

if TYPE_CHECKING:
    from yaml._yaml import Mark as CMark
    from yaml.error import Mark


_RARE_BREAKS = "\r\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar, or an alias (`value` is None); `anchor` is its own, or the one that an alias means.

    `style` is the character that its value begins with in the text, if that is a quote or begins a block.
    """

    start: int
    end: int
    value: str | None
    anchor: str | None = None
    style: str = ""


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping; `column` is that of its first key, from 0; `end` is where its last value ends, or its brace."""

    start: int
    end: int
    column: int
    flow: bool
    pairs: tuple[tuple[ScalarNode, "Node"], ...]
    anchor: str | None = None

    def find(self, name: str) -> tuple[ScalarNode, "Node"] | None:
        """The key and value of a field."""
        return next((pair for pair in self.pairs if pair[0].value == name), None)


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A sequence; `column` is that of its first dash, from 0."""

    start: int
    end: int
    column: int
    flow: bool
    items: tuple["Node", ...]
    anchor: str | None = None


Node: TypeAlias = ScalarNode | MappingNode | SequenceNode


def nodes(node: Node) -> Iterator[Node]:
    """A node and all within it, in the order of the text."""
    yield node
    if isinstance(node, MappingNode):
        for key, value in node.pairs:
            yield key
            yield from nodes(value)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from nodes(item)


def is_alias(node: Node) -> bool:
    """Whether a node repeats another one."""
    return isinstance(node, ScalarNode) and node.value is None and node.anchor is not None


def shared_nodes(document: Node) -> list[Node]:
    """The nodes of a document that aliases repeat."""
    found = list(nodes(document))
    used = {node.anchor for node in found if is_alias(node)}
    return [node for node in found if node.anchor in used and node.anchor is not None and not is_alias(node)]


def documents(text: str) -> dict[Place, MappingNode]:
    """The mappings that are documents of a text which loads, by their places."""
    return dict(_Reader(text).documents())


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        # None would only follow the end of the stream, where reading stops.
        self._next = cast("Callable[[], Event]", EventParser(text).get_event)

    def documents(self) -> Iterator[tuple[Place, MappingNode]]:
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                first = self._next()
                root = self._node(first)
                if isinstance(root, MappingNode):
                    yield (_mark(first.start_mark).line + 1, _mark(first.start_mark).column + 1), root

    def _node(self, event: Event) -> Node:
        start = _mark(event.start_mark).index
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, start)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, start)
        # The parser counts the line breaks after a block scalar in.
        end = start + len(self._text[start : _mark(event.end_mark).index].rstrip())
        if isinstance(event, ScalarEvent):
            return ScalarNode(start, end, event.value, event.anchor, event.style or "")
        return ScalarNode(start, end, None, cast("AliasEvent", event).anchor)

    def _mapping(self, event: MappingStartEvent, start: int) -> MappingNode:
        flow, pairs = bool(event.flow_style), []
        while not isinstance(key_event := self._next(), MappingEndEvent):
            key = self._node(key_event)
            value = self._node(self._next())
            pairs.append((key if isinstance(key, ScalarNode) else ScalarNode(key.start, key.end, None), value))
        end = _mark(key_event.end_mark).index if flow else pairs[-1][1].end
        return MappingNode(
            start, end, column(self._text, pairs[0][0].start if pairs else start), flow, tuple(pairs), event.anchor
        )

    def _sequence(self, event: SequenceStartEvent, start: int) -> SequenceNode:
        flow, items = bool(event.flow_style), []
        while not isinstance(item_event := self._next(), SequenceEndEvent):
            items.append(self._node(item_event))
        end = _mark(item_event.end_mark).index if flow else items[-1].end
        # An anchor may stand before the first dash, on another line.
        first = start if flow else self._text.rfind("-", start, items[0].start)
        return SequenceNode(start, end, column(self._text, first), flow, tuple(items), event.anchor)


def _mark(mark: "Mark | CMark | None") -> "Mark | CMark":
    """A parser's mark: it gives one with every event, though PyYAML's types leave that open."""
    return cast("Mark | CMark", mark)


def column(text: str, index: int) -> int:
    """The column of a place in a text, from 0."""
    # The rare ones are looked for in one line alone: a file may be long.
    start = text.rfind("\n", 0, index) + 1
    return index - max(start, *(text.rfind(line_break, start, index) + 1 for line_break in _RARE_BREAKS))
