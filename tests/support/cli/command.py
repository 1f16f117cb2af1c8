"""Ways to run extcal: in this process, or in one of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from click.testing import CliRunner

from reconciler.cli.main import main
from reconciler.sandbox.request_log import LoggedRequest
from reconciler.sandbox.server import RunningSandbox
from reconciler.sandbox.world import World

COMMAND = (sys.executable, "-m", "reconciler")
_READING_POSTS = {"/calendar/v3/schedules/query", "/oauth2/token"}

Json = dict[str, object]


@dataclass(frozen=True)
class Ran:
    """How a run ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Json:
        """All of stdout as one JSON object."""
        parsed = json.loads(self.out)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def actions(self) -> list[Json]:
        """The actions of that object."""
        return cast("list[Json]", self.document["actions"])

    @property
    def rows(self) -> list[Json]:
        """All of stdout as one JSON array of objects."""
        parsed = json.loads(self.out)
        assert isinstance(parsed, list)
        return parsed


@dataclass
class Extcal:
    """The command, its working directory `folder`, and the sandbox that its environment names.

    `due` is the world that the sandbox shall hold when it is first looked at: to put one there costs as much as a plan,
    and most tests put another one.
    """

    folder: Path
    served: RunningSandbox
    env: dict[str, str] = field(default_factory=dict)
    due: World | None = None

    @property
    def sandbox(self) -> RunningSandbox:
        """The sandbox, which holds what was due."""
        self._settle()
        return self.served

    def on(self, world: World) -> None:
        """Let the sandbox hold `world`, and count its requests from here."""
        self.due = None
        self.served.replace_world(world)
        self.served.requests.clear()

    def _settle(self) -> None:
        if self.due is not None:
            self.on(self.due)

    def write(self, *documents: str, to: str = "manifests/all.yaml") -> None:
        """Write manifests into a file below the folder."""
        path = self.folder / to
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(documents), encoding="utf-8")

    @property
    def writes(self) -> list[LoggedRequest]:
        """What the sandbox was asked that could change something."""
        return [r for r in self.sandbox.requests if r.method != "GET" and r.path not in _READING_POSTS]

    def __call__(self, *args: str, env: Mapping[str, str | None] | None = None) -> Ran:
        """Run in this process; an environment variable that is None is not set."""
        self._settle()
        runner = CliRunner(env={**self.env, **(env or {})})
        result = runner.invoke(main, args, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, result.stderr)

    def process(self, *args: str, env: Mapping[str, str | None] | None = None) -> Ran:
        """Run in a process of its own, without a terminal."""
        ended = subprocess.run(
            [*COMMAND, *args],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    @contextmanager
    def started(
        self, *args: str, command: Sequence[str] = COMMAND, env: Mapping[str, str | None] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """A process that is under way, its streams pipes; it is over when the block is."""
        with subprocess.Popen(
            [*command, *args],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def environment(self, env: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The environment of a process that is about to start."""
        self._settle()
        merged = {**os.environ, **self.env, **(env or {})}
        return {name: value for name, value in merged.items() if value is not None}
