"""`plan --base`: this change told from what drifts already; and `plan --impact`."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import Extcal
from tests.cli.worlds import BUSY, EXPORTING, PASSWORD_ENV, connection, harbor, site, world
from tests.support.tools import needs_git

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
    git(extcal.folder, "-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "--quiet", "-m", "base")
    extcal.write(site(), connection(1, more=EXPORTING), connection(2, more=EXPORTING), connection(3))
    return extcal


def git(folder: Path, *words: str) -> None:
    """Run git."""
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)  # noqa: S607 - git is on PATH


@pytest.mark.parametrize("base", ["base", "HEAD"])
def test_each_action_says_whose_doing_it_is(drifting: Extcal, base: str) -> None:
    """A folder and a commit serve alike as the base; both sets are planned against one reading of the live state."""
    ran = drifting("plan", "manifests", "--base", base, "--format", "json")
    assert ran.code == 0, ran.err
    assert {str(a["address"]): a.get("origin") for a in ran.actions} == {
        "harbor/staff-1": "already-drifting",
        "harbor/staff-2": "this-change",
        "harbor/staff-3": None,
    }
    assert len(drifting.sandbox.requests) == 2
    text = drifting("plan", "manifests", "--base", base).out
    assert "staff-2  apple staff2@harbor-dental.example  (sync config differs)  [this change]" in text
    assert text.splitlines()[-1].startswith("Plan: 2 to update (1 by this change, 1 drifting already);")


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
    ran = drifting("plan", "manifests", "--base", "base", "--detailed-exitcode")
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
    ran = drifting("plan", "manifests", "--base", "base")
    assert ran.code == 1
    assert "guard prevent-disconnect" in ran.err
    assert "--allow prevent-disconnect:harbor/id:live-3" in ran.err
    assert drifting("plan", "manifests", "--base", "base", "--allow", "prevent-disconnect:harbor/id:live-3").code == 0


def test_what_the_change_no_longer_declares_is_told(drifting: Extcal) -> None:
    """Connections that fall out of scope stay connected, and a warning names each, and the site that is gone."""
    drifting.write(site(), connection(1), connection(2))
    ran = drifting("plan", "manifests", "--base", "base")
    assert "harbor/staff-3 is no longer declared and its schedule is out of scope" in ran.err
    drifting.write(site("bay"), connection(1, of="bay"))
    ran = drifting("plan", "manifests", "--base", "base")
    assert "harbor is no longer declared: what is connected through its 3 manifests stays connected" in ran.err


def test_a_base_with_faults_counts_as_empty(drifting: Extcal) -> None:
    """What mends a broken base can be planned: everything then counts as this change's."""
    drifting.write("kind: Nonsense\n", to="base/all.yaml")
    ran = drifting("plan", "manifests", "--base", "base", "--format", "json")
    assert ran.code == 0
    assert "its manifests have" in ran.err
    assert {a.get("origin") for a in ran.actions} == {"this-change", None}


def test_paths_that_the_base_does_not_have_yet(drifting: Extcal) -> None:
    """Manifests in a folder that is new in this change are this change's."""
    (drifting.folder / "manifests").rename(drifting.folder / "moved")
    ran = drifting("plan", "moved", "--base", "HEAD", "--format", "json")
    assert {a.get("origin") for a in ran.actions} == {"this-change", None}


@pytest.mark.parametrize("base", ["no-such-commit", "--upload-pack=x", "HEAD:manifests"])
def test_a_base_that_git_does_not_know(drifting: Extcal, base: str) -> None:
    """What is neither folder nor commit is wrong usage, whatever it looks like."""
    ran = drifting("plan", "manifests", f"--base={base}")
    assert ran.code == 64
    assert "name a folder, or a commit that this clone has" in ran.err


def test_a_base_outside_any_repository(extcal: Extcal) -> None:
    """Without a repository a commit can't be a base."""
    extcal.write(site(), connection(0))
    assert extcal("plan", "manifests", "--base", "HEAD").code == 64


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
