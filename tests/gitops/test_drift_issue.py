"""The action drift-issue: one issue, open as long as there is drift."""

import pytest

from tests.support.github.repository import BOT
from tests.support.github.runner import Ran, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

pytest.importorskip("jq", reason="jq for Python is not installed")


def drifted(runner: Runner, code: int, text: str = "drift", label: str = "extcal-drift") -> Ran:
    """Run the action after a plan that ended with `code`."""
    report = runner.file("plan.md", text)
    return runner.run("drift-issue/issue.sh", INPUT_EXIT_CODE=str(code), INPUT_REPORT=report, INPUT_LABEL=label)


def test_drift_opens_one_issue_and_updates_it(runner: Runner) -> None:
    """The first drift opens an issue with its label, which is made; the next writes into the same one."""
    for text in ("first", "second"):
        assert drifted(runner, 2, text).code == 0
    (issue,) = runner.world["issues"]
    assert (issue["state"], issue["body"], issue["labels"]) == ("open", "second", ["extcal-drift"])
    assert runner.world["labels"] == ["extcal-drift"]


def test_the_issue_is_closed_when_the_drift_is_over(runner: Runner) -> None:
    """A plan without changes closes the issue and says why; a later drift opens a new one."""
    for code in (2, 0, 0, 2):
        assert drifted(runner, code).code == 0
    assert [issue["state"] for issue in runner.world["issues"]] == ["closed", "open"]
    (said,) = runner.world["comments"]
    assert said["issue"] == str(runner.world["issues"][0]["number"])


def test_without_drift_and_issue_nothing_is_written(runner: Runner) -> None:
    """The everyday run only looks."""
    assert drifted(runner, 0).code == 0
    assert all("--method" not in call for call in runner.world["calls"])


def test_a_failed_plan_leaves_the_issue_as_it_is(runner: Runner) -> None:
    """A run that could not read the live state neither closes nor overwrites the issue, and fails."""
    drifted(runner, 2, "real drift")
    before = runner.world["issues"]
    ran = drifted(runner, 1, "")
    assert (ran.code, runner.world["issues"]) == (1, before)
    assert "::error" in ran.log


def test_an_answer_that_fails_does_not_stand_for_no_issue(runner: Runner) -> None:
    """Where GitHub can't say whether there is an issue, none is opened beside it, and the run fails."""
    drifted(runner, 2, "real drift")
    before = runner.world["issues"]
    runner.fail("--paginate")
    for code in (2, 0):
        assert drifted(runner, code, "again").code == 1
        assert runner.world["issues"] == before


def test_issues_of_people_are_left_alone(runner: Runner) -> None:
    """The label on somebody's own issue, or on a pull request, does not make it ours."""
    theirs = [
        {"number": 1, "user": {"type": "User"}, "state": "open", "labels": ["extcal-drift"], "body": "mine"},
        {"number": 2, "user": BOT, "state": "open", "labels": ["extcal-drift"], "body": "pr", "pull_request": {}},
    ]
    runner.change(issues=theirs, labels=["extcal-drift"])
    drifted(runner, 2)
    drifted(runner, 0)
    assert runner.world["issues"][:2] == theirs
    assert runner.world["issues"][2]["state"] == "closed"


def test_a_label_that_could_change_the_query_is_refused(runner: Runner) -> None:
    """A label is part of an address, so it holds only letters, digits, - and _."""
    assert drifted(runner, 2, label="a&state=closed").code == 64
    assert runner.world["calls"] == []
