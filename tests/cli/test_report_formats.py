"""`extcal status`, `plan --format markdown|html` and `validate --format github` as their users run them."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, QUAY, connection, harbor, schedule_id, site, world

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "status.schema.json").read_text(encoding="utf-8"))
REQUESTS = ["/bookings/v2/external-calendars/connections", "/bookings/v2/external-calendars/providers"]


@pytest.fixture
def mixed(extcal: Extcal) -> Extcal:
    """Harbor Dental with one connection as declared, one missing, one that waits for its owner, one undeclared."""
    extcal.on(world(harbor(0, 3)))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(more="scope: site"), connection(0, more=BUSY), connection(1), connection(2, provider="google"))
    return extcal


def test_status_shows_every_connection_with_its_health(mixed: Extcal) -> None:
    """The worst first, the undeclared last, a summary at the end; two reads and no write are sent."""
    ran = mixed("status", "manifests", "--no-names")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    words = [
        word for line in lines for word in ("missing", "awaiting consent", "ok", "unmanaged") if f"  {word} " in line
    ]
    assert words == ["missing", "awaiting consent", "ok", "unmanaged"]
    assert lines[-1] == "Status: 1 missing, 1 awaiting consent, 1 ok; 1 unmanaged."
    assert sorted(request.path for request in mixed.sandbox.requests) == REQUESTS


def test_status_as_json_is_one_document(mixed: Extcal) -> None:
    """It is as its schema says, and names what each connection needs."""
    ran = mixed("status", "manifests", "--format", "json")
    assert ran.code == 0
    Draft202012Validator(SCHEMA).validate(ran.document)
    found = {c["address"]: c for c in json.loads(ran.out)["connections"]}
    assert {address: c["health"] for address, c in found.items()} == {
        "harbor/staff-0": "ok",
        "harbor/staff-1": "missing",
        "harbor/staff-2": "awaiting-consent",
        "harbor/id:live-3": "unmanaged",
    }
    assert found["harbor/staff-0"]["connection_id"] == "live-0"
    assert found["harbor/staff-1"]["schedule_id"] == schedule_id(1)


def test_status_as_html_is_one_document(mixed: Extcal) -> None:
    """A whole page and nothing beside it on stdout."""
    ran = mixed("status", "manifests", "--format", "html")
    assert ran.code == 0
    assert ran.out.startswith("<!DOCTYPE html>")
    assert ran.out.rstrip().endswith("</html>")
    assert "staff1@harbor-dental.example" in ran.out


def test_status_of_one_connection_is_about_that_one(mixed: Extcal) -> None:
    """`--connection` leaves the others out, the undeclared ones too."""
    ran = mixed("status", "manifests", "--connection", "staff-1")
    assert ran.out.splitlines()[-1] == "Status: 1 missing; 0 unmanaged."


@pytest.mark.parametrize("output", ["text", "json", "html"])
def test_a_site_that_can_not_be_read_is_unknown(mixed: Extcal, output: str) -> None:
    """The others are shown all the same; the exit code is 1, and stderr says why."""
    mixed.write(site("quay", id_=QUAY), connection(5, of="quay"), to="manifests/quay.yaml")
    ran = mixed("status", "manifests", "--format", output)
    assert ran.code == 1
    assert "ListProviders" in ran.err or "ListConnections" in ran.err
    assert "unknown" in ran.out
    assert "harbor" in ran.out
    if output == "json":
        Draft202012Validator(SCHEMA).validate(ran.document)
        assert json.loads(ran.out)["errors"][0]["address"] == "quay"


@pytest.mark.parametrize(("output", "begins"), [("json", "{"), ("html", "<!DOCTYPE html>"), ("text", "")])
def test_manifests_with_faults_have_a_report_too(mixed: Extcal, output: str, begins: str) -> None:
    """JSON and HTML are whole documents that say what is wrong; the faults are on stderr as ever."""
    mixed.write("kind: Site\napiVersion: extcal/v1\n", to="manifests/bad.yaml")
    ran = mixed("status", "manifests", "--format", output)
    assert ran.code == 1
    assert ran.err.startswith("manifests/bad.yaml:")
    assert ran.out.startswith(begins)
    assert ("manifests/bad.yaml" in ran.out) is (output != "text")
    if output == "json":
        Draft202012Validator(SCHEMA).validate(ran.document)


@pytest.mark.parametrize(("output", "begins"), [("markdown", "<!-- extcal-plan -->\n"), ("html", "<!DOCTYPE html>\n")])
def test_a_plan_in_either_format(mixed: Extcal, output: str, begins: str) -> None:
    """The exit codes are those of any plan, and with faults there is a document too."""
    ran = mixed.process("plan", "manifests", "--format", output, "--detailed-exitcode")
    assert ran.code == 2
    assert ran.out.startswith(begins)
    assert "staff2@harbor-dental.example" in ran.out
    mixed.write("kind: Site\napiVersion: extcal/v1\n", to="manifests/bad.yaml")
    ran = mixed("plan", "manifests", "--format", output)
    assert ran.code == 1
    assert ran.out.startswith(begins)
    assert "manifests/bad.yaml" in ran.out


def test_validate_annotates_every_fault(mixed: Extcal) -> None:
    """Each fault is a workflow command on stdout, in order; the exit code is 1; nothing is said twice."""
    mixed.write(
        "kind: Site\napiVersion: extcal/v1\n---\nkind: Nothing\napiVersion: extcal/v1\n", to="manifests/bad.yaml"
    )
    plain, ran = mixed("validate", "manifests"), mixed("validate", "manifests", "--format", "github")
    assert (plain.code, ran.code) == (1, 1)
    faults, commands = plain.err.splitlines(), ran.out.splitlines()
    assert len(commands) == len(faults) >= 2
    for fault, command in zip(faults, commands, strict=True):
        assert command.startswith("::error file=manifests/bad.yaml,line=")
        assert command.partition("::")[2].partition("::")[2] == fault
    assert ran.err == ""


def test_validate_says_the_same_of_valid_manifests(mixed: Extcal) -> None:
    """Without a fault both formats say what was checked."""
    shown = [mixed("validate", "manifests", "--format", output) for output in ("text", "github")]
    assert [ran.code for ran in shown] == [0, 0]
    assert shown[0].out == shown[1].out == "Valid: 1 site, 3 connections.\n"
