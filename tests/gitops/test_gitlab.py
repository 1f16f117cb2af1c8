"""The pipeline on GitLab: one note, the reviewed plan, one issue; asked of an API that is really served."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.fake_gitlab import ME, TOKEN, Project, served
from tests.gitops.runner import ROOT

EXAMPLE = ROOT / "examples" / "gitlab"
MARKER = "<!-- extcal-plan -->"
OTHER = {"id": 9}
MERGED = {"iid": 7, "state": "merged", "sha": "feedbeef", "merge_commit_sha": "c0ffee"}
PIPELINE = {"id": "p1", "sha": "feedbeef", "source": "merge_request_event"}
JOB = {"id": 3, "name": "plan", "status": "success"}


@pytest.fixture
def project() -> Iterator[Project]:
    """A project whose API is served."""
    with served(Project()) as found:
        yield found


def script(project: Project, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a job of the project."""
    job = {
        "CI_API_V4_URL": project.url,
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": "c0ffee",
        "CI_JOB_URL": "https://gitlab.example/job/1",
        "GITLAB_BOT_TOKEN": TOKEN,
    }
    return subprocess.run(
        [sys.executable, str(EXAMPLE / "ci" / "gitlab.py"), *words],
        cwd=folder,
        env=os.environ | job | env,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def report(folder: Path, text: str) -> str:
    """A report in the job's folder."""
    (folder / "report.md").write_text(text, encoding="utf-8")
    return "report.md"


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


def test_the_plan_of_the_merged_head_is_fetched(project: Project, tmp_path: Path) -> None:
    """The saved plan is that of the last commit of the merge request; the token stays with GitLab."""
    project.merged = [MERGED]
    project.pipelines = [PIPELINE | {"id": "p0", "sha": "01d"}, PIPELINE]
    project.jobs = {"p0": [JOB | {"id": 2}], "p1": [JOB | {"name": "validate"}, JOB]}
    project.artifacts = {"jobs/3/artifacts/plan.json": "the plan"}
    done = script(project, tmp_path, "reviewed-plan", "plan.json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plan.json").read_text() == "the plan"
    assert project.tokens[-1] is None
    assert set(project.tokens[:-1]) == {TOKEN}


REFUSED: dict[str, dict[str, Any]] = {
    "a direct push": {"merged": []},
    "an open merge request": {"merged": [MERGED | {"state": "opened"}]},
    "another merge that holds the commit": {"merged": [MERGED | {"merge_commit_sha": "0ther"}]},
    "a plan of an earlier head": {"pipelines": [PIPELINE | {"sha": "01d"}]},
    "a pipeline of a branch": {"pipelines": [PIPELINE | {"source": "push"}]},
    "a plan that failed": {"jobs": {"p1": [JOB | {"status": "failed"}]}},
    "an expired plan": {"artifacts": {}},
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED.keys())
def test_anything_but_the_reviewed_plan_is_refused(project: Project, tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Without a plan of exactly what was merged the job ends, says why in a line, and leaves no plan behind."""
    right = {
        "merged": [MERGED],
        "pipelines": [PIPELINE],
        "jobs": {"p1": [JOB]},
        "artifacts": {"jobs/3/artifacts/plan.json": "the plan"},
    }
    for name, value in (right | wrong).items():
        setattr(project, name, value)
    done = script(project, tmp_path, "reviewed-plan", "plan.json")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "plan.json").exists()


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


def test_the_stages_run_where_they_may() -> None:
    """Validate needs no secret; plan is for the project's own branches; apply for merges; drift for schedules."""
    pipeline = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text())
    assert pipeline["stages"] == ["validate", "plan", "apply", "drift"]
    assert "environment" not in pipeline["validate"]
    (plan,) = pipeline["plan"]["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in plan["if"]
    assert pipeline["plan"]["environment"]["name"] == pipeline["drift"]["environment"]["name"] == "extcal-plan"
    assert pipeline["apply"]["environment"]["name"] == pipeline["apply"]["resource_group"] == "extcal-apply"
    (apply,) = [line for line in pipeline["apply"]["script"] if "extcal apply" in line]
    assert "--plan plan.json" in apply
    assert "--consent skip" in apply
