"""The action extcal in a job, and a stand-in for the command that tells what it was given."""

from pathlib import Path

import pytest

from tests.support.github.runner import Ran, Runner

DIGEST = "sha256:" + "1" * 64
# Writes its arguments, one a line, and a line that the runner would obey.
ECHO = """[ "$1" != history ] || { echo "| who |"; exit 0; }
[ "$1" != apply ] || echo "{}" >"$RUNNER_TEMP/extcal/history.jsonl"
printf '%s\\n' "$@" >"$RUNNER_TEMP/arguments"
echo '::set-output name=plan::forged' >&2
env >"$RUNNER_TEMP/environment"
echo "said on stdout <b>&"
exit "${EXIT:-0}"
"""


def run(runner: Runner, command: str, **inputs: str) -> Ran:
    """Run the action with its defaults."""
    given = {
        "FORMAT": "text",
        "PATHS": "manifests",
        "PLAN": "",
        "DIGEST": "",
        "ARGUMENTS": "",
        "ACCEPT": "",
        "CONSENT": "skip",
        "REMIND_AFTER": "3d",
        "PASSWORDS": "",
    } | inputs
    passwords = given.pop("PASSWORDS")
    exit_code = given.pop("EXIT", "0")
    env = {f"INPUT_{name}": value for name, value in given.items()}
    return runner.run("extcal/run.sh", INPUT_COMMAND=command, EXTCAL_PASSWORDS=passwords, EXIT=exit_code, **env)


@pytest.fixture
def echo(runner: Runner) -> Runner:
    """A runner on which extcal only tells what it was given."""
    Path(runner.file("temp/extcal-venv/bin/extcal", f"#!/bin/sh\n{ECHO}")).chmod(0o755)
    return runner


def arguments(runner: Runner) -> list[str]:
    """What extcal was called with."""
    return (runner.folder / "temp" / "arguments").read_text().splitlines()
