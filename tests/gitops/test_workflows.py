"""What every workflow and action must keep to, read from the files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.files import FLEET, OURS, USERS
from tests.support.tools import ROOT

ACTION = ROOT / ".github" / "actions"
ACTIONS = sorted(ACTION.glob("*/action.yml"))
STAGES = ["apply", "consents", "drift", "plan", "validate"]
PLACEHOLDER = "0" * 40

Document = dict[Any, Any]


def read(path: Path) -> Document:
    """A workflow or an action."""
    document: Document = yaml.safe_load(path.read_text())
    return document


def jobs(path: Path) -> dict[str, Document]:
    """The jobs of a workflow."""
    found: dict[str, Document] = read(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[Document]:
    """Every step of a workflow or an action."""
    document = read(path)
    for part in document["jobs"].values() if "jobs" in document else [document["runs"]]:
        yield from part.get("steps", [])


def called(stage: str) -> Path:
    """The workflow that does a stage."""
    return ROOT / ".github" / "workflows" / f"extcal-{stage}.yml"


def the_job(path: Path) -> Document:
    """The only job of a workflow."""
    (job,) = jobs(path).values()
    return job


def test_every_stage_is_there() -> None:
    """A config repository has a workflow for each stage, and extcal one that it calls."""
    assert [path.stem for path in USERS] == STAGES
    assert {called(stage) for stage in STAGES} <= set(OURS)


@pytest.mark.parametrize("path", [*OURS, *USERS, FLEET, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_action_is_pinned(path: Path) -> None:
    """What is used is pinned to a commit, with its version beside it, or lies in the same repository and commit."""
    used = re.findall(r"^\s*(?:- )?uses: (.*)$", path.read_text(), re.MULTILINE)
    pinned = re.compile(rf"\$/[\w./-]+|actions/[\w/-]+@[0-9a-f]{{40}} # v[\d.]+|OWNER/extcal/[\w./-]+@{PLACEHOLDER}")
    assert [text for text in used if not pinned.fullmatch(text)] == []
    ours = [ROOT / text.removeprefix("$/") / "action.yml" for text in used if text.startswith("$/")]
    theirs = [ROOT / text.removeprefix("OWNER/extcal/").partition("@")[0] for text in used if text.startswith("OWNER/")]
    # A user names a workflow's file, or an action's folder.
    assert [file for file in [*ours, *theirs] if not (file.is_file() or (file / "action.yml").is_file())] == []


@pytest.mark.parametrize("path", [*OURS, *USERS, FLEET, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_expression_reaches_a_shell(path: Path) -> None:
    """A script takes what it is given by environment, never as text put into it."""
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("path", [*OURS, *USERS, FLEET], ids=lambda path: str(path.relative_to(ROOT)))
def test_checkouts_leave_no_token_behind(path: Path) -> None:
    """The token that fetched the files is not kept where a later step could use it."""
    checkouts = [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize("path", [*OURS, *USERS, FLEET], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_with_more_than_it_names(path: Path) -> None:
    """A workflow grants nothing; each job names its permissions; no foreign code meets the target's secrets."""
    document = read(path)
    assert document["permissions"] == {}
    assert all("permissions" in job for job in document["jobs"].values())
    triggers = document[True]  # YAML 1.1 reads the key `on` so
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)


NEEDED: dict[str, dict[str, dict[str, str]]] = {
    "validate": {"validate": {"contents": "read"}},
    "plan": {
        "plan": {"contents": "read", "pull-requests": "write"},
        "attest": {"attestations": "write", "id-token": "write"},
    },
    "apply": {
        "reviewed": {"actions": "read", "attestations": "read", "contents": "read", "pull-requests": "read"},
        "apply": {},
    },
    "consents": {"consents": {"contents": "read"}},
    "drift": {"drift": {"contents": "read", "issues": "write"}},
}
ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "validate": {"validate": None},
    "plan": {"plan": "extcal-plan", "attest": None},
    "apply": {"reviewed": "extcal-plan", "apply": "extcal-apply"},
    "consents": {"consents": "extcal-consents"},
    "drift": {"drift": "extcal-plan"},
}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_the_least_permissions(stage: str) -> None:
    """Each job, and the one that calls them all, is granted exactly what it needs."""
    callers = the_job(ROOT / "examples" / "config-repo" / ".github" / "workflows" / f"{stage}.yml")
    assert {name: job["permissions"] for name, job in jobs(called(stage)).items()} == NEEDED[stage]
    every: dict[str, str] = {}
    for needed in NEEDED[stage].values():
        every |= needed
    assert callers["permissions"] == every


@pytest.mark.parametrize("stage", STAGES)
def test_a_caller_passes_the_secrets_that_its_stage_reads(stage: str) -> None:
    """Declared, passed and used secrets are the same, by name; a job without any needs no environment."""
    caller = ROOT / "examples" / "config-repo" / ".github" / "workflows" / f"{stage}.yml"
    declared = set(read(called(stage))[True]["workflow_call"].get("secrets", {}))
    passed = the_job(caller).get("secrets", {})
    assert passed == {name: f"${{{{ secrets.{name} }}}}" for name in declared}
    assert set(re.findall(r"secrets\.(\w+)", called(stage).read_text())) == declared
    assert (stage == "validate") == (not declared)
    assert {name: job.get("environment") for name, job in jobs(called(stage)).items()} == ENVIRONMENTS[stage]
    with_secrets = {name for name, job in jobs(called(stage)).items() if "secrets." in json.dumps(job)}
    assert with_secrets == {name for name, environment in ENVIRONMENTS[stage].items() if environment}


@pytest.mark.parametrize("path", [*OURS, FLEET], ids=lambda path: path.stem)
def test_secrets_are_given_to_the_one_step_that_needs_them(path: Path) -> None:
    """Only the step that runs extcal has any; the one that installs it goes before, and nothing has them for a job."""
    document = read(path)
    assert "secrets." not in json.dumps(document.get("env", {}))
    for job in document["jobs"].values():
        assert "secrets." not in json.dumps(job.get("env", {}))
        used = [step.get("uses", "").partition("@")[0].rpartition("/actions/")[2] for step in job["steps"]]
        for step, action in zip(job["steps"], used, strict=True):
            assert "secrets." not in json.dumps(step) or action == "extcal", step
        if "extcal" in used:
            assert "install" in used[: used.index("extcal")]


def test_what_installs_and_what_runs_are_two_actions() -> None:
    """The action that is given secrets downloads nothing and uses no action of others; the other one reads none."""
    (only,) = steps(ACTION / "extcal" / "action.yml")
    assert only["run"] == 'bash "$GITHUB_ACTION_PATH/run.sh"'
    assert not re.search(r"\b(pip|curl|wget|git)\b", (ACTION / "extcal" / "run.sh").read_text())
    assert "secrets" not in (ACTION / "install" / "action.yml").read_text().lower().replace("every secret", "")


@pytest.mark.parametrize("script", sorted(ACTION.glob("*/*.sh")), ids=lambda path: path.name)
def test_no_script_goes_on_after_a_command_that_failed(script: Path) -> None:
    """What fails ends a script, also where its output is put into a variable; a part of scripts sets nothing itself."""
    text = script.read_text()
    assert "\nset -euo pipefail\nshopt -s inherit_errexit\n" in text or not text.startswith("#!")


def test_a_forks_pull_request_gets_no_plan() -> None:
    """The job with secrets runs only for branches of the same repository."""
    assert "head.repo.full_name == github.repository" in jobs(called("plan"))["plan"]["if"]


def test_another_event_is_refused_in_words() -> None:
    """A job that is skipped passes for one that went well, so a merge queue is told that it isn't supported."""
    plan = jobs(called("plan"))["plan"]
    assert plan["if"].startswith("github.event_name != 'pull_request' ||")
    first = plan["steps"][0]
    assert first["if"] == "github.event_name != 'pull_request'"
    assert "a merge queue (merge_group) is not supported" in first["run"]
    assert first["run"].endswith("exit 1\n")


def test_what_is_attested_is_what_the_job_that_planned_said() -> None:
    """No artifact comes between, which another job of the run could have put in its place."""
    planned = jobs(called("plan"))
    (attest,) = planned["attest"]["steps"]
    assert attest["with"]["subject-digest"] == "${{ needs.plan.outputs.context-digest }}"
    assert planned["plan"]["outputs"] == {"context-digest": "${{ steps.artifact.outputs.context-digest }}"}
    said = read(ACTION / "plan-artifact" / "action.yml")["outputs"]["context-digest"]["value"]
    assert said == "${{ steps.bind.outputs.context-digest }}"


@pytest.mark.parametrize("path", [called("plan"), FLEET], ids=lambda path: path.stem)
def test_the_base_is_a_full_commit_id(path: Path) -> None:
    """What a plan is compared with is found by git alone, before anything of the pull request is read."""
    plan = jobs(path)["plan"]
    (base,) = [step for step in plan["steps"] if step.get("id") == "base"]
    assert base["run"].startswith("sha=$(git rev-parse --verify 'HEAD^1^{commit}')\n")
    (extcal,) = [step for step in plan["steps"] if step.get("id") == "extcal"]
    assert "--base\n${{ steps.base.outputs.sha }}" in extcal["with"]["arguments"]
    assert plan["steps"].index(base) < plan["steps"].index(extcal)


APPLIES = {"extcal-apply": (called("apply"), ["apply"]), "github-matrix": (FLEET, ["apply", "rest"])}


@pytest.mark.parametrize(("path", "names"), APPLIES.values(), ids=APPLIES.keys())
def test_what_is_approved_is_what_is_applied(path: Path, names: list[str]) -> None:
    """The plan is fetched and checked before the approval, whose job shows its digest and takes no other plan."""
    reviewed = jobs(path)["reviewed"]
    actions = [step.get("uses", "").partition("@")[0].rpartition("/")[2] for step in reviewed["steps"]]
    assert actions.index("checkout") < actions.index("reviewed-plan") < actions.index("extcal")
    check = reviewed["steps"][actions.index("extcal")]
    assert check["with"]["command"] == "plan"
    assert "accept" not in check["with"]
    assert "if" not in check
    assert {check["with"][key] for key in ("plan", "digest")} == {
        "${{ steps.reviewed.outputs.plan }}",
        "${{ steps.reviewed.outputs.digest }}",
    }
    # What the manifests before the merge protect is protected still.
    assert "--base\n${{ github.event.before }}" in check["with"]["arguments"]
    assert reviewed["steps"][actions.index("checkout")]["with"]["fetch-depth"] == 0
    for name in names:
        job = jobs(path)[name]
        assert "reviewed" in job["needs"]
        assert job["name"].endswith(
            "pull request ${{ needs.reviewed.outputs.pull-request }}, ${{ needs.reviewed.outputs.digest }})"
        )
        assert "if" not in job
        assert not [step for step in job["steps"] if "checkout@" in step.get("uses", "")]
        (download,) = [step for step in job["steps"] if "download-artifact@" in step.get("uses", "")]
        assert download["with"] == {"name": "${{ needs.reviewed.outputs.artifact }}", "path": "reviewed"}
        (extcal,) = [step for step in job["steps"] if step.get("id") == "extcal"]
        assert extcal["with"]["plan"] == "reviewed/plan.json"
        assert extcal["with"]["digest"] == "${{ needs.reviewed.outputs.digest }}"


@pytest.mark.parametrize(("path", "names"), APPLIES.values(), ids=APPLIES.keys())
def test_an_apply_that_is_run_again_carries_out_only_what_the_branch_says_now(path: Path, names: list[str]) -> None:
    """The check plans what the branch holds now, not what it held at the push; without a check nothing is applied."""
    (checkout,) = [step for step in jobs(path)["reviewed"]["steps"] if "checkout@" in step.get("uses", "")]
    assert checkout["with"]["ref"] == "${{ github.ref }}"
    (named,) = [step for step in jobs(path)["reviewed"]["steps"] if step.get("id") == "artifact"]
    assert named["run"] == 'echo "name=extcal-reviewed-$GITHUB_RUN_ATTEMPT" >>"$GITHUB_OUTPUT"'
    for name in names:
        first = jobs(path)[name]["steps"][0]
        assert first["if"] == "needs.reviewed.outputs.artifact != format('extcal-reviewed-{0}', github.run_attempt)"
        assert "re-run all jobs" in first["run"]
        assert first["run"].endswith("exit 1\n")


def test_one_apply_at_a_time() -> None:
    """A second merge waits for the first, and does not end it."""
    document = read(ROOT / "examples" / "config-repo" / ".github" / "workflows" / "apply.yml")
    assert document["concurrency"] == {"group": "${{ github.workflow }}", "cancel-in-progress": False}


@pytest.mark.parametrize("path", [*OURS, *USERS, FLEET, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_plan_is_ever_overwritten(path: Path) -> None:
    """The artifact that a merge takes has a name of its own in every run and attempt."""
    for step in steps(path):
        given = step.get("with", {})
        assert not given.get("overwrite") or given["name"] == "extcal-shard-${{ matrix.shard }}", step


def test_the_workflow_that_plans_is_one_of_the_config_repository() -> None:
    """What apply takes plans from by default is the example's own."""
    planner = read(called("apply"))[True]["workflow_call"]["inputs"]["plan-workflow"]["default"]
    assert (ROOT / "examples" / "config-repo" / planner).is_file()


def test_inputs_of_the_actions_exist() -> None:
    """A step that uses one of our actions gives it only inputs that it has, and all that it requires."""
    for path in [*OURS, FLEET]:
        for step in steps(path):
            action = re.fullmatch(r"(?:\$|OWNER/extcal)/(.*?)(?:@.*)?", step.get("uses", ""))
            if action is not None:
                inputs = read(ROOT / action[1] / "action.yml").get("inputs", {})
                given = set(step.get("with", {}))
                assert given <= set(inputs), (path, step)
                assert {name for name, about in inputs.items() if about.get("required")} <= given, (path, step)
