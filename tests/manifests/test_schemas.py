"""The JSON Schemas: whole, described, the same everywhere, and what the loader goes by."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.errors import UsageError
from reconciler.manifests import schema_text
from reconciler.manifests.faults import FileReport
from reconciler.manifests.schema import quick_check
from reconciler.manifests.yaml_reader import read_documents
from reconciler.model.sync import EXPORTS, IMPORTS, Arm
from tests.support.profiles import examples
from tests.support.scenarios.documents import KINDS, mangled, manifests

Json: TypeAlias = dict[str, object]


@pytest.fixture(params=KINDS)
def schema(request: pytest.FixtureRequest) -> Json:
    """The schema of each kind."""
    return parsed(request.param)


def parsed(kind: str) -> Json:
    """A schema as values."""
    return cast("Json", json.loads(schema_text(kind)))


def test_schemas_are_schemas(schema: Json) -> None:
    """Each is a valid schema of draft 2020-12 with an id of its own."""
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert str(schema["$id"]).startswith("urn:extcal:v1:")


def test_every_field_is_described(schema: Json) -> None:
    """Each field says what it is for, each pattern what it means, and no object takes unknown fields."""
    shared = cast("dict[str, Json]", schema.get("$defs", {}))
    for field in _subschemas(schema):
        described = field if "description" in field else shared[str(field["$ref"]).removeprefix("#/$defs/")]
        assert str(described["description"]).endswith(".")
        assert ("pattern" in field) == ("patternErrorMessage" in field)
        if field.get("type") == "object":
            assert field["additionalProperties"] is False


def test_a_sync_config_is_one() -> None:
    """SyncPolicy and Connection have the same sync config, and its fields are those of the model."""
    policy, connection = (
        json.loads(schema_text(kind))["properties"]["spec"]["properties"]["syncConfig"]
        for kind in ("syncpolicy", "connection")
    )
    assert policy == connection
    fields = {f"syncConfig.{name}": set(direction["properties"]) for name, direction in policy["properties"].items()}
    arms: dict[str, set[str]] = {IMPORTS: {Arm.PRIMARY, Arm.CALENDARS}, EXPORTS: {Arm.PRIMARY, Arm.DEDICATED}}
    assert fields == {path: names | {"enabled"} for path, names in arms.items()}


def test_a_template_and_an_entry_take_what_a_connection_takes() -> None:
    """Every field of a Connection's spec may stand in a set's template and its entries, and means the same there."""
    spec = json.loads(schema_text("connection"))["properties"]["spec"]["properties"]
    whole = json.loads(schema_text("connection-set"))
    shared, template = whole["$defs"], whole["properties"]["spec"]["properties"]["template"]
    assert {name: shared[name] for name in spec} == spec
    assert shared["secretRef"] == json.loads(schema_text("connection"))["$defs"]["secretRef"]
    references = {name: {"$ref": f"#/$defs/{name}"} for name in spec}
    assert template["properties"] == references
    assert shared["entry"]["properties"] == {"name": shared["entry"]["properties"]["name"], **references}


def test_a_schema_is_asked_for_in_any_case() -> None:
    """`extcal schema` takes the kind as people write it."""
    assert schema_text("SyncPolicy") == schema_text("syncpolicy") == schema_text("SYNCPOLICY")
    assert schema_text("ConnectionSet") == schema_text("connection-set")


def test_the_plan_has_a_schema() -> None:
    """The plan's schema is given by the same command."""
    assert json.loads(schema_text("plan"))["$schema"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("conection", "unknown schema 'conection'; did you mean connection?"),
        ("../x", "unknown schema '../x'; schemas are site, syncpolicy, connection, connection-set, plan, status"),
        ("", "unknown schema ''; schemas are site, syncpolicy, connection, connection-set, plan, status"),
    ],
)
def test_a_kind_without_a_schema(word: str, message: str) -> None:
    """Any other word is wrong usage, and what is right is said."""
    with pytest.raises(UsageError) as caught:
        schema_text(word)
    assert str(caught.value) == message


@examples(50, profile="tests")
@given(st.one_of(manifests(), mangled()))
def test_the_quick_check_agrees_with_jsonschema(text: str) -> None:
    """What the quick check takes, jsonschema takes, and the other way round: on valid manifests and mangled ones."""
    for document in read_documents(text, FileReport("m.yaml")):
        for kind in KINDS:
            assert quick_check(kind)(document) == Draft202012Validator(parsed(kind)).is_valid(document)


def test_nothing_is_imported_before_it_is_needed(folder: Path) -> None:
    """Commands that read no manifests pay for no parser, valid manifests for no jsonschema."""
    (folder / "m.yaml").write_text("")
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from reconciler.manifests import load\n"
        "print(*(name in sys.modules for name in ('yaml', 'jsonschema', 'jsonschema_rs')))\n"
        "load([Path('m.yaml')])\n"
        "print(*(name in sys.modules for name in ('yaml', 'jsonschema', 'jsonschema_rs')))\n"
    )
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert output == "False False False\nTrue False False\n"


def test_manifests_are_read_without_the_quick_check_too() -> None:
    """Where jsonschema-rs is missing, valid manifests are valid and mistakes are explained as everywhere."""
    script = (
        "import sys\n"
        "sys.modules['jsonschema_rs'] = None\n"
        "from pathlib import Path\n"
        "from reconciler.errors import ManifestError\n"
        "from reconciler.manifests import load\n"
        "print(len(load([Path('examples/quickstart')]).connections))\n"
        "try:\n"
        "    load([Path('pyproject.toml')])\n"
        "except ManifestError as error:\n"
        "    print('refused', 'Traceback' in str(error))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    ).stdout
    assert output == "3\nrefused False\n"


def _subschemas(schema: Json) -> Iterator[Json]:
    yield schema
    for holder in ("properties", "$defs"):
        for field in cast("dict[str, Json]", schema.get(holder, {})).values():
            yield from _subschemas(field)
    if "items" in schema:
        yield from _subschemas(cast("Json", schema["items"]))
