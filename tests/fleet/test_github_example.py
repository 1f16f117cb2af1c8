"""The workflow for a fleet on GitHub, its steps run as its runners would: one comment, one plan, applied in shards."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.sandbox.server import RunningSandbox
from tests.cli.command import Extcal
from tests.cli.worlds import PASSWORD
from tests.gitops.runner import ROOT, Ran, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

EXAMPLE = ROOT / "examples" / "fleet" / "github-matrix.yml"
MERGED = {"number": 7, "merged_at": "2027-01-31T09:00:00Z", "merge_commit_sha": "c0ffee", "head": {"sha": "feedbeef"}}

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
    inputs = {"format": "text", "paths": "manifests", "plan": "", "arguments": "", "accept": ""} | step(of, "extcal")
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
    # The base is known by git alone; a folder of no manifests stands for it.
    base = runner.folder / "HEAD^1"
    base.mkdir()
    (base / "none.yaml").write_text("# nothing yet\n")
    return runner


def shards(of: str) -> list[int]:
    """The shards of a job."""
    numbers: list[int] = job(of)["strategy"]["matrix"]["shard"]
    assert numbers == list(range(1, len(numbers) + 1))
    return numbers


def test_a_fleet_is_reviewed_in_one_comment_and_applied_in_shards(repository: Runner, sites: Extcal) -> None:
    """Every shard's plan is in the one comment and the one saved plan; its shards do all of it, the rest nothing."""
    pytest.importorskip("jq", reason="jq for Python is not installed")
    for number in shards("plan"):
        values = {"matrix.shard": str(number), "strategy.job-total": str(len(shards("plan")))}
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
    saved = repository.folder / _uploaded("comment")["path"]
    assert json.loads(saved.read_text())["digest"] in shown["body"]
    assert sites.writes == []

    for number in shards("apply"):
        values = {
            "matrix.shard": str(number),
            "strategy.job-total": str(len(shards("apply"))),
            "steps.reviewed.outputs.plan": str(saved),
        }
        if number == 1:
            assert extcal(repository, "apply", **values).outputs["exit-code"] == "0"
        else:
            inputs = given("apply", **values)
            ran = sites("apply", "--plan", inputs["plan"], "--auto-approve", *inputs["arguments"].split())
            assert ran.code == 0
    assert len([request for request in sites.writes if request.path.endswith("connectByCredentials")]) == 6
    sites.sandbox.requests.clear()
    rest = extcal(repository, "rest", **{"steps.reviewed.outputs.plan": str(saved)})
    assert (rest.outputs["exit-code"], sites.writes) == ("0", [])


def _uploaded(of: str) -> Json:
    return step(of, "upload-artifact")


def test_a_shard_that_fails_is_named_in_the_comment(repository: Runner) -> None:
    """Where a shard has left no plan, the comment says which, and the job that joins does not pass for whole."""
    merged = extcal(repository, "comment")
    assert merged.outputs["exit-code"] == "1"
    assert "plan" not in merged.outputs
    assert "extcal-shard-1/plan.json" in Path(merged.outputs["report"]).read_text()


def test_the_plan_is_found_by_the_name_it_is_saved_under() -> None:
    """What the pull request's run uploads is what the merge's run asks for, from this workflow alone."""
    assert _uploaded("comment")["name"] == "extcal-plan-${{ github.event.pull_request.head.sha }}"
    assert Path(_uploaded("comment")["path"]).name == "plan.json"
    for name in ("apply", "rest"):
        assert step(name, "reviewed-plan")["workflow"] == ".github/workflows/fleet.yml"
        assert f"Put it at {step(name, 'reviewed-plan')['workflow']} " in EXAMPLE.read_text()


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
    secret = {name for name in ("plan", "comment", "apply", "rest") if "secrets." in json.dumps(job(name))}
    assert secret == {"plan", "apply", "rest"}
    assert {name: job(name).get("environment") for name in ("plan", "comment", "apply", "rest")} == {
        "plan": "extcal-plan",
        "comment": None,
        "apply": "extcal-apply",
        "rest": "extcal-apply",
    }
    assert job("plan")["permissions"] == {"contents": "read"}
    assert job("comment")["permissions"] == {"pull-requests": "write"}
    assert "write" not in {*job("apply")["permissions"].values(), *job("rest")["permissions"].values()}
    assert "EXTCAL_PASSWORDS" not in json.dumps(job("plan"))
