"""A set says what documents of its own would: entries and rows over a template, with faults at their places."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from reconciler.manifests import Limits, load
from reconciler.manifests.loader import load_documents
from reconciler.model.desired import DeclaredConnection, Desired, ScheduleKey, State
from reconciler.model.source import Source, SourceMap
from reconciler.workflow.expansion import expand
from tests.manifests.conftest import refusals
from tests.manifests.set_files import CSV, ENTRIES, ROSTER, SET, load_files, write
from tests.support.builders.manifests import POLICY, SITE, SITE_ID, connection, documents
from tests.support.profiles import examples
from tests.support.scenarios.documents import as_yaml
from tests.support.scenarios.sets import SetScenario, as_files, sets

_OTHER_ID = SITE_ID.replace("7a3f", "8b3f")
_BESIDE = documents(
    SITE,
    SITE.replace("harbor-dental", "quay-physio").replace(SITE_ID, _OTHER_ID),
    POLICY,
    POLICY.replace("busy-times-only", "both-ways").replace("enabled: false", "enabled: true"),
)
_NOWHERE = SourceMap(Source("", 0, 0))


def meanings(desired: Desired) -> list[tuple[DeclaredConnection, str]]:
    """What is declared, wherever it stands, and what schedules are called."""
    return [(replace(one, sources=_NOWHERE), str(one.schedule)) for one in desired.connections]


@examples(150, profile="tests")
@given(sets())
def test_a_set_means_what_its_documents_mean(scenario: SetScenario) -> None:
    """Entries and rows over a template declare what the documents do that a plain merge of mappings gives."""
    apart = {"sites.yaml": _BESIDE.encode(), "all.yaml": as_yaml(*scenario.connections).encode()}
    assert meanings(load_files(as_files(scenario, _BESIDE))) == meanings(load_files(apart))


@examples(50, profile="tests")
@given(sets())
def test_what_is_rendered_means_the_same(scenario: SetScenario) -> None:
    """The documents that render prints declare what the set does, each on the site that is meant."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in as_files(scenario, _BESIDE).items():
            (folder / file).write_bytes(content)
        desired, found = load([folder]), expand([folder], Limits())
    assert len(found) == len(desired.connections)
    rendered = "\n---\n".join(one.text for one in found)
    assert meanings(load_files({"sites.yaml": _BESIDE.encode(), "all.yaml": rendered.encode()})) == meanings(desired)


def test_entries_rows_and_templates(folder: Path) -> None:
    """What an entry says wins over the template; places are the entry's, the template's, the policy's and the row's."""
    write(folder, ENTRIES + ROSTER, CSV)
    lee, kim, mo = load([Path()]).connections
    assert [one.address for one in (lee, kim, mo)] == ["harbor-dental/dr-lee", "harbor-dental/kim", "harbor-dental/mo"]
    assert (lee.provider.value, lee.lifecycle.prevent_disconnect) == ("google", True)
    assert (kim.provider.value, kim.lifecycle.prevent_disconnect, str(kim.password)) == (
        "apple",
        False,
        "env:EXTCAL_KIM",
    )
    assert (mo.schedule.by, mo.schedule.value, mo.state) == (ScheduleKey.NAME, "Mo", State.PRESENT)
    assert str(lee.sources.root) == "m.yaml:11:7"
    assert str(lee.sources.at("account")) == "m.yaml:11:49"
    assert str(lee.sources.at("provider")) == "m.yaml:7:5"
    assert str(kim.sources.at("provider")) == "m.yaml:15:7"
    assert str(mo.sources.root) == "staff.csv:2:1"
    assert str(mo.sources.at("account")) == "staff.csv:2:4"
    assert str(mo.sources.at("lifecycle.preventDisconnect")) == "m.yaml:9:17"
    assert lee.sources.at("syncConfig.syncToCalendar.enabled").file == "beside.yaml"


def test_a_set_can_say_everything_in_its_template_but_names_and_accounts(folder: Path) -> None:
    """A template may hold any field of a spec: one person's two accounts share even the schedule."""
    shared = SET.replace("    site:", "    schedule: {name: Dr. Lee}\n    state: absent\n    site:")
    entries = "  connections: [{name: one, account: a@b.example}, {name: two, account: c@d.example, state: present}]\n"
    write(folder, entries, around=shared)
    one, two = load([Path()]).connections
    assert (one.state, two.state) == (State.ABSENT, State.PRESENT)
    assert one.schedule == two.schedule


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("", "m.yaml:4:1: the set has no connections, at spec (list its connections, name a roster, or write"),
        ("  connections: []\n", "m.yaml:4:1: the set has no connections, at spec"),
        ("  connections: {}\n", "m.yaml:10:16: must be a list, not a mapping, at spec.connections"),
        ("  connections: [x]\n", "m.yaml:10:17: must be a mapping with a name, at spec.connections[0]"),
        (
            "  connections: [{name: x, schedule: {name: x}}]\n",
            "m.yaml:10:17: missing account: neither it nor the set's",
        ),
        ("  connections: [{schedule: {name: x}}]\n", "m.yaml:10:17: missing field 'name', at spec.connections[0]"),
        (
            "  connections: [{name: x, acount: y}]\n",
            "m.yaml:10:27: unknown field 'acount', at spec.connections[0]",
        ),
        (
            "  connections: [{name: x, password: hunter2}]\n",
            "m.yaml:10:27: a secret must not be written in a manifest: unknown field 'password'",
        ),
        (
            "  provider: apple\n  allowEmpty: true\n",
            "m.yaml:10:3: unknown field 'provider', at spec.provider (it belongs in template: indent it)",
        ),
        (
            "connections: [{name: x}]\n",
            "m.yaml:10:1: unknown field 'connections', at connections (it belongs in spec: indent it)",
        ),
        ("  template: {}\n  allowEmpty: true\n", "m.yaml:10:3: the field 'template' is written twice"),
        (
            "  roster: staff.csv\n",
            "m.yaml:10:11: the roster 'staff.csv' does not exist, at spec.roster (create it, or correct its",
        ),
        (
            "  roster: ../staff.csv\n",
            "m.yaml:10:11: must be the relative path of a .csv or .tsv file in the manifest's",
        ),
        ("  roster: /etc/staff.csv\n", "m.yaml:10:11: must be the relative path of a .csv or .tsv file"),
        ("  roster: staff.xlsx\n", "m.yaml:10:11: must be the relative path of a .csv or .tsv file"),
        ("  roster: [staff.csv]\n", "m.yaml:10:11: must be text, not a list, at spec.roster"),
        ("  rooster: staff.csv\n", "m.yaml:10:3: unknown field 'rooster', at spec.rooster (did you mean roster?)"),
    ],
)
def test_faults_of_a_set(folder: Path, spec: str, fault: str) -> None:
    """Each is at the entry or the field that is wrong, and says what would be right."""
    write(folder, spec)
    assert refusals(Path())[0].startswith(fault)


def test_faults_of_a_template_and_its_entries_come_together(folder: Path) -> None:
    """What is wrong with a template hides nothing that is wrong with an entry."""
    write(folder, "  connections: [{name: x, acount: y}]\n", around=SET.replace("provider:", "provder:"))
    assert [fault.split(",")[0] for fault in refusals(Path())] == [
        "m.yaml:7:5: unknown field 'provder'",
        "m.yaml:10:27: unknown field 'acount'",
    ]


def test_what_the_template_refers_to_is_one_fault(folder: Path) -> None:
    """A name in the template that nothing has is not a fault of each member."""
    write(folder, ENTRIES, around=SET.replace("harbor-dental", "harbr-dental").replace("busy-times-only", "bsy"))
    assert refusals(Path()) == [
        "m.yaml:6:11: no Site is called 'harbr-dental', at spec.template.site (did you mean harbor-dental?)",
        (
            "m.yaml:8:17: no SyncPolicy is called 'bsy', at spec.template.syncPolicy (declare it, or name a SyncPolicy "
            "that is declared)"
        ),
    ]


def test_a_site_that_is_left_out_is_one_fault_too(folder: Path) -> None:
    """Where several Sites are loaded, the set has to say which is meant, once for all members."""
    write(folder, ENTRIES, around=SET.replace("    site: harbor-dental\n", ""))
    assert len(load([Path()]).connections) == 2
    (folder / "other.yaml").write_text(SITE.replace("harbor-dental", "quay").replace(SITE_ID, _OTHER_ID))
    assert refusals(Path()) == [
        "m.yaml:1:1: missing field 'site', and 2 Sites are declared, at spec.template (set site to one of them)"
    ]


def test_names_are_unique_across_sets_documents_and_rows(folder: Path) -> None:
    """A connection has one address, wherever it is declared."""
    lee = connection("dr-lee", schedule={"name": "x"}, account="x@y.example")
    write(folder, ENTRIES + ROSTER, CSV.replace("mo,", "kim,"))
    (folder / "a.yaml").write_text(lee)
    first, second = refusals(Path())
    assert first.startswith(
        "m.yaml:11:14: the Connection 'dr-lee' is declared twice on site 'harbor-dental', at spec.connections[0].name "
        "(first at a.yaml:1:"
    )
    assert second == (
        "staff.csv:2:1: the Connection 'kim' is declared twice on site 'harbor-dental', at name (first at m.yaml:12:13)"
    )


def test_two_sets_of_one_name(folder: Path) -> None:
    """A set's name is unique, too."""
    write(folder, ENTRIES)
    (folder / "n.yaml").write_text(SET + ENTRIES.replace("name: dr-lee", "name: a").replace("name: kim", "name: b"))
    assert "n.yaml:3:18: the ConnectionSet 'dentists' is declared twice, at metadata.name" in refusals(Path())[0]


def test_overlaps_point_at_entries_and_cells(folder: Path) -> None:
    """One account on two schedules is told at the entry and at the row's cell."""
    write(folder, ENTRIES + ROSTER, CSV.replace("mo@", "lee@"))
    (fault,) = refusals(Path())
    assert fault.startswith("staff.csv:2:4: ")
    assert ", at account (" in fault


def test_a_broken_roster_leaves_references_open(folder: Path) -> None:
    """Where a roster could not be read, nobody says that its names are unknown."""
    write(folder, ROSTER, b"name,account,schedule_name\n\xff")
    (folder / "k.yaml").write_text(connection("k", syncPolicy="nope"))
    assert refusals(Path()) == [
        "staff.csv:2:1: the byte 0xff is not UTF-8 (save it as CSV in UTF-8; Excel calls that CSV UTF-8)",
        (
            "staff.csv:2:1: 1 reference is not checked: staff.csv could not be read completely (fix that first, then "
            "run validate again)"
        ),
    ]


def test_a_big_set_is_one_document(loaded: Callable[[str], Desired]) -> None:
    """More connections than a document may have values otherwise; aliases stay bounded."""
    entries = "".join(
        f"    - {{name: n{n}, schedule: {{name: s{n}}}, account: a{n}@b.example}}\n" for n in range(2_000)
    )
    text = documents(SITE, POLICY, f"{SET}  connections:\n{entries}")
    assert len(loaded(text).connections) == 2_000


def test_an_empty_set_that_is_meant(folder: Path) -> None:
    """`allowEmpty` says that nobody forgot anything."""
    write(folder, "  allowEmpty: true\n")
    assert load([Path()]).connections == ()
    write(folder, ROSTER + "  allowEmpty: true\n", "name,account,schedule_name\n")
    desired, documents_ = load_documents([Path()])
    assert desired.connections == ()
    assert [one.name for one in documents_.sets] == ["dentists"]
