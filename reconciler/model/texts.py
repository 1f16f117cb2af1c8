"""The texts in a value of any shape, and the value with other texts in their place."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, cast

_Value = TypeVar("_Value")
_KNOWN: dict[type, tuple[str, ...]] = {}


def texts(value: object) -> set[str]:
    """Every text in dataclasses, tuples, lists and mappings; in the latter two, which are JSON, numbers as well."""
    found: set[str] = set()
    _collect(value, found)
    return found


def with_texts(value: _Value, changed: Mapping[str, str]) -> _Value:
    """The value with each of its texts that is named in `changed` replaced; what holds none of them is the same."""
    return cast("_Value", _changed(value, changed))


def _collect(value: object, found: set[str]) -> None:
    kind = type(value)
    if kind is str:
        found.add(cast("str", value))
    elif kind is tuple:
        for item in cast("tuple[object, ...]", value):
            _collect(item, found)
    elif kind is list or isinstance(value, Mapping):
        for item in _items(value):
            if type(item) in {int, float}:
                found.add(str(item))
            else:
                _collect(item, found)
    else:
        for name in _names(kind):
            _collect(getattr(value, name), found)


def _items(value: object) -> list[object]:
    return [*value.keys(), *value.values()] if isinstance(value, Mapping) else cast("list[object]", value)


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
    fields = {name: (getattr(value, name), _changed(getattr(value, name), changed)) for name in _names(kind)}
    anew = {name: new for name, (old, new) in fields.items() if new is not old}
    return dataclasses.replace(value, **anew) if anew else value


def _changed_json(item: object, changed: Mapping[str, str]) -> object:
    return changed.get(str(item), item) if type(item) in {int, float} else _changed(item, changed)


def _names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that are given to it; none of anything else."""
    found = _KNOWN.get(kind)
    if found is None:
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        found = _KNOWN[kind] = tuple(field.name for field in fields if field.init)
    return found
