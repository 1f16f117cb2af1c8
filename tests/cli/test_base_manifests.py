"""`plan --base`: this change told from what drifts already; and `plan --impact`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    HARBOR,
    KEY,
    PASSWORD_ENV,
    QUAY,
    connection,
    email,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)
from tests.support.tools import needs_another_user, needs_git

pytestmark = needs_git


@pytest.fixture
def drifting(extcal: Extcal) -> Extcal:
    """Staff 1 to 3 are connected; at the base staff 1 drifts already, and this change edits staff 2."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1, 2, 3)))
    base = [site(), connection(1, more=EXPORTING), connection(2), connection(3)]
    extcal.write(*base, to="base/all.yaml")
    extcal.write(*base)
    git(extcal.folder, "init", "--quiet")
    git(extcal.folder, "add", "manifests")
    git(extcal.folder, *IDENTITY, "commit", "--quiet", "-m", "base")
    extcal.write(site(), connection(1, more=EXPORTING), connection(2, more=EXPORTING), connection(3))
    return extcal


IDENTITY = ("-c", "user.name=n", "-c", "user.email=e@example.com")


def git(folder: Path, *words: str) -> None:
    """Run git."""
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)  # noqa: S607 - git is on PATH


@pytest.mark.parametrize("base", [("--base-dir", "base"), ("--base", "HEAD")], ids=["folder", "commit"])
def test_each_action_says_whose_doing_it_is(drifting: Extcal, base: tuple[str, str]) -> None:
    """A folder and a commit serve alike as the base; both sets are planned against one reading of the live state."""
    ran = drifting("plan", "manifests", *base, "--format", "json")
    assert ran.code == 0, ran.err
    assert {str(a["address"]): a.get("origin") for a in ran.actions} == {
        "harbor/staff-1": "already-drifting",
        "harbor/staff-2": "this-change",
        "harbor/staff-3": None,
    }
    assert len(drifting.sandbox.requests) == 2
    text = drifting("plan", "manifests", *base).out
    assert "staff-2  apple staff2@harbor-dental.example  (sync config differs)  [this change]" in text
    assert text.splitlines()[-1].startswith("Plan: 2 to update (1 by this change, 1 by drift);")


def test_the_exit_code_speaks_of_this_change_alone(drifting: Extcal) -> None:
    """Drift that was there before is no pending change of this one, nor is a fault that the base has too."""
    assert drifting("plan", "manifests", "--base", "HEAD", "--detailed-exitcode").code == 2
    unchanged = [site(), connection(1, more=EXPORTING), connection(2), connection(3)]
    drifting.write(*unchanged)
    assert drifting("plan", "manifests", "--detailed-exitcode").code == 2
    assert drifting("plan", "manifests", "--base", "HEAD", "--detailed-exitcode").code == 0
    broken = connection(4).replace("provider: apple", "provider: {name: Nobody}")
    drifting.write(*unchanged, broken, to="base/all.yaml")
    drifting.write(*unchanged, broken)
    ran = drifting("plan", "manifests", "--base-dir", "base", "--detailed-exitcode")
    assert ran.code == 0
    assert "the site has no provider Nobody" in ran.err
    assert drifting("plan", "manifests", "--base", "HEAD").code == 1


def test_protection_that_this_change_deletes_still_holds(drifting: Extcal) -> None:
    """A connection that the base protects is not pruned by the change that deletes its manifest."""
    pruning = site(more="scope: site\nprune: true\nguards: {maxDisconnects: 100%}")
    guarded = connection(3, more="lifecycle: {preventDisconnect: true}")
    drifting.write(pruning, connection(1), connection(2), guarded, to="base/all.yaml")
    drifting.write(pruning, connection(1), connection(2))
    assert drifting("plan", "manifests").code == 0
    ran = drifting("plan", "manifests", "--base-dir", "base")
    assert ran.code == 1
    assert "guard prevent-disconnect" in ran.err
    assert "--allow prevent-disconnect:harbor/id:live-3" in ran.err
    assert (
        drifting("plan", "manifests", "--base-dir", "base", "--allow", "prevent-disconnect:harbor/id:live-3").code == 0
    )


@pytest.mark.parametrize("renamed", [False, True])
def test_a_protection_that_this_change_takes_away_is_told(drifting: Extcal, renamed: bool) -> None:  # noqa: FBT001 - a case
    """It changes nothing live, so that no action shows it; the next change could disconnect what was protected."""
    kept = "lifecycle: {preventDisconnect: true}"
    drifting.write(site(), connection(1, more=kept), connection(2, more=kept), connection(3), to="base/all.yaml")
    bare = connection(1).replace("{name: staff-1}", "{name: dr-lee}") if renamed else connection(1)
    drifting.write(site(), bare, connection(2, more=kept), connection(3))
    ran = drifting("plan", "manifests", "--base-dir", "base")
    address = "harbor/dr-lee" if renamed else "harbor/staff-1"
    assert f"{address} is no longer protected: this change takes lifecycle.preventDisconnect away" in ran.err
    assert "harbor/staff-2" not in ran.err


def test_what_the_change_no_longer_declares_is_told(drifting: Extcal) -> None:
    """Connections that fall out of scope stay connected, and a warning names each, and the site that is gone."""
    drifting.write(site(), connection(1), connection(2))
    ran = drifting("plan", "manifests", "--base-dir", "base")
    assert "harbor/staff-3 is no longer declared and its schedule is out of scope" in ran.err
    drifting.on(world(harbor(1, 2, 3), quay(key=KEY)))
    drifting.write(site("quay").replace(HARBOR, QUAY), connection(1, of="quay"))
    ran = drifting("plan", "manifests", "--base-dir", "base")
    assert "harbor is no longer declared: what is connected through its 3 manifests stays connected" in ran.err


def test_what_a_base_with_faults_has_is_compared(drifting: Extcal) -> None:
    """What mends a broken base can be planned: what can't be read of it counts as this change's."""
    drifting.write("kind: Nonsense\n", to="base/more.yaml")
    ran = drifting("plan", "manifests", "--base-dir", "base", "--format", "json")
    assert ran.code == 0
    assert "its manifests have" in ran.err
    assert {a.get("origin") for a in ran.actions} == {"already-drifting", "this-change", None}
    (drifting.folder / "base" / "all.yaml").write_text("")
    ran = drifting("plan", "manifests", "--base-dir", "base", "--format", "json")
    assert {a.get("origin") for a in ran.actions} == {"this-change", None}


def test_a_folder_that_the_change_renames_is_found(drifting: Extcal) -> None:
    """Where the base has no such path, its manifests are looked for everywhere, dot-folders too, and each once."""
    (drifting.folder / "manifests").rename(drifting.folder / "moved")
    ran = drifting("plan", "moved", "moved/all.yaml", "--base", "HEAD", "--format", "json")
    assert ran.code == 0, ran.err
    assert {str(a["address"]): a.get("origin") for a in ran.actions} == {
        "harbor/staff-1": "already-drifting",
        "harbor/staff-2": "this-change",
        "harbor/staff-3": None,
    }


def test_a_file_with_a_name_of_its_own_is_found(drifting: Extcal) -> None:
    """A file that is named on the command line may be called anything, at the base, too."""
    (drifting.folder / "manifests" / "all.yaml").rename(drifting.folder / "staff.conf")
    git(drifting.folder, "add", "--all", "staff.conf")
    git(drifting.folder, *IDENTITY, "commit", "--quiet", "-m", "renamed")
    ran = drifting("plan", "staff.conf", "--base", "HEAD", "--format", "json")
    assert {a.get("origin") for a in ran.actions} == {"already-drifting", None}


@pytest.mark.parametrize("base", ["no-such-commit", "--upload-pack=x", "HEAD:manifests"])
def test_a_base_that_git_does_not_know(drifting: Extcal, base: str) -> None:
    """What names no commit is wrong usage, whatever it looks like."""
    ran = drifting("plan", "manifests", f"--base={base}")
    assert ran.code == 64
    assert "there is no commit" in ran.err or "HEAD:manifests" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "manifests", "--base="),
        ("plan", "manifests", "--base-dir="),
        ("plan", "manifests", "--reviewed="),
        ("plan", "manifests", "--out="),
        ("apply", "--plan="),
    ],
    ids="-".join,
)
def test_a_variable_that_was_never_set_is_told(drifting: Extcal, words: tuple[str, ...]) -> None:
    """An empty value is wrong usage and means neither the working folder nor that there is no wish."""
    ran = drifting(*words)
    assert (ran.code, ran.err) == (64, f"error: {words[-1].rstrip('=')} is empty. Give it a value.\n")


def test_a_name_of_two_commits_is_no_base(drifting: Extcal) -> None:
    """A tag that is named like the branch must not take its place."""
    git(drifting.folder, "branch", "trunk")
    git(drifting.folder, *IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "another")
    git(drifting.folder, "tag", "trunk")
    ran = drifting("plan", "manifests", "--base", "trunk")
    assert ran.code == 64
    assert "may mean more than one commit" in ran.err
    assert drifting("plan", "manifests", "--base", "refs/heads/trunk").code == 0


def test_a_folder_never_takes_the_place_of_a_commit(drifting: Extcal) -> None:
    """A folder that a change names like the base decides nothing; one that is meant has an option of its own."""
    planned = drifting("plan", "manifests", "--base", "HEAD", "--format", "json")
    drifting.write(site(), connection(1, more=EXPORTING), connection(2, more=EXPORTING), to="HEAD/all.yaml")
    again = drifting("plan", "manifests", "--base", "HEAD", "--format", "json")
    assert (again.code, again.actions) == (0, planned.actions)
    ran = drifting("plan", "manifests", "--base", "base")
    assert ran.code == 64
    assert "To compare with the folder, use --base-dir" in ran.err
    ran = drifting("plan", "manifests", "--base-dir", "HEAD^")
    assert ran.code == 64
    assert "folder not found. To compare with a commit, use --base" in ran.err
    ran = drifting("plan", "manifests", "--base-dir", "manifests/all.yaml")
    assert ran.code == 64
    assert "not a folder" in ran.err
    assert drifting("plan", "manifests", "--base", "HEAD", "--base-dir", "base").code == 64


def test_a_clone_that_is_shallow_is_told(drifting: Extcal) -> None:
    """Only where history is missing it is advised to fetch more of it."""
    git(drifting.folder, *IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "another")
    clone = drifting.folder / "clone"
    git(drifting.folder, "clone", "--quiet", "--depth=1", drifting.folder.as_uri(), str(clone))
    ran = drifting("plan", "clone/manifests", "--base", "HEAD^1")
    assert ran.code == 64
    assert "The clone is shallow, or lacks the branch. Fetch what is missing (in CI: fetch-depth: 0; else " in ran.err
    assert "is shallow" not in drifting("plan", "manifests", "--base", "HEAD^9").err


def test_a_base_outside_any_repository(extcal: Extcal) -> None:
    """Without a repository a commit can't be a base, and the error says so."""
    extcal.write(site(), connection(0))
    ran = extcal("plan", "manifests", "--base", "HEAD")
    assert ran.code == 64
    assert "manifests is not in a git repository. Work in a clone." in ran.err


@needs_another_user
def test_a_repository_of_another_user_is_not_read(drifting: Extcal) -> None:
    """What git says against it is told in whole sentences, with the remedy that fits."""
    os.chown(drifting.folder, 12345, -1)
    os.chown(drifting.folder / ".git", 12345, -1)
    ran = drifting("plan", "manifests", "--base", "HEAD")
    assert ran.code == 64
    root = drifting.folder.resolve()
    assert f"{root} belongs to another user, so git does not read it. If you trust everything in it, run: " in ran.err
    assert ran.err.rstrip().endswith(f"git config --global --add safe.directory {root}")


def test_impact_counts_what_would_stop_protecting(extcal: Extcal) -> None:
    """For a disconnect or an import that is switched off the plan counts busy blocks, and tells no titles."""
    sandboxed = {"EXTCAL_ENDPOINT": None, "EXTCAL_API_KEY": None, "EXTCAL_APP_PASSWORD": "seagull-lantern-41"}
    lee = connection(0, more=BUSY).replace("staff0@", "lee@").replace("000000000000", "75041e850d5e")
    extcal.write(site(), lee)
    assert extcal("apply", "manifests", "--sandbox=data", "--auto-approve", env=sandboxed).code == 0
    extcal.write(site(), lee.replace("enabled: true, primaryCalendar: {}", "enabled: false"))
    ran = extcal("plan", "manifests", "--sandbox=data", "--impact", "--format", "json", env=sandboxed)
    (action,) = ran.actions
    impact = action["impact"]
    assert isinstance(impact, dict)
    assert (impact["days"], impact["busy_blocks"] > 0) == (30, True)
    text = extcal("plan", "manifests", "--sandbox=data", "--impact", env=sandboxed).out
    assert f"{impact['busy_blocks']} busy block" in text
    quiet = extcal("plan", "manifests", "--sandbox=data", "--format", "json", env=sandboxed)
    assert "impact" not in quiet.actions[0]


def test_impact_is_told_for_a_disconnect(extcal: Extcal) -> None:
    """An account without events loses none, and the plan says so."""
    extcal.on(world(harbor(1)))
    extcal.write(site(), connection(1, more="state: absent"))
    ran = extcal("plan", "manifests", "--impact", "--format", "json")
    assert [a.get("impact") for a in ran.actions] == [{"busy_blocks": 0, "days": 30}]


def test_a_commit_that_holds_more_than_is_read_is_no_empty_base(drifting: Extcal) -> None:
    """It stops the plan, and the place is one that git knows."""
    drifting.write(site())
    ran = drifting("plan", "manifests", "--base", "HEAD", "--limit", "documents=3")
    assert ran.code == 1
    assert ran.err.startswith("HEAD:manifests/all.yaml:31:1: the manifests hold more than 3 documents together (")


ROSTERED = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template: {site: harbor, provider: apple, credentials: {password: {env: EXTCAL_APP_PASSWORD}}}
  roster: lists/staff.csv
"""


@pytest.mark.parametrize("path", ["manifests", "manifests/staff.yaml"])
@pytest.mark.parametrize("name", ["staff.csv", "Staff list (1).CSV", "staff.csv.csv", "Ärzte.tsv"])
def test_rosters_of_the_base_are_read(extcal: Extcal, path: str, name: str) -> None:
    """Who stands in a roster at the base is compared, whether the folder or the manifest alone is given."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1, 2)))
    manifests = extcal.folder / "manifests"
    (manifests / "lists").mkdir(parents=True)
    roster = manifests / "lists" / name
    roster.write_text(f"name,account,schedule_id\n{_row(1)}{_row(2)}")
    (manifests / "lists" / "others.csv").write_text("phone\n")
    (manifests / "staff.yaml").write_text(f"{site()}---\n{ROSTERED.replace('staff.csv', name)}")
    git(extcal.folder, "init", "--quiet")
    git(extcal.folder, "add", ".")
    git(extcal.folder, *IDENTITY, "commit", "--quiet", "-m", "base")
    roster.write_text(f"name,account,schedule_id\n{_row(1)}")
    ran = extcal("plan", path, "--base", "HEAD")
    assert ran.code == 0, ran.err
    assert "harbor/staff-2" in ran.out + ran.err
    assert "manifests have" not in ran.err


def _row(number: int) -> str:
    return f"staff-{number},{email(number)},{schedule_id(number)}\n"
