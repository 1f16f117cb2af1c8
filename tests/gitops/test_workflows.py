"""What every workflow and action must keep to, read from the files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.runner import ROOT

OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USERS = sorted((ROOT / "examples" / "config-repo" / ".github" / "workflows").glob("*.yml"))
FLEET = ROOT / "examples" / "fleet" / "github-matrix.yml"
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
STAGES = ["apply", "drift", "plan", "validate"]
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
    pinned = re.compile(rf"\$/[\w./-]+|actions/[\w-]+@[0-9a-f]{{40}} # v[\d.]+|OWNER/extcal/[\w./-]+@{PLACEHOLDER}")
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


NEEDED = {
    "validate": {"contents": "read"},
    "plan": {"contents": "read", "pull-requests": "write"},
    "apply": {"actions": "read", "contents": "read", "pull-requests": "read"},
    "drift": {"contents": "read", "issues": "write"},
}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_the_least_permissions(stage: str) -> None:
    """The job that works and the one that calls it are granted exactly what the stage needs."""
    callers = the_job(ROOT / "examples" / "config-repo" / ".github" / "workflows" / f"{stage}.yml")
    assert the_job(called(stage))["permissions"] == NEEDED[stage]
    assert callers["permissions"] == NEEDED[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_caller_passes_the_secrets_that_its_stage_reads(stage: str) -> None:
    """Declared, passed and used secrets are the same, by name; validate knows none and needs no environment."""
    caller = ROOT / "examples" / "config-repo" / ".github" / "workflows" / f"{stage}.yml"
    declared = set(read(called(stage))[True]["workflow_call"].get("secrets", {}))
    passed = the_job(caller).get("secrets", {})
    assert passed == {name: f"${{{{ secrets.{name} }}}}" for name in declared}
    assert set(re.findall(r"secrets\.(\w+)", called(stage).read_text())) == declared
    assert (stage == "validate") == (not declared)
    assert the_job(called(stage)).get("environment") == {"apply": "extcal-apply"}.get(
        stage, "extcal-plan" if declared else None
    )


def test_a_forks_pull_request_gets_no_plan() -> None:
    """The job with secrets runs only for branches of the same repository."""
    assert "head.repo.full_name == github.repository" in the_job(called("plan"))["if"]


def test_one_apply_at_a_time() -> None:
    """A second merge waits for the first, and does not end it."""
    document = read(ROOT / "examples" / "config-repo" / ".github" / "workflows" / "apply.yml")
    assert document["concurrency"] == {"group": "${{ github.workflow }}", "cancel-in-progress": False}


def test_the_plan_is_found_by_the_name_it_is_saved_under() -> None:
    """What plan uploads and what apply looks for are one name, and one workflow of the config repository."""
    name = "extcal-plan-${{ github.event.pull_request.head.sha }}"
    assert name in [step.get("with", {}).get("name") for step in steps(called("plan"))]
    fetch = (ROOT / ".github" / "actions" / "reviewed-plan" / "fetch.sh").read_text()
    assert '--name "extcal-plan-$HEAD_SHA"' in fetch
    planner = read(called("apply"))[True]["workflow_call"]["inputs"]["plan-workflow"]["default"]
    assert (ROOT / "examples" / "config-repo" / planner).is_file()


def test_inputs_of_the_actions_exist() -> None:
    """A step that uses one of our actions gives it only inputs that it has, and all that it requires."""
    for path in [*OURS, FLEET]:
        for step in steps(path):
            action = re.fullmatch(r"(?:\$|OWNER/extcal)/(.*?)(?:@.*)?", step.get("uses", ""))
            if action is not None:
                inputs = read(ROOT / action[1] / "action.yml")["inputs"]
                given = set(step.get("with", {}))
                assert given <= set(inputs), (path, step)
                assert {name for name, about in inputs.items() if about.get("required")} <= given, (path, step)
