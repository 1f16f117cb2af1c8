"""What a set's template protects stays protected, whatever a change does to the set, its roster and its entries."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.promises.repositories import commit_all, initialised
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import PASSWORD_ENV, connection, email, harbor, schedule_id, site, world
from tests.support.tools import needs_git

pytestmark = needs_git

HEAD = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template:
    site: harbor
    provider: apple
    credentials: {password: {env: EXTCAL_APP_PASSWORD}}
"""
PROTECTED = f"{HEAD}    lifecycle: {{preventDisconnect: true}}\n"
ROSTER = "  roster: lists/staff.csv\n"
COLUMNS = "name,account,schedule_id"
ROW = f"staff-3,{email(3)},{schedule_id(3)}"
ENTRY = f"{{name: staff-3, schedule: {{id: {schedule_id(3)}}}, account: {email(3)}}}"
PRUNING = site(more="scope: site\nprune: true\nguards: {maxDisconnects: 100%}")


@pytest.fixture
def repository(extcal: Extcal) -> Extcal:
    """A repository whose base has staff 1 and 2 in documents, and staff 3 in a roster that its set protects."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1, 2, 3)))
    initialised(extcal.folder)
    extcal.write(site(), connection(1), connection(2))
    begin(extcal, PROTECTED + ROSTER)
    return extcal


def begin(extcal: Extcal, declared: str, table: str = f"{COLUMNS}\n{ROW}\n") -> None:
    """Let the base have this set, and this roster."""
    extcal.write(declared, to="manifests/staff.yaml")
    lists(extcal).mkdir(exist_ok=True)
    (lists(extcal) / "staff.csv").write_text(table)
    commit_all(extcal.folder)


def lists(extcal: Extcal) -> Path:
    """The folder of rosters."""
    return extcal.folder / "manifests" / "lists"


def refused(ran: Ran, at: str = "harbor/staff-3") -> None:
    """The plan is refused for the protection, and says how to overrule it."""
    assert ran.code == 1
    assert "guard prevent-disconnect" in ran.err, ran.err
    assert f"--allow prevent-disconnect:{at}" in ran.err


def absent_in_row(extcal: Extcal) -> None:
    """A column says it, of a template that protects no more."""
    extcal.write(HEAD + ROSTER, to="manifests/staff.yaml")
    (lists(extcal) / "staff.csv").write_text(f"{COLUMNS},state\n{ROW},absent\n")


def absent_in_template(extcal: Extcal) -> None:
    """The template says it of all."""
    extcal.write(f"{HEAD}    state: absent\n{ROSTER}", to="manifests/staff.yaml")


def absent_in_entry(extcal: Extcal) -> None:
    """The row became an entry, and the roster is gone."""
    extcal.write(f"{HEAD}  connections: [{ENTRY[:-1]}, state: absent}}]\n", to="manifests/staff.yaml")
    (lists(extcal) / "staff.csv").unlink()


def absent_in_document(extcal: Extcal) -> None:
    """The row became a document, the set is none any more."""
    extcal.write(connection(3, more="state: absent"), to="manifests/staff.yaml")


def absent_elsewhere(extcal: Extcal) -> None:
    """The folder, the roster and the set are called otherwise."""
    extcal.write(f"{HEAD}    state: absent\n  roster: others.csv\n", to="manifests/staff.yaml")
    (lists(extcal) / "staff.csv").rename(extcal.folder / "manifests" / "others.csv")
    (extcal.folder / "manifests").rename(extcal.folder / "moved")


@pytest.mark.parametrize(
    "change", [absent_in_row, absent_in_template, absent_in_entry, absent_in_document, absent_elsewhere]
)
@pytest.mark.parametrize("base", ["roster", "entry", "folder"])
def test_a_tombstone_takes_no_protection_away(repository: Extcal, change: Callable[[Extcal], None], base: str) -> None:
    """However a connection moves between rows, entries and documents, and whatever then says absent."""
    if base == "entry":
        begin(repository, f"{PROTECTED}  connections: [{ENTRY}]\n")
    options = ("--base", "HEAD")
    if base == "folder":
        (repository.folder / "manifests").rename(repository.folder / "before")
        begin(repository, PROTECTED + ROSTER)
        repository.write(site(), connection(1), connection(2))
        options = ("--base-dir", "before")
    change(repository)
    path = "moved" if change is absent_elsewhere else "manifests"
    assert repository("plan", path).code == 0
    refused(repository("plan", path, *options))


@pytest.mark.parametrize(
    "roster",
    [
        '"lists/st\\x61ff.csv"',
        '"lists\\/staff\\u002ecsv"',
        '"lists/sta\\\n      ff.csv"',
        "./lists//./staff.csv",
        "!!str lists/staff.csv",
        "&here lists/staff.csv",
        ">-\n      lists/staff.csv",
    ],
)
@pytest.mark.parametrize("key", ["roster", '"ros\\x74er"'])
def test_a_spelling_of_a_roster_takes_no_protection_away(repository: Extcal, roster: str, key: str) -> None:
    """The base's roster is found however its name is written, or what can't be compared is protected."""
    begin(repository, f"{PROTECTED}  {key}: {roster}\n")
    assert repository("validate", "manifests").code == 0
    absent_in_row(repository)
    refused(repository("plan", "manifests", "--base", "HEAD"))


@pytest.mark.parametrize(
    "table",
    [
        f"{COLUMNS}\n{ROW}\nstaff-4,staff4,{schedule_id(4)}\n",
        f"{COLUMNS}\n{ROW},\n",
        f"{COLUMNS}\n{ROW}\n{ROW}\n",
        f'{COLUMNS}\n{ROW}\n"',
        "version https://git-lfs.example/spec/v1\noid sha256:4d7a\nsize 12\n",
        "",
        "\0",
    ],
)
def test_a_fault_in_the_bases_roster_takes_no_protection_away(repository: Extcal, table: str) -> None:
    """What of it can't be compared counts as protected."""
    begin(repository, PROTECTED + ROSTER, table)
    absent_in_row(repository)
    assert repository("plan", "manifests").code == 0
    refused(repository("plan", "manifests", "--base", "HEAD"))


def test_a_roster_in_a_submodule_takes_no_protection_away(repository: Extcal) -> None:
    """Its rows are not in the base's commit."""
    (lists(repository) / "staff.csv").rename(repository.folder / "staff.csv")
    lists(repository).rmdir()
    initialised(lists(repository))
    (repository.folder / "staff.csv").rename(lists(repository) / "staff.csv")
    commit_all(lists(repository))
    commit_all(repository.folder)
    assert repository("validate", "manifests").code == 0
    absent_in_document(repository)
    refused(repository("plan", "manifests", "--base", "HEAD"))


def test_a_roster_behind_a_link_takes_no_protection_away(repository: Extcal) -> None:
    """At the base a link leads to the folder of manifests, as in a mounted one; its rows are compared."""
    (repository.folder / "manifests").rename(repository.folder / "data")
    (repository.folder / "manifests").mkdir()
    for file in (repository.folder / "data").glob("*.yaml"):
        (repository.folder / "manifests" / file.name).symlink_to(f"../data/{file.name}")
    (repository.folder / "manifests" / "more").symlink_to("../data")
    commit_all(repository.folder)
    (repository.folder / "manifests" / "more").unlink()
    for file in (repository.folder / "manifests").glob("*.yaml"):
        file.unlink()
    repository.write(site(), connection(1), connection(2))
    absent_in_document(repository)
    refused(repository("plan", "manifests", "--base", "HEAD"))


@pytest.mark.parametrize("emptied", [f"{COLUMNS}\n", f"{COLUMNS}\n,,\n", None])
def test_an_emptied_roster_takes_no_protection_away(repository: Extcal, emptied: str | None) -> None:
    """Where a set may be empty and prunes, what its rows protected before is kept."""
    repository.write(PRUNING, connection(1), connection(2))
    commit_all(repository.folder)
    if emptied is None:
        repository.write(f"{HEAD}  allowEmpty: true\n", to="manifests/staff.yaml")
    else:
        repository.write(f"{HEAD}  allowEmpty: true\n{ROSTER}", to="manifests/staff.yaml")
        (lists(repository) / "staff.csv").write_text(emptied)
    assert repository("plan", "manifests").code == 0
    refused(repository("plan", "manifests", "--base", "HEAD"), "harbor/id:live-3")


@pytest.mark.parametrize("how", ["truncated", "empty", "missing", "link", "folder", "other columns"])
def test_a_roster_that_is_no_more_is_a_fault(repository: Extcal, how: str) -> None:
    """It is never no connections, with a base or without."""
    repository.write(PRUNING, connection(1), connection(2))
    file = lists(repository) / "staff.csv"
    if how == "truncated":
        file.write_text(file.read_text()[: len(COLUMNS) + 12])
    else:
        file.unlink()
    if how == "empty":
        file.write_text("")
    elif how == "link":
        (lists(repository) / "real.csv").write_text(f"{COLUMNS}\n{ROW}\n")
        file.symlink_to("real.csv")
    elif how == "folder":
        file.mkdir()
    elif how == "other columns":
        file.write_text("phone,room\n1,2\n")
    for options in ((), ("--base", "HEAD")):
        ran = repository("plan", "manifests", *options)
        assert ran.code == 1
        assert "disconnect" not in ran.out


@pytest.mark.parametrize("name", ["staff.yaml.off", ".staff.yaml", ".hidden/staff.yaml", "staff.yaml.csv"])
def test_a_set_that_is_put_aside_is_not_pruned(repository: Extcal, name: str) -> None:
    """What looks like a manifest of a set keeps its sites from being pruned, whatever its roster says."""
    repository.write(PRUNING, connection(1), connection(2))
    aside = repository.folder / "manifests" / name
    aside.parent.mkdir(exist_ok=True)
    (repository.folder / "manifests" / "staff.yaml").rename(aside)
    ran = repository("plan", "manifests")
    assert ran.code == 0
    assert "is not read" in ran.err
    assert "harbor is not pruned" in ran.err
    assert "disconnect" not in ran.out
