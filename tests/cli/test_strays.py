"""Files that look like manifests and are not read: named by every command that plans, and their site not pruned."""

import subprocess
from pathlib import Path

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, QUAY, connection, harbor, quay, site, world
from tests.support.tools import needs_git

PRUNING = site(more="prune: true\nscope: site\nguards: {maxDisconnects: 100%}")
STRAY = "manifests/kim.yaml.off"
WARNING = (
    f"warning: {STRAY}:1:1: declares apiVersion: extcal/… but is not read: its name does not end in .yaml, .yml or"
    " .json; harbor is not pruned (rename or move it to have it read, or remove it from the folder)\n"
)


@pytest.fixture
def stray(extcal: Extcal) -> Extcal:
    """Staff 1 and 2 are connected, and the site prunes; the manifest of staff 2 has a name that is not read."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1, 2)))
    extcal.write(PRUNING, connection(1, more=BUSY))
    extcal.write(connection(2, more=BUSY), to=STRAY)
    return extcal


def test_a_stray_keeps_its_site_from_being_pruned(stray: Extcal) -> None:
    """Plan and apply leave what a stray may declare connected, and name it; without it, it is pruned."""
    ran = stray("plan", "manifests", "--format", "json")
    assert ran.err == WARNING
    assert {str(a["address"]): a["action"] for a in ran.actions} == {
        "harbor/id:live-2": "unmanaged",
        "harbor/staff-1": "noop",
    }
    ran = stray("apply", "manifests", "--auto-approve")
    assert (ran.code, ran.err.count(WARNING), stray.writes) == (0, 1, [])
    (stray.folder / STRAY).unlink()
    ran = stray("plan", "manifests", "--format", "json")
    assert ran.err == ""
    assert {str(a["address"]): a["action"] for a in ran.actions}["harbor/id:live-2"] == "disconnect"


@pytest.mark.parametrize("name", ["kim.json", "kim.YAML", "kim.Yml"])
def test_what_is_read_is_not_pruned(stray: Extcal, name: str) -> None:
    """A manifest is read whichever of the suffixes its name ends in, and in whatever case."""
    text = connection(2, more=BUSY)
    if name.endswith(".json"):
        text = (
            '{"apiVersion": "extcal/v1", "kind": "Connection", "metadata": {"name": "staff-2"}, "spec": {"schedule": '
            '{"id": "3e47ec65-2975-447c-a7ed-000000000002"}, "provider": "apple", "account": '
            '"staff2@harbor-dental.example"}}'
        )
    (stray.folder / STRAY).unlink()
    stray.write(text, to=f"manifests/{name}")
    ran = stray("plan", "manifests", "--format", "json")
    assert ran.err == ""
    assert {str(a["address"]): a["action"] for a in ran.actions} == {"harbor/staff-1": "noop", "harbor/staff-2": "noop"}
    assert stray("validate", "manifests").out == "Valid: 1 site, 2 connections.\n"


def test_tombstones_are_carried_out_all_the_same(stray: Extcal) -> None:
    """A stray holds back what nobody declares, not what a manifest says is to go."""
    stray.write(PRUNING, connection(1, more="state: absent"))
    ran = stray("apply", "manifests", "--auto-approve", "--format", "json")
    assert ran.code == 0, ran.err
    assert {str(a["address"]): a["action"] for a in ran.actions} == {
        "harbor/id:live-2": "unmanaged",
        "harbor/staff-1": "disconnect",
    }
    assert [request.path.rpartition("/")[2] for request in stray.writes] == ["disconnect"]


def test_every_command_that_reads_manifests_names_it(stray: Extcal) -> None:
    """Validate, status and resolve tell of it on stderr once, and a check on GitHub at the file."""
    for words in (
        ("validate",),
        ("status",),
        ("resolve",),
        ("plan", "--format", "markdown"),
        ("plan", "--format", "html"),
    ):
        ran = stray(words[0], "manifests", *words[1:])
        assert ran.err.count(WARNING) == 1, words
        assert ran.code == 0
    assert "kim.yaml.off:1:1" in stray("plan", "manifests", "--format", "markdown").out
    ran = stray("validate", "manifests", "--format", "github")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"::warning file={STRAY},line=1,col=1,title=extcal validate::{STRAY}:1:1: declares ")
    assert stray("plan", "manifests", "--quiet").err == ""


def test_faults_hide_no_stray(extcal: Extcal) -> None:
    """Where manifests can't be used, a file that is not read may be the reason: it is named before the faults."""
    extcal.write(site(), to="manifests/site.yaml.off")
    extcal.write(connection(1))
    name = "manifests/site.yaml.off:1:1: declares apiVersion: extcal/… but is not read"
    for command in ("validate", "plan", "status"):
        ran = extcal(command, "manifests")
        assert ran.code == 1
        assert ran.err.startswith(f"warning: {name}")
        assert "no Site is called 'harbor'" in ran.err
    assert name not in extcal("validate", "manifests", "--quiet").err
    warning, error = extcal("validate", "manifests", "--format", "github").out.splitlines()
    assert warning.startswith("::warning file=manifests/site.yaml.off,")
    assert error.startswith("::error file=manifests/all.yaml,")
    (extcal.folder / "manifests" / "all.yaml").unlink()
    assert extcal("validate", "manifests").err.startswith(f"warning: {name}")


def test_a_reviewed_plan_names_it(stray: Extcal) -> None:
    """Checking a saved plan plans anew, and names what is not read as planning does."""
    assert stray("plan", "manifests", "--out", "saved.plan").err == WARNING
    assert WARNING in stray("plan", "manifests", "--reviewed", "saved.plan").err


def test_a_site_that_can_not_be_read_hides_no_stray(stray: Extcal) -> None:
    """The warning does not wait for the service."""
    ran = stray("plan", "manifests", env={"EXTCAL_API_KEY": None})
    assert (ran.code, ran.err.count(WARNING)) == (1, 1)


def test_a_stray_of_no_site_and_one_of_every_site(extcal: Extcal) -> None:
    """One that can't be parsed holds all sites back and is told once; one of a Site that nobody has, none."""
    extcal.env |= {"EXTCAL_QUAY_KEY": "key-of-the-quay-7f30"}
    extcal.on(world(harbor(1), quay(key="key-of-the-quay-7f30")))
    quays = site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY", more="prune: true\nscope: site")
    extcal.write(PRUNING, quays, connection(3, more="state: absent"), connection(4, of="quay", more="state: absent"))
    extcal.write(site("gone", id_=QUAY.replace("2", "3")), connection(2, of="gone"), to="manifests/.old/gone.yaml")
    ran = extcal("plan", "manifests", "--format", "json")
    assert ran.err.count("warning: manifests/.old/gone.yaml:1:1: declares apiVersion: extcal/… but is not read") == 1
    assert "disconnect" in {str(a["action"]) for a in ran.actions}
    extcal.write("apiVersion: extcal/v1\nkind: {{ kind }}\n", to="manifests/kim.yaml.j2")
    ran = extcal("plan", "manifests", "--format", "json")
    assert ran.err.count("manifests/kim.yaml.j2:1:1: ") == ran.err.count("; no site is pruned") == 1
    assert "disconnect" not in {str(a["action"]) for a in ran.actions}


def test_pulling_into_a_folder_names_it(stray: Extcal) -> None:
    """What is pulled may duplicate what is not read: it is named."""
    ran = stray("pull", "manifests", "--output", "manifests")
    assert f"warning: {STRAY}:1:1: declares apiVersion: extcal/… but is not read" in ran.err
    assert ran.out == "updated    manifests/all.yaml\n"
    assert [a["action"] for a in stray("plan", "manifests", "--format", "json").actions] == ["noop", "noop"]


def _git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)  # noqa: S607 - git is on PATH


def _committed(extcal: Extcal) -> None:
    """Commit the manifests, and keep them in a folder beside."""
    _git(extcal.folder, "init", "--quiet")
    _git(extcal.folder, "add", "--force", "manifests")
    _git(extcal.folder, "commit", "--quiet", "-m", "base")
    subprocess.run(["cp", "-a", "manifests", "before"], cwd=extcal.folder, check=True)  # noqa: S607 - as above


BASES = pytest.mark.parametrize("base", [("--base-dir", "before"), ("--base", "HEAD")], ids=["folder", "commit"])


@needs_git
@BASES
@pytest.mark.parametrize("name", ["kim.yaml.off", ".old/kim.yaml", ".kim.json", "deep/kim.yaml~"])
def test_what_a_stray_held_back_is_this_change(stray: Extcal, base: tuple[str, str], name: str) -> None:
    """Who takes a stray away lets its site be pruned: that is no drift that was there before."""
    (stray.folder / STRAY).unlink()
    stray.write(connection(2, more=BUSY), to=f"manifests/{name}")
    _committed(stray)
    (stray.folder / "manifests" / name).unlink()
    ran = stray("plan", "manifests", *base, "--format", "json")
    assert {str(a["address"]): (a["action"], a.get("origin")) for a in ran.actions} == {
        "harbor/id:live-2": ("disconnect", "this-change"),
        "harbor/staff-1": ("noop", None),
    }
    there = "files there that look like manifests are not read: harbor counts as not pruned"
    assert ran.err == f"warning: {' '.join(base)}: {there}\n"
    assert stray("plan", "manifests", *base, "--detailed-exitcode").code == 2


@needs_git
@BASES
@pytest.mark.parametrize("name", ["kim.json", "kim.YAML", "sub/kim.Yml"])
def test_what_the_base_reads(stray: Extcal, base: tuple[str, str], name: str) -> None:
    """A base has the manifests that are read now: what it declares is not taken for unmanaged there, too."""
    (stray.folder / STRAY).unlink()
    stray.write(connection(2, more=BUSY), to=f"manifests/{name}")
    stray.write('{"name": "somebody\\\\s"}', to="manifests/package.json")
    if name.endswith(".json"):
        stray.write(_json(2), to=f"manifests/{name}")
    _committed(stray)
    (stray.folder / "manifests" / name).unlink()
    ran = stray("plan", "manifests", *base, "--format", "json")
    assert ran.err == ""
    assert {str(a["address"]): (a["action"], a.get("origin")) for a in ran.actions}["harbor/id:live-2"] == (
        "disconnect",
        "this-change",
    )
    assert stray("plan", "before", *base, "--format", "json").actions[1].get("origin") is None


def _json(number: int) -> str:
    """A Connection as JSON."""
    return (
        f'{{"apiVersion": "extcal/v1", "kind": "Connection", "metadata": {{"name": "staff-{number}"}}, "spec": '
        f'{{"schedule": {{"id": "3e47ec65-2975-447c-a7ed-{number:012}"}}, "provider": "apple", "account": '
        f'"staff{number}@harbor-dental.example"}}}}'
    )


@needs_git
@BASES
def test_a_stray_on_both_sides_changes_nothing(stray: Extcal, base: tuple[str, str]) -> None:
    """What is held back before and after is nobody's doing."""
    _committed(stray)
    ran = stray("plan", "manifests", *base, "--detailed-exitcode", "--format", "json")
    assert (ran.code, {a.get("origin") for a in ran.actions}) == (0, {None})
    assert WARNING in ran.err


@needs_git
def test_a_path_that_the_base_does_not_have(stray: Extcal) -> None:
    """Where all of the base is searched, its strays are not taken for manifests, and count."""
    stray.write('{"name": "somebody\\\\s"}', to="manifests/package.json")
    _committed(stray)
    (stray.folder / "manifests").rename(stray.folder / "moved")
    (stray.folder / "moved" / "kim.yaml.off").unlink()
    ran = stray("plan", "moved", "--base", "HEAD", "--format", "json")
    assert "its manifests have" not in ran.err
    assert {a.get("origin") for a in ran.actions if a["action"] == "disconnect"} == {"this-change"}
