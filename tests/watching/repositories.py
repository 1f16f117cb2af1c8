"""Repositories whose main branch is watched."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.cli.worlds import BUSY, connection, site

_GIT = shutil.which("git") or "git"
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Kim",
    "GIT_AUTHOR_EMAIL": "kim@harbor-dental.example",
    "GIT_COMMITTER_NAME": "Kim",
    "GIT_COMMITTER_EMAIL": "kim@harbor-dental.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(place: Path, *words: str) -> str:
    """Run git in a folder."""
    done = subprocess.run(
        [_GIT, *words], cwd=place, env=os.environ | _IDENTITY, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


class Repositories:
    """A bare repository `origin`, a clone in which people work, and the clone that is watched."""

    def __init__(self, folder: Path, watched: Path) -> None:
        self.origin, self.work, self.watched = folder / "origin.git", folder / "work", watched
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        git(folder, "clone", "--quiet", str(self.origin), str(self.work))
        git(self.work, "checkout", "--quiet", "-b", "main")
        self.merge(site(), connection(0, more=BUSY))
        git(folder, "clone", "--quiet", str(self.origin), str(watched))

    def merge(self, *documents: str) -> None:
        """Let the main branch hold these manifests."""
        (self.work / "all.yaml").write_text("".join(documents), encoding="utf-8")
        git(self.work, "add", ".")
        git(self.work, "commit", "--quiet", "--message", "manifests")
        git(self.work, "push", "--quiet", "origin", "main")
