"""Encodes values as JSON and back, strictly: what is not of the declared types is refused.

Fields that have their default are left out, so that a value has one encoding; so are those marked NOT_ENCODED, which
tell where a thing was declared and not what it is, unless they are asked for.
"""

import dataclasses
import functools
import hashlib
import json as jsonlib
import types
import typing
from enum import Enum
from typing import Any, TypeVar, Union

from reconciler.model.account import Account

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
NOT_ENCODED = {"encoded": False}
_Value = TypeVar("_Value")


class DecodingError(ValueError):
    """JSON that does not describe a value of the wanted type; the text says where."""


def encoded(value: object, *, sources: bool = False) -> Json:
    """A value of this package (dataclasses, enums, tuples, bool, int, str, None) as JSON; `sources`: all its fields."""
    if isinstance(value, Account):
        return value.given
    if isinstance(value, Enum):
        return {} if value.value == "{}" else str(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: encoded(getattr(value, field.name), sources=sources)
            for field in dataclasses.fields(value)
            if (sources or field.metadata != NOT_ENCODED) and getattr(value, field.name) != field.default
        }
    if isinstance(value, tuple):
        return [encoded(item, sources=sources) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no encoding")


def canonical(json: Json) -> str:
    """The one text of a JSON value: sorted keys, no blanks, ASCII."""
    return jsonlib.dumps(json, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(json: Json) -> str:
    """`sha256:…` over the canonical text."""
    return "sha256:" + hashlib.sha256(canonical(json).encode()).hexdigest()


def decoded(wanted: type[_Value], json: object) -> _Value:
    """The value of type `wanted` that `json` describes; raises DecodingError where it does not."""
    return typing.cast("_Value", _decoded(wanted, json, ""))


def _decoded(wanted: Any, json: object, at: str) -> object:  # noqa: ANN401 - a type, or a form of typing
    form = typing.get_origin(wanted)
    if form in {Union, types.UnionType}:
        return _one_of(typing.get_args(wanted), json, at)
    if form is tuple:
        if not isinstance(json, list):
            raise DecodingError(f"{at or 'it'} is not a list")
        members = typing.get_args(wanted)
        if members[-1] is Ellipsis:
            members = members[:1] * len(json)
        if len(members) != len(json):
            raise DecodingError(f"{at or 'it'} has not {len(members)} items")
        return tuple(_decoded(member, json[n], f"{at}[{n}]") for n, member in enumerate(members))
    if wanted is Account:
        return Account(typing.cast("str", _decoded(str, json, at)))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _member(wanted, json, at)
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _dataclass(wanted, json, at)
    # bool is an int to isinstance, and never meant here.
    if wanted in {bool, int, str, types.NoneType} and type(json) is wanted:
        return json
    raise DecodingError(f"{at or 'it'} is not of type {getattr(wanted, '__name__', wanted)}")


def _one_of(members: tuple[Any, ...], json: object, at: str) -> object:
    failures = []
    for member in members:
        try:
            return _decoded(member, json, at)
        except DecodingError as error:
            failures.append(str(error))
    # The member that came furthest explains best.
    raise DecodingError(max(failures, key=len))


def _member(wanted: type[Enum], json: object, at: str) -> Enum:
    for member in wanted:
        if member.value == ("{}" if json == {} else json):
            return member
    raise DecodingError(f"{at or 'it'} is not one of {', '.join(str(member.value) for member in wanted)}")


def _dataclass(wanted: type, json: object, at: str) -> object:
    if not isinstance(json, dict):
        raise DecodingError(f"{at or 'it'} is not an object")
    fields, hints = dataclasses.fields(wanted), _hints(wanted)
    prefix = f"{at}." if at else ""
    if unknown := sorted(set(json) - {field.name for field in fields}):
        raise DecodingError(f"{prefix}{unknown[0]} is not known")
    found: dict[str, object] = {}
    for field in fields:
        if field.name in json:
            found[field.name] = _decoded(hints[field.name], json[field.name], f"{prefix}{field.name}")
        elif field.default is dataclasses.MISSING:
            raise DecodingError(f"{prefix}{field.name} is missing")
    return wanted(**found)


@functools.cache
def _hints(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)
