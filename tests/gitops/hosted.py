"""Hosted runners: each is a machine of its own, and what the next one gets is what the one before has kept."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.gitops.action import run
from tests.support.github.runner import ACTIONS, BASH, Ran, Runner
from tests.support.timeouts import TIMEOUT, until

_KEPT, _STATE = "extcal-kept", "extcal-state"
# Tells its process before it becomes extcal.
_NOTED = (
    '#!/bin/sh\n[ "$1" = history ] || echo "$$" >"$RUNNER_TEMP/pid"\nexec "$RUNNER_TEMP/extcal-venv/bin/real" "$@"\n'
)


@dataclass
class Hosted:
    """The runners of one repository below a folder; `cache` is what the newest of them has kept, if any has."""

    folder: Path
    env: dict[str, str]
    cache: Path | None = None
    made: int = field(default=0)

    def start(self, *, restored: bool = True) -> Runner:
        """A fresh machine, to which what was kept was restored, with the checkout of the first one."""
        self.made += 1
        place = self.folder / f"runner-{self.made}"
        shutil.copytree(self.folder / "checkout", place)
        runner = Runner(place, dict(self.env))
        if restored and self.cache is not None:
            shutil.copytree(self.cache, place / "temp" / _KEPT)
        self._hand_on(runner, _KEPT, _STATE)
        return runner

    def keep(self, runner: Runner) -> Path:
        """Keep what the next one gets, as the last step of a job does; where that is."""
        kept = runner.folder / "temp" / _KEPT
        shutil.rmtree(kept, ignore_errors=True)
        self._hand_on(runner, _STATE, _KEPT)
        self.cache = self.folder / f"cache-{runner.folder.name}"
        shutil.copytree(kept, self.cache)
        return self.cache

    @staticmethod
    def _hand_on(runner: Runner, origin: str, to: str) -> None:
        temp = runner.folder / "temp"
        words = [BASH, str(ACTIONS / "restore-state" / "kept.sh"), str(temp / origin), str(temp / to)]
        subprocess.run(words, check=True, capture_output=True, timeout=TIMEOUT)


def run_and_kill(runner: Runner, when: Callable[[], bool], command: str, **inputs: str) -> Ran:
    """Run a command, and kill extcal as soon as `when` says so; the step goes on to its end."""
    extcal = runner.folder / "temp" / "extcal-venv" / "bin" / "extcal"
    extcal.rename(extcal.with_name("real"))
    extcal.write_text(_NOTED)
    extcal.chmod(0o755)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(run, runner, command, **inputs)
        until(lambda: when() or ended.done())
        os.kill(int((runner.folder / "temp" / "pid").read_text()), signal.SIGKILL)
        return ended.result()
