"""Small changes to YAML text at the places of its nodes; all else, comments above all, stays as it is."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from reconciler.manifests.writing.tree import Leaf, Mapping, Node, column
from reconciler.manifests.writing.tree import Sequence as Items

Pair = tuple[str, str]
"""A field's name and its value as YAML text; a value of several lines begins with a line break."""

# All that YAML's parser takes for a line break.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class UneditableError(Exception):
    """The text is written in a way that can't be edited safely; the message says which."""


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """Text that takes the place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with every splice made; they must not touch the same characters."""
    parts: list[str] = []
    done = 0
    for splice in sorted(splices):
        parts += [text[done : splice.start], splice.text]
        done = splice.end
    return "".join([*parts, text[done:]])


def check_apart(splices: Iterable[Splice]) -> None:
    """Raise UneditableError where two splices touch the same characters."""
    done = 0
    for splice in sorted(splices):
        if splice.start < done:
            raise UneditableError("the changes would overlap")
        done = splice.end


def newline(text: str) -> str:
    """The line break that a text uses."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def set_value(node: Node, value: str) -> Splice:
    """Write another value in a node's place."""
    return Splice(node.start, node.end, value)


def set_pair(key: Leaf, value: Node, pair: Pair) -> Splice:
    """Write another field in a field's place."""
    return Splice(key.start, value.end, f"{pair[0]}: {pair[1]}")


def add_pairs(text: str, mapping: Mapping, pairs: Sequence[Pair], after: str | None = None) -> Splice:
    """Add fields at the end of a mapping, or after the field `after` if it has that."""
    if mapping.flow:
        written = ", ".join(f"{name}: {value}" for name, value in pairs)
        if not mapping.pairs:
            return Splice(mapping.start, mapping.end, f"{{{written}}}")
        end = _place_after(mapping, after)
        return Splice(end, end, f", {written}")
    # At the end of the line, so that a comment there stays with what it is about.
    end = _line_end(text, _place_after(mapping, after))
    margin = newline(text) + " " * mapping.column
    lines = [f"{name}:{'' if value.startswith(chr(10)) else ' '}{value}" for name, value in pairs]
    return Splice(end, end, "".join(margin + line.replace("\n", margin) for line in lines))


def _place_after(mapping: Mapping, after: str | None) -> int:
    found = mapping.find(after) if after is not None else None
    return (found or mapping.pairs[-1])[1].end


def drop_pair(text: str, mapping: Mapping, name: str) -> Splice:
    """Take a field out of a mapping that has it."""
    index = next(index for index, (key, _) in enumerate(mapping.pairs) if key.value == name)
    key, value = mapping.pairs[index]
    if len(mapping.pairs) == 1:
        return set_value(mapping, "{}")
    if not mapping.flow:
        return Splice(_line_start(text, key.start), _next_line(text, value.end), "")
    if index + 1 < len(mapping.pairs):
        return Splice(key.start, mapping.pairs[index + 1][0].start, "")
    return Splice(mapping.pairs[index - 1][1].end, value.end, "")


def change_items(text: str, items: Items, removed: Collection[int], added: Sequence[str]) -> list[Splice]:
    """Take items out of a sequence, by index, and add others at its end; the rest stays as it is written."""
    kept = [index for index in range(len(items.items)) if index not in removed]
    if not items.flow:
        return [_block_items(text, items, kept, added)]
    if not kept:
        return [set_value(items, f"[{', '.join(added)}]")]
    nodes = items.items
    splices = [Splice(nodes[i].start, nodes[i + 1].start, "") for i in removed if i < kept[-1]]
    ending = "".join(f", {item}" for item in added)
    return [*splices, Splice(nodes[kept[-1]].end, nodes[-1].end, ending)]


def _block_items(text: str, items: Items, kept: Sequence[int], added: Sequence[str]) -> Splice:
    starts = [_line_start(text, item.start) for item in items.items]
    if any(not text[start:].lstrip(" ").startswith("-") for start in starts):
        raise UneditableError("a list has a dash on a line of its own")
    # A comment belongs to the item that it stands above.
    ends = [_line_end(text, item.end) for item in items.items]
    begins = [starts[0], *(_next_line(text, item.end) for item in items.items[:-1])]
    margin = " " * items.column
    lines = [text[begins[index] : ends[index]] for index in kept] + [f"{margin}- {item}" for item in added]
    return Splice(starts[0], ends[-1], newline(text).join(lines))


def _line_start(text: str, index: int) -> int:
    return index - column(text, index)


def _line_end(text: str, index: int) -> int:
    found = _BREAK.search(text, index)
    return found.start() if found else len(text)


def _next_line(text: str, index: int) -> int:
    found = _BREAK.search(text, index)
    return found.end() if found else len(text)
