"""The vendor's type declarations hold nothing that the OpenAPI file or the reader of answers does not know.

What they leave out on purpose is listed here with its reason, and an entry that is out of date fails.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from reconciler.api.call import Call, Response
from reconciler.api.failures import Explainer
from reconciler.api.fields import WireObject
from reconciler.api.pages import read_page
from reconciler.api.secrets import Secrets
from reconciler.api.wire import read_calendars, read_connection, read_connections, read_event, read_providers
from reconciler.model.live import ConnectMethod, ErrorReason, Status, Support
from reconciler.planning.providers import word
from tests.sandbox.contract_fuzz import OPENAPI
from tests.sandbox.vendor_typings import TYPINGS, Leaf, Typings
from tests.support.tools import needs_vendor_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

pytestmark = needs_vendor_client

_METHODS = {
    "listProviders",
    "listConnections",
    "getConnection",
    "connectByOAuth",
    "connectByCredentials",
    "listCalendars",
    "updateSyncConfig",
    "disconnect",
    "listEvents",
}
_READERS: Mapping[str, Callable[[WireObject], object]] = {
    "listProviders": read_providers,
    "listConnections": read_connections,
    "getConnection": read_connection,
    "connectByCredentials": read_connection,
    "listCalendars": read_calendars,
    "updateSyncConfig": read_connection,
    "disconnect": read_connection,
    "listEvents": lambda answer: read_page(answer, "events", read_event),
}
_KNOWN_VALUES: Mapping[str, Callable[[str], bool]] = {
    "CalendarType": lambda value: word(value) is not None,
    "ConnectMethod": lambda value: value in {each.value for each in ConnectMethod},
    "ListEventFromCalendars": lambda value: value in {each.value for each in Support},
    "SyncToCalendar": lambda value: value in {each.value for each in Support},
    "Status": lambda value: value in {each.value for each in Status},
    "ErrorReason": lambda value: value in {each.value for each in ErrorReason},
}
_NAMES = {"_id": "id"}
"""The client renames ids: what it shows as `_id` is `id` on the wire."""

_OPENAPI_LACKS: Mapping[str, str] = {}
_READER_LACKS: Mapping[str, str] = {
    "connectByOAuth oauthUrl": "the client itself reads the link, which is not kept",
    "listEvents pagingMetadata.count": "how many a page holds is counted",
}
_MODEL_LACKS: Mapping[str, str] = {
    "CalendarType UNDEFINED": "not said: manifests have no word for it",
    "CalendarType OTHER": "a provider from the marketplace is named by its name or id",
    "ConnectMethod UNDEFINED": "not said",
    "ListEventFromCalendars UNDEFINED": "not said",
    "SyncToCalendar UNDEFINED": "not said",
    "ErrorReason UNDEFINED": "not said",
}


@pytest.fixture(scope="module")
def typings() -> Typings:
    """The vendor's declarations."""
    return Typings(TYPINGS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI file."""
    read: dict[str, Any] = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    return read


def test_the_declarations_are_understood(typings: Typings) -> None:
    """Nine methods; deep fields, inherited ones, enums, lists and error codes are found."""
    assert set(typings.methods) == _METHODS
    config = "connection.syncConfig.listEventFromCalendars"
    leaves = {leaf.path: leaf for leaf in typings.answer("getConnection")}
    assert leaves[f"{config}.calendars.calendars[]._id"].type == "string"
    assert leaves[f"{config}.primaryCalendar"].type == "{}"
    assert "TOKEN_REVOKED" in leaves["connection.errorReason"].values
    assert {leaf.path for leaf in typings.request("updateSyncConfig")} > {"connectionId"}
    assert "cursorPaging.limit" in {leaf.path for leaf in typings.request("listEvents")}
    assert typings.errors("connectByCredentials") == {
        "BAD_CREDENTIALS",
        "NOT_SUPPORTED_BY_PROVIDER",
        "PREMIUM_FEATURE_NOT_ENABLED",
    }


def test_the_openapi_file_knows_every_field(typings: Typings, document: dict[str, Any]) -> None:
    """Of each method's request and answer."""
    unknown = []
    for method, operation in _operations(document):
        asked = set(_request_fields(document, operation))
        answered = dict(_fields(document, _schema_of(operation["responses"]["200"])))
        unknown += [f"{method} request {leaf.path}" for leaf in typings.request(method) if _wire(leaf) not in asked]
        unknown += [f"{method} {leaf.path}" for leaf in typings.answer(method) if _wire(leaf) not in answered]
    _compare(unknown, _OPENAPI_LACKS)


def test_the_openapi_file_knows_every_value(typings: Typings, document: dict[str, Any]) -> None:
    """Of each enum of the answers."""
    unknown = []
    for method, operation in _operations(document):
        answered = dict(_fields(document, _schema_of(operation["responses"]["200"])))
        for leaf in typings.answer(method):
            known = answered.get(_wire(leaf), {}).get("enum", ())
            unknown += [f"{method} {leaf.path}: {value}" for value in leaf.values if value not in known]
    assert unknown == []


def test_the_openapi_file_knows_every_error_code(typings: Typings, document: dict[str, Any]) -> None:
    """Of each method, at one of its statuses."""
    for method, operation in _operations(document):
        assert typings.errors(method) <= set(_codes(document, operation)), method


def test_the_reader_takes_every_field_of_the_answers(typings: Typings) -> None:
    """What is read of an answer is nothing left over; a field that is not known is."""
    answered = [(method, leaf) for method in typings.methods for leaf in typings.answer(method)]
    left_over = [(method, leaf) for method, leaf in answered if method not in _READERS or _left_over(method, leaf)]
    _compare([f"{method} {leaf.path}" for method, leaf in left_over], _READER_LACKS)
    assert _left_over("getConnection", Leaf("connection.syncConfig.listEventFromCalendars.novelty", "string"))


def test_the_model_names_every_value(typings: Typings) -> None:
    """Of each enum of the answers."""
    used = {leaf.type for method in typings.methods for leaf in typings.answer(method) if leaf.values}
    assert used == set(_KNOWN_VALUES)
    unknown = [f"{enum} {value}" for enum in used for value in typings.enums[enum] if not _KNOWN_VALUES[enum](value)]
    _compare(unknown, _MODEL_LACKS)


def test_every_error_code_has_advice_of_its_own(typings: Typings, document: dict[str, Any]) -> None:
    """What to do about a code is another thing than what its status alone suggests."""
    for method, operation in _operations(document):
        codes = _codes(document, operation)
        for code in typings.errors(method):
            assert _advice(method, codes[code], code) != _advice(method, codes[code], "NEVER_HEARD_OF"), code


def _compare(unknown: Iterable[str], excepted: Mapping[str, str]) -> None:
    """What is not known is what was excepted, neither more nor less."""
    assert set(unknown) == set(excepted)


def _wire(leaf: Leaf) -> str:
    return ".".join(_NAMES.get(step, step) for step in leaf.path.split("."))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in document["paths"].values():
        for operation in item.values():
            if operation["operationId"] in _METHODS:
                yield operation["operationId"], operation


def _schema_of(part: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = part["content"]["application/json"]["schema"]
    return schema


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part that a `$ref` leads to, with what stands beside the `$ref`."""
    while "$ref" in part:
        target: dict[str, Any] = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target | {name: value for name, value in part.items() if name not in {"$ref", "properties"}}
    return part


def _fields(document: dict[str, Any], schema: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The fields without fields of their own, by their paths."""
    schema = _resolved(document, schema)
    if "items" in schema:
        items = _resolved(document, schema["items"])
        if "properties" in items:
            yield from _fields(document, items, f"{at}[]")
        else:
            yield at, items
        return
    if not schema.get("properties"):
        yield at, schema
    for name, field in schema.get("properties", {}).items():
        yield from _fields(document, field, f"{at}.{name}" if at else name)


def _request_fields(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation["parameters"]:
        yield _resolved(document, parameter)["name"]
    if "requestBody" in operation:
        for path, _ in _fields(document, _schema_of(operation["requestBody"])):
            yield path


def _codes(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, int]:
    """The codes that an operation's errors may have, each with its status."""
    found: dict[str, int] = {}
    for status, response in operation["responses"].items():
        if status.isdigit() and status != "200":
            schema = _schema_of(_resolved(document, response))
            named = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            details = named.get("properties", {}).get("details", {}).get("properties", {})
            error = details.get("applicationError", {}).get("properties", {})
            found |= dict.fromkeys(error.get("code", {}).get("enum", ()), int(status))
    return found


def _left_over(method: str, leaf: Leaf) -> bool:
    """Whether a field of an answer is among those that the reader did not take."""
    answer = WireObject(_answer_with(_wire(leaf).split("."), leaf))
    _READERS[method](answer)
    return bool(answer.extra())


def _answer_with(steps: list[str], leaf: Leaf) -> dict[str, Any]:
    """An answer that holds one field, and what nothing can be read without."""
    name, *within = steps
    required: dict[str, Any] = {"id": "id-1", "start": "2026-03-02T12:00:00Z", "end": "2026-03-02T13:00:00Z"}
    if not within:
        value = {"string": "text", "boolean": False, "number": 7, "{}": {}}.get(leaf.type, leaf.values[-1:])
        single = value[0] if isinstance(value, tuple) else value
        return {name: [single] if leaf.is_list else single}
    inner = _answer_with(within, leaf)
    if name.endswith("[]"):
        needed = {"events[]": ("start", "end")}.get(name, ("id",))
        return {name.removesuffix("[]"): [{each: required[each] for each in needed} | inner]}
    return {name: ({"id": "id-1"} if name == "connection" else {}) | inner}


def _advice(method: str, status: int, code: str) -> str | None:
    body = json.dumps({"message": "", "details": {"applicationError": {"code": code}}}).encode()
    explainer = Explainer(Secrets({}, None), "the key")
    call = Call(method[0].upper() + method[1:], "POST", "/", secret="env:EXTCAL_X")
    return explainer.failure(call, Response(status, httpx.Headers(), body), None).advice
