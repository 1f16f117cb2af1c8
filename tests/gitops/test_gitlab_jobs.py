"""The pipeline on GitLab as its runners run it: from a merge request to what is applied, and who sees a secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import RunningSandbox, running
from tests.gitops.fake_gitlab import Project
from tests.gitops.gitlab_job import job, jobs_for
from tests.gitops.gitlab_merge import MergeRequest
from tests.support.cli.worlds import BUSY, KEY, connection, harbor, site, world
from tests.support.folders import in_memory
from tests.support.tools import needs_bash, needs_git

pytestmark = [needs_bash, needs_git]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A running sandbox; every test puts the world into it that it needs."""
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def seven(tmp_path: Path, project: Project, sandbox: RunningSandbox) -> MergeRequest:
    """A merge request that would connect the second of two accounts; the first one is connected."""
    sandbox.replace_world(world(harbor(0)))
    sandbox.requests.clear()
    return MergeRequest(tmp_path, project, sandbox)


def test_the_plan_that_was_shown_is_the_one_that_is_applied(seven: MergeRequest) -> None:
    """From the note in the merge request to the service: one digest, and what it stands for is done once merged."""
    planned = seven.plan()
    assert planned.code == 0, planned.log
    (note,) = seven.project.notes
    assert "Plan: 1 to connect" in note["body"]
    seven.merge()
    fetched = seven.fetch()
    assert fetched.code == 0, fetched.log
    assert f"`{seven.shown['PLAN_DIGEST']}`" in note["body"]
    assert f"PLAN_DIGEST={seven.shown['PLAN_DIGEST']}" in fetched.log
    assert seven.writes == []
    applied = seven.apply()
    assert applied.code == 0, applied.log
    assert [path.rpartition("/")[2] for path in seven.writes] == ["connections:connectByCredentials", "sync-config"]


def test_only_extcal_sees_its_secrets_and_only_the_script_the_token(seven: MergeRequest) -> None:
    """While packages are installed there is no secret; extcal never sees the token, nor the script extcal's."""
    ran = {"plan": seven.plan()}
    seven.merge()
    ran |= {"reviewed": seven.fetch(), "apply": seven.apply(), "drift": seven.run("drift")}
    assert ran["plan"].saw("git cat-file") == ran["reviewed"].saw("git fetch") == set()
    for name, each in ran.items():
        assert each.code == 0, (name, each.log)
        for command in ("tar", "python -I -m venv", "python -I -m pip"):
            assert each.saw(command) == set(), name
        assert each.saw("extcal") >= {"EXTCAL_API_KEY"}, name
        assert "GITLAB_BOT_TOKEN" not in each.saw("extcal"), name
        script = [secrets for secrets, words in each.seen if "gitlab.py" in words and words.startswith("python")]
        assert script == ([] if name == "apply" else [{"GITLAB_BOT_TOKEN"}]), name


@pytest.mark.parametrize("name", ["install", "validate"])
def test_a_job_without_an_environment_hands_nothing_on(seven: MergeRequest, name: str) -> None:
    """Secrets that somebody has given to all jobs of the project are taken away first."""
    ran = seven.run(name, EXTCAL_API_KEY="key", EXTCAL_LEE="seagull-lantern-41", GITLAB_BOT_TOKEN="glpat-made-up")
    assert ran.code == 0, ran.log
    assert [words for secrets, words in ran.seen if secrets] == []
    assert "environment" not in job(name)


def test_a_plan_that_the_merged_manifests_do_not_yield_is_refused(seven: MergeRequest) -> None:
    """Whoever can forge both the artifact and the note gets no further than the fresh plan of what was merged."""
    assert seven.plan().code == 0
    seven.merge()
    seven.forge(site(), connection(0, more="state: absent"))
    fetched = seven.fetch()
    assert fetched.code == 1
    assert "the manifests no longer yield the reviewed plan" in fetched.log
    assert seven.writes == []


def test_a_merge_that_was_taken_back_is_not_carried_out_when_its_job_runs_again(seven: MergeRequest) -> None:
    """The job `reviewed` of an older pipeline looks at what the default branch says now, and applies nothing else."""
    assert seven.plan().code == 0
    seven.merge()
    seven.revert()
    fetched = seven.fetch()
    assert fetched.code == 1
    assert "the manifests no longer yield the reviewed plan" in fetched.log
    assert seven.writes == []


def test_what_was_protected_before_the_merge_is_not_disconnected_by_a_forged_plan(
    tmp_path: Path, project: Project, sandbox: RunningSandbox
) -> None:
    """A merge that deletes a protected connection's manifest carries nothing out, whatever plan is shown."""
    sandbox.replace_world(world(harbor(0)))
    sandbox.requests.clear()
    protected = connection(0, more="lifecycle: {preventDisconnect: true}")
    pruning = site(more="prune: true\nscope: site")
    seven = MergeRequest(tmp_path, project, sandbox, [pruning, protected], [pruning, connection(1)])
    assert seven.plan().code == 1
    seven.merge()
    seven.forge(pruning, connection(1))
    fetched = seven.fetch()
    assert fetched.code == 1
    assert "preventDisconnect" in fetched.log
    assert seven.writes == []


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, ""], ids=["another", "none"])
def test_only_the_plan_whose_digest_was_shown_before_the_approval_is_applied(seven: MergeRequest, digest: str) -> None:
    """The digest in the log of the job before the approval is that of the plan that is carried out, or none is."""
    assert seven.plan().code == 0
    seven.merge()
    assert seven.fetch().code == 0
    seven.shown["PLAN_DIGEST"] = digest
    applied = seven.apply()
    assert applied.code in {1, 64}
    assert "digest" in applied.log
    assert seven.writes == []


TRAPS = ("ci/gitlab.py", "ci/json.py", "venv.py", "pip.py", "json.py", "reconciler/__init__.py", "sitecustomize.py")


def test_a_merge_request_runs_no_script_of_its_own(seven: MergeRequest) -> None:
    """Where the pipeline is kept out of its reach, nothing that it changes in ci/ or adds beside it is run."""
    trap = "import pathlib; pathlib.Path('owned').touch(); raise SystemExit(1)\n"
    for name in TRAPS:
        (seven.folder / name).parent.mkdir(exist_ok=True)
        (seven.folder / name).write_text(trap)
    seven.head = seven.commit(site(), connection(0, more=BUSY), connection(1, more=BUSY))
    planned = seven.plan()
    assert planned.code == 0, planned.log
    assert not list(seven.folder.rglob("owned"))


def test_a_link_in_a_merge_request_leads_no_output_elsewhere(seven: MergeRequest) -> None:
    """Reports go into a folder that the job makes, not through links that are there already."""
    (seven.folder / "out").symlink_to("ci")
    seven.head = seven.commit(site(), connection(0, more=BUSY), connection(1, more=BUSY))
    assert seven.plan().code == 0
    assert not (seven.folder / "ci" / "plan.md").exists()


@pytest.mark.parametrize("event", ["merged_result", "merge_train", ""])
def test_merged_results_and_merge_trains_are_refused_in_words(seven: MergeRequest, event: str) -> None:
    """A plan of another commit than the merge request's last one is not made."""
    planned = seven.plan(CI_MERGE_REQUEST_EVENT_TYPE=event)
    assert planned.code == 1
    assert "Turn merged results and merge trains off." in planned.log
    assert not seven.project.writes


OWN = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_PROJECT_ID": "5",
    "CI_DEFAULT_BRANCH": "main",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
}
PUSH = {"CI_PIPELINE_SOURCE": "push", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "main"}
PIPELINES: dict[str, tuple[dict[str, str], set[str]]] = {
    "a merge request": (OWN, {"install", "validate", "plan"}),
    "into another branch": (OWN | {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "attack"}, {"install", "validate"}),
    "from a fork": (OWN | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "6"}, {"install", "validate"}),
    "a merge": (PUSH, {"install", "reviewed", "apply"}),
    "a push to another branch": (PUSH | {"CI_COMMIT_BRANCH": "attack"}, set()),
    "a schedule": (PUSH | {"CI_PIPELINE_SOURCE": "schedule"}, {"install", "consents", "drift"}),
    "by hand": (PUSH | {"CI_PIPELINE_SOURCE": "web"}, {"install", "consents", "drift"}),
    "a schedule of another branch": (PUSH | {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "attack"}, set()),
    "by hand on another branch": (PUSH | {"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "attack"}, set()),
}


@pytest.mark.parametrize(("variables", "jobs"), PIPELINES.values(), ids=PIPELINES.keys())
def test_each_pipeline_has_the_jobs_that_it_may(variables: dict[str, str], jobs: set[str]) -> None:
    """Plans are made for merge requests into the default branch, applied by its merges, looked after on it alone."""
    assert jobs_for(**variables) == jobs


def test_the_key_that_writes_is_for_one_job_that_waits_for_its_turn() -> None:
    """Planning, fetching and looking for drift have the environment that only reads; one apply runs at a time."""
    places = {
        name: job(name).get("environment", {}).get("name")
        for name in ("plan", "reviewed", "drift", "apply", "consents")
    }
    assert places == {
        "plan": "extcal-plan",
        "reviewed": "extcal-plan",
        "drift": "extcal-plan",
        "apply": "extcal-apply",
        "consents": "extcal-consents",
    }
    assert job("apply")["resource_group"] == job("consents")["resource_group"] == "extcal-apply"
    assert job("apply")["needs"] == ["install", "reviewed"]
