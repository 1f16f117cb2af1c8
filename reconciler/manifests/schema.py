"""The JSON Schemas of the manifests, and a document checked against its kind's.

Two validators read one schema. jsonschema-rs says yes to a valid document, as almost every one of a fleet is, in a
fraction of the time; where it says no, jsonschema decides and explains. The figure `validate, 10,000` of `make bench`
needs the first: with jsonschema alone it takes 2.5 times as long. `tests/manifests/test_schemas.py` holds that both
agree, and that manifests are read without it, too.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from reconciler.errors import UsageError
from reconciler.manifests.faults import FileReport, shown
from reconciler.manifests.values import Value, YamlMapping, YamlSequence, locate
from reconciler.text import did_you_mean

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


Schema: TypeAlias = Mapping[str, object]
_Node: TypeAlias = dict[str, "_Node"]

API_VERSION: Final = "extcal/v1"
"""The version of the manifest format."""

KINDS: Final = ("Site", "SyncPolicy", "Connection", "ConnectionSet")
"""The kinds of manifests."""

BEGIN: Final = f"begin with apiVersion: {API_VERSION} and kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}"
"""How a document becomes a manifest."""

_SCHEMAS: Final = ("site", "syncpolicy", "connection", "connection-set", "plan", "status")
_FILES: Final = {"connectionset": "connection-set", **{name: name for name in _SCHEMAS}}
"""The files of the schemas, by the words that mean them."""


def schema_text(kind: str) -> str:
    """The JSON Schema (draft 2020-12) of a manifest kind, or of what `plan` or `status` print as JSON.

    The case of `kind` does not matter. Raises UsageError for any other word.
    """
    name = kind.lower()
    if name not in _FILES:
        hint = did_you_mean(name, _SCHEMAS) or f"schemas are {', '.join(_SCHEMAS)}"
        raise UsageError(f"unknown schema {kind!r}; {hint}")
    package = Path(__file__).parents[1]
    # A source checkout, or an editable install of one, keeps them beside the package.
    paths = [around / "schemas" / f"{_FILES[name]}.schema.json" for around in (package, package.parent)]
    return next(path for path in paths if path.is_file()).read_text(encoding="utf-8")


def validate(document: YamlMapping, report: FileReport) -> str | None:
    """The kind of a valid document; None, with every fault reported, for one that is not."""
    kind = _kind(document, report)
    if kind is None:
        return None
    return kind if is_valid(kind, document, report) else None


def is_valid(part: str, value: YamlMapping, report: FileReport, within: str = "") -> bool:
    """Whether a document, or the part of one that lies `within` it, is valid; every fault of it is reported.

    `part` is a kind, or ENTRY. Of a ConnectionSet, this leaves its entries out.
    """
    return quick_check(part)(value) or not _explained(part, value, report, within)


def _explained(part: str, document: YamlMapping, report: FileReport, within: str) -> bool:
    """Report what jsonschema finds wrong with a document; whether it finds anything."""
    from reconciler.manifests.explain import Problem, explain  # noqa: PLC0415 - only invalid manifests are worth it

    problems = [
        Problem(
            path=tuple(error.absolute_path),
            keyword=str(error.validator),
            asked=error.validator_value,
            value=cast("Value", error.instance),
            schema=cast("Schema", error.schema),
        )
        for error in _validator(part).iter_errors(document)
    ]
    for where, place, message, hint in explain(document, problems):
        report.add(place, message, f"{within}.{where}".strip(".") if within else where, hint)
    return bool(problems)


def _kind(document: YamlMapping, report: FileReport) -> str | None:
    """What a document declares; faults of apiVersion are left to the schema where the kind is known."""
    if "apiVersion" not in document and "kind" not in document:
        report.add(locate(document, ()), "not a manifest: apiVersion and kind are missing", hint=BEGIN)
        return None
    if "kind" not in document:
        report.add(locate(document, ()), "missing field 'kind'", hint=_ONE_OF)
        return None
    version = document.get("apiVersion")
    if isinstance(version, str) and re.fullmatch(r"extcal/v[0-9]+", version) and version != API_VERSION:
        # Another version may have other fields: to judge them by this one's would mislead.
        message = f"apiVersion {shown(version)} is not supported"
        report.add(locate(document, ("apiVersion",)), message, "apiVersion", f"this extcal reads {API_VERSION}")
        return None
    kind = document["kind"]
    if isinstance(kind, str) and kind in KINDS:
        return kind
    message = f"unknown kind {shown(kind)}" if isinstance(kind, str) else "kind must be text"
    hint = (did_you_mean(kind, KINDS) if isinstance(kind, str) else "") or _ONE_OF
    report.add(locate(document, ("kind",)), message, "kind", hint)
    return None


ENTRY: Final = "entry"
"""An entry of a ConnectionSet's `connections`, or a row of its roster."""

_SET: Final = "ConnectionSet"


@cache
def _schema(part: str) -> dict[str, object]:
    if part == ENTRY:
        definitions = cast("dict[str, dict[str, object]]", _schema(_SET)["$defs"])
        return {**definitions[ENTRY], "$defs": definitions}
    schema = cast("dict[str, object]", json.loads(schema_text(part)))
    if part == _SET:
        # They are checked one by one, so that each has its own verdict.
        cast("_Node", schema)["properties"]["spec"]["properties"]["connections"]["items"] = {}
    return schema


def definition(part: str, path: str) -> Mapping[str, object]:
    """What the schema of a part says of a field, by its dotted path."""
    whole = _schema(part)
    node = cast("_Node", whole)
    for step in path.split("."):
        node = node["properties"][step]
        if "$ref" in node:
            node = cast("_Node", whole)["$defs"][str(node["$ref"]).rpartition("/")[2]]
    return node


@cache
def quick_check(part: str) -> Callable[[object], bool]:
    """A function that says whether a document is valid by its kind's schema, without an explanation."""
    try:
        from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - only commands that read manifests need it
    except ImportError:
        # There is no wheel for every machine; jsonschema gives the same verdicts, later.
        return lambda _document: False
    return Draft202012Validator(_schema(part)).is_valid


@cache
def _validator(part: str) -> "Validator":
    # Nearly two tenths of a second that only invalid manifests are worth.
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    def unique(_validator: object, asked: object, instance: object, _schema: object) -> Iterator[ValidationError]:
        # jsonschema's own compares every pair, which a hostile list makes endless.
        if asked and isinstance(instance, YamlSequence):
            yield from (ValidationError("written twice", path=[index]) for index in _repeated(instance))

    # jsonschema's stubs leave `extend` untyped.
    validator = extend(Draft202012Validator, {"uniqueItems": unique})  # type: ignore[no-untyped-call]
    return cast("Validator", validator(_schema(part)))


def _repeated(items: Iterable[Value]) -> list[int]:
    """Which items of a list stand in it before, by index; in linear time, since a list may be long and hostile."""
    seen: set[str] = set()
    found = []
    for index, item in enumerate(items):
        text = json.dumps(item, sort_keys=True)
        if text in seen:
            found.append(index)
        seen.add(text)
    return found


_ONE_OF = f"allowed: {', '.join(KINDS)}"
