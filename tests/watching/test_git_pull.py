"""`--git-pull`: what was merged is what is watched."""

import asyncio
from pathlib import Path

import pytest

from reconciler.git import GitError
from reconciler.watching.round import pull_repositories
from tests.support.cli.worlds import BUSY, connection, harbor, site, world
from tests.support.tools import needs_git
from tests.watching.inside import Inside
from tests.watching.repositories import Repositories, git

pytestmark = needs_git


@pytest.fixture
def repositories(inside: Inside, tmp_path: Path) -> Repositories:
    """The watched clone is the folder `manifests`; what it declares is connected."""
    inside.extcal.on(world(harbor(0)))
    return Repositories(tmp_path, inside.extcal.folder / "manifests")


def test_what_is_merged_is_applied_in_the_next_round(inside: Inside, repositories: Repositories) -> None:
    """A manifest that comes with a commit is carried out, and the commits are told."""

    def merge() -> None:
        repositories.merge(site(), connection(0, more=BUSY), connection(1, more=BUSY))

    inside.run(merge, applies=True, git_pull=True)
    before, after = git(repositories.work, "log", "-2", "--format=%h").split()[::-1]
    lines, bad = inside.reports.take()
    assert lines == [f"{repositories.watched.resolve()}: pulled {before}..{after}", "done connect harbor/staff-1"]
    assert bad == []
    assert (inside.figures.pulls, inside.figures.failed_pulls) == (2, 0)


def test_a_pull_that_fails_stops_nothing(inside: Inside, repositories: Repositories) -> None:
    """What was pulled last goes on being watched; the failure is told once and counted, and so is its end."""
    moved = repositories.origin.with_name("moved.git")

    def lose() -> None:
        repositories.origin.rename(moved)

    def find() -> None:
        assert inside.watch.readiness.ready().yes
        moved.rename(repositories.origin)

    inside.run(lose, lambda: None, find, git_pull=True)
    lines, bad = inside.reports.take()
    assert ["git pull failed: " in line for line in bad] == [True]
    assert lines == ["manifests, repository and this machine have no errors now"]
    assert (inside.figures.pulls, inside.figures.failed_pulls) == (2, 2)
    assert inside.reports.site_names == [["harbor"]] * 4


def test_a_history_that_was_rewritten_is_not_followed(inside: Inside, repositories: Repositories) -> None:
    """Only what follows from what is there is taken over."""
    git(repositories.watched, "commit", "--quiet", "--allow-empty", "--message", "by hand")
    repositories.merge(site(), connection(1, more=BUSY))
    inside.run(git_pull=True)
    assert ["git pull failed: " in line for line in inside.reports.take()[1]] == [True]


def test_the_password_of_a_repository_is_not_told(inside: Inside, repositories: Repositories) -> None:
    """A URL that git repeats is shown without who logs in."""
    git(repositories.watched, "remote", "set-url", "origin", "http://kim:hush-41@127.0.0.1:9/repository.git")
    inside.run(git_pull=True)
    (told,) = inside.reports.take()[1]
    assert "127.0.0.1:9" in told
    assert "hush-41" not in told


def test_git_gets_none_of_our_secrets_and_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that hangs is ended with its helpers; what its hooks can see holds no variable of ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\nenv > {tmp_path}/env\nsleep 60 & echo $! > {tmp_path}/pid\nwait\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("EXTCAL_API_KEY", "key-of-the-sandbox")
    (tmp_path / ".git").mkdir()
    with pytest.raises(GitError, match="did not end within 2 s"):
        asyncio.run(pull_repositories([tmp_path], timeout=2.0))
    assert "EXTCAL_" not in (tmp_path / "env").read_text()
    helper = int((tmp_path / "pid").read_text())
    status = Path(f"/proc/{helper}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_a_machine_without_git_is_told(
    inside: Inside, repositories: Repositories, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is there goes on being watched, and what is missing is named."""
    del repositories
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    inside.run(git_pull=True)
    (told,) = inside.reports.take()[1]
    assert told == "git can't be started (No such file or directory). Install it."
    assert inside.reports.site_names == [["harbor"]]
