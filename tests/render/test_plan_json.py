"""Plans and results as JSON: what the schema promises, and that nothing harmful comes through."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from reconciler.model.action import Reason, Recovery
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import OutcomeStatus, Result
from reconciler.model.source import Fault
from reconciler.render.plan_json import failure_json, plan_json, result_json
from tests.render import values
from tests.support.actions import altered

_SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        plan_json(values.EVERYTHING),
        plan_json(values.EMPTY),
        plan_json(values.TROUBLED),
        result_json(values.ENDED),
        result_json(values.ENDED.with_remaining(values.EVERYTHING)),
        result_json(Result(values.TROUBLED, ())),
        failure_json(["one", "two"]),
    ],
)
def test_every_document_is_as_the_schema_says(text: str) -> None:
    """Whatever is rendered is valid."""
    jsonschema.validate(json.loads(text), _SCHEMA)


def test_the_schema_knows_every_word() -> None:
    """Each reason, recovery and status that the model has is allowed, and no other."""
    properties = _SCHEMA["$defs"]["action"]["properties"]
    assert set(properties["reason"]["enum"]) == set(Reason)
    assert set(properties["recovery"]["enum"]) == set(Recovery)
    assert set(properties["status"]["enum"]) == {*OutcomeStatus, None}


@pytest.mark.parametrize("key", ["digest", "actions", "summary", "format_version"])
def test_the_schema_refuses_what_it_does_not_describe(key: str) -> None:
    """A missing key and one too many are both refused."""
    document = json.loads(plan_json(values.EVERYTHING))
    del document[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, _SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(plan_json(values.EMPTY)) | {"more": 1}, _SCHEMA)


def test_every_field_of_the_schema_is_described() -> None:
    """Each property says what it is for."""

    def described(schema: dict[str, object]) -> None:
        for section in ("properties", "$defs"):
            inner = schema.get(section, {})
            assert isinstance(inner, dict)
            for name, field in inner.items():
                assert field.get("description") or "$defs" not in schema, name
                described(field)

    described(_SCHEMA)


def test_values_keep_their_meaning() -> None:
    """A chosen alternative is an empty object, an absent field null, calendars are lists of what is known of them."""
    actions = {action["address"]: action for action in json.loads(plan_json(values.EVERYTHING))["actions"]}
    assert actions["harbor-dental/lee-work"]["changes"][0]["after"] == {}
    assert actions["harbor-dental/lee-work"]["changes"][0]["before"] is None
    assert actions["harbor-dental/lee-apple"]["changes"][0]["after"] == [
        {"name": "Work"},
        {"id": "a68yu6", "name": "Personal"},
        {"id": "c02"},
    ]


def test_errors_do_not_follow_the_order_in_which_they_were_found() -> None:
    """Faults are by place and guards by address, in whatever order they come."""
    (site,) = (site for site in values.TROUBLED.sites if site.violations)
    faults = tuple(Fault(None, f"harbor-dental/{name}", "it can't be") for name in "dacb")
    guards = tuple(replace(site.violations[0], address=f"harbor-dental/{name}") for name in "ba")
    one = replace(site, faults=faults[:2], unread=faults[2:], violations=guards)
    other = replace(site, faults=faults[1::-1], unread=faults[:1:-1], violations=guards[::-1])
    (first, second) = (json.loads(plan_json(Plan((each,))))["errors"] for each in (one, other))
    assert first == second
    assert [error["address"][-1] for error in first] == list("abcdab")


def test_what_is_only_shown_has_no_status() -> None:
    """What was not to be carried out did not end as done: its status is null."""
    actions = json.loads(result_json(values.ENDED))["actions"]
    shown = {action["address"] for action in actions if action["action"] in {"noop", "unmanaged"}}
    assert {action["address"] for action in actions if action["status"] is None} == shown
    assert shown


def digest_of(plan: Plan) -> str:
    """The digest that a plan's document states."""
    return str(json.loads(plan_json(plan))["digest"])


def test_the_digest_is_of_the_plan_alone() -> None:
    """What came of a plan does not change its digest; another change does."""
    other = replace(values.UPDATE, changes=values.UPDATE.changes[:1])
    assert json.loads(result_json(values.ENDED))["digest"] == digest_of(values.EVERYTHING)
    assert digest_of(Plan((SitePlan(values.SITE, (other,)),))) != digest_of(
        Plan((SitePlan(values.SITE, (values.UPDATE,)),))
    )


def test_nothing_harmful_comes_through() -> None:
    """Accounts, errors and links are without controls and bidirectional overrides."""
    evil = "\x1b[31m\u202e\n\x9b"
    action = altered(values.ASK, account=f"a{evil}@x.example", provider=f"p{evil}")
    outcome = replace(
        values.ENDED.outcomes[1], action=action, error=f"no{evil}", consent_url=f"https://x.example/{evil}"
    )
    text = result_json(Result(Plan((SitePlan(values.SITE, (action,)),)), (outcome,)))
    (shown,) = json.loads(text)["actions"]
    assert shown["account"] == "a[31m@x.example"
    assert shown["provider"] == "p[31m"
    assert shown["error"] == "no[31m"
    assert shown["consent_url"] == "https://x.example/[31m"
