"""The action extcal: one command, run without a shell reading its inputs, its report kept and its log harmless."""

import json
import re
from pathlib import Path

import pytest

from reconciler.sandbox.server import running
from tests.gitops.action import DIGEST, arguments, run
from tests.support.github.runner import Runner
from tests.support.tools import ROOT, needs_bash

pytestmark = needs_bash

MANIFESTS = ROOT / "examples" / "quickstart"


def test_inputs_are_whole_arguments(echo: Runner) -> None:
    """Nothing in an input is a second word, an option, a variable or a command."""
    hostile = "$(touch owned) `touch owned`; touch owned && x *"
    ran = run(echo, "plan", PATHS=f"{hostile}\n--verbose\n\nlast", ARGUMENTS=f"--base\n{hostile}\r\n")
    assert ran.code == 0
    out = str(echo.folder / "temp" / "extcal" / "plan.json")
    expected = ["plan", "--format", "text", "--base", hostile, "--out", out, "--", hostile, "--verbose", "last"]
    assert arguments(echo) == expected
    assert not list(echo.folder.rglob("owned"))


def test_what_extcal_says_is_no_command_to_the_runner(echo: Runner) -> None:
    """Its output stands between a stop and a start that nobody can guess; stdout goes to the report alone."""
    first, second = (run(echo, "status") for _ in range(2))
    stopped = [re.search(r"::stop-commands::(\w{32})\n::set-output .*\n::\1::", ran.log) for ran in (first, second)]
    tokens = {found[1] for found in stopped if found}
    assert len(tokens) == 2
    assert "said on stdout" not in first.log
    assert Path(first.outputs["report"]).read_text() == "said on stdout <b>&\n"
    assert "plan" not in first.outputs


def test_the_summary_shows_text_as_text(echo: Runner) -> None:
    """A report that is no Markdown can't become any in the summary; who changed what stands below it."""
    ran = run(echo, "apply", PLAN="plan.json", DIGEST=DIGEST)
    report = "<pre>\nsaid on stdout &lt;b&gt;&amp;\n</pre>\n"
    assert ran.summary == f"{report}### Who changed what\n| who |\n"
    assert Path(ran.outputs["history"]).name == "history.jsonl"
    assert run(echo, "status").summary == report


def test_apply_takes_a_saved_plan_and_asks_for_no_link(echo: Runner) -> None:
    """Apply gets the plan and nothing of the manifests, can't ask, and asks no owner, whatever the arguments say."""
    run(echo, "apply", PLAN="reviewed.json", DIGEST=DIGEST, ARGUMENTS="--consent\nlink")
    words = arguments(echo)
    assert words[-4:] == ["--plan", "reviewed.json", "--digest", DIGEST]
    assert "manifests" not in words
    assert "--auto-approve" in words
    assert words[len(words) - words[::-1].index("--consent")] == "skip"


def test_plan_checks_the_plan_that_it_is_given(echo: Runner) -> None:
    """A plan that was reviewed is compared with the manifests, and no new one is saved in its place."""
    ran = run(echo, "plan", PLAN="reviewed.json", DIGEST=DIGEST)
    expected = ["plan", "--format", "text", "--reviewed", "reviewed.json", "--digest", DIGEST, "--", "manifests"]
    assert (arguments(echo), "plan" in ran.outputs) == (expected, False)


@pytest.mark.parametrize("command", ["plan", "apply"])
@pytest.mark.parametrize("digest", ["", "sha256:", DIGEST + "\n", "--digest"])
def test_a_plan_without_the_digest_that_was_approved_is_refused(echo: Runner, command: str, digest: str) -> None:
    """Where no digest was handed on, an empty input does not mean any plan."""
    assert run(echo, command, PLAN="reviewed.json", DIGEST=digest).code == 64
    assert not (echo.folder / "temp" / "arguments").exists()


def test_without_the_action_install_nothing_runs(runner: Runner) -> None:
    """The step says what must go before it, and that this is no place for secrets."""
    (runner.folder / "temp" / "extcal-venv" / "bin" / "extcal").unlink()
    ran = run(runner, "plan")
    assert (ran.code, "let the action install go before, in a step without any secret" in ran.log) == (64, True)


def test_apply_without_a_plan_is_refused(echo: Runner) -> None:
    """Where no reviewed plan was found, an empty input does not mean the manifests."""
    assert run(echo, "apply").code == 64
    assert not (echo.folder / "temp" / "arguments").exists()


@pytest.mark.parametrize(("command", "form"), [("plan; id", "text"), ("--help", "text"), ("plan", "pdf")])
def test_an_unknown_command_or_format_is_refused(echo: Runner, command: str, form: str) -> None:
    """A wrong input is named before anything runs."""
    ran = run(echo, command, FORMAT=form)
    assert (ran.code, ran.log.count("::error")) == (64, 1)
    assert not (echo.folder / "temp" / "arguments").exists()


def test_the_exit_code_is_told_and_decides(echo: Runner) -> None:
    """Only codes that were named let the step succeed; outputs are there in any case."""
    failed, accepted = run(echo, "plan", EXIT="2"), run(echo, "plan", EXIT="2", ACCEPT="1 2")
    assert (failed.code, accepted.code) == (2, 0)
    assert failed.outputs["exit-code"] == accepted.outputs["exit-code"] == "2"
    assert run(echo, "plan", EXIT="3", ACCEPT="1 2").code == 3


def test_passwords_are_masked_and_handed_over_one_by_one(echo: Runner) -> None:
    """Each value reaches extcal under its name, the runner masks each, and the bundle itself reaches nobody."""
    ran = run(echo, "status", PASSWORDS="EXTCAL_LEE=a=b 100%\r\n\nEXTCAL_KIM=$(id)")
    assert ran.code == 0, ran.log
    assert ran.log.startswith("::add-mask::a=b 100%25\n::add-mask::$(id)\n::stop-commands::")
    environment = (echo.folder / "temp" / "environment").read_text().splitlines()
    assert {"EXTCAL_LEE=a=b 100%", "EXTCAL_KIM=$(id)"} <= set(environment)
    assert not [line for line in environment if line.startswith("EXTCAL_PASSWORDS")]


@pytest.mark.parametrize(
    "wrong", ["hunter2", "PATH=hunter2", "EXTCAL_LEE=", "EXTCAL_LEE =hunter2", "extcal_lee=hunter2"]
)
def test_a_malformed_bundle_is_refused_and_not_shown(echo: Runner, wrong: str) -> None:
    """A line that is not EXTCAL_NAME=value ends the step; what stands in it is not told."""
    ran = run(echo, "status", PASSWORDS=wrong)
    assert ran.code == 64
    assert "hunter2" not in ran.log


def test_validate_marks_the_lines_that_are_wrong(runner: Runner) -> None:
    """The annotations of extcal reach the log as commands, and the step fails."""
    runner.file("manifests/a.yaml", "apiVersion: extcal/v1\nkind: Sitee\n")
    ran = run(runner, "validate", FORMAT="github")
    assert ran.code == 1
    after = re.split(r"^::\w{32}::$", ran.log, flags=re.MULTILINE)[1]
    assert "::error file=manifests/a.yaml,line=2," in after


def test_a_plan_is_saved_and_carried_out(runner: Runner) -> None:
    """The steps of a merge: the plan that one run saves is checked and applied by others; links appear nowhere."""
    with running(runner.folder / "world") as sandbox:
        runner.env |= {"EXTCAL_ENDPOINT": sandbox.endpoint, "EXTCAL_API_KEY": sandbox.api_key}
        planned = run(runner, "plan", FORMAT="markdown", PATHS=str(MANIFESTS))
        assert (planned.code, planned.outputs["exit-code"]) == (0, "0"), planned.log
        assert planned.summary == Path(planned.outputs["report"]).read_text()
        assert planned.summary.startswith("<!-- extcal-plan -->")
        reviewed = str(Path(planned.outputs["plan"]).rename(runner.folder / "reviewed.json"))
        digest = json.loads(Path(reviewed).read_text())["digest"]
        assert f"Digest of the plan: `{digest}`\n" in planned.summary
        checked = run(runner, "plan", PLAN=reviewed, DIGEST=digest, PATHS=str(MANIFESTS))
        assert (checked.code, f"The reviewed plan still holds: {digest}" in checked.log) == (0, True), checked.log
        forged = run(runner, "plan", PLAN=reviewed, DIGEST=DIGEST, PATHS=str(MANIFESTS))
        assert (forged.code, "another plan than asked for" in forged.log) == (1, True)
        secrets = "EXTCAL_LEE_APP_PASSWORD=seagull-lantern-41"
        applied = run(runner, "apply", PLAN=reviewed, DIGEST=digest, ACCEPT="3", PASSWORDS=secrets)
    assert (applied.code, applied.outputs["exit-code"]) == (0, "3"), applied.log
    left = applied.log + applied.summary + "".join(Path(p).read_text() for p in applied.outputs.values() if "/" in p)
    assert "awaits consent" in left
    assert sandbox.endpoint not in left
    assert Path(applied.outputs["undo"]).is_file()
