"""Reads faults from a file.

Every text stands for itself, as YAML 1.2 has it: `on` is a key, `no` and `-5` are values of headers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.faults.kinds import kind_of
from reconciler.sandbox.faults.model import Fault, Faults
from reconciler.sandbox.faults.nodes import Node, WrongError
from reconciler.sandbox.operations import READS, WRITES, Operation

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable
    from pathlib import Path

MAX_FILE = 64 * 1024
_KINDS = ("answer", "reset", "cut", "delay", "stale", "rate")
_SHAPE = "write it as `faults: [{on: writes, times: 1, answer: {status: 503}}, …]`"
_GROUPS = {"reads": READS, "writes": WRITES}
_SEED = re.compile(r"-?[0-9]{1,18}")


def read_faults(path: Path) -> Faults:
    """The faults that the file at `path` describes.

    Raises `SandboxError` that says what is wrong, where, and what would be right.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SandboxError(f"{path}: can't be read ({reason}); name a file of faults") from error
    if len(text) > MAX_FILE:
        raise SandboxError(f"{path}: larger than {MAX_FILE} bytes; {_SHAPE}")
    try:
        said = yaml.load(text, _Texts)  # noqa: S506 -- makes nothing but texts, lists and mappings
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise SandboxError(f"{path}: is not YAML ({problem[:300]}); {_SHAPE}") from error
    try:
        return _faults(Node("", said))
    except WrongError as error:
        raise SandboxError(f"{path}: {error}") from error


class _Texts(yaml.BaseLoader):
    """YAML without types, in which a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 -- as yaml calls it
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice in one mapping", node.start_mark)
        return made


def _faults(whole: Node) -> Faults:
    if not isinstance(whole.value, dict):
        raise whole.wrong(f"must be a mapping; {_SHAPE}")
    fields = whole.fields("seed", "faults")
    seed = fields["seed"].text("0")
    if not _SEED.fullmatch(seed):
        raise fields["seed"].wrong("must be a whole number of at most 18 digits")
    return Faults(tuple(_fault(entry) for entry in fields["faults"].items(f"must be a list; {_SHAPE}")), int(seed))


def _fault(entry: Node) -> Fault:
    fields = entry.fields("on", "skip", "times", "probability", *_KINDS)
    chosen = [name for name in _KINDS if fields[name].given]
    if len(chosen) != 1:
        raise entry.wrong(f"must have exactly one of {', '.join(_KINDS)}")
    return entry.made(
        Fault,
        kind_of(chosen[0], fields[chosen[0]]),
        _operations(fields["on"]),
        fields["skip"].whole(0),
        fields["times"].whole(0) if fields["times"].given else None,
        fields["probability"].number(1.0),
    )


def _operations(on: Node) -> Collection[Operation]:
    if not on.given:
        return frozenset(Operation)
    if isinstance(on.value, str) and on.value in _GROUPS:
        return _GROUPS[on.value]
    right = f"must be reads, writes, or a list of some of {', '.join(Operation)}"
    return frozenset(name.choice(Operation, right) for name in on.items(right))
