"""Reads a behaviour from a file of YAML. What the file leaves out is as the sandbox is without a file."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from reconciler.sandbox.behaviour.model import Behaviour, Hidden, key_of
from reconciler.sandbox.yaml_file import read_file

if TYPE_CHECKING:
    from enum import StrEnum
    from pathlib import Path

    from reconciler.sandbox.yaml_file import Node

    _Word = TypeVar("_Word", bound=StrEnum)

_SHAPE = "Write it as `update: replace`, with a line for each key"
_SLUG = re.compile(r"[\w.-]{1,100}")


def read_behaviour(path: Path) -> Behaviour:
    """The behaviour that the file at `path` describes.

    Raises `SandboxError` that says what is wrong, where, and what would be right.
    """
    return read_file(path, "behaviour", _SHAPE, _behaviour)


def _behaviour(whole: Node) -> Behaviour:
    usual, keys = Behaviour(), {each.name: key_of(each.name) for each in fields(Behaviour)}
    nodes = whole.fields(*keys.values())
    given = {name: nodes[key] for name, key in keys.items()}
    return Behaviour(
        update=_word(given["update"], usual.update),
        reconnect=_word(given["reconnect"], usual.reconnect),
        healing=given["healing"].boolean(default=usual.healing),
        starts_with=_word(given["starts_with"], usual.starts_with),
        directions=_word(given["directions"], usual.directions),
        calendar_names=_word(given["calendar_names"], usual.calendar_names),
        unknown_fields=given["unknown_fields"].boolean(default=usual.unknown_fields),
        order=_word(given["order"], usual.order),
        loopback_redirects=_word(given["loopback_redirects"], usual.loopback_redirects),
        permissions=_word(given["permissions"], usual.permissions),
        without_primary=_slugs(given["without_primary"]),
        partial_failure=_word(given["partial_failure"], usual.partial_failure),
        unsaid=_word(given["unsaid"], usual.unsaid),
        hidden=frozenset(each.choice(Hidden, _one_of(Hidden)) for each in _items(given["hidden"], ", ".join(Hidden))),
        disconnected=_word(given["disconnected"], usual.disconnected),
        update_answer=_word(given["update_answer"], usual.update_answer),
    )


def _word(node: Node, default: _Word) -> _Word:
    return node.choice(type(default), _one_of(type(default)), default)


def _one_of(words: type[StrEnum]) -> str:
    return f"must be {' or '.join(words)}"


def _slugs(node: Node) -> frozenset[str]:
    slugs = set()
    for each in _items(node, "providers, such as apple"):
        slug = each.text("")
        if not _SLUG.fullmatch(slug):
            raise each.wrong("must be a provider, such as apple")
        slugs.add(slug)
    return frozenset(slugs)


def _items(node: Node, what: str) -> tuple[Node, ...]:
    return node.items(f"must be a list of {what}") if node.given and node.value != [] else ()
