"""Finds the texts in a value of any shape, and puts others in their place."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Any, TypeVar, Union, cast

_Value = TypeVar("_Value")
_Getter = Callable[[object], tuple[object, ...]]


def texts(value: object) -> set[str]:
    """Every text in dataclasses, tuples, lists and mappings; in the latter two, which are JSON, numbers as well."""
    found: set[object] = set()
    _collect(value, found)
    found.discard(None)
    return cast("set[str]", found)


def with_texts(value: _Value, changed: Mapping[str, str]) -> _Value:
    """The value with each of its texts that is named in `changed` replaced; what holds none of them is the same."""
    return cast("_Value", _changed(value, changed))


def _collect(value: object, found: set[object]) -> None:
    kind = type(value)
    # All of a fleet's actions pass here: a call for each field would take several times as long.
    if (shape := _KNOWN.get(kind)) is not None:
        if shape.plain is not None:
            found.update(shape.plain(value))
        for inner in shape.inner(value) if shape.inner is not None else ():
            if inner and inner is not True:
                _collect(inner, found)
    elif kind is str:
        found.add(value)
    elif kind is tuple:
        for item in cast("tuple[object, ...]", value):
            _collect(item, found)
    elif kind is list or isinstance(value, Mapping):
        _collect_json(value, found)
    elif _shape(kind).names:
        _collect(value, found)


def _collect_json(value: object, found: set[object]) -> None:
    for item in (*value.keys(), *value.values()) if isinstance(value, Mapping) else cast("list[object]", value):
        if type(item) in {int, float}:
            found.add(str(item))
        else:
            _collect(item, found)


def _changed(value: Any, changed: Mapping[str, str]) -> Any:  # noqa: ANN401 - a value of any shape, and one of the same
    kind = type(value)
    if kind is str:
        return changed.get(value, value)
    if kind is tuple:
        items = tuple(_changed(item, changed) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if kind is list:
        return [_changed_json(item, changed) for item in value]
    if isinstance(value, Mapping):
        return {_changed(name, changed): _changed_json(item, changed) for name, item in value.items()}
    shape = _shape(kind)
    fields = {name: (getattr(value, name), _changed(getattr(value, name), changed)) for name in shape.names}
    anew = {name: new for name, (old, new) in fields.items() if new is not old}
    return dataclasses.replace(value, **anew) if anew else value


def _changed_json(item: object, changed: Mapping[str, str]) -> object:
    return changed.get(str(item), item) if type(item) in {int, float} else _changed(item, changed)


class _Shape:
    """The fields of a dataclass: those that are a text or None, and those that may hold texts within."""

    def __init__(self, kind: type) -> None:
        fields = (
            [field.name for field in dataclasses.fields(kind) if field.init] if dataclasses.is_dataclass(kind) else []
        )
        hints = typing.get_type_hints(kind) if fields else {}
        members = {name: _members(hints[name]) for name in fields}
        plain = [name for name in fields if members[name] <= {str, types.NoneType}]
        self.names = tuple(name for name in fields if not all(map(_holds_none, members[name])))
        self.plain = _getter(plain)
        self.inner = _getter([name for name in self.names if name not in plain])


_KNOWN: dict[type, _Shape] = {}


def _shape(kind: type) -> _Shape:
    found = _KNOWN.get(kind)
    if found is None:
        found = _KNOWN[kind] = _Shape(kind)
    return found


def _members(hint: object) -> set[object]:
    """The types of a union, or the one type itself."""
    return set(typing.get_args(hint)) if typing.get_origin(hint) in {Union, types.UnionType} else {hint}


def _holds_none(hint: object) -> bool:
    """Whether values of a type can't hold a text; words of an enumeration are ours."""
    return hint in {bool, int, float, types.NoneType} or (isinstance(hint, type) and issubclass(hint, Enum))


def _getter(names: list[str]) -> _Getter | None:
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda value: (only(value),)
    return cast("_Getter", attrgetter(*names)) if names else None
