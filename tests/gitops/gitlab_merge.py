"""A merge request on GitLab: a real repository, its pipelines' jobs, and what GitLab knows of it."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconciler.sandbox.server import RunningSandbox
from tests.gitops.fake_gitlab import ME, Project
from tests.gitops.gitlab_job import Ran, Runner, job
from tests.gitops.gitlab_script import EXAMPLE, MARKER
from tests.support.cli.command import COMMAND
from tests.support.cli.worlds import BUSY, PASSWORD, connection, site
from tests.support.tools import ROOT

ARTIFACT = "jobs/3/artifacts/out/plan.json"
_WHO = ("-c", "user.name=Kim", "-c", "user.email=kim@harbor-dental.example")

Json = dict[str, Any]


class MergeRequest:
    """Merge request 7 of a repository whose default branch declares one connection; it declares another."""

    def __init__(
        self,
        folder: Path,
        project: Project,
        sandbox: RunningSandbox,
        before: Sequence[str] = (site(), connection(0, more=BUSY)),
        after: Sequence[str] = (site(), connection(0, more=BUSY), connection(1, more=BUSY)),
    ) -> None:
        self.folder, self.project, self.sandbox = folder / "checkout", project, sandbox
        self.folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        # What the default branch is now, the jobs ask where they were cloned from.
        self.git("remote", "add", "origin", ".")
        shutil.copytree(EXAMPLE, self.folder, dirs_exist_ok=True)
        self.before = self.commit(*before)
        self.git("checkout", "--quiet", "-b", "topic")
        self.head = self.commit(*after)
        env = {
            "EXTCAL_ENDPOINT": sandbox.endpoint,
            "EXTCAL_API_KEY": sandbox.api_key,
            "EXTCAL_STATE_DIR": str(folder / "state"),
            "CI_API_V4_URL": project.url,
            "CI_PROJECT_ID": "5",
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_URL": "https://gitlab.example/job/1",
        }
        self.runner = Runner(self.folder, folder / "tools", env)
        self.shown: dict[str, str] = {}

    def git(self, *words: str) -> str:
        """Run git in the checkout."""
        done = subprocess.run(
            ["git", *_WHO, *words],  # noqa: S607 - git is on PATH
            cwd=self.folder,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, *documents: str) -> str:
        """Let the branch hold these manifests, and whatever else lies in the checkout."""
        path = self.folder / "manifests" / "all.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(documents), encoding="utf-8")
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", "manifests")
        return self.git("rev-parse", "HEAD")

    @property
    def writes(self) -> list[str]:
        """What the service was asked that could change something, by path."""
        reads = {"/calendar/v3/schedules/query"}
        return [asked.path for asked in self.sandbox.requests if asked.method != "GET" and asked.path not in reads]

    def run(self, name: str, **env: str) -> Ran:
        """Run a job; where no wheels were made, an empty archive stands for them."""
        if name != "install" and not (self.folder / "wheels.tar").exists():
            shutil.make_archive(str(self.folder / "wheels"), "tar", self.runner.tools / "bin", ".")
        return self.runner.run(name, env)

    def plan(self, **env: str) -> Ran:
        """Run the job `plan` of the merge request's last commit, and keep its artifact."""
        given = {
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.before,
            "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
        }
        ran = self.run("plan", **given | env)
        if (self.folder / "out" / "plan.json").is_file():
            self.project.artifacts[ARTIFACT] = (self.folder / "out" / "plan.json").read_text()
        return ran

    def merge(self) -> str:
        """Merge it; the project knows its pipeline, and the files of each commit."""
        self.git("checkout", "--quiet", "--force", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", "merged", "topic")
        self.git("clean", "-dfqx")
        commit = self.git("rev-parse", "HEAD")
        ref = "refs/merge-requests/7/head"
        self.project.merged = [
            {
                "iid": 7,
                "state": "merged",
                "target_branch": "main",
                "source_project_id": 5,
                "sha": self.head,
                "merge_commit_sha": commit,
                "squash_commit_sha": None,
                "merged_at": "2027-01-31T09:00:00Z",
            }
        ]
        self.project.pipelines = [
            {"id": "p1", "project_id": 5, "ref": ref, "sha": self.head, "source": "merge_request_event"}
        ]
        self.project.jobs["p1"] = [
            {"id": 3, "name": "plan", "status": "success", "ref": ref, "commit": {"id": self.head}}
            | {"finished_at": "2027-01-31T08:00:00Z"}
        ]
        self.project.trees = {sha: self.tree(sha) for sha in (self.before, self.head, commit)}
        self.runner.env |= {"CI_COMMIT_SHA": commit, "CI_COMMIT_BEFORE_SHA": self.before}
        return commit

    def revert(self) -> None:
        """Let a later merge take back what this one brought; the checkout stays at this one."""
        merged = self.git("rev-parse", "HEAD")
        self.git("revert", "--no-edit", "--mainline", "1", "HEAD")
        self.git("checkout", "--quiet", "--detach", merged)

    def tree(self, commit: str) -> list[Json]:
        """The root of a commit as GitLab lists it."""
        rows = [line.split(maxsplit=3) for line in self.git("ls-tree", commit).splitlines()]
        return [{"mode": mode, "id": id_, "path": path} for mode, _, id_, path in rows]

    def fetch(self) -> Ran:
        """Run the job `reviewed`; what it says goes to the next one."""
        ran = self.run("reviewed")
        if ran.code == 0:
            report = (self.folder / job("reviewed")["artifacts"]["reports"]["dotenv"]).read_text()
            self.shown = dict(line.split("=", 1) for line in report.splitlines())
        return ran

    def apply(self) -> Ran:
        """Run the job `apply` with what `reviewed` said."""
        return self.run("apply", EXTCAL_APP_PASSWORD=PASSWORD, **self.shown)

    def forge(self, *documents: str) -> None:
        """Put a plan of other manifests, made without a base, in the saved one's place, and show its digest."""
        place = self.folder.parent
        (place / "forged.yaml").write_text("".join(documents), encoding="utf-8")
        command = [*COMMAND, "plan", "forged.yaml", "--out", "forged.json"]
        env = os.environ | self.runner.env | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=place, env=env, check=True, capture_output=True)
        plan = (place / "forged.json").read_text()
        self.project.artifacts[ARTIFACT] = plan
        body = f"{MARKER}\nDigest of the plan: `{json.loads(plan)['digest']}`"
        self.project.notes = [{"id": 0, "author": ME, "body": body}]
