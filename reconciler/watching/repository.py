"""Fetching what was merged: `git pull --ff-only` in the repositories that the manifests lie in."""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ExtcalError

_PATIENCE = 120.0
_LONGEST = 500
# git repeats the URL that it was given, with whatever stands before the host.
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


class PullError(ExtcalError):
    """A repository could not be pulled; what lies there is what was pulled last."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A repository whose commit has changed; both are abbreviated."""

    root: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.root}: pulled {self.before}..{self.after}"


async def pull(paths: Sequence[Path], patience: float = _PATIENCE) -> list[Pulled]:
    """Pull every repository that a path lies in, and say which have changed; raises PullError.

    git asks nobody, gets none of our secrets, and has `patience` seconds for each repository.
    """
    changed = []
    for root in dict.fromkeys([await _root(_folder(path), patience) for path in paths]):
        before = await _git(root, patience, "rev-parse", "--short", "HEAD")
        await _git(root, patience, "pull", "--quiet", "--ff-only")
        after = await _git(root, patience, "rev-parse", "--short", "HEAD")
        if after != before:
            changed.append(Pulled(root, before, after))
    return changed


def _folder(path: Path) -> str:
    return str(path if path.is_dir() else path.parent)


async def _root(folder: str, patience: float) -> str:
    return await _git(folder, patience, "rev-parse", "--show-toplevel")


async def _git(folder: str, patience: float, *words: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            "-C",
            folder,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(),
            # It has helpers of its own, which must end with it; and Ctrl-C is ours to hear.
            start_new_session=True,
        )
    except OSError as error:
        raise PullError(f"--git-pull needs git, which can't be run ({error.strerror}); install it") from error
    try:
        async with asyncio.timeout(patience):
            said, _ = await process.communicate()
    except TimeoutError as error:
        raise PullError(f"{folder}: git {words[0]} did not end within {patience:g} s") from error
    finally:
        await _end(process)
    text = said.decode(errors="replace").strip()
    if process.returncode != 0:
        why = _USERINFO.sub("…@", " ".join(text.split()))[:_LONGEST]
        raise PullError(f"{folder}: git {words[0]} failed: {why or f'exit code {process.returncode}'}")
    return text


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it, with all that it has started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("EXTCAL_")}
    ssh = ours.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return ours | {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GIT_SSH_COMMAND": ssh, "LC_ALL": "C"}
