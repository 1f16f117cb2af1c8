"""Reads the type declarations of the vendor's client, as far as they describe its methods.

The file is made by a generator and keeps one form: comments aside, an interface has a field a line, an enum a value a
line, and a function is on one line. A type that is not understood is an error, not a field that is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tests.support.tools import NODE_MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPINGS = NODE_MODULES / "@wix" / "auto_sdk_bookings_external-calendars" / "build" / "es" / "index.typings.d.mts"

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INTERFACE = re.compile(r"^interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^\s+(\w+)\??: (.+);$", re.MULTILINE)
_ENUM = re.compile(r"^declare enum (\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_ERRORS = re.compile(r"^type (\w+)ApplicationErrors = (.*?)^\};", re.DOTALL | re.MULTILINE)
_FUNCTION = re.compile(r"^declare function (\w+)\((.*?)\): Promise<(.*?)>;$", re.DOTALL | re.MULTILINE)
_PLAIN = {"string", "boolean", "number"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field without fields of its own: its path by dots, its type, and the values where the type is an enum."""

    path: str
    type: str
    values: tuple[str, ...] = ()
    is_list: bool = False


@dataclass(frozen=True)
class Typings:
    """What the declarations in `text` say."""

    text: str

    @cached_property
    def _interfaces(self) -> dict[str, tuple[str, str]]:
        return {name: (parent, body) for name, parent, body in _INTERFACE.findall(self._bare)}

    @cached_property
    def _bare(self) -> str:
        return _COMMENT.sub("", self.text)

    @cached_property
    def enums(self) -> dict[str, tuple[str, ...]]:
        """The values of each enum."""
        return {name: tuple(re.findall(r'= "(\w+)"', body)) for name, body in _ENUM.findall(self._bare)}

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The functions that the client exports."""
        return tuple(name for name, _, _ in _FUNCTION.findall(self._bare))

    def errors(self, method: str) -> frozenset[str]:
        """The codes of a method's application errors."""
        every = {name.lower(): body for name, body in _ERRORS.findall(self._bare)}
        return frozenset(re.findall(r"code\?: '(\w+)'", every.get(method.lower(), "")))

    def request(self, method: str) -> tuple[Leaf, ...]:
        """What a method takes: its request, and what its function's parameters add to that."""
        parameters = next(taken for name, taken, _ in _FUNCTION.findall(self._bare) if name == method)
        leaves = list(self._leaves(f"{_titled(method)}Request"))
        for name, kind in re.findall(r"(\w+)\??: (\w+)", parameters):
            leaves += self._leaves(kind) if name == "options" else self._of(name, kind)
        return tuple(dict.fromkeys(leaves))

    def answer(self, method: str) -> tuple[Leaf, ...]:
        """What a method answers."""
        promised = next(answered for name, _, answered in _FUNCTION.findall(self._bare) if name == method)
        response = f"{_titled(method)}Response"
        assert response in promised
        return tuple(self._leaves(response))

    def _leaves(self, interface: str) -> Iterator[Leaf]:
        parent, body = self._interfaces[interface]
        inherited = self._interfaces[parent][1] if parent else ""
        for name, kind in dict(_FIELD.findall(inherited + body)).items():
            yield from self._of(name, kind)

    def _of(self, name: str, kind: str) -> Iterator[Leaf]:
        single = kind.removesuffix(" | null")
        is_list = single.endswith("[]")
        single = single.removesuffix("[]")
        enum = single.removesuffix("WithLiterals")
        if enum in self.enums:
            yield Leaf(name, enum, self.enums[enum], is_list)
        elif single in _PLAIN:
            yield Leaf(name, single, (), is_list)
        elif within := list(self._leaves(single)):
            for leaf in within:
                yield Leaf(f"{name}{'[]' if is_list else ''}.{leaf.path}", leaf.type, leaf.values, leaf.is_list)
        else:
            yield Leaf(name, "{}", (), is_list)


def _titled(method: str) -> str:
    return method[0].upper() + method[1:]
