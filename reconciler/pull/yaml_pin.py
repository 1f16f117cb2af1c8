"""Writes ids beside names in YAML or JSON text; all around them stays as it is written.

A mapping gets an id before its first field. A name that stands by itself is wrapped into a mapping, in its own quotes.
What other places share by an anchor is not touched: they would change, too.
"""

from collections.abc import Collection, Sequence

from reconciler.manifests.contents import is_json
from reconciler.manifests.values import PathStep
from reconciler.pull.splices import Splice, UneditableError, newline
from reconciler.pull.yaml_emit import scalar
from reconciler.pull.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode, column, is_alias, nodes

# In a plain text of flow style these may end it.
_NOT_IN_FLOW = frozenset(",[]{}?:")
_BLOCKS = frozenset("|>")
_LAST_OF_BMP = "\uffff"


class DocumentPins:
    """Makes the splices that pin references in one document of a text."""

    def __init__(self, path: str, text: str, document: MappingNode) -> None:
        """`path` tells by its ending whether the text is JSON."""
        self._text = text
        self._document = document
        self._json = is_json(path)
        self._anchored: dict[str, Node] = {}
        self._aliases: dict[int, Node | None] = {}
        for node in nodes(document):
            self._note(node)
        shared = (node.anchor for node in nodes(document) if is_alias(node))
        self._shared = frozenset(anchor for anchor in shared if anchor is not None)

    def _note(self, node: Node) -> None:
        """Keep what an anchor means from here on, and what an alias repeats."""
        if is_alias(node):
            self._aliases[node.start] = self._anchored.get(node.anchor or "")
        elif node.anchor is not None:
            self._anchored[node.anchor] = node

    def add_id(self, place: Sequence[PathStep], id_: str) -> tuple[Splice, ...]:
        """Write an id beside the name at a place below `spec`.

        Raises UneditableError where that can't be done without changing anything else.
        """
        node = self._find(("spec", *place))
        if isinstance(node, MappingNode):
            self._check_own(node, place)
            return (self._before_fields(node, id_),)
        if isinstance(node, ScalarNode):
            return self._wrapped(node, place, id_)
        raise UneditableError(f"its {_words(place)} is a list")

    def rename(self, place: Sequence[PathStep], field: str, name: str) -> Splice:
        """Write another name, or external id, in the field of the mapping at a place; raises UneditableError."""
        node = self._find(("spec", *place))
        self._check_own(node, place)
        found = node.find(field) if isinstance(node, MappingNode) else None
        value = found[1] if found else None
        if not isinstance(value, ScalarNode) or value.anchor is not None or value.style in _BLOCKS:
            raise UneditableError(f"the {field} of its {_words(place)} is written with an anchor or as a block")
        quoted = self._json or value.style == '"'
        return Splice(value.start, value.end, _in_quotes(name) if quoted else scalar(name))

    def _find(self, path: Sequence[PathStep]) -> Node:
        """The node at a path; raises UneditableError where what leads to it is shared with other places."""
        node: Node = self._document
        for index, step in enumerate(path):
            if index:
                self._check_own(node, path[1:index])
            if isinstance(node, MappingNode) and isinstance(step, str):
                found = node.find(step)
                if found is None:
                    raise UneditableError(f"the name of its {step} is an alias")
                node = found[1]
            elif isinstance(node, SequenceNode) and isinstance(step, int):
                node = node.items[step]
        return node

    def _check_own(self, node: Node, place: Sequence[PathStep]) -> None:
        where = _words(place)
        if is_alias(node):
            raise UneditableError(f"its {where} is the alias *{node.anchor}; write it out, or pin what it repeats")
        if node.anchor in self._shared:
            raise UneditableError(f"its {where} is also used as *{node.anchor}, which would change, too; write it out")

    def _before_fields(self, mapping: MappingNode, id_: str) -> Splice:
        key = mapping.pairs[0][0]
        line_start = key.start - column(self._text, key.start)
        margin = self._text[line_start : key.start]
        quoted = self._json or key.style == '"'
        pair = f'"id": {_in_quotes(id_)}' if quoted else f"id: {scalar(id_)}"
        if not mapping.flow:
            return Splice(key.start, key.start, f"{pair}{newline(self._text)}{' ' * mapping.column}")
        between = f",{newline(self._text)}{margin}" if not margin.strip() and margin else ", "
        return Splice(key.start, key.start, f"{pair}{between}")

    def _wrapped(self, node: ScalarNode, place: Sequence[PathStep], id_: str) -> tuple[Splice, ...]:
        if node.style in _BLOCKS:
            raise UneditableError(f"its {_words(place)} is written as a block; write it on one line")
        if is_alias(node) and not isinstance(self._aliases.get(node.start), ScalarNode):
            self._check_own(node, place)
        before = f'{{"id": {_in_quotes(id_)}, "name": ' if self._json else f"{{id: {scalar(id_)}, name: "
        raw = self._text[node.start : node.end]
        if node.value is not None and not node.style and (not _NOT_IN_FLOW.isdisjoint(raw) or len(raw.split("\n")) > 1):
            if raw != node.value and " ".join(raw.split()) != node.value:
                raise UneditableError(f"its {_words(place)} has an anchor or a tag; write it in quotes")
            return (Splice(node.start, node.end, f"{before}{scalar(node.value)}}}"),)
        return Splice(node.start, node.start, before), Splice(node.end, node.end, "}")


def _words(place: Collection[PathStep]) -> str:
    """A place below `spec` as messages name it: `schedule`, `calendars[2]`."""
    text = ""
    for step in place:
        text = f"{text}[{step}]" if isinstance(step, int) else step
    return text or "spec"


def _in_quotes(text: str) -> str:
    """A text in double quotes, as YAML and JSON both read it."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = (one if one.isprintable() or one > _LAST_OF_BMP else f"\\u{ord(one):04x}" for one in plain)
    return f'"{"".join(shown)}"'
