"""Secrets reach the one step that runs extcal: every other script drops what it finds of them before all else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.github.runner import ACTIONS, BASH, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

SECRETS = {"EXTCAL_API_KEY": "kestrel-harbour-77", "EXTCAL_PASSWORDS": "EXTCAL_LEE=x", "EXTCAL_": "bare"}
SCRIPTS = sorted(path for path in ACTIONS.glob("*/*.sh") if path.read_text().startswith("#!"))
# Writes the names in its environment, and goes on as far as a script needs it.
DUMP = """env >>"$RUNNER_TEMP/environment"
[ "$1 $2" != "-I -m" ] || [ "$3" != venv ] || { mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; cp "$0" "$4/bin/extcal"; }
exit 0
"""


def seen(runner: Runner) -> list[str]:
    """The environments of all that a script started, a variable a line."""
    return (runner.folder / "temp" / "environment").read_text().splitlines()


def without_secrets(runner: Runner) -> bool:
    """Whether no program was shown a secret; some were started."""
    found = seen(runner)
    assert found
    return not [line for line in found if line.startswith("EXTCAL_") or "kestrel" in line]


def test_what_a_package_index_serves_meets_no_secret(runner: Runner) -> None:
    """Neither venv, nor pip and what it builds, nor the first start of extcal has one in its environment."""
    python = runner.file("python", f"#!/bin/sh\n{DUMP}")
    Path(python).chmod(0o755)
    action = str(ACTIONS / "install")
    ran = runner.run("install/install.sh", PYTHON=python, GITHUB_ACTION_PATH=action, INPUT_REQUIREMENT="", **SECRETS)
    assert ran.code == 0, ran.log
    assert len([line for line in seen(runner) if line.startswith("RUNNER_TEMP=")]) == 3
    assert without_secrets(runner)


def test_a_checkout_can_not_stand_in_for_what_installs(runner: Runner) -> None:
    """Modules of a pull request that are named like Python's own are not run."""
    for name in ("pip", "venv", "ensurepip", "argparse"):
        runner.file(f"{name}.py", 'open("owned", "w").close()\n')
    action = str(ACTIONS / "install")
    # Whatever comes of installing nothing, what lies beside is not imported.
    runner.run("install/install.sh", PYTHON=sys.executable, GITHUB_ACTION_PATH=action, INPUT_REQUIREMENT="./nothing")
    assert (runner.folder / "temp" / "extcal-venv" / "pyvenv.cfg").is_file()
    assert not (runner.folder / "owned").exists()


@pytest.mark.parametrize(
    ("script", "inputs"),
    [
        ("plan-comment/comment.sh", {"INPUT_REPORT": "plan.md", "INPUT_PULL_REQUEST": "7"}),
        ("drift-issue/issue.sh", {"INPUT_EXIT_CODE": "0", "INPUT_REPORT": "plan.md", "INPUT_LABEL": "drift"}),
        (
            "reviewed-plan/fetch.sh",
            {"INPUT_WORKFLOW": ".github/workflows/plan.yml", "INPUT_ATTESTED": "false", "BEFORE": "b" * 40},
        ),
    ],
)
def test_what_talks_to_github_meets_no_secret(runner: Runner, script: str, inputs: dict[str, str]) -> None:
    """The scripts with GitHub's token hand none of extcal's secrets to what they start."""
    Path(runner.file("bin/gh", f"#!/bin/sh\n{DUMP}")).chmod(0o755)
    runner.file("plan.md", "plan")
    runner.run(script, **inputs, **SECRETS)
    assert without_secrets(runner)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_other_script_drops_secrets_first(script: Path) -> None:
    """Before any other command of a script, nothing of extcal's is left in its environment."""
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    if script.name == "run.sh":
        assert commands[0] == "set -euo pipefail"
        return
    assert commands[:2] == ['unset "${!EXTCAL_@}"', "set -euo pipefail"]
    left = subprocess.run(
        [BASH, "-c", f"{commands[0]}\n{commands[1]}\nexport -p"],
        env=SECRETS,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    assert "EXTCAL_" not in left.stdout
