"""The pipeline on GitLab: one note, one issue; asked of an API that is really served."""

import re
from pathlib import Path

import pytest

from tests.gitops.fake_gitlab import ME, Project
from tests.gitops.gitlab_script import MARKER, report, script

OTHER = {"id": 9}


def test_a_merge_request_holds_one_note_of_ours(project: Project, tmp_path: Path) -> None:
    """The note is made once and written anew after that, also behind many pages; those of others are left alone."""
    project.notes = [{"id": n, "author": OTHER, "body": f"{MARKER} {n}"} for n in range(150)]
    for text in (f"{MARKER}\nfirst", f"{MARKER}\nsecond ü"):
        assert script(project, tmp_path, "note", report(tmp_path, text)).returncode == 0
    assert [note["body"] for note in project.notes if note["author"] == ME] == [f"{MARKER}\nsecond ü"]
    assert project.writes == ["POST merge_requests/7/notes", "PUT merge_requests/7/notes/150"]


def test_a_plan_that_failed_is_said_in_the_note(project: Project, tmp_path: Path) -> None:
    """An empty report becomes a note with the marker that leads to the log."""
    assert script(project, tmp_path, "note", report(tmp_path, "")).returncode == 0
    (note,) = project.notes
    assert note["body"].startswith(MARKER)
    assert "https://gitlab.example/job/1" in note["body"]


def test_a_note_that_was_made_twice_becomes_one(project: Project, tmp_path: Path) -> None:
    """Of two notes that two pipelines made at once the first is written anew and the other one goes."""
    project.notes = [{"id": n, "author": ME, "body": f"{MARKER} {n}"} for n in range(2)]
    assert script(project, tmp_path, "note", report(tmp_path, f"{MARKER} new")).returncode == 0
    assert [(note["id"], note["body"]) for note in project.notes] == [(0, f"{MARKER} new")]


def test_one_issue_follows_the_drift(project: Project, tmp_path: Path) -> None:
    """Drift opens an issue, then writes into it; its end closes it; others' issues are left alone."""
    theirs = {"iid": 0, "author": OTHER, "state": "opened", "labels": "extcal-drift", "description": "mine"}
    project.issues = [dict(theirs)]
    for code, text in (("2", "first"), ("2", "second"), ("0", ""), ("0", "")):
        assert script(project, tmp_path, "drift-issue", code, report(tmp_path, text)).returncode == 0
    assert project.issues[0] == theirs
    (ours,) = project.issues[1:]
    assert (ours["state"], ours["description"]) == ("closed", "second")
    assert project.writes == ["POST issues", "PUT issues/1", "PUT issues/1"]


def test_a_failed_drift_run_writes_nothing(project: Project, tmp_path: Path) -> None:
    """A plan that could not be made says nothing about drift."""
    assert script(project, tmp_path, "drift-issue", "1", report(tmp_path, "")).returncode == 1
    assert project.writes == []


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"GITLAB_BOT_TOKEN": "wr0ng"}, "GitLab answers 401"),
        ({"GITLAB_BOT_TOKEN": ""}, "GITLAB_BOT_TOKEN is not set"),
        ({"CI_API_V4_URL": "http://127.0.0.1:9"}, "refused"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(project: Project, tmp_path: Path, env: dict[str, str], said: str) -> None:
    """No traceback and no token, but what was asked and what to look at."""
    done = script(project, tmp_path, "note", report(tmp_path, "x"), **env)
    assert done.returncode == 1
    assert re.fullmatch(rf"gitlab\.py: .*{said}.*\n", done.stderr), done.stderr
    assert "wr0ng" not in done.stderr
