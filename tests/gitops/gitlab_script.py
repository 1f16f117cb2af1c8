"""The pipeline's script on GitLab, run in a job of a project whose API is a stand-in."""

import os
import subprocess
import sys
from pathlib import Path

from tests.gitops.fake_gitlab import TOKEN, Project
from tests.support.tools import ROOT

EXAMPLE = ROOT / "examples" / "gitlab"
MARKER = "<!-- extcal-plan -->"


def script(project: Project, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a job of the project."""
    job = {
        "CI_API_V4_URL": project.url,
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": "c0ffee",
        "CI_COMMIT_BEFORE_SHA": "0ld",
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_URL": "https://gitlab.example/job/1",
        "GITLAB_BOT_TOKEN": TOKEN,
    }
    return subprocess.run(
        [sys.executable, str(EXAMPLE / "ci" / "gitlab.py"), *words],
        cwd=folder,
        env=os.environ | job | env,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def report(folder: Path, text: str) -> str:
    """A report in the job's folder."""
    (folder / "report.md").write_text(text, encoding="utf-8")
    return "report.md"
