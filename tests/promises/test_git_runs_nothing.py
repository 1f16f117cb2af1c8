"""A pull request can't run a command where its manifests are read: git is started where no folder of them counts."""

import asyncio
import os
from pathlib import Path

import pytest

from reconciler import git
from reconciler.watching.round import pull_repositories
from tests.promises.repositories import commit_all, commit_tree, embed_bare, initialised
from tests.promises.repositories import git as by_hand
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import connection, site
from tests.support.tools import needs_git

pytestmark = needs_git


@pytest.fixture
def checkout(extcal: Extcal) -> Extcal:
    """A repository with manifests, at its second commit."""
    root = initialised(extcal.folder)
    (root / "README").write_text("manifests")
    commit_all(root, "begin")
    extcal.write(site(), connection(1))
    commit_all(root)
    return extcal


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Where a command that must not run leaves its trace."""
    return tmp_path / "trap"


def _sprung(trap: Path) -> str:
    return f"touch {trap}"


def test_the_trap_works(checkout: Extcal, trap: Path) -> None:
    """Started by hand, git takes the folder of manifests for a repository and runs what it names."""
    embed_bare(checkout.folder / "manifests", _sprung(trap))
    by_hand(checkout.folder / "manifests", "status")
    assert trap.exists()


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "status"])
def test_a_folder_of_manifests_that_is_a_bare_repository_is_refused(checkout: Extcal, trap: Path, command: str) -> None:
    """A command that reads manifests says so, and asks the service for nothing."""
    embed_bare(checkout.folder / "manifests", _sprung(trap))
    ran = checkout(command, "manifests")
    assert ran.code == 1
    assert "manifests:1:1: is laid out as a bare git repository" in ran.err
    assert not trap.exists()


@pytest.mark.parametrize("where", ["manifests/vendor", "manifests/a/b"])
def test_a_bare_repository_among_the_manifests_is_refused(checkout: Extcal, trap: Path, where: str) -> None:
    """However deep it lies, and whether the file or a folder around it is named."""
    folder = checkout.folder / where
    folder.parent.mkdir(exist_ok=True)
    embed_bare(folder, _sprung(trap))
    assert f"{where}:1:1: is laid out as a bare git repository" in checkout("validate", "manifests").err
    (folder / "more.yaml").write_text(connection(2))
    ran = checkout("validate", "manifests/all.yaml", f"{where}/more.yaml")
    assert ran.code == 1
    assert "is laid out as a bare git repository" in ran.err
    assert not trap.exists()


def test_the_layout_of_a_linked_working_tree_is_refused(checkout: Extcal) -> None:
    """A `commondir` may stand for the folders of a repository, which then lie elsewhere; case does not matter."""
    for name in ("Head", "CommonDir"):
        (checkout.folder / "manifests" / name).touch()
    assert "is laid out as a bare git repository" in checkout("validate", "manifests").err


def test_the_root_of_a_repository_is_fine(checkout: Extcal) -> None:
    """A repository's own `.git` is no danger: no commit can hold one."""
    assert checkout("validate", ".").code == 0
    assert checkout("plan", ".", "--base", "HEAD").code == 0


@pytest.mark.parametrize("place", ["manifests", "manifests/sub"])
def test_git_does_not_look_for_a_repository_itself(checkout: Extcal, trap: Path, place: str) -> None:
    """Were the layout let through, git would still be started at the root, and find its commits."""
    folder = checkout.folder / place
    embed_bare(folder, _sprung(trap))
    root = git.root_of(folder)
    assert root == checkout.folder.resolve()
    assert git.commit_of(root, "HEAD") == by_hand(root, "rev-parse", "HEAD")
    assert [blob.name for blob in git.tree(root, "HEAD", "manifests").blobs] == ["manifests/all.yaml"]
    assert git.is_tracked(folder.parent)
    assert not trap.exists()


def test_a_bare_repository_alone_is_none(tmp_path: Path, trap: Path) -> None:
    """Where no `.git` is around, a folder that is laid out as a repository does not become one."""
    embed_bare(tmp_path / "manifests", _sprung(trap))
    with pytest.raises(git.GitError, match="is not in a git repository"):
        git.root_of(tmp_path / "manifests")
    (tmp_path / "manifests" / ".git").mkdir()
    with pytest.raises(git.GitError):
        git.is_tracked(tmp_path / "manifests" / "all.yaml")
    assert not trap.exists()


def test_what_is_pulled_runs_nothing(checkout: Extcal, trap: Path, tmp_path: Path) -> None:
    """The host that watches pulls a merge that brings such a repository, twice, and runs nothing of it."""
    origin, watched = tmp_path / "origin.git", tmp_path / "watched"
    by_hand(tmp_path, "clone", "--quiet", "--bare", str(checkout.folder), str(origin))
    by_hand(tmp_path, "clone", "--quiet", str(origin), str(watched))
    hook = watched / ".git" / "hooks" / "post-merge"
    hook.write_text(f"#!/bin/sh\n{_sprung(trap)}\n")
    hook.chmod(0o755)
    embed_bare(checkout.folder / "manifests" / "vendor", _sprung(trap))
    for message in ("vendor", "another"):
        commit_all(checkout.folder, message)
        by_hand(checkout.folder, "push", "--quiet", str(origin), "main")
        (pulled,) = asyncio.run(pull_repositories([watched / "manifests", watched / "manifests" / "vendor"]))
        assert pulled.root == str(watched.resolve())
    assert (watched / "manifests" / "vendor" / "HEAD").exists()
    assert not trap.exists()


def test_a_checkout_with_a_config_of_its_own_runs_nothing(checkout: Extcal, trap: Path) -> None:
    """A whole folder with its `.git`, as an archive may bring it, is read without what its config names."""
    embed_bare(checkout.folder.parent / "bare", _sprung(trap))
    config = (checkout.folder.parent / "bare" / "config").read_text()
    with (checkout.folder / ".git" / "config").open("a") as file:
        file.write(config.replace(f"worktree = {checkout.folder.parent}", f"worktree = {checkout.folder}"))
    head = by_hand(checkout.folder, "-c", "core.fsmonitor=false", "rev-parse", "HEAD:manifests/all.yaml")
    assert checkout("plan", "manifests", "--base", "HEAD").code == 0
    assert git.is_tracked(checkout.folder / "manifests")
    assert not git.is_tracked(checkout.folder / "another")
    # A file that is missing is fetched by git where it may; here it is not.
    (checkout.folder / ".git" / "objects" / head[:2] / head[2:]).unlink()
    ran = checkout("plan", "manifests", "--base", "HEAD")
    assert ran.code == 64
    assert not trap.exists()


@pytest.mark.parametrize(
    "name", ["../../x.yaml", "{place}/x.yaml", "manifests/../../x.yaml", "manifests/.git/x.yaml", ".GIT"]
)
def test_a_name_that_leads_out_of_the_tree_is_refused(checkout: Extcal, name: str, tmp_path: Path) -> None:
    """Git writes no such tree, but reads one; nothing of it is written anywhere."""
    hostile = commit_tree(checkout.folder, name.format(place=tmp_path), b"kind: Site\n")
    before = {path for path in tmp_path.rglob("*") if ".git/objects" not in str(path)}
    (checkout.folder / "manifests").rename(checkout.folder / "renamed")
    ran = checkout("plan", "renamed", "--base", hostile)
    assert ran.code == 64
    assert "which leads out of its folder. Do not use it." in ran.err
    (checkout.folder / "renamed").rename(checkout.folder / "manifests")
    assert {path for path in tmp_path.rglob("*") if ".git/objects" not in str(path)} == before


def test_a_tree_whose_files_stand_in_each_others_way_is_told(checkout: Extcal) -> None:
    """A file by the name of a folder, a name that no disk takes: an error, and no traceback."""
    long = f"{'x' * 300}.yaml"
    ran = checkout("plan", "manifests", "--base", commit_tree(checkout.folder, long, b"kind: Site\n"))
    assert ran.code == 64
    assert "can't be written (File name too long)" in ran.err


def test_git_sees_no_secret_and_no_other_repository(
    checkout: Extcal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever runs git may have set, it is started at the root, without a variable of ours."""
    elsewhere = initialised(tmp_path / "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(elsewhere))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(elsewhere / ".git" / "objects"))
    assert checkout("plan", "manifests", "--base", "HEAD").code == 0
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\nenv > {tmp_path}/env\nexit 1\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    assert checkout("plan", "manifests", "--base", "HEAD").code == 64
    seen = (tmp_path / "env").read_text().splitlines()
    assert [line for line in seen if line.startswith(("EXTCAL_", "GIT_DIR=", "GIT_WORK_TREE="))] == []


def test_what_git_says_is_told_in_whole_sentences(
    checkout: Extcal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines are not glued together, and nobody's password stands in them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    said = "fatal: first line\\n\\n\\tsecond https://kim:hush-41@host.example/x\\nthird"
    (folder / "git").write_text(f"#!/bin/sh\nprintf '{said}' >&2\nexit 128\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    ran = checkout("plan", "manifests", "--base", "HEAD")
    root = checkout.folder.resolve()
    told = f"{root}: git rev-parse failed: first line; second https://…@host.example/x; third"
    assert ran.err == f"error: --base HEAD: {told}\n"
