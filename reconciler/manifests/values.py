"""What a YAML document holds: plain values that remember where they stand."""

import re
from typing import Final, Protocol, TypeAlias

from reconciler.model.source import Places

Place = tuple[int, int]
"""Line and column of something in a file, both counted from 1."""

START: Place = (1, 1)

GUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
"""What the ids of sites, schedules and providers look like."""


class TextMark(Protocol):
    """A position in a text as the parser keeps it, counted from 0; a Place is made of it where one is asked for."""

    @property
    def line(self) -> int:
        """Lines before it."""
        ...

    @property
    def column(self) -> int:
        """Characters before it on its line."""
        ...


def place(mark: TextMark) -> Place:
    """The place of a mark."""
    return mark.line + 1, mark.column + 1


Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = "Scalar | YamlSequence | YamlMapping"
PathStep: TypeAlias = str | int
"""One step of a path into a document: a field's name, or an item's index from 0."""


class YamlSequence(list[Value]):
    """A sequence; `marks` holds where each item begins."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[TextMark] = []


class YamlMapping(dict[str, Value]):
    """A mapping, which begins at `mark`; fields are added by `put` and never taken out.

    `marks` holds where each field's name and its value begin, in the order of the fields; `places` is kept for whoever
    makes something of them, once for all documents that have the same fields at the same places.
    """

    __slots__ = ("mark", "marks", "places")

    def __init__(
        self,
        mark: TextMark,
        marks: list[tuple[TextMark, TextMark]] | None = None,
        places: Places | None = None,
    ) -> None:
        self.mark = mark
        self.marks = [] if marks is None else marks
        self.places = places

    def put(self, name: str, value: Value, key: TextMark, begin: TextMark) -> None:
        """Add a field that is not there yet."""
        self[name] = value
        self.marks.append((key, begin))

    def same(self) -> "YamlMapping":
        """Another mapping with the same fields at the same places."""
        copy = YamlMapping(self.mark, self.marks, self.places)
        copy.update(self)
        return copy

    def mark_of(self, name: str, *, key: bool) -> TextMark:
        """Where a field's value begins, or its name."""
        return self.marks[list(self).index(name)][0 if key else 1]


def locate(root: YamlMapping, path: tuple[PathStep, ...], *, key: bool = False) -> Place:
    """The place of the value at `path`, or of the field's name there; where there is none, of what is around it."""
    mark = root.mark
    node: Value = root
    for step in path:
        if isinstance(node, YamlMapping) and isinstance(step, str) and step in node:
            mark = node.mark_of(step, key=key)
            node = node[step]
        elif isinstance(node, YamlSequence) and isinstance(step, int):
            mark = node.marks[step]
            node = node[step]
    return place(mark)
