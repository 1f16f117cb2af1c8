"""A quick yes to valid documents; where it says no, jsonschema decides and explains.

Almost every document of a fleet is valid, and jsonschema takes most of the time of loading one. A schema is compiled
once into plain checks of the keywords that the schemas use; any other keyword is refused when it is compiled, so
that none is overlooked. The tests hold that both agree.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias, cast

from reconciler.manifests.values import Value, YamlMapping, YamlSequence

Check: TypeAlias = Callable[[Value], bool]
Schema: TypeAlias = Mapping[str, object]

_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "default", "patternErrorMessage", "errorMessage", "then"}
)
_LOOKED_AT_WITH_PROPERTIES: Final = frozenset({"additionalProperties", "required"})
_TWO: Final = 2
_TYPES: Final[dict[str, type]] = {"string": str, "boolean": bool, "object": YamlMapping, "array": YamlSequence}


def compile_check(schema: Schema, root: Schema | None = None) -> Check:
    """The check of `schema`, whose references are looked up in `root`. Raises KeyError for an unknown keyword."""
    context = schema if root is None else root
    checks = [
        _KEYWORDS[keyword](asked, schema, context)
        for keyword, asked in schema.items()
        if keyword not in _ANNOTATIONS and not (keyword in _LOOKED_AT_WITH_PROPERTIES and "properties" in schema)
    ]
    if len(checks) == 1:
        return checks[0]
    if len(checks) == _TWO:
        first, second = checks
        return lambda value: first(value) and second(value)

    def every(value: Value) -> bool:
        for check in checks:  # noqa: SIM110 - all() and its generator take three times as long
            if not check(value):
                return False
        return True

    return every


def repeated(items: Iterable[Value]) -> list[int]:
    """Which items of a list stand in it before, by index; in linear time, since a list may be long and hostile."""
    seen: set[str] = set()
    found = []
    for index, item in enumerate(items):
        text = json.dumps(item, sort_keys=True)
        if text in seen:
            found.append(index)
        seen.add(text)
    return found


def _type(asked: object, _schema: Schema, _root: Schema) -> Check:
    types = {_TYPES[name] for name in ([asked] if isinstance(asked, str) else cast("list[str]", asked))}
    return lambda value: type(value) in types


def _enum(asked: object, _schema: Schema, _root: Schema) -> Check:
    words = frozenset(cast("list[str]", asked))
    return lambda value: isinstance(value, str) and value in words


def _const(asked: object, _schema: Schema, _root: Schema) -> Check:
    return lambda value: isinstance(value, str) and value == asked


def _pattern(asked: object, _schema: Schema, _root: Schema) -> Check:
    search = re.compile(cast("str", asked)).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _max_length(asked: object, _schema: Schema, _root: Schema) -> Check:
    most = cast("int", asked)
    return lambda value: not isinstance(value, str) or len(value) <= most


def _properties(asked: object, schema: Schema, root: Schema) -> Check:
    checks = {name: compile_check(field, root) for name, field in cast("dict[str, Schema]", asked).items()}
    required = frozenset(cast("list[str]", schema.get("required", [])))
    others = schema.get("additionalProperties", True)
    if not isinstance(others, bool):
        raise KeyError(others)

    def fields_hold(value: Value) -> bool:
        if not isinstance(value, YamlMapping):
            return True
        for name, field in value.items():
            check = checks.get(name)
            if not (others if check is None else check(field)):
                return False
        return value.keys() >= required

    return fields_hold


def _additional_properties(asked: object, _schema: Schema, _root: Schema) -> Check:
    if asked is not False:
        raise KeyError(asked)
    return lambda value: not isinstance(value, YamlMapping) or not value


def _required(asked: object, _schema: Schema, _root: Schema) -> Check:
    names = frozenset(cast("list[str]", asked))
    return lambda value: not isinstance(value, YamlMapping) or value.keys() >= names


def _min_properties(asked: object, _schema: Schema, _root: Schema) -> Check:
    least = cast("int", asked)
    return lambda value: not isinstance(value, YamlMapping) or len(value) >= least


def _max_properties(asked: object, _schema: Schema, _root: Schema) -> Check:
    most = cast("int", asked)
    return lambda value: not isinstance(value, YamlMapping) or len(value) <= most


def _items(asked: object, _schema: Schema, root: Schema) -> Check:
    check = compile_check(cast("Schema", asked), root)
    return lambda value: not isinstance(value, YamlSequence) or all(map(check, value))


def _min_items(asked: object, _schema: Schema, _root: Schema) -> Check:
    least = cast("int", asked)
    return lambda value: not isinstance(value, YamlSequence) or len(value) >= least


def _max_items(asked: object, _schema: Schema, _root: Schema) -> Check:
    most = cast("int", asked)
    return lambda value: not isinstance(value, YamlSequence) or len(value) <= most


def _unique_items(asked: object, _schema: Schema, _root: Schema) -> Check:
    return lambda value: not (asked and isinstance(value, YamlSequence) and repeated(value))


def _not(asked: object, _schema: Schema, root: Schema) -> Check:
    check = compile_check(cast("Schema", asked), root)
    return lambda value: not check(value)


def _if(asked: object, schema: Schema, root: Schema) -> Check:
    condition = compile_check(cast("Schema", asked), root)
    then = compile_check(cast("Schema", schema["then"]), root)
    return lambda value: not condition(value) or then(value)


def _reference(asked: object, _schema: Schema, root: Schema) -> Check:
    name = cast("str", asked).removeprefix("#/$defs/")
    return compile_check(cast("dict[str, Schema]", root["$defs"])[name], root)


_KEYWORDS: Final[dict[str, Callable[[object, Schema, Schema], Check]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "maxLength": _max_length,
    "properties": _properties,
    "additionalProperties": _additional_properties,
    "required": _required,
    "minProperties": _min_properties,
    "maxProperties": _max_properties,
    "items": _items,
    "minItems": _min_items,
    "maxItems": _max_items,
    "uniqueItems": _unique_items,
    "not": _not,
    "if": _if,
    "$ref": _reference,
}
