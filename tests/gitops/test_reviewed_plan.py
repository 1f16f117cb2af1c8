"""The action reviewed-plan: the plan of the pull request that was merged, or none."""

from pathlib import Path
from typing import Any

import pytest

from tests.gitops.runner import Ran, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

pytest.importorskip("jq", reason="jq for Python is not installed")
HEAD = "feedbeef"
PLAN_RUN = {"event": "pull_request", "path": ".github/workflows/plan.yml"}


def pull(**fields: object) -> dict[str, Any]:
    """A pull request that was merged as the commit that the job runs on."""
    merged = {"number": 7, "merged_at": "2026-03-02T10:00:00Z", "merge_commit_sha": "c0ffee", "head": {"sha": HEAD}}
    return merged | fields


def artifact(run: int, *, head: str = HEAD, repository: int = 1, expired: bool = False) -> dict[str, Any]:
    """The plan that a run saved; later runs have larger numbers."""
    came_from = {"id": run, "repository_id": 1, "head_repository_id": repository, "head_sha": head}
    return {
        "name": f"extcal-plan-{HEAD}",
        "expired": expired,
        "created_at": f"2026-03-01T10:00:{run:02}Z",
        "workflow_run": came_from,
        "files": {"plan.json": f"plan of run {run}"},
    }


def fetch(runner: Runner) -> Ran:
    """Run the action."""
    return runner.run("reviewed-plan/fetch.sh", INPUT_WORKFLOW=".github/workflows/plan.yml")


def test_the_newest_plan_of_the_merged_head_is_fetched(runner: Runner) -> None:
    """Of several runs of the plan workflow on the head that was merged, the last one's plan is taken."""
    runner.change(
        pulls={"c0ffee": [pull()]},
        artifacts=[artifact(1), artifact(3), artifact(2)],
        runs={str(number): PLAN_RUN for number in (1, 2, 3)},
    )
    ran = fetch(runner)
    assert (ran.code, ran.outputs["pull-request"]) == (0, "7"), ran.log
    assert Path(ran.outputs["plan"]).read_text() == "plan of run 3"


REFUSED: dict[str, dict[str, Any]] = {
    "a direct push": {"pulls": {}},
    "a pull request that is open": {"pulls": {"c0ffee": [pull(merged_at=None)]}},
    "another merge that holds the commit": {"pulls": {"c0ffee": [pull(merge_commit_sha="0ther")]}},
    "no plan": {"artifacts": []},
    "an expired plan": {"artifacts": [artifact(1, expired=True)]},
    "a plan of an earlier head": {"artifacts": [artifact(1, head="01d")]},
    "a plan from a fork": {"artifacts": [artifact(1, repository=2)]},
    "a plan from another workflow": {"runs": {"1": PLAN_RUN | {"path": ".github/workflows/other.yml"}}},
    "a plan from another event": {"runs": {"1": PLAN_RUN | {"event": "push"}}},
    "an artifact without a plan": {"artifacts": [artifact(1) | {"files": {"other": "x"}}]},
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED.keys())
def test_anything_but_the_reviewed_plan_is_refused(runner: Runner, wrong: dict[str, Any]) -> None:
    """Without a plan made by the plan workflow for exactly what was merged, the job ends and says so."""
    right = {"pulls": {"c0ffee": [pull()]}, "artifacts": [artifact(1)], "runs": {"1": PLAN_RUN}}
    runner.change(**(right | wrong))
    ran = fetch(runner)
    assert ran.code == 1
    assert "::error" in ran.log
    assert "plan" not in ran.outputs


def test_a_plan_of_another_run_does_not_hide_the_right_one(runner: Runner) -> None:
    """A newer artifact of the same name from another workflow is passed over."""
    other = PLAN_RUN | {"path": ".github/workflows/other.yml"}
    runner.change(pulls={"c0ffee": [pull()]}, artifacts=[artifact(1), artifact(2)], runs={"1": PLAN_RUN, "2": other})
    assert Path(fetch(runner).outputs["plan"]).read_text() == "plan of run 1"
