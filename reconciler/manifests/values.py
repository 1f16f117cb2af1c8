"""What a YAML document holds: plain values that remember where they stand."""

from typing import TypeAlias

from reconciler.manifests.report import Place

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = "Scalar | Items | Fields"
Step: TypeAlias = str | int
"""One step of a path into a document: a field's name, or an item's index from 0."""


class Items(list[Value]):
    """A sequence; `items_at` holds the place of each item."""

    __slots__ = ("items_at",)

    def __init__(self) -> None:
        super().__init__()
        self.items_at: list[Place] = []


class Fields(dict[str, Value]):
    """A mapping, which begins `at`; `keys_at` and `values_at` hold the places of each field's name and value."""

    __slots__ = ("at", "keys_at", "values_at")

    def __init__(self, at: Place) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, Place] = {}
        self.values_at: dict[str, Place] = {}

    def put(self, name: str, value: Value, key_at: Place, value_at: Place) -> None:
        """Add a field."""
        self[name] = value
        self.keys_at[name] = key_at
        self.values_at[name] = value_at


def locate(root: Fields, path: tuple[Step, ...], *, key: bool = False) -> Place:
    """The place of the value at `path`, or of the field's name there; where there is none, of what is around it."""
    place = root.at
    node: Value = root
    for step in path:
        if isinstance(node, Fields) and isinstance(step, str) and step in node:
            place = (node.keys_at if key else node.values_at)[step]
            node = node[step]
        elif isinstance(node, Items) and isinstance(step, int):
            place = node.items_at[step]
            node = node[step]
    return place
