"""Reading JSON whose shape is not known beforehand: what is not there, or of another kind, is empty."""

from collections.abc import Mapping

Fields = Mapping[str, object]


def inner(value: object, *path: str) -> Fields:
    """The object at a path."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def text(value: object, *path: str) -> str:
    """The text at a path."""
    found = inner(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def many(value: object, *path: str) -> list[object]:
    """The list at a path."""
    found = inner(value, *path[:-1]).get(path[-1])
    return list(found) if isinstance(found, list | tuple) else []
