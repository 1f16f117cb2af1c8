"""On GitLab, what is applied is the plan that was shown in the merge request that was merged, or nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gitops.fake_gitlab import ME, TOKEN, Project
from tests.gitops.gitlab_script import MARKER, script

OTHER = {"id": 9}
DIGEST = "sha256:" + "ab" * 32
REF = "refs/merge-requests/7/head"
MERGED = {
    "iid": 7,
    "state": "merged",
    "target_branch": "main",
    "source_project_id": 5,
    "sha": "feedbeef",
    "merge_commit_sha": "c0ffee",
    "squash_commit_sha": None,
    "merged_at": "2027-01-31T09:00:00.000Z",
}
PIPELINE = {"id": "p1", "project_id": 5, "ref": REF, "sha": "feedbeef", "source": "merge_request_event"}
JOB = {
    "id": 3,
    "name": "plan",
    "status": "success",
    "ref": REF,
    "commit": {"id": "feedbeef"},
    "finished_at": "2027-01-31T09:59:59.999+01:00",
}
ARTIFACT = "jobs/3/artifacts/out/plan.json"
NOTE = {"id": 0, "author": ME, "body": f"{MARKER}\n### Plan: 1 to connect\n\nDigest of the plan: `{DIGEST}`\n"}
TREE = [
    {"path": ".gitlab-ci.yml", "mode": "100644", "id": "p1pe"},
    {"path": "ci", "mode": "040000", "id": "5cr1pts"},
    *({"path": f"file{n}", "mode": "100644", "id": "f1le"} for n in range(30)),
]


@pytest.fixture
def merged(project: Project) -> Project:
    """A project in which a merge request was merged whose plan is there."""
    project.merged = [MERGED]
    project.notes = [NOTE]
    project.pipelines = [PIPELINE | {"id": "p0", "sha": "01d"}, PIPELINE]
    project.jobs = {"p0": [JOB | {"id": 2}], "p1": [JOB | {"name": "validate"}, JOB]}
    project.artifacts = {ARTIFACT: json.dumps({"digest": DIGEST})}
    project.trees = {"0ld": TREE, "feedbeef": TREE, "c0ffee": [*TREE[:5], TREE[5] | {"id": "new"}, *TREE[6:]]}
    return project


def test_the_plan_of_the_merged_head_is_fetched(merged: Project, tmp_path: Path) -> None:
    """The saved plan is the one that the note shows, of the last commit; the token stays with GitLab."""
    done = script(merged, tmp_path, "reviewed-plan", "plan.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "plan.json").read_text()) == {"digest": DIGEST}
    assert done.stdout == f"PLAN_DIGEST={DIGEST}\nPLAN_MERGE_REQUEST=!7\n"
    assert merged.tokens[-1] is None
    assert set(merged.tokens[:-1]) == {TOKEN}


def refusal(project: Project, folder: Path, **env: str) -> str:
    """Why no plan is fetched: one line, and no plan is left behind."""
    done = script(project, folder, "reviewed-plan", "plan.json", **env)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith("gitlab.py: ")
    assert not (folder / "plan.json").exists()
    return done.stderr


@pytest.mark.parametrize(
    "landed",
    [
        {"merge_commit_sha": "c0ffee", "squash_commit_sha": "5quash"},
        {"merge_commit_sha": None, "squash_commit_sha": "c0ffee"},
        {"merge_commit_sha": None, "sha": "c0ffee"},
    ],
    ids=["a merge of a squash", "a squash", "a fast-forward"],
)
def test_every_way_of_merging_is_known(merged: Project, tmp_path: Path, landed: dict[str, Any]) -> None:
    """The commit that the branch has come to is the one that the merge request says it landed as."""
    merged.merged = [MERGED | landed]
    head = merged.merged[0]["sha"]
    merged.trees[head] = merged.trees["c0ffee"]
    merged.pipelines = [PIPELINE | {"sha": head}]
    merged.jobs = {"p1": [JOB | {"commit": {"id": head}}]}
    assert script(merged, tmp_path, "reviewed-plan", "plan.json").returncode == 0


UNREVIEWED: dict[str, list[dict[str, Any]]] = {
    "a direct push": [],
    "an open merge request": [MERGED | {"state": "opened"}],
    "another merge that holds the commit": [MERGED | {"merge_commit_sha": "0ther"}],
    "a merge into another branch": [MERGED | {"target_branch": "attack"}],
}


@pytest.mark.parametrize("rows", UNREVIEWED.values(), ids=UNREVIEWED.keys())
def test_only_a_merge_into_the_default_branch_is_applied(
    merged: Project, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    """A commit that no merge request into the default branch was merged as brings no plan with it."""
    merged.merged = rows
    assert "no merge request into main was merged as c0ffee" in refusal(merged, tmp_path)


def test_a_merge_request_elsewhere_with_the_same_head_lends_no_plan(merged: Project, tmp_path: Path) -> None:
    """Only the pipelines for the merge request that was merged count, not those for another with the same commit."""
    merged.merged = [MERGED | {"iid": 8, "target_branch": "attack"}, MERGED]
    merged.pipelines = [PIPELINE | {"ref": "refs/merge-requests/8/head"}]
    assert "no pipeline that planned its last commit feedbeef" in refusal(merged, tmp_path)


def test_two_merge_requests_with_one_merge_are_refused(merged: Project, tmp_path: Path) -> None:
    """Where two say that they were merged as the commit, neither is taken."""
    merged.merged = [MERGED, MERGED | {"iid": 8}]
    assert "!7 and !8 were all merged as c0ffee" in refusal(merged, tmp_path)


def test_a_fork_brings_no_plan(merged: Project, tmp_path: Path) -> None:
    """A merge request from a fork is refused, whatever pipelines it lists."""
    merged.merged = [MERGED | {"source_project_id": 6}]
    assert "!7 comes from a fork" in refusal(merged, tmp_path)


@pytest.mark.parametrize("commit", ["feedbeef", "c0ffee"], ids=["in its last commit", "by its merge"])
@pytest.mark.parametrize(
    "change",
    [
        {"path": ".gitlab-ci.yml", "mode": "100644", "id": "0ther"},
        {"path": ".gitlab-ci.yml", "mode": "120000", "id": "p1pe"},
        {"path": "ci", "mode": "040000", "id": "0ther"},
    ],
    ids=["the pipeline", "a link", "the scripts"],
)
def test_a_changed_pipeline_makes_no_plan_that_is_applied(
    merged: Project, tmp_path: Path, commit: str, change: dict[str, str]
) -> None:
    """A merge request that changes how plans are made has no plan that was made as the default branch says."""
    merged.trees[commit] = [change if row["path"] == change["path"] else row for row in TREE]
    assert ".gitlab-ci.yml or ci differs" in refusal(merged, tmp_path)


def test_a_pipeline_kept_in_another_project_is_fine(merged: Project, tmp_path: Path) -> None:
    """Where the repository holds no pipeline of its own, there is none to differ; a link to one is a change."""
    merged.trees = dict.fromkeys(merged.trees, TREE[2:])
    assert script(merged, tmp_path, "reviewed-plan", "plan.json").returncode == 0


def test_the_first_commit_of_a_branch_is_not_applied(merged: Project, tmp_path: Path) -> None:
    """With nothing before it, there is no pipeline that could be trusted."""
    assert "first commit of its branch" in refusal(merged, tmp_path, CI_COMMIT_BEFORE_SHA="0" * 40)


UNSHOWN: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "another's": [NOTE | {"author": OTHER}],
    "two": [NOTE, NOTE | {"id": 1}],
    "without a plan": [NOTE | {"body": f"{MARKER}\n**extcal could not make a plan.**"}],
    "of two plans": [NOTE | {"body": f"{NOTE['body']}\n{NOTE['body']}"}],
}


@pytest.mark.parametrize("notes", UNSHOWN.values(), ids=UNSHOWN.keys())
def test_a_plan_that_no_note_shows_is_not_applied(merged: Project, tmp_path: Path, notes: list[dict[str, Any]]) -> None:
    """The bot's one note names the one digest that counts."""
    merged.notes = notes
    assert "shows one plan by its digest" in refusal(merged, tmp_path)


UNFIT: dict[str, dict[str, Any]] = {
    "of an earlier head": {"pipelines": [PIPELINE | {"sha": "01d"}]},
    "by a pipeline of a branch": {"pipelines": [PIPELINE | {"source": "push"}]},
    "of merged results": {"pipelines": [PIPELINE | {"ref": "refs/merge-requests/7/merge"}]},
    "by a pipeline of a fork": {"pipelines": [PIPELINE | {"project_id": 6}]},
    "by a job that failed": {"jobs": {"p1": [JOB | {"status": "failed"}]}},
    "by a job of another name": {"jobs": {"p1": [JOB | {"name": "plan 2"}]}},
    "by a job on another commit": {"jobs": {"p1": [JOB | {"commit": {"id": "01d"}}]}},
    "after the merge": {"jobs": {"p1": [JOB | {"finished_at": "2027-01-31T10:00:00.001+01:00"}]}},
    "with another digest": {"artifacts": {ARTIFACT: json.dumps({"digest": "sha256:" + "0" * 64})}},
    "that is no plan": {"artifacts": {ARTIFACT: "[]"}},
    "that is no JSON": {"artifacts": {ARTIFACT: "plan"}},
}


@pytest.mark.parametrize("wrong", UNFIT.values(), ids=UNFIT.keys())
def test_only_the_plan_that_was_shown_is_applied(merged: Project, tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A plan made otherwise than by the plan job, for the last commit, in time, is as none."""
    for name, value in wrong.items():
        setattr(merged, name, value)
    assert "no pipeline that planned its last commit feedbeef" in refusal(merged, tmp_path)


def test_an_expired_plan_is_not_applied(merged: Project, tmp_path: Path) -> None:
    """Where GitLab has the artifact no more, the run ends."""
    merged.artifacts = {}
    assert "GitLab answers 404" in refusal(merged, tmp_path)


def test_a_second_pipeline_does_not_replace_the_plan_that_was_shown(merged: Project, tmp_path: Path) -> None:
    """Of all plans of the last commit, the one whose digest the note holds is taken, in whatever order they come."""
    other = json.dumps({"digest": "sha256:" + "0" * 64})
    merged.pipelines = [PIPELINE | {"id": "p2"}, PIPELINE]
    merged.jobs["p2"] = [JOB | {"id": 4}]
    merged.artifacts["jobs/4/artifacts/out/plan.json"] = other
    assert script(merged, tmp_path, "reviewed-plan", "plan.json").returncode == 0
    assert json.loads((tmp_path / "plan.json").read_text()) == {"digest": DIGEST}


def test_a_plan_is_never_written_through_a_link(merged: Project, tmp_path: Path) -> None:
    """A link that the repository holds under the name of the plan leads nowhere."""
    (tmp_path / "plan.json").symlink_to("script.py")
    done = script(merged, tmp_path, "reviewed-plan", "plan.json")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "script.py").exists()


def test_the_token_never_goes_to_another_host(merged: Project, tmp_path: Path) -> None:
    """Only an artifact is fetched from where GitLab sends it, without the token; nothing else is followed."""
    merged.redirects = {"user": f"{merged.elsewhere}/elsewhere/user"}
    assert "GitLab answers 302; not followed" in refusal(merged, tmp_path)
    assert None not in merged.tokens


@pytest.mark.parametrize("address", ["ftp://127.0.0.1:9/plan", "https://127.0.0.1:9/plan", "file:///etc/hostname"])
def test_an_artifact_is_fetched_by_the_same_scheme_alone(merged: Project, tmp_path: Path, address: str) -> None:
    """What GitLab sends to by another scheme is not asked."""
    merged.redirects = {ARTIFACT: address}
    assert "GitLab answers 302; not followed" in refusal(merged, tmp_path)


def test_an_endless_answer_ends(merged: Project, tmp_path: Path) -> None:
    """No more is read than any plan or page of notes has."""
    merged.endless = {ARTIFACT}
    assert "larger than 128 MiB" in refusal(merged, tmp_path)
    assert merged.sent < 160 * 1024 * 1024


@pytest.mark.parametrize("rows", [[{}], [[]], ["x"]], ids=["no fields", "lists", "texts"])
def test_an_answer_of_another_shape_is_said_in_a_line(merged: Project, tmp_path: Path, rows: list[Any]) -> None:
    """What is not as GitLab sends it ends the run without a traceback."""
    merged.merged = rows
    assert "not as expected" in refusal(merged, tmp_path)
