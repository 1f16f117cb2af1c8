"""How new connections are laid out: documents, a set, or a set with a roster, by their number or as asked for."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.model.account import Account
from reconciler.model.desired import Lifecycle, SecretKind, SecretRef
from reconciler.model.sync import SyncConfig
from reconciler.pull.values import BY_SIZE, PullOptions
from tests.pull.live import (
    APPLE,
    AS_DOCUMENTS,
    AS_ROSTERS,
    AS_SETS,
    DEDICATED,
    GOOGLE,
    OFF,
    PRIMARY,
    ROTA,
    SITE_ID,
    WORK,
    actions,
    chosen,
    pull,
    site,
)
from tests.pull.staff import HOME, POLICIES, ROSTER, SET, person, schedule_id, staff, staffed
from tests.support.hostile_texts import PAYLOADS

SET_TEXT = """\
# The connections of harbor-dental: `template` says what they share, and each can say it otherwise.
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: harbor-dental}
spec:
  template:
    site: harbor-dental
    provider: google
    syncPolicy: import-primary
  # Set the variables to the accounts' passwords; they are needed only to connect the accounts again.
  connections:
    - {name: staff-0, schedule: {id: 3e47ec65-2975-447c-a7ed-000000000000, name: Staff 0}, account: staff0@harbor-dental.example}
    - {name: staff-1, schedule: {id: 3e47ec65-2975-447c-a7ed-000000000001, name: Staff 1}, account: staff1@harbor-dental.example}
    - {name: staff-2, schedule: {id: 3e47ec65-2975-447c-a7ed-000000000002, name: Staff 2}, account: staff2@harbor-dental.example, provider: apple, credentials: {password: {env: EXTCAL_STAFF_2_PASSWORD}}}
    - name: staff-3
      schedule: {id: 3e47ec65-2975-447c-a7ed-000000000003, name: Staff 3}
      account: staff3@harbor-dental.example
      syncConfig:
        listEventFromCalendars:
          enabled: true
          calendars:
            - {id: a68yu6, name: Work}
        syncToCalendar: {enabled: true, dedicatedCalendar: {}}
"""  # noqa: E501 - an entry is a line

ROSTER_TEXT = f"""\
name,account,schedule_id,schedule_name,provider,password_env
staff-0,staff0@harbor-dental.example,{schedule_id(0)},Staff 0,,
staff-1,staff1@harbor-dental.example,{schedule_id(1)},Staff 1,,
staff-2,staff2@harbor-dental.example,{schedule_id(2)},Staff 2,apple,EXTCAL_STAFF_2_PASSWORD
"""

MIXED = staffed([person(0), person(1), person(2, APPLE), person(3, sync=SyncConfig(chosen(WORK), DEDICATED))])


@pytest.mark.parametrize(
    ("count", "files"),
    [
        (
            3,
            {
                "site.yaml",
                "policies.yaml",
                "schedules/staff-0.yaml",
                "schedules/staff-1.yaml",
                "schedules/staff-2.yaml",
            },
        ),
        (4, {"site.yaml", "policies.yaml", "connections.yaml"}),
        (30, {"site.yaml", "policies.yaml", "connections.yaml"}),
        (31, {"site.yaml", "policies.yaml", "connections.yaml", "staff.csv"}),
    ],
)
def test_a_sites_size_decides(folder: Path, count: int, files: set[str]) -> None:
    """Documents up to three, entries up to thirty, a roster beyond; either way planning finds nothing to do."""
    seen = staff(count)
    pull(folder, seen)
    assert {str(path.relative_to(folder / HOME)) for path in folder.rglob("*.*")} == files
    assert list(actions(folder, seen).values()) == ["noop"] * count
    assert pull(folder, seen).changed == []


def test_a_set_reads_as_a_person_would_write_it(folder: Path) -> None:
    """What most share stands in the template, an entry is a line, and calendars have a line each."""
    pull(folder, MIXED)
    assert (folder / SET).read_text() == SET_TEXT
    assert set(actions(folder, MIXED).values()) == {"noop"}


def test_a_roster_has_the_columns_that_its_rows_need(folder: Path) -> None:
    """What no column can say is an entry beside the roster."""
    pull(folder, MIXED, options=AS_ROSTERS)
    assert (folder / ROSTER).read_bytes() == ROSTER_TEXT.encode()
    text = (folder / SET).read_text()
    assert text.endswith("        syncToCalendar: {enabled: true, dedicatedCalendar: {}}\n  roster: staff.csv\n")
    assert text.count("account:") == 1
    assert set(actions(folder, MIXED).values()) == {"noop"}


@pytest.mark.parametrize("options", [AS_DOCUMENTS, AS_SETS, AS_ROSTERS])
def test_the_layout_that_is_asked_for_is_written(folder: Path, options: PullOptions) -> None:
    """Whatever the site's size, and pulling again changes nothing."""
    for count in (1, 40):
        place, seen = folder / str(count), staff(count)
        pull(place, seen, options=options)
        kinds = {path.name for path in place.rglob("*.*")} - {"site.yaml", "policies.yaml"}
        expected = {AS_SETS: {"connections.yaml"}, AS_ROSTERS: {"connections.yaml", "staff.csv"}}
        assert kinds == expected.get(options, {f"staff-{number}.yaml" for number in range(count)})
        assert set(actions(place, seen).values()) == {"noop"}
        assert pull(place, seen, options=options).changed == []
        assert pull(place, seen).changed == []


@pytest.mark.parametrize("options", [AS_DOCUMENTS, AS_SETS, AS_ROSTERS])
def test_a_site_without_connections_has_no_set(folder: Path, options: PullOptions) -> None:
    """An empty set would be a fault."""
    assert pull(folder, staff(0), options=options).changed == ["harbor-dental/site.yaml"]


def test_names_are_short_where_they_can_be(folder: Path) -> None:
    """A person with one connection gives it their name; with two, the provider tells them apart, never a number."""
    lives = [person(0), person(0, APPLE, id="b"), person(1), person(2), person(3, APPLE)]
    pull(folder, staffed(lives, lambda number: "Dr. Lee" if number == 3 else f"Staff {number}"))
    assert [one.name for one in load([folder]).connections] == [
        "dr-lee",
        "staff-0-apple",
        "staff-0-google",
        "staff-1",
        "staff-2",
    ]


def test_people_of_one_name_are_told_apart_by_their_accounts(folder: Path) -> None:
    """As documents are."""
    lives = [person(number) for number in range(4)]
    pull(folder, staffed(lives, lambda _: "Dr. Lee"))
    names = [one.name for one in load([folder]).connections]
    assert names == ["dr-lee-google", "dr-lee-google-staff1", "dr-lee-google-staff2", "dr-lee-google-staff3"]


def test_names_are_unique_within_a_site_and_variables_across_sites(folder: Path) -> None:
    """Two sites may each have a Dr. Lee; no two share a password."""
    here = staffed([person(number, APPLE) for number in range(4)])
    others = [person(number, APPLE, account=Account(f"staff{number}@quay.example")) for number in range(4)]
    there = replace(staffed(others), site=site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24"))
    pull(folder, here, there)
    declared = load([folder]).connections
    assert [one.name for one in declared] == [f"staff-{number}" for number in range(4)] * 2
    assert len({str(one.password) for one in declared}) == 8
    assert "EXTCAL_QUAY_STAFF_0_PASSWORD" in (folder / "quay/connections.yaml").read_text()
    assert {*actions(folder, here).values(), *actions(folder, there).values()} == {"noop"}


def test_what_most_share_is_in_the_template_and_the_others_take_it_back(folder: Path) -> None:
    """Of what manifests elsewhere say of a site's connections, too: protection, and one password for all."""
    kept = Lifecycle(prevent_disconnect=True, ignore_changes=("syncConfig.syncToCalendar",))
    secret = SecretRef(SecretKind.FILE, "apple/all")
    seen = staffed([person(number, APPLE) for number in range(4)])
    pull(folder / "before", seen)
    declared = load([folder / "before"]).connections
    known = {
        f"live-{number}": replace(one, password=secret, lifecycle=Lifecycle() if number == 2 else kept)
        for number, one in enumerate(declared)
    }
    pull(folder / "after", replace(seen, known=known))
    text = (folder / "after" / SET).read_text()
    assert "    credentials: {password: {file: apple/all}}\n" in text
    assert "    lifecycle:\n      preventDisconnect: true\n      ignoreChanges:\n" in text
    after = {one.name: one for one in load([folder / "after"]).connections}
    assert [after[f"staff-{number}"].lifecycle for number in range(4)] == [kept, kept, Lifecycle(), kept]
    assert {one.password for one in after.values()} == {secret}
    assert set(actions(folder / "after", seen).values()) == {"noop"}
    pull(folder / "roster", replace(seen, known=known), options=AS_ROSTERS)
    assert "    - {name: staff-2, " in (folder / "roster" / SET).read_text()
    assert set(actions(folder / "roster", seen).values()) == {"noop"}


def test_few_that_can_not_share_the_policy_are_documents(folder: Path) -> None:
    """Where a sync config can't be changed none is stated, and a template's policy could not be taken back."""
    seen = staffed([*(person(number) for number in range(6)), person(6, ROTA)])
    done = pull(folder, seen)
    assert "harbor-dental/schedules/staff-6.yaml" in done.saved.created
    assert "    syncPolicy: import-primary\n" in (folder / SET).read_text()
    assert list(actions(folder, seen).values()) == ["noop"] * 7
    assert pull(folder, seen).changed == []


def test_many_that_can_not_share_the_policy_keep_it_out_of_the_template(folder: Path) -> None:
    """Then each of the others names it, in its entry or its row; what is to be said of rows stands above the set."""
    seen = staffed([*(person(number) for number in range(6)), *(person(number, ROTA) for number in range(6, 10))])
    for options in (AS_SETS, AS_ROSTERS):
        place = folder / str(options.layout)
        pull(place, seen, options=options)
        held = (place / (SET if options is AS_SETS else ROSTER)).read_text()
        assert held.count("import-primary") == 6
        assert "No sync config is written: Tidewater Rota does not allow changing it." in (place / SET).read_text()
        assert list(actions(place, seen).values()) == ["noop"] * 10


def test_directions_that_are_off_fit_under_a_policy_that_chooses_calendars(folder: Path) -> None:
    """What does not matter while a direction is off keeps nobody out of the template."""
    lives = [*(person(number) for number in range(4)), person(4, sync=SyncConfig(OFF, PRIMARY))]
    seen = staffed(lives)
    pull(folder, seen)
    assert "    syncPolicy: import-primary\n" in (folder / SET).read_text()
    assert not (folder / HOME / "schedules").exists()
    assert set(actions(folder, seen).values()) == {"noop"}


def test_a_broken_connection_is_said_to_be_so(folder: Path) -> None:
    """Above its entry, and above the set for a row."""
    lives = [*(person(number) for number in range(4)), person(4, status="ERROR", error_reason="TOKEN_REVOKED")]
    for options in (AS_SETS, AS_ROSTERS):
        pull(folder / str(options.layout), staffed(lives), options=options)
    note = "Broken when it was pulled (TOKEN_REVOKED): run plan to see what it needs."
    assert f"    # {note}\n    - {{name: staff-4, " in (folder / "sets" / SET).read_text()
    assert f"# staff-4: {note}\n" in (folder / "rosters" / SET).read_text()


@pytest.mark.parametrize(
    "text", [*PAYLOADS.values(), 'a "b", c', "=1+1", "+1", "-1", "@sum", "# no", "a;b\tc", "\U0001f600", " x "]
)
@pytest.mark.parametrize("options", [AS_SETS, AS_ROSTERS])
def test_texts_from_the_service_mean_themselves(folder: Path, text: str, options: PullOptions) -> None:
    """Names of schedules and calendars can be anything; what a cell can't hold as it is, an entry escapes."""
    calendars = SyncConfig(chosen(replace(WORK, id=f"id {text}", name=text), replace(WORK, id="b", name="b")), OFF)
    seen = staffed(
        [*(person(number) for number in range(4)), person(4, sync=calendars)], lambda number: f"{text}{number}"
    )
    done = pull(folder, seen, options=options)
    assert done.pull.failures == ()
    assert list(actions(folder, seen).values()) == ["noop"] * 5
    assert pull(folder, seen, options=options).changed == []
    if options is AS_ROSTERS and (folder / ROSTER).exists():
        with (folder / ROSTER).open(encoding="utf-8-sig", newline="") as table:
            rows = {row["schedule_id"]: row["schedule_name"] for row in csv.DictReader(table)}
        assert all(rows[id_] == f"{text}{int(id_[-4:])}" and rows[id_].isprintable() for id_ in rows)
        assert not any(name.startswith(("=", "+", "-", "@")) for name in rows.values())


def test_a_provider_whose_name_a_cell_would_mean_otherwise_is_an_entry(folder: Path) -> None:
    """A provider may be called `google` and not be it, or like an id."""
    providers = tuple(
        replace(ROTA, id=schedule_id(number), name=name) for number, name in enumerate(("google", SITE_ID, "Plain"))
    )
    lives = [person(number, providers[number % 3], sync=SyncConfig()) for number in range(9)]
    seen = staffed(lives, providers=(*providers, GOOGLE))
    pull(folder, seen, options=AS_ROSTERS)
    assert set(actions(folder, seen).values()) == {"noop"}
    assert (folder / ROSTER).read_text().count("Plain") == 3


def test_a_roster_does_not_take_the_place_of_another_file(folder: Path) -> None:
    """Somebody's own table of that name stays as it is."""
    (folder / HOME).mkdir(parents=True)
    (folder / ROSTER).write_text("name,telephone\n")
    done = pull(folder, staff(40))
    assert "harbor-dental/staff-2.csv" in done.saved.created
    assert (folder / ROSTER).read_text() == "name,telephone\n"
    assert pull(folder, staff(40)).changed == []


def test_two_sites_of_one_file_get_sets_and_rosters_of_their_own(folder: Path) -> None:
    """Sites that are declared side by side have one folder."""
    other = site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
    here, there = staff(0), replace(staff(0), site=other)
    pull(folder, here, there)
    texts = [(folder / name / "site.yaml").read_text() for name in ("harbor-dental", "quay")]
    (folder / "sites.yaml").write_text("---\n".join(texts))
    for name in ("harbor-dental", "quay"):
        (folder / name / "site.yaml").unlink()
    lives = [person(number, account=Account(f"staff{number}@quay.example")) for number in range(40)]
    here, there = staff(40), replace(staffed(lives), site=other)
    done = pull(folder, here, there)
    assert done.saved.created == ["policies.yaml", "staff-2.csv", "staff.csv", "connections.yaml"]
    assert {*actions(folder, here).values(), *actions(folder, there).values()} == {"noop"}
    assert pull(folder, here, there).changed == []


def test_a_table_says_that_it_is_utf_8_where_it_must(folder: Path) -> None:
    """Spreadsheets take a file without a mark for one of their own encoding."""
    for name, marked in (("Staff {}", False), ("Zoë {}", True)):
        place = folder / str(marked)
        pull(place, staffed([person(number) for number in range(31)], name.format), options=BY_SIZE)
        assert (place / ROSTER).read_bytes().startswith(b"\xef\xbb\xbf") is marked
    assert not (folder / "True" / POLICIES).read_bytes().startswith(b"\xef\xbb\xbf")
