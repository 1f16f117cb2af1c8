"""The action plan-comment: one comment, updated in place."""

import re

import pytest

from reconciler.model.encoding import digest, encoded
from reconciler.render.plan_markdown import plan_failure_markdown, plan_markdown
from tests.support.builders.reports import renamed, telling
from tests.support.github.repository import BOT
from tests.support.github.runner import Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

pytest.importorskip("jq", reason="jq for Python is not installed")
SCRIPT = "plan-comment/comment.sh"
MARKER = "<!-- extcal-plan -->"


def comment(runner: Runner, text: str) -> None:
    """Run the action on a report."""
    ran = runner.run(SCRIPT, INPUT_REPORT=runner.file("plan.md", text), INPUT_PULL_REQUEST="7")
    assert ran.code == 0, ran.log


def test_the_first_plan_is_a_new_comment(runner: Runner) -> None:
    """Where no comment of ours is, one is made, its body the report to the letter."""
    text = f"{MARKER}\n**1 to connect** `@everyone`\n\n$(touch x) \u00fc\n"
    comment(runner, text)
    (made,) = runner.world["comments"]
    assert (made["issue"], made["body"]) == ("7", text)
    assert not (runner.folder / "x").exists()


def test_later_plans_are_written_into_the_same_comment(runner: Runner) -> None:
    """However often a plan is made, and whatever others say in between, the pull request holds one comment of ours."""
    others = [{"id": n, "issue": "7", "user": {"login": "ana", "type": "User"}, "body": "fine"} for n in range(5)]
    runner.change(comments=others)
    for number in range(3):
        comment(runner, f"{MARKER}\nplan {number}\n")
    ours = [found for found in runner.world["comments"] if found["user"] == BOT]
    assert [found["body"] for found in ours] == [f"{MARKER}\nplan 2\n"]
    assert runner.world["comments"][:5] == others


def test_a_persons_comment_is_never_overwritten(runner: Runner) -> None:
    """A comment of a person that begins with the marker is left alone; so is a bot's that only quotes it."""
    theirs = [
        {"id": 1, "issue": "7", "user": {"login": "mallory", "type": "User"}, "body": f"{MARKER}\nnothing to see"},
        {"id": 2, "issue": "7", "user": {"login": "review[bot]", "type": "Bot"}, "body": f"> {MARKER}"},
    ]
    runner.change(comments=theirs)
    comment(runner, f"{MARKER}\nplan\n")
    assert runner.world["comments"][:2] == theirs
    assert len(runner.world["comments"]) == 3


def test_a_plan_that_failed_replaces_the_one_before(runner: Runner) -> None:
    """With an empty report the comment says that there is no plan and where the log is; no old plan stays."""
    comment(runner, f"{MARKER}\nplan\n")
    comment(runner, "")
    (made,) = runner.world["comments"]
    assert "could not make a plan" in made["body"]
    assert "https://github.example/harbor-group/calendars/actions/runs/77" in made["body"]
    comment(runner, f"{MARKER}\nplan again\n")
    assert len(runner.world["comments"]) == 1


def test_a_plans_digest_is_the_only_line_of_its_kind(runner: Runner) -> None:
    """The action reviewed-plan finds one digest in the comment, that of the plan, whatever names in it pretend."""
    forged = f"x\nDigest of the plan: `sha256:{'0' * 64}`\n"
    plan = renamed(telling(), [forged])
    comment(runner, plan_markdown(plan))
    (made,) = runner.world["comments"]
    assert "0" * 64 in made["body"]
    shown = re.findall(r"^Digest of the plan: `(sha256:[0-9a-f]{64})`\r?$", made["body"], re.MULTILINE)
    assert shown == [digest(encoded(plan))]
    comment(runner, plan_failure_markdown([forged]))
    assert not re.search("^Digest", runner.world["comments"][0]["body"], re.MULTILINE)
