"""The examples are right as they stand, and can be put to use as their pages say."""

import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.files import FLEET, USERS
from tests.support.github.runner import BASH
from tests.support.tools import ROOT

EXAMPLE = ROOT / "examples" / "config-repo"
GITLAB = ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"
EXTCAL = [sys.executable, "-m", "reconciler"]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with the package found from there."""
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False, timeout=300)


def hook() -> dict[str, Any]:
    """The hook that pre-commit is offered."""
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_the_manifests_are_valid() -> None:
    """What a user copies passes the check that it comes with."""
    ended = run([*EXTCAL, "validate", "manifests"], EXAMPLE)
    assert (ended.returncode, ended.stderr) == (
        0,
        "note: manifests/harbor-dental/staff.csv:1:6: the column is not read: 'phone'\n",
    )
    assert ended.stdout == "Valid: 2 sites, 6 connections.\n"


def test_the_hook_checks_the_whole_folder(tmp_path: Path) -> None:
    """The hook runs on any manifest, and checks what it refers to; a reference to nothing fails it."""
    words = shlex.split(hook()["entry"])[1:] + hook()["args"]
    assert hook()["pass_filenames"] is False
    shutil.copytree(EXAMPLE / "manifests", tmp_path / "manifests")
    assert run([*EXTCAL, *words], tmp_path).returncode == 0
    (tmp_path / "manifests" / "policies.yaml").unlink()
    broken = run([*EXTCAL, *words], tmp_path)
    assert broken.returncode == 1
    assert "busy-times-only" in broken.stderr


def test_a_wrong_row_is_marked_in_the_roster(tmp_path: Path) -> None:
    """What the workflow shows of a change to a CSV alone is at the row and column that are wrong."""
    shutil.copytree(EXAMPLE / "manifests", tmp_path / "manifests")
    roster = tmp_path / "manifests" / "harbor-dental" / "staff.csv"
    roster.write_text(roster.read_text() + "sam,,sam@harbor-dental.example,Sam,,google,,,gone\n")
    ended = run([*EXTCAL, "validate", "manifests", "--format", "github"], tmp_path)
    assert ended.returncode == 1
    (fault,) = [line for line in ended.stdout.splitlines() if line.startswith("::error ")]
    assert fault.startswith("::error file=manifests/harbor-dental/staff.csv,line=5,col=46,"), fault


def _filters(node: object) -> list[str]:
    """Every filter by paths in a workflow or pipeline."""
    if isinstance(node, list):
        return [found for each in node for found in _filters(each)]
    if not isinstance(node, dict):
        return []
    found = [pattern for value in node.values() for pattern in _filters(value)]
    for key in ("paths", "paths-ignore", "changes"):
        given = node.get(key, [])
        # The paths of GitLab's artifacts and of workflows' inputs are no filters.
        found += [pattern for pattern in given if "manifests" in pattern] if isinstance(given, list) else []
    return found


@pytest.mark.parametrize("path", [*USERS, FLEET, GITLAB], ids=lambda path: path.name)
def test_a_change_to_a_roster_alone_starts_what_a_change_to_a_manifest_starts(path: Path) -> None:
    """No filter by paths tells a CSV from YAML."""
    filters = _filters(yaml.safe_load(path.read_text()))
    assert bool(filters) == (path in {FLEET, GITLAB} or path.name == "apply.yml")
    for changed in ("manifests/harbor-dental/staff.csv", "manifests/harbor-dental/site.yaml"):
        assert all(fnmatch(changed, pattern) for pattern in filters)


def test_the_hook_runs_for_manifests_only() -> None:
    """A change elsewhere does not start it."""
    files = re.compile(hook()["files"])
    assert files.search("manifests/harbor-dental/site.yaml")
    assert files.search("manifests/a.yml")
    assert files.search("manifests/harbor-dental/staff.csv")
    assert files.search("manifests/STAFF.TSV")
    assert not files.search("accounts.csv")
    assert not files.search(".github/workflows/plan.yml")


def test_the_page_names_all_that_is_to_be_filled_in(tmp_path: Path) -> None:
    """The one command of the page leaves no placeholder behind."""
    shutil.copytree(EXAMPLE, tmp_path / "repo")
    page = (EXAMPLE / "README.md").read_text()
    (command,) = re.findall(r"\$ (sed -i .*\\\n.*)\n", page)
    command = command.replace("$(git -C ../extcal rev-parse HEAD)", "c" * 40)
    done = run([BASH, "-c", command], tmp_path / "repo")
    assert done.returncode == 0, done.stderr
    texts = [path.read_text() for path in (tmp_path / "repo").rglob("*.y*ml")]
    used = [line for text in texts for line in text.splitlines() if "extcal/" in line and "uses:" in line]
    assert len(used) == 5
    assert all("your-organisation/extcal/" in line and line.endswith("@" + "c" * 40) for line in used)
    assert not [text for text in texts if "OWNER" in text or "0" * 40 in text]


def test_the_quickstart_keeps_real_secrets_to_itself(tmp_path: Path) -> None:
    """Whatever is set for real sites reaches no command; the sandbox's password reaches apply alone."""
    calendar = tmp_path / "world" / "calendars" / "apple" / "lee@harbor-dental.example" / "Harbor Dental.ics"
    calendar.parent.mkdir(parents=True)
    calendar.touch()
    command = tmp_path / "extcal"
    command.write_text("#!/bin/sh\n" + """echo "$1 $(env | sed -n 's/^\\(EXTCAL_[A-Z_]*\\)=.*/\\1/p')" >>"$SEEN"\n""")
    command.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SEEN": str(tmp_path / "seen")}
    secrets = {"EXTCAL_API_KEY": "key", "EXTCAL_ENDPOINT": "https://harbor-dental.example", "EXTCAL_KIM": "a\nb"}
    script = ["/bin/sh", "examples/quickstart/run.sh", str(tmp_path / "world")]
    subprocess.run(script, cwd=ROOT, env=env | secrets, check=True, capture_output=True, timeout=300)
    seen = (tmp_path / "seen").read_text().splitlines()
    assert "apply EXTCAL_LEE_APP_PASSWORD" in seen
    assert {line.partition(" ")[2] for line in seen if not line.startswith("apply ")} == {""}


@pytest.mark.parametrize("page", ["config-repo/README.md", "gitlab/README.md"])
def test_links_of_the_pages_lead_somewhere(page: str) -> None:
    """Every relative link of a page is a file or folder beside it."""
    path = ROOT / "examples" / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []
