"""What GitHub's runner does around an action's script, on this machine."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.github.repository import NAME, World, empty
from tests.support.tools import ROOT

ACTIONS = ROOT / ".github" / "actions"
BASH = shutil.which("bash") or "bash"
_GH = f'exec "{sys.executable}" "{Path(__file__).with_name("fake_gh.py")}" "$@"'


@dataclass(frozen=True)
class Ran:
    """How a script ended."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Runner:
    """A job's folder, its environment, and the repository that `gh` is shown."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay out the folder, with `gh` and extcal where scripts look for them."""
        self._script("bin/gh", _GH)
        self._script("temp/extcal-venv/bin/extcal", f'exec "{sys.executable}" -m reconciler "$@"')
        self.world = empty()
        self.env = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "FAKE_GH": str(self.folder / "gh.json"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_OUTPUT": str(self.folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "77",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_SHA": "c0ffee",
            "GH_TOKEN": "made-up",
        } | self.env

    @property
    def world(self) -> World:
        """The repository on GitHub."""
        found: World = json.loads((self.folder / "gh.json").read_text())
        return found

    @world.setter
    def world(self, world: World) -> None:
        (self.folder / "gh.json").write_text(json.dumps(world))

    def change(self, **parts: object) -> None:
        """Put parts of the repository in place of what was there."""
        self.world = self.world | parts

    def fail(self, call: str) -> None:
        """Let every call of `gh` fail that has this in its words."""
        gh = f'case "$*" in *{call}*) echo "gh: HTTP 502" >&2; exit 1;; esac\n{_GH}'
        self._script("bin/gh", gh)

    def file(self, name: str, content: str) -> str:
        """A file in the job's folder, by its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return str(path)

    def run(self, script: str, **env: str) -> Ran:
        """Run an action's script, `ACTION/SCRIPT.sh`."""
        for name in ("outputs", "summary"):
            (self.folder / name).write_text("")
        done = subprocess.run(
            [BASH, str(ACTIONS / script)],
            cwd=self.folder,
            env=self._inherited() | self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        outputs = (self.folder / "outputs").read_text().splitlines()
        named = dict(line.split("=", 1) for line in outputs)
        return Ran(done.returncode, done.stdout, named, (self.folder / "summary").read_text())

    @staticmethod
    def _inherited() -> dict[str, str]:
        return {
            name: value for name, value in os.environ.items() if not name.startswith(("EXTCAL_", "GITHUB_", "INPUT_"))
        }

    def _script(self, name: str, line: str) -> None:
        Path(self.file(name, f"#!/bin/sh\n{line}\n")).chmod(0o755)
