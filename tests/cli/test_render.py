"""`extcal render`: what sets and rosters expand to, as documents that mean the same."""

import json

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import connection, email, schedule_id, site

SET = f"""\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {{name: staff}}
spec:
  template: {{site: harbor, provider: google}}
  connections:
    - name: staff-1
      schedule: {{id: {schedule_id(1)}}}
      account: {email(1)}
      syncConfig:
        listEventFromCalendars: {{enabled: true, calendars: [Work, {{id: k1, name: "Home: 1"}}]}}
  roster: staff.csv
"""


@pytest.fixture
def rendering(extcal: Extcal) -> Extcal:
    """A set of one entry and one row beside a document."""
    extcal.write(site(), connection(3), "---\n" + SET)
    rows = f"name,account,schedule_id,state\nstaff-2,{email(2)},{schedule_id(2)},absent\n"
    (extcal.folder / "manifests" / "staff.csv").write_text(rows)
    return extcal


def test_each_document_says_where_it_comes_from(rendering: Extcal) -> None:
    """Entries and rows are printed, below their places; what is a document already is not."""
    ran = rendering("render", "manifests")
    assert ran.code == 0, ran.err
    assert (
        ran.out
        == f"""\
# manifests/all.yaml:26:7, of staff
apiVersion: extcal/v1
kind: Connection
metadata: {{name: staff-1}}
spec:
  site: harbor
  schedule: {{id: {schedule_id(1)}}}
  provider: google
  account: {email(1)}
  syncConfig:
    listEventFromCalendars:
      enabled: true
      calendars:
        - Work
        - {{id: k1, name: "Home: 1"}}
---
# manifests/staff.csv:2:1, of staff
apiVersion: extcal/v1
kind: Connection
metadata: {{name: staff-2}}
spec:
  site: harbor
  schedule: {{id: {schedule_id(2)}}}
  provider: google
  account: {email(2)}
  state: absent
"""
    )


def test_json_has_the_same(rendering: Extcal) -> None:
    """An array of documents, each with its source."""
    ran = rendering("render", "manifests", "--format", "json")
    first, second = json.loads(ran.out)
    assert first["spec"]["syncConfig"]["listEventFromCalendars"]["calendars"] == [
        "Work",
        {"id": "k1", "name": "Home: 1"},
    ]
    assert (second["source"], second["metadata"], second["spec"]["state"]) == (
        "manifests/staff.csv:2:1",
        {"name": "staff-2"},
        "absent",
    )


def test_what_is_rendered_plans_the_same(rendering: Extcal) -> None:
    """Documents in the place of the set are valid, as many, and by the same addresses."""
    rendered = rendering("render", "manifests").out
    rendering.write(site(), connection(3), "---\n" + rendered)
    (rendering.folder / "manifests" / "staff.csv").unlink()
    ran = rendering("validate", "manifests")
    assert ran.out == "Valid: 1 site, 3 connections.\n"
    assert "no ConnectionSets" in rendering("render", "manifests").err
    assert json.loads(rendering("render", "manifests", "--format", "json").out) == []


def test_faults_are_told_and_nothing_is_printed(rendering: Extcal) -> None:
    """What does not load is not expanded either."""
    (rendering.folder / "manifests" / "staff.csv").unlink()
    ran = rendering("render", "manifests")
    assert (ran.code, ran.out) == (1, "")
    assert "manifests/all.yaml:31:11: the roster 'staff.csv' does not exist, at spec.roster" in ran.err


def test_columns_that_are_not_read_are_noted(rendering: Extcal) -> None:
    """A note names them, on stderr or as an annotation, while a change is looked at; --quiet keeps it back."""
    roster = rendering.folder / "manifests" / "staff.csv"
    roster.write_text(f"name,phone,account,schedule_id,room\nstaff-2,12,{email(2)},{schedule_id(2)},3\n")
    assert (
        "note: manifests/staff.csv:1:6: the columns are not read: 'phone', 'room'"
        in rendering("validate", "manifests").err
    )
    assert rendering("validate", "manifests", "--quiet").err == ""
    assert "1:6: the columns are not read" in rendering("plan", "manifests").err
    assert rendering("status", "manifests").err == ""
    annotated = rendering("validate", "manifests", "--format", "github").out
    assert annotated.startswith("::notice file=manifests/staff.csv,line=1,col=6,title=extcal validate::")


def test_faults_of_rows_annotate_the_csv(rendering: Extcal) -> None:
    """A pull request's check points at the line of the CSV that is wrong."""
    roster = rendering.folder / "manifests" / "staff.csv"
    roster.write_text(roster.read_text() + "staff-9,nobody,Dr. Lee,\n")
    ran = rendering("validate", "manifests", "--format", "github")
    assert ran.code == 1
    assert "::error file=manifests/staff.csv,line=3,col=9,title=extcal validate::" in ran.out
