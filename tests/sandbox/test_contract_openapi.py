"""The OpenAPI file says what the sandbox does: the same operations, the same closed sets, every part described."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.sandbox import contract
from reconciler.sandbox.app import METHODS
from reconciler.sandbox.methods import events, schedules
from tests.sandbox.contract_fuzz import OPENAPI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

_VERBS = ("get", "post", "patch")
_ERRORS = {"400", "401", "403", "404", "429", "5XX"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The file."""
    read: dict[str, Any] = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    return read


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb in _VERBS:
            if verb in item:
                yield verb.upper(), path, item[verb]


def test_every_method_is_there_and_no_other(document: dict[str, Any]) -> None:
    """The nine methods, the query of schedules and the token, where the sandbox has them."""
    served = {(each.http, each.path.replace("{connection_id}", "{connectionId}")) for each in METHODS}
    described = {(verb, path) for verb, path, _ in _operations(document)}
    assert described == served | {("POST", "/oauth2/token")}
    assert len(described) == 11


def test_every_operation_says_who_may_call_it_and_what_it_answers(document: dict[str, Any]) -> None:
    """An id and a line for each; 200 and every standard error; the token alone is given without credentials."""
    for _, path, operation in _operations(document):
        assert operation["operationId"]
        assert operation["summary"].endswith(".")
        assert {"200", *_ERRORS} <= set(operation["responses"])
        assert ("security" in operation) == (path == "/oauth2/token")
    assert document["security"] == [{"apiKey": [], "site": []}, {"appToken": []}]


def test_every_answer_carries_a_request_id(document: dict[str, Any]) -> None:
    """Errors as well as answers say by which id they can be found."""
    answers = [operation["responses"]["200"] for _, _, operation in _operations(document)]
    for answer in (*answers, *document["components"]["responses"].values()):
        assert answer["headers"]["x-wix-request-id"] == {"$ref": "#/components/headers/requestId"}
        assert answer["description"].endswith(".")
    assert document["components"]["headers"]["requestId"]["required"] is True


@pytest.mark.parametrize(
    ("place", "known"),
    [
        (("CalendarType",), contract.CalendarType),
        (("Features", "connectMethods", "items"), contract.ConnectMethod),
        (("Features", "listEventFromCalendars"), contract.ImportSupport),
        (("Features", "syncToCalendar"), contract.ExportSupport),
        (("Connection", "status"), contract.Status),
        (("Connection", "errorReason"), contract.ErrorReason),
    ],
)
def test_the_closed_sets_agree(document: dict[str, Any], place: tuple[str, ...], known: type[StrEnum]) -> None:
    """Each enum of the file holds the values that the sandbox knows."""
    schema = document["components"]["schemas"][place[0]]
    for step in place[1:]:
        schema = schema[step] if step == "items" else schema["properties"][step]
    assert schema["enum"] == [each.value for each in known]


def test_the_limits_agree(document: dict[str, Any]) -> None:
    """A page's size and the number of ids are bounded as the sandbox bounds them."""
    parameters = document["components"]["parameters"]
    assert parameters["limit"]["schema"]["maximum"] == events.MAX_LIMIT
    assert parameters["eventScheduleIds"]["schema"]["maxItems"] == events.MAX_IDS
    query = document["components"]["schemas"]["QuerySchedules"]["properties"]["query"]["properties"]
    assert query["cursorPaging"]["properties"]["limit"]["maximum"] == schedules.MAX_LIMIT


def test_everything_is_described(document: dict[str, Any]) -> None:
    """Every schema, field, parameter, header, error, security scheme and link has a line of its own."""
    components = document["components"]
    parts = [
        part for kind in ("parameters", "headers", "responses", "securitySchemes") for part in components[kind].values()
    ]
    links = [
        link
        for _, _, operation in _operations(document)
        for link in operation["responses"]["200"].get("links", {}).values()
    ]
    fields = [field for schema in components["schemas"].values() for field in _fields(schema)]
    for part in (*parts, *links, *fields):
        assert "$ref" in part or part["description"].endswith((".", ". "))
    for schema in components["schemas"].values():
        assert schema["description"].endswith(".")


@pytest.mark.parametrize(
    ("place", "about"),
    [
        ("paths./bookings/v2/external-calendars/connections.get", "include what others connected"),
        ("paths./bookings/v2/external-calendars/connections.get", "In which order"),
        ("paths./bookings/v2/external-calendars/connections:connectByOAuth.post", "keeps its id"),
        ("paths./bookings/v2/external-calendars/connections:connectByCredentials.post", "keeps its id"),
        ("paths./bookings/v2/external-calendars/connections:connectByCredentials.post", "new connection starts"),
        ("paths./bookings/v2/external-calendars/connections/{connectionId}/calendars.get", "permission"),
        ("paths./bookings/v2/external-calendars/connections/{connectionId}/sync-config.patch", "left out stays"),
        ("paths./bookings/v2/external-calendars/connections/{connectionId}/sync-config.patch", "heals"),
        ("paths./bookings/v2/external-calendars/connections/{connectionId}/sync-config.patch", "permission"),
        ("paths./bookings/v2/external-calendars/connections/{connectionId}/sync-config.patch", "fieldMask"),
        ("components.schemas.SyncConfigChange", "left out"),
        ("components.schemas.Features.properties.listEventFromCalendars", "primary calendar"),
        ("components.schemas.Features.properties.syncToCalendar", "SPECIFIC_CALENDAR"),
        ("components.schemas.Connection.properties.appId", "missing"),
        ("components.schemas.SyncConfig", "both directions"),
        ("components.schemas.SyncConfig", "includeBufferTime"),
        ("components.schemas.CalendarReference.properties.name", "ids alone"),
        ("components.schemas.FailedProviders", "partialFailure"),
        ("components.schemas.ConnectByOAuth.properties.redirectUrl", "loopback"),
        ("components.responses.Forbidden", "permission"),
    ],
)
def test_what_is_not_known_is_marked(document: dict[str, Any], place: str, about: str) -> None:
    """What the vendor's pages leave open is named where it matters, and not stated as a fact."""
    part = document
    for step in place.split("."):
        part = part[step]
    assert any(about in each for each in part["x-extcal-unknown"])


def test_the_file_says_how_to_read_its_marks(document: dict[str, Any]) -> None:
    """Every mark is a list of sentences, and the description of the file explains what they are."""
    assert "`x-extcal-unknown`" in document["info"]["description"]
    marks = list(_marks(document))
    assert len(marks) > 20
    for mark in marks:
        assert isinstance(mark, list)
        assert mark
        assert all(each.endswith(".") for each in mark)


def test_what_may_be_missing_is_not_required(document: dict[str, Any]) -> None:
    """A field that is marked as perhaps missing is none that an answer must have."""
    schemas = document["components"]["schemas"]
    assert not {"appId", "syncConfig", "externalAccountEmail"} & set(schemas["Connection"]["required"])
    for name in ("ConnectionsAnswer", "EventsAnswer"):
        assert "failedProviderIds" not in schemas[name]["required"]
    assert "name" not in schemas["Calendar"]["required"]
    assert "required" not in schemas["SyncConfig"]


def _marks(part: object) -> Iterator[Any]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "x-extcal-unknown":
                yield value
            else:
                yield from _marks(value)
    elif isinstance(part, list):
        for each in part:
            yield from _marks(each)


def _fields(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:  # narrows a schema that is described where it stands
        return
    for field in schema.get("properties", {}).values():
        yield field
        yield from _fields(field)


def test_links_and_references_lead_somewhere(document: dict[str, Any]) -> None:
    """Every `$ref` and every link's operation exists; no component is left over."""
    text = OPENAPI.read_text(encoding="utf-8")
    named = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "parameters", "headers", "responses")
        for name in document["components"][kind]
    }
    assert set(re.findall(r'\$ref: "([^"]+)"', text)) == named
    known = {operation["operationId"] for _, _, operation in _operations(document)}
    for _, _, operation in _operations(document):
        for link in operation["responses"]["200"].get("links", {}).values():
            assert link["operationId"] in known
