"""New connections of a site whose manifests keep sets: entries and rows beside those that are there."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.model.live import LiveConnection
from reconciler.model.sync import SyncConfig
from reconciler.pull.values import BY_SIZE, PullOptions
from tests.pull.handwriting import SITE, written
from tests.pull.live import (
    APPLE,
    AS_DOCUMENTS,
    AS_ROSTERS,
    AS_SETS,
    DEDICATED,
    GOOGLE,
    PRIMARY,
    ROTA,
    WORK,
    actions,
    chosen,
    pull,
)
from tests.pull.staff import ROSTER, SET, person, schedule_id, staff, staffed

TEMPLATE = "  template: {site: harbor, provider: google, syncPolicy: busy-times-only}\n"
HEADER = "name,account,schedule_id,schedule_name"
ROW = f"lee,staff0@harbor-dental.example,{schedule_id(0)},Staff 0"
ENTRY = f"{{name: lee, schedule: {{id: {schedule_id(0)}}}, account: staff0@harbor-dental.example}}"
NEW = person(1)
LINE = f"{{name: staff-1, schedule: {{id: {schedule_id(1)}, name: Staff 1}}, account: staff1@harbor-dental.example}}"


def _set(rest: str, name: str = "dentists") -> str:
    return f"apiVersion: extcal/v1\nkind: ConnectionSet\nmetadata: {{name: {name}}}\nspec:\n{rest}"


def _roster(folder: Path, table: str | bytes, name: str = "lists/staff.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    return path


@pytest.mark.parametrize(
    "written_so",
    [
        "  connections:\n    - {ENTRY}   # chief<\n    - {LINE}>\n# the end\n",
        "  connections:\n  - {ENTRY}<\n  - {LINE}>",
        "  connections: &all\n    - {ENTRY}<\n    - {LINE}>\n",
        "  connections: [{ENTRY}<, {LINE}>]\n",
        "  connections: [\n    {ENTRY}<, {LINE}>,   # chief\n  ]\n",
        (
            "  connections:\n    - name: lee\n      account: staff0@harbor-dental.example\n"
            "      schedule: {ID}<\n    - {LINE}>\n  allowEmpty: true\n"
        ),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_entry_is_added_at_the_end(folder: Path, written_so: str, line_end: str) -> None:
    """In the list's own style, with what the template leaves out; all else keeps every byte."""
    text = _set(TEMPLATE + written_so).replace("{ENTRY}", ENTRY).replace("{ID}", f"{{id: {schedule_id(0)}}}")
    before, new, after = re.split("[<>]", text.replace("{LINE}", LINE).replace("\n", line_end))
    written(folder, SITE)
    path = written(folder, before + after, to="set.yaml")
    seen = staffed([person(0), NEW])
    assert pull(folder, seen).changed == ["set.yaml"]
    assert path.read_bytes().decode() == before + new + after
    assert actions(folder, seen) == {"harbor/lee": "noop", "harbor/staff-1": "noop"}
    assert pull(folder, seen).changed == []


@pytest.mark.parametrize(
    "spec", [f"{TEMPLATE}  roster: lists/staff.csv\n", f"{TEMPLATE}  connections: []\n  roster: lists/staff.csv\n"]
)
def test_a_set_with_a_roster_alone_gets_connections(folder: Path, spec: str) -> None:
    """What a row can't say becomes the first entry."""
    path = written(folder, SITE, _set(spec))
    _roster(folder, f"{HEADER}\n{ROW}\n")
    own = person(1, sync=SyncConfig(chosen(WORK), DEDICATED))
    seen = staffed([person(0), own])
    pull(folder, seen)
    assert "name: staff-1" in path.read_text()
    assert set(actions(folder, seen).values()) == {"noop"}
    assert pull(folder, seen).changed == []


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (f"{HEADER}\n{ROW}\n", f"staff-1,staff1@harbor-dental.example,{schedule_id(1)},Staff 1\n"),
        (f"{HEADER}\r\n{ROW}\r\n", f"staff-1,staff1@harbor-dental.example,{schedule_id(1)},Staff 1\r\n"),
        (f"{HEADER}\n{ROW}", f"\nstaff-1,staff1@harbor-dental.example,{schedule_id(1)},Staff 1"),
        (
            f"{HEADER};phone;sync_policy\n{ROW};17;\n".replace(",", ";"),
            f"staff-1;staff1@harbor-dental.example;{schedule_id(1)};Staff 1;;\n",
        ),
        (
            b"\xef\xbb\xbf"
            b'"phone"\taccount\tname\tschedule_id\n"1\t2"\tstaff0@harbor-dental.example\tlee\t'
            + f"{schedule_id(0)}\n".encode(),
            f"\tstaff1@harbor-dental.example\tstaff-1\t{schedule_id(1)}\n",
        ),
    ],
)
def test_a_row_is_added_at_the_end(folder: Path, table: str | bytes, row: str) -> None:
    """With the table's separator, line end and columns; those that nobody reads here are empty."""
    written(folder, SITE, _set(f"{TEMPLATE}  roster: lists/staff.csv\n"))
    path = _roster(folder, table)
    before = path.read_bytes()
    seen = staffed([person(0), NEW])
    assert pull(folder, seen).changed == ["lists/staff.csv"]
    assert path.read_bytes() == before + row.encode()
    assert actions(folder, seen) == {"harbor/lee": "noop", "harbor/staff-1": "noop"}
    assert pull(folder, seen).changed == []


def test_a_roster_without_ids_gets_a_name_that_means_one_schedule(folder: Path) -> None:
    """As its other rows name theirs; where two schedules have the name an entry says the id."""
    path = written(folder, SITE, _set(f"{TEMPLATE}  roster: lists/staff.csv\n"))
    table = _roster(folder, "name,account,schedule_name\nlee,staff0@harbor-dental.example,Staff 0\n")
    names = {2: "Twin", 3: "Twin"}
    seen = staffed([person(0), NEW, person(2), person(3)], lambda number: names.get(number, f"Staff {number}"))
    pull(folder, seen)
    assert table.read_text().endswith("\nstaff-1,staff1@harbor-dental.example,Staff 1\n")
    assert path.read_text().count("name: Twin") == 2
    assert list(actions(folder, seen).values()) == ["noop"] * 4


def test_what_the_columns_can_not_say_is_an_entry(folder: Path) -> None:
    """No column is added for it: a provider, a password, a policy of its own."""
    path = written(folder, SITE, _set(f"{TEMPLATE}  roster: lists/staff.csv\n"))
    table = _roster(folder, f"{HEADER}\n{ROW}\n")
    seen = staffed([person(0), NEW, person(2, APPLE), person(3, sync=SyncConfig(PRIMARY, DEDICATED))])
    pull(folder, seen)
    assert len(table.read_text().splitlines()) == 3
    text = path.read_text()
    assert "provider: apple, credentials: {password: {env: EXTCAL_STAFF_2_PASSWORD}}" in text
    assert "syncPolicy: import-primary-export-dedicated" in text
    assert list(actions(folder, seen).values()) == ["noop"] * 4


def test_a_row_states_what_differs_where_there_are_columns(folder: Path) -> None:
    """Its provider, its password's variable, and its policy."""
    written(folder, SITE, _set(f"{TEMPLATE}  roster: lists/staff.csv\n"))
    table = _roster(folder, f"{HEADER},provider,sync_policy,password_env\n{ROW},,,\n")
    seen = staffed([person(0), NEW, person(2, APPLE), person(3, sync=SyncConfig(PRIMARY, DEDICATED))])
    pull(folder, seen)
    rows = {row["name"]: row for row in csv.DictReader(table.read_text().splitlines())}
    assert (rows["staff-1"]["provider"], rows["staff-2"]["provider"]) == ("", "apple")
    assert rows["staff-2"]["password_env"] == "EXTCAL_STAFF_2_PASSWORD"
    assert rows["staff-3"]["sync_policy"] == "import-primary-export-dedicated"
    assert list(actions(folder, seen).values()) == ["noop"] * 4


def test_a_roster_that_two_sets_share_gets_no_rows(folder: Path) -> None:
    """A row would be a connection of each; an entry is one of its set alone."""
    other = SITE.split("---\n")[0].replace("harbor", "quay", 1).replace("name: harbor", "name: quay")
    other = other.replace("7a3f0c1e", "2c5d8f31").replace("name: harbor", "name: quay")
    second = _set(
        TEMPLATE.replace("harbor", "quay").replace("google", "microsoft") + "  roster: lists/staff.csv\n", "other"
    )
    written(folder, SITE, _set(f"{TEMPLATE}  roster: lists/staff.csv\n"), other, second)
    table = _roster(folder, f"{HEADER}\n{ROW}\n")
    seen = staffed([person(0), NEW])
    pull(folder, seen)
    assert table.read_text() == f"{HEADER}\n{ROW}\n"
    assert actions(folder, seen)["harbor/staff-1"] == "noop"


@pytest.mark.parametrize("kept", ["connections:\n    - {ENTRY}", "roster: lists/staff.csv"])
def test_what_is_new_has_the_protections_of_its_set(folder: Path, kept: str) -> None:
    """What a template says of lifecycle and password is said for those who come later, too; a tombstone is not."""
    template = TEMPLATE.replace("google", "apple").replace(
        "}", ", lifecycle: {preventDisconnect: true}, state: absent, credentials: {password: {env: EXTCAL_ALL}}}"
    )
    path = written(folder, SITE, _set(f"{template}  {kept.replace('{ENTRY}', ENTRY)}\n"))
    table = _roster(folder, f"{HEADER},state\n{ROW},\n")
    seen = staffed([person(0, APPLE), person(1, APPLE)])
    assert pull(folder, seen).pull.failures == ()
    new = next(one for one in load([folder]).connections if one.name == "staff-1")
    assert (new.lifecycle.prevent_disconnect, str(new.password), new.state) == (True, "env:EXTCAL_ALL", "present")
    assert actions(folder, seen)["harbor/staff-1"] == "noop"
    if "roster" in kept:
        assert table.read_text().endswith(",Staff 1,present\n")
    else:
        assert path.read_text().endswith(f"    - {LINE.removesuffix('}')}, state: present}}\n")


def test_of_several_sets_the_one_that_says_most_takes_it(folder: Path) -> None:
    """Each provider has its set here."""
    apple = TEMPLATE.replace("google", "apple")
    kim = ENTRY.replace("lee", "kim").replace(schedule_id(0), schedule_id(9)).replace("staff0", "staff9")
    path = written(
        folder,
        SITE,
        _set(f"{TEMPLATE}  connections:\n    - {ENTRY}\n"),
        _set(f"{apple}  connections:\n    - {kim}\n", "others"),
    )
    seen = staffed([person(0), person(9, APPLE), person(1), person(2, APPLE)])
    pull(folder, seen)
    google, others = path.read_text().split("---\n")[2:]
    assert ("name: staff-1" in google, "name: staff-2" in others) == (True, True)
    assert "provider:" not in others.split("connections:")[1]
    assert list(actions(folder, seen).values()) == ["noop"] * 4


_PASSWORD = "provider: apple, credentials: {password: {env: EXTCAL_ALL}}"
_SYNC = "syncConfig: {listEventFromCalendars: {enabled: true, primaryCalendar: {}}}"


@pytest.mark.parametrize(
    ("template", "lives"),
    [
        (TEMPLATE.replace("provider: google", _PASSWORD), [person(0, APPLE), person(1)]),
        (TEMPLATE.replace("syncPolicy: busy-times-only", _SYNC), [person(0), person(1, ROTA, sync=SyncConfig())]),
    ],
)
def test_what_no_set_can_hold_is_a_document(folder: Path, template: str, lives: list[LiveConnection]) -> None:
    """A template's password or sync config can't be taken back."""
    written(folder, SITE, _set(f"{template}  connections:\n    - {ENTRY}\n"))
    done = pull(folder, staffed(lives))
    assert done.saved.created == ["schedules/staff-1.yaml"]
    assert set(actions(folder, staffed(lives)).values()) == {"noop"}


def test_json_sets_stay_json(folder: Path) -> None:
    """An entry is quoted where its file is JSON."""
    written(folder, SITE)
    text = (
        '{"apiVersion": "extcal/v1", "kind": "ConnectionSet", "metadata": {"name": "dentists"}, "spec": {"template": '
        '{"site": "harbor", "provider": "google", "syncPolicy": "busy-times-only"}, "connections": [{"name": "lee", '
        f'"schedule": {{"id": "{schedule_id(0)}"}}, "account": "staff0@harbor-dental.example"}}]}}}}'
    )
    path = written(folder, text, to="set.json")
    seen = staffed([person(0), person(1, sync=SyncConfig(chosen(WORK), DEDICATED))])
    pull(folder, seen)
    assert '"calendars": [{"id": "a68yu6", "name": "Work"}]' in path.read_text()
    assert set(actions(folder, seen).values()) == {"noop"}


@pytest.mark.parametrize("first", [AS_DOCUMENTS, AS_SETS, AS_ROSTERS])
@pytest.mark.parametrize("then", [BY_SIZE, AS_DOCUMENTS, AS_SETS, AS_ROSTERS])
def test_what_is_new_goes_where_it_is_kept_or_asked_for(folder: Path, first: PullOptions, then: PullOptions) -> None:
    """Documents beside documents, entries beside entries, rows beside rows, unless something else is asked for."""
    pull(folder, staff(5), options=first)
    seen = staff(7)
    done = pull(folder, seen, options=then)
    assert done.pull.failures == ()
    kept = first if then is BY_SIZE else then
    if kept is AS_DOCUMENTS:
        assert done.saved.created == ["harbor-dental/schedules/staff-5.yaml", "harbor-dental/schedules/staff-6.yaml"]
    elif kept is AS_SETS:
        assert "name: staff-6, " in (folder / SET).read_text()
    else:
        assert (folder / ROSTER).read_text().count("\nstaff-6,") == 1
    assert list(actions(folder, seen).values()) == ["noop"] * 7
    assert pull(folder, seen, options=then).changed == []


def test_an_entry_that_drifted_and_a_new_one_are_written_together(folder: Path) -> None:
    """An edit of the last entry and an entry after it do not get into each other's way."""
    pull(folder, staff(5))
    lives = [*(person(number) for number in range(4)), person(4, sync=SyncConfig(chosen(WORK), DEDICATED)), person(5)]
    seen = staffed(lives)
    done = pull(folder, seen)
    assert (done.changed, done.pull.failures) == (["harbor-dental/connections.yaml"], ())
    assert list(actions(folder, seen).values()) == ["noop"] * 6


def test_a_set_of_several_sites_says_the_site(folder: Path) -> None:
    """Where the template names another one."""
    other = SITE.split("---\n")[0].replace("name: harbor", "name: quay").replace("7a3f0c1e", "2c5d8f31")
    entries = f"  connections:\n    - {ENTRY.replace('account', 'site: harbor, account')}\n"
    path = written(folder, SITE, other, _set(TEMPLATE.replace("harbor", "quay") + entries))
    seen = staffed([person(0), NEW])
    pull(folder, seen)
    assert path.read_text().endswith(f"{LINE.replace('}}', '}').removesuffix('}')}, site: harbor}}\n")
    assert set(actions(folder, seen).values()) == {"noop"}


def test_a_set_without_a_site_stays_so(folder: Path) -> None:
    """The only Site is meant."""
    path = written(folder, SITE, _set(f"{TEMPLATE.replace('site: harbor, ', '')}  connections:\n    - {ENTRY}\n"))
    seen = staffed([person(0), replace(NEW, provider_id=GOOGLE.id)])
    pull(folder, seen)
    assert path.read_text().endswith(f"    - {LINE}\n")
    assert {one.site for one in load([folder]).connections} == {"harbor"}
