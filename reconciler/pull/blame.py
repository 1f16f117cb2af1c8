"""Finds which of a file's edits a fault is in: by the name of the connection that stands there in the proposed text."""

import re
from collections.abc import Collection, Sequence

import yaml

from reconciler.manifests.contents import ROSTER_SUFFIXES
from reconciler.manifests.csv_table import rows
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.model.source import Fault
from reconciler.pull.propose import Edit
from reconciler.pull.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode, documents

_ENTRY = re.compile(r"spec\.connections\[(\d+)\]")


def edits_at(fault: Fault, edits: Sequence[Edit], content: bytes) -> list[Edit]:
    """Those of a file's edits whose document, entry or row a fault is in; all where it is in none of theirs.

    `content` is what the file would hold.
    """
    if fault.source is None or not edits:
        return list(edits)
    text = content.decode("utf-8-sig")
    is_roster = edits[0].path.lower().endswith(ROSTER_SUFFIXES)
    names = _in_row(text, fault.source.line) if is_roster else _in_document(text, fault)
    return [edit for edit in edits if edit.address.rpartition("/")[2] in names] or list(edits)


def _in_row(text: str, line: int) -> Collection[str | None]:
    """What the row on a line is called."""
    try:
        header, *others = rows(text, FileReport(""))
    except SpoiledError:
        return ()
    name = next((index for index, cell in enumerate(header) if cell.text == "name"), len(header))
    return {row[name].text for row in others if row[0].line + 1 == line and name < len(row)}


def _in_document(text: str, fault: Fault) -> Collection[str | None]:
    """What the document on a line is called, or the entries of its set; one alone where the fault is in that."""
    try:
        found = documents(text)
    except yaml.YAMLError:
        return ()
    line = 0 if fault.source is None else fault.source.line
    around = [document for (begin, _), document in found.items() if begin <= line]
    entries = _field(around[-1], "spec", "connections") if around else None
    if not isinstance(entries, SequenceNode):
        return {_text(_field(around[-1], "metadata", "name"))} if around else ()
    one = _ENTRY.match(fault.where)
    within = entries.items if one is None else entries.items[int(one[1]) : int(one[1]) + 1]
    return {_text(_field(entry, "name")) for entry in within}


def _field(node: Node | None, *path: str) -> Node | None:
    for step in path:
        found = node.find(step) if isinstance(node, MappingNode) else None
        node = found[1] if found else None
    return node


def _text(node: Node | None) -> str | None:
    return node.value if isinstance(node, ScalarNode) else None
