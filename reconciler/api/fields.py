"""Reads JSON of the wire: fields that are asked for are checked, the others are kept."""

import json
import marshal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.model.live import Extra

T = TypeVar("T")
LONGEST = 4096
"""The most characters of a name, an id or another text; ids have hundreds of them."""
LONG = 64 * 1024
"""The most characters of what may be longer, and whose reader has a limit of its own: links, tokens, cursors."""
_LARGEST_EXTRA = 64 * 1024
_DEEPEST_EXTRA = 32
_MOST_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of an object: the names of its fields, and the shape of those that are objects or lists of them."""

    names: frozenset[str] = frozenset()
    within: Mapping[str, "Shape"] = field(default_factory=dict)


class ShapeError(Exception):
    """A value of another shape than the API has; the text says what was expected where, never the value."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{where or 'the answer'}: expected {expected}, found {found}")


class WireObject:
    """One JSON object being read, at the path `where`; null counts as missing.

    Each reading method takes a field out of the object itself, which nothing else may need, and raises ShapeError if
    it has another type; `extra()` is what was never taken, here and in the objects within.
    """

    __slots__ = ("_rest", "_within", "where")

    def __init__(self, value: object, where: str = "") -> None:
        if not isinstance(value, dict):
            raise ShapeError(where, "an object", _kind(value))
        self._rest: dict[str, object] = value
        self.where = where
        self._within: list[tuple[str, WireObject]] = []

    def _take(self, name: str, expected: str, kind: type[T]) -> T | None:
        value = self._rest.pop(name, None)
        if value is not None and not isinstance(value, kind):
            raise ShapeError(self._at(name), expected, _kind(value))
        return value

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def text(self, name: str, most: int = LONGEST) -> str | None:
        """Text of at most `most` characters, or None.

        Halves of characters become U+FFFD, since they can't be shown or stored.
        """
        value = self._take(name, "text", str)
        if value is None or (len(value) <= most and value.isascii()):
            return value
        return _whole(self._bounded(value, name, most))

    def required(self, name: str, most: int = LONGEST) -> str:
        """Text that must be there; ids are kept to the letter."""
        value = self._take(name, "text", str)
        if not value:
            raise ShapeError(self._at(name), "text", _kind(value))
        self._bounded(value, name, most)
        if value != _whole(value):
            raise ShapeError(self._at(name), "text in whole characters", "halves of them")
        return value

    def flag(self, name: str) -> bool | None:
        """A boolean, or None."""
        return self._take(name, "true or false", bool)

    def number(self, name: str) -> float | None:
        """A finite number, or None."""
        value = self._rest.pop(name, None)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise ShapeError(self._at(name), "a number", _kind(value))
        return None if value is None else float(min(max(value, -1e15), 1e15))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where it is missing."""
        found = []
        for index, value in enumerate(self._take(name, "a list", list) or []):
            if not isinstance(value, str):
                raise ShapeError(f"{self._at(name)}[{index}]", "text", _kind(value))
            found.append(_whole(self._bounded(value, f"{name}[{index}]", LONGEST)))
        return tuple(found)

    def inner(self, name: str) -> "WireObject | None":
        """The object within, or None."""
        value = self._take(name, "an object", dict)
        return None if value is None else self._enter(value, name)

    def required_inner(self, name: str) -> "WireObject":
        """The object within, which must be there."""
        return self._enter(self._rest.pop(name, None), name)

    def inner_once(self, name: str, read: Callable[["WireObject"], T], known: dict[bytes, T]) -> T | None:
        """What `read` makes of the object within, or None; what it made of one just like it before is in `known`.

        Thousands of connections are configured in a few ways.
        """
        value = self._take(name, "an object", dict)
        if value is None:
            return None
        spelling = _spelling(value)
        made = known.get(spelling)
        if made is None:
            fields = self._enter(value, name)
            made = read(fields)
            if not fields.has_rest:
                self._within.pop()
                if spelling and len(known) < _MOST_KNOWN:
                    known[spelling] = made
        return made

    def each(self, name: str, read: Callable[["WireObject"], T]) -> tuple[T, ...]:
        """Every object of a list; empty where it is missing."""
        values = self._take(name, "a list", list) or []
        found: list[T] = []
        for index, value in enumerate(values):
            fields = self._enter(value, f"{name}[{index}]")
            found.append(read(fields))
            # A site has thousands: what was read of each is let go.
            values[index] = None
            if not fields.has_rest:
                self._within.pop()
        return tuple(found)

    def unknown(self, shape: Shape) -> str:
        """The fields that are not in `shape`, at their places, as the text of a JSON object; empty where all are.

        Objects in a list keep their `id` to be told by. It comes before anything is taken.
        """
        if not _has_unknown(self._rest, shape):
            return ""
        if _deeper(self._rest, _DEEPEST_EXTRA):
            raise ShapeError(self.where, f"objects nested at most {_DEEPEST_EXTRA} levels", "more")
        try:
            text = json.dumps(_unknown(self._rest, shape), sort_keys=True, allow_nan=False)
        except ValueError as error:
            raise ShapeError(self.where, "numbers that JSON can hold", "others") from error
        if len(text) > _LARGEST_EXTRA:
            raise ShapeError(self.where, f"at most {_LARGEST_EXTRA // 1024} KiB of unknown fields", "more")
        return text

    def extra(self) -> Extra:
        """The fields that were not taken, as (path, JSON text), sorted; those within by their dotted path."""
        if not self._rest and not self._within:
            return ()
        own: list[tuple[str, str]] = []
        room = _LARGEST_EXTRA
        for name, value in self._rest.items():
            if value is None:
                continue
            if _deeper(value, _DEEPEST_EXTRA):
                raise ShapeError(self.where, f"objects nested at most {_DEEPEST_EXTRA} levels", "more")
            text = json.dumps(value, sort_keys=True)
            room -= len(name) + len(text)
            if room < 0:
                raise ShapeError(self.where, f"at most {_LARGEST_EXTRA // 1024} KiB of unknown fields", "more")
            own.append((_whole(name), text))
        inner = [(f"{label}.{name}", text) for label, fields in self._within for name, text in fields.extra()]
        return tuple(sorted(own + inner))

    @property
    def has_rest(self) -> bool:
        """Whether anything was never taken, here or in the objects within."""
        return bool(self._rest) or any(fields.has_rest for _, fields in self._within)

    def _bounded(self, text: str, name: str, most: int) -> str:
        if len(text) > most:
            raise ShapeError(self._at(name), f"at most {most} characters", "more")
        return text

    def _enter(self, value: object, label: str) -> "WireObject":
        fields = WireObject(value, self._at(label))
        self._within.append((label, fields))
        return fields


def _has_unknown(value: object, shape: Shape) -> bool:
    """Whether an object, or one of a list of them, has a field that is not in `shape`, here or within."""
    if isinstance(value, list):
        return any(_has_unknown(item, shape) for item in value)
    if not isinstance(value, dict):
        return False
    if not shape.names >= value.keys() and any(value[name] is not None for name in value.keys() - shape.names):
        return True
    return any(_has_unknown(value[name], within) for name, within in shape.within.items() if value.get(name))


def _unknown(fields: dict[str, object], shape: Shape) -> dict[str, object]:
    found = {name: value for name, value in fields.items() if name not in shape.names and value is not None}
    for name, within in shape.within.items():
        value = fields.get(name)
        if isinstance(value, dict) and _has_unknown(value, within):
            found[name] = _unknown(value, within)
        elif isinstance(value, list) and _has_unknown(value, within):
            items = [item for item in value if isinstance(item, dict) and _has_unknown(item, within)]
            found[name] = [{"id": item.get("id"), **_unknown(item, within)} for item in items]
    return found


def with_unknown(known: dict[str, object], unknown: str, shape: Shape) -> dict[str, object]:
    """A known object with what `WireObject.unknown` has kept: its own fields, and those of what is still in it."""
    return _with_unknown(known, json.loads(unknown), shape) if unknown else known


def _with_unknown(known: dict[str, object], unknown: dict[str, object], shape: Shape) -> dict[str, object]:
    merged = dict(known)
    for name, value in unknown.items():
        have = known.get(name)
        if name not in shape.names:
            merged[name] = value
        elif isinstance(have, dict) and isinstance(value, dict):
            merged[name] = _with_unknown(have, value, shape.within[name])
        elif isinstance(have, list) and isinstance(value, list):
            by_id = {item["id"]: item for item in value}
            merged[name] = [{**by_id.get(item.get("id"), {}), **item} for item in have]
    return merged


def _spelling(value: dict[str, object]) -> bytes:
    """What only objects that are the same in every part share; empty where there is no telling."""
    try:
        # Takes a tenth of the time that JSON does; version 2 writes the same bytes for the same parts.
        return marshal.dumps(value, 2)
    except ValueError:
        # It is nested too deeply.
        return b""


def _deeper(value: object, levels: int) -> bool:
    """Whether objects and lists are nested in more levels; looked at level by level, as deep as they may be."""
    level = [value]
    for _ in range(levels):
        level = [inner for each in level for inner in _within(each)]
    return any(isinstance(each, dict | list) for each in level)


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _whole(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if not _is_whole(text) else text


def _is_whole(text: str) -> bool:
    """Whether `text` holds no halves of characters, which JSON can spell and nothing can show or store."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    for kind, name in ((str, "text"), (dict, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return name
    return "a number"
