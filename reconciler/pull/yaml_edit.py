"""Edits YAML text in place at the fields that differ; comments and order stay as they are."""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import cast

import yaml

from reconciler.manifests.contents import is_json
from reconciler.model.sync import Arm, CalendarRef, Direction
from reconciler.pull.splices import Splice, UneditableError, newline
from reconciler.pull.values import Amendment
from reconciler.pull.yaml_emit import arm_value, calendar_item, direction_pairs, truth
from reconciler.pull.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode, column, shared_nodes

Pair = tuple[str, str]
"""A field's name and its value as YAML text; a value of several lines begins with a line break."""

# All that YAML's parser takes for a line break.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def set_value(node: Node, value: str) -> Splice:
    """Write another value in a node's place."""
    return Splice(node.start, node.end, value)


def set_pair(key: ScalarNode, value: Node, pair: Pair) -> Splice:
    """Write another field in a field's place."""
    return Splice(key.start, value.end, f"{pair[0]}: {pair[1]}")


def add_pairs(text: str, mapping: MappingNode, pairs: Sequence[Pair], after: str | None = None) -> Splice:
    """Add fields at the end of a mapping, or after the field `after` if it has that."""
    if mapping.flow:
        written = ", ".join(f"{name}: {value}" for name, value in pairs)
        if not mapping.pairs:
            return Splice(mapping.start, mapping.end, f"{{{written}}}")
        end = _place_after(mapping, after)
        return Splice(end, end, f", {written}")
    # At the end of the line, so that a comment there stays with what it is about.
    end = line_end(text, _place_after(mapping, after))
    margin = newline(text) + " " * mapping.column
    lines = [f"{name}:{'' if value.startswith(chr(10)) else ' '}{value}" for name, value in pairs]
    return Splice(end, end, "".join(margin + line.replace("\n", margin) for line in lines))


def _place_after(mapping: MappingNode, after: str | None) -> int:
    found = mapping.find(after) if after is not None else None
    return (found or mapping.pairs[-1])[1].end


def drop_pair(text: str, mapping: MappingNode, name: str) -> Splice:
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


def change_items(text: str, items: SequenceNode, removed: Collection[int], added: Sequence[str]) -> list[Splice]:
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


def _block_items(text: str, items: SequenceNode, kept: Sequence[int], added: Sequence[str]) -> Splice:
    starts = [_line_start(text, item.start) for item in items.items]
    if any(not text[start:].lstrip(" ").startswith("-") for start in starts):
        raise UneditableError("a list has a dash on a line of its own")
    # A comment belongs to the item that it stands above.
    ends = [line_end(text, item.end) for item in items.items]
    begins = [starts[0], *(_next_line(text, item.end) for item in items.items[:-1])]
    margin = " " * items.column
    lines = [text[begins[index] : ends[index]] for index in kept] + [f"{margin}- {item}" for item in added]
    return Splice(starts[0], ends[-1], newline(text).join(lines))


def _line_start(text: str, index: int) -> int:
    return index - column(text, index)


def line_end(text: str, index: int) -> int:
    """Where the line of a place ends."""
    found = _BREAK.search(text, index)
    return found.start() if found else len(text)


def _next_line(text: str, index: int) -> int:
    found = _BREAK.search(text, index)
    return found.end() if found else len(text)


Identify = Callable[[int], str | None]
"""The id of the calendar that an item of the connection's own list means, by its index."""


class Amender:
    """Makes the splices that let connections of one document of a text say what is live."""

    def __init__(self, text: str, document: MappingNode) -> None:
        self._text = text
        # A manifest that loads has a spec.
        self._spec = cast("MappingNode", _mapping(document, "spec"))
        self._shared = shared_nodes(document)

    def amend(self, entry: int | None, changes: Sequence[Amendment], identify: Identify) -> list[Splice]:
        """The splices that make the document's Connection, or an entry of its set, say the changes.

        Raises UneditableError where the text is written so that this can't be done in place.
        """
        fields = self._fields(entry)
        sync = self._own(fields, "syncConfig")
        splices: list[Splice] = []
        new: list[tuple[str, list[Pair]]] = []
        for change in changes:
            name = change.path.rpartition(".")[2]
            own = None if sync is None else self._own(sync, name)
            if own is None:
                new.append((name, _new_fields(change)))
            else:
                if change.chosen is not None:
                    self._check_lists(own)
                splices += _amended(self._text, own, change, identify)
        if new and sync is not None:
            splices.append(add_pairs(self._text, sync, [(name, _flow(pairs)) for name, pairs in new]))
        elif new:
            value = _sync_value(new, flow=fields.flow)
            splices.append(add_pairs(self._text, fields, [("syncConfig", value)], after="syncPolicy"))
        self._check_kept(splices)
        return splices

    def _fields(self, entry: int | None) -> MappingNode:
        """The mapping that holds the fields of the Connection, or of the entry of a set."""
        if entry is None:
            return self._spec
        found = self._spec.find("connections")
        if found is None or not isinstance(found[1], SequenceNode):
            raise UneditableError("the connections of its set are an alias")
        node = found[1].items[entry]
        if not isinstance(node, MappingNode):
            raise UneditableError(f"it is written as the alias *{node.anchor}")
        for around in (found[1], node):
            self._check_own(around, "entry")
        return node

    def _own(self, around: MappingNode, name: str) -> MappingNode | None:
        """A field that is the connection's own, and means nothing elsewhere."""
        found = _mapping(around, name)
        if found is not None:
            self._check_own(found, name)
        return found

    def _check_lists(self, own: MappingNode) -> None:
        for key, value in own.pairs:
            self._check_own(value, key.value or "")

    def _check_own(self, node: Node, name: str) -> None:
        if not isinstance(node, ScalarNode) and node in self._shared:
            raise UneditableError(f"its {name} is also used as *{node.anchor}, which would change, too")

    def _check_kept(self, splices: Sequence[Splice]) -> None:
        """Raise UneditableError where a text would go that an alias repeats."""
        for node in self._shared:
            for splice in splices:
                if splice.start <= node.start < splice.end and f"&{node.anchor}" not in splice.text:
                    raise UneditableError(f"what would change is also used as *{node.anchor}")


def _mapping(around: MappingNode, name: str) -> MappingNode | None:
    found = around.find(name)
    if found is None:
        return None
    if not isinstance(found[1], MappingNode):
        raise UneditableError(f"its {name} is an alias")
    return found[1]


def _new_fields(change: Amendment) -> list[Pair]:
    """The fields of a direction that the connection does not have yet."""
    if change.chosen is not None and change.chosen.arm is None:
        shared = "its policy, or its set's template, chooses"
        raise UneditableError(f"{shared} a calendar for {change.path}, and the service shows none")
    chosen = change.chosen or Direction()
    return direction_pairs(Direction(change.enabled, chosen.arm, chosen.calendars))


def _amended(text: str, own: MappingNode, change: Amendment, identify: Identify) -> list[Splice]:
    splices: list[Splice] = []
    missing: list[Pair] = []
    if change.enabled is not None:
        found = own.find("enabled")
        if found is None:
            missing.append(("enabled", truth(change.enabled)))
        else:
            splices.append(set_value(found[1], truth(change.enabled)))
    if change.chosen is not None:
        written = next((arm for arm in Arm if own.find(arm)), None)
        if written is None:
            missing += _new_fields(Amendment(change.path, None, change.chosen))
        else:
            splices += _chosen(text, own, written, change.chosen, identify)
    if missing:
        splices.append(add_pairs(text, own, missing))
    return splices


def _chosen(text: str, own: MappingNode, written: Arm, chosen: Direction, identify: Identify) -> list[Splice]:
    """Choose another alternative than the one that is written."""
    if chosen.arm is None:
        return [drop_pair(text, own, written)]
    key, value = next(pair for pair in own.pairs if pair[0].value == written)
    if chosen.arm is Arm.CALENDARS and written is Arm.CALENDARS and isinstance(value, SequenceNode):
        removed, added = _items(value, chosen.calendars, identify)
        return change_items(text, value, removed, added)
    return [set_pair(key, value, (chosen.arm.value, arm_value(chosen)))]


def _items(value: SequenceNode, wanted: Sequence[CalendarRef], identify: Identify) -> tuple[list[int], list[str]]:
    """Which items of a list go, and which come."""
    ids = [identify(index) for index in range(len(value.items))]
    wanted_ids = {ref.id for ref in wanted}
    removed = [index for index, found in enumerate(ids) if found is None or found not in wanted_ids]
    return removed, [calendar_item(ref) for ref in wanted if ref.id not in ids]


def _flow(pairs: Sequence[Pair]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in pairs)}}}"


def _sync_value(directions: Sequence[tuple[str, list[Pair]]], *, flow: bool) -> str:
    pairs = [(name, _flow(fields)) for name, fields in directions]
    return _flow(pairs) if flow else "".join(f"\n  {name}: {value}" for name, value in pairs)


_WORDS = {"true", "false"}


def as_in(path: str, splices: Sequence[Splice]) -> list[Splice]:
    """The splices as they go into a file: all that is YAML's flow style alone is quoted where that is JSON."""
    return [replace(splice, text=_quoted(splice.text)) for splice in splices] if is_json(path) else list(splices)


def _quoted(text: str) -> str:
    parts: list[str] = []
    done = 0
    # Within braces a plain text ends where flow style has it end.
    for token in yaml.scan("{" + text + "}"):
        if isinstance(token, yaml.ScalarToken) and not (token.plain and token.value in _WORDS):
            start, end = token.start_mark.index - 1, token.end_mark.index - 1
            parts += [text[done:start], json.dumps(token.value, ensure_ascii=False)]
            done = end
    return "".join([*parts, text[done:]])
