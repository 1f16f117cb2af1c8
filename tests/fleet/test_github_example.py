"""The workflow for a fleet on GitHub, its steps run as its runners would: one comment, one plan, applied in shards."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.sandbox.server import RunningSandbox
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD
from tests.support.github.runner import Ran, Runner
from tests.support.tools import ROOT, needs_bash, needs_git

pytestmark = needs_bash

EXAMPLE = ROOT / "examples" / "fleet" / "github-matrix.yml"

Json = dict[str, Any]


def job(name: str) -> Json:
    """A job of the workflow."""
    found: Json = yaml.safe_load(EXAMPLE.read_text())["jobs"][name]
    return found


def step(name: str, action: str) -> Json:
    """What a job gives to one of our actions, or another's."""
    (found,) = [each.get("with", {}) for each in job(name)["steps"] if f"{action}@" in each.get("uses", "")]
    return {key: str(value) for key, value in found.items()}


def filled(text: str, **values: str) -> str:
    """A text with what its expressions stand for."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)


def given(of: str, **values: str) -> dict[str, str]:
    """What the step of a job that runs extcal gives to the action, the action's defaults with it."""
    defaults = {"format": "text", "paths": "manifests", "plan": "", "digest": "", "arguments": "", "accept": ""}
    defaults |= {"consent": "skip", "remind_after": "3d"}
    inputs = defaults | step(of, "extcal")
    return {key: filled(text, **values) for key, text in inputs.items()}


def extcal(runner: Runner, of: str, **values: str) -> Ran:
    """Run the step of a job that runs extcal."""
    env = {f"INPUT_{key.upper()}": text for key, text in given(of, **values).items()}
    return runner.run("extcal/run.sh", **env)


@pytest.fixture
def repository(sites: Extcal, runner: Runner, sandbox: RunningSandbox) -> Runner:
    """A runner in a checkout whose last commit has brought the manifests."""
    runner.env |= {
        "EXTCAL_ENDPOINT": sandbox.endpoint,
        "EXTCAL_API_KEY": sites.env["EXTCAL_API_KEY"],
        "EXTCAL_PASSWORDS": f"EXTCAL_APP_PASSWORD={PASSWORD}",
        "EXTCAL_STATE_DIR": str(runner.folder / "state"),
    }
    git(runner, "init", "--quiet")
    for words in (("--allow-empty", "--message", "Begin"), ("--message", "Bring the manifests")):
        git(runner, "-c", "user.name=Ana", "-c", "user.email=ana@harbor-dental.example", "commit", "--quiet", *words)
        git(runner, "add", "manifests")
    return runner


def git(runner: Runner, *words: str) -> str:
    """What git says in the checkout."""
    done = subprocess.run(["git", *words], cwd=runner.folder, check=True, capture_output=True, encoding="utf-8")  # noqa: S607 - git is on PATH
    return done.stdout.strip()


def shards(of: str) -> list[int]:
    """The shards of a job."""
    numbers: list[int] = job(of)["strategy"]["matrix"]["shard"]
    assert numbers == list(range(1, len(numbers) + 1))
    return numbers


@needs_git
def test_a_fleet_is_reviewed_in_one_comment_and_applied_in_shards(repository: Runner, sites: Extcal) -> None:
    """Every shard's plan is in the one comment and the one saved plan; its shards do all of it, the rest nothing."""
    pytest.importorskip("jq", reason="jq for Python is not installed")
    base = git(repository, "rev-parse", "HEAD^1")
    for number in shards("plan"):
        values = {"matrix.shard": str(number), "strategy.job-total": str(len(shards("plan")))}
        values["steps.base.outputs.sha"] = base
        place = repository.folder / "shards" / filled(_uploaded("plan")["name"], **values)
        place.mkdir(parents=True)
        if number == 1:
            planned = extcal(repository, "plan", **values)
            assert planned.outputs["exit-code"] == "0", planned.log
            shutil.copy(planned.outputs["plan"], place)
        else:
            words = given("plan", **values)["arguments"].split()
            assert sites("plan", "manifests", *words, "--out", str(place / "plan.json")).code == 0
    merged = extcal(repository, "comment")
    assert merged.outputs["exit-code"] == "0", merged.log
    comment = filled(
        step("comment", "plan-comment")["report"], **{"steps.extcal.outputs.report": merged.outputs["report"]}
    )
    said = repository.run("plan-comment/comment.sh", INPUT_REPORT=comment, INPUT_PULL_REQUEST="7")
    assert said.code == 0, said.log
    (shown,) = repository.world["comments"]
    assert "Plan: 6 to connect, 6 to update" in shown["body"]
    plan = str(repository.folder / step("comment", "plan-artifact")["plan"])
    digest = json.loads(Path(plan).read_text())["digest"]
    assert f"Digest of the plan: `{digest}`\n" in shown["body"]
    found = {"steps.reviewed.outputs.plan": plan, "steps.reviewed.outputs.digest": digest, "github.event.before": base}
    checked = extcal(repository, "reviewed", **found)
    assert (checked.code, f"The reviewed plan still holds: {digest}" in checked.log) == (0, True), checked.log
    assert sites.writes == []

    downloaded = repository.folder / step("apply", "extcal")["plan"]
    downloaded.parent.mkdir()
    shutil.copy(plan, downloaded)
    approved = {"needs.reviewed.outputs.digest": digest}
    for number in shards("apply"):
        values = approved | {"matrix.shard": str(number), "strategy.job-total": str(len(shards("apply")))}
        if number == 1:
            assert extcal(repository, "apply", **values).outputs["exit-code"] == "0"
        else:
            words = given("apply", **values)["arguments"].split()
            assert sites("apply", "--plan", str(downloaded), "--auto-approve", *words).code == 0
    assert len([request for request in sites.writes if request.path.endswith("connectByCredentials")]) == 6
    sites.sandbox.requests.clear()
    rest = extcal(repository, "rest", **approved)
    assert (rest.outputs["exit-code"], sites.writes) == ("0", [])


def _uploaded(of: str) -> Json:
    return step(of, "upload-artifact")


@needs_git
def test_a_shard_that_fails_is_named_in_the_comment(repository: Runner) -> None:
    """Where a shard has left no plan, the comment says which, and the job that joins does not pass for whole."""
    merged = extcal(repository, "comment")
    assert merged.outputs["exit-code"] == "1"
    assert "plan" not in merged.outputs
    assert "extcal-shard-1/plan.json" in Path(merged.outputs["report"]).read_text()


def test_the_plan_is_taken_from_this_workflow_alone() -> None:
    """What the pull request's run keeps is what the merge's run asks for, of the file that the page names."""
    place = step("reviewed", "reviewed-plan")["workflow"]
    assert place == ".github/workflows/fleet.yml"
    assert f"# {place} of a config repository" in EXAMPLE.read_text()
    assert step("comment", "plan-artifact")["base"] == "${{ needs.plan.outputs.base }}"
    assert job("plan")["outputs"] == {"base": "${{ steps.base.outputs.sha }}"}


def test_all_shards_are_joined() -> None:
    """The two matrices are alike, and the files to join are those of every shard."""
    assert shards("plan") == shards("apply")
    pattern = step("comment", "download-artifact")["pattern"]
    assert _uploaded("plan")["name"] == pattern.replace("*", "${{ matrix.shard }}")
    folder = step("comment", "download-artifact")["path"]
    files = [f"{folder}/{pattern.replace('*', str(number))}/plan.json" for number in shards("plan")]
    assert step("comment", "extcal")["paths"].split() == files


def test_who_comments_has_no_secret_and_who_has_one_can_not_comment() -> None:
    """Secrets are for the jobs that ask the service, by their environments; the permissions are the least."""
    names = ("plan", "comment", "reviewed", "apply", "rest")
    assert {name for name in names if "secrets." in json.dumps(job(name))} == {"plan", "reviewed", "apply", "rest"}
    assert {name: job(name).get("environment") for name in names} == {
        "plan": "extcal-plan",
        "comment": None,
        "reviewed": "extcal-plan",
        "apply": "extcal-apply",
        "rest": "extcal-apply",
    }
    assert job("plan")["permissions"] == {"contents": "read"}
    assert job("comment")["permissions"] == {"pull-requests": "write"}
    assert set(job("reviewed")["permissions"].values()) == {"read"}
    assert [job(name)["permissions"] for name in ("apply", "rest")] == [{}, {}]
    assert not [name for name in ("plan", "reviewed") if "EXTCAL_PASSWORDS" in json.dumps(job(name))]
