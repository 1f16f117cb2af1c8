"""Fetching what was merged: `git pull --ff-only` in the repositories that the manifests lie in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler import git


@dataclass(frozen=True, slots=True)
class Pulled:
    """A repository whose commit has changed; both are abbreviated."""

    root: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.root}: pulled {self.before}..{self.after}"


async def pull(paths: Sequence[Path], timeout: float = git.TIMEOUT) -> list[Pulled]:  # noqa: ASYNC109 - that of each call
    """Pull every repository that a path lies in, and say which have changed; raises GitError.

    `timeout` is in seconds, for each call of git. What lies there is what was pulled last.
    """
    changed = []
    for root in dict.fromkeys(git.root_of(path) for path in paths):
        before = await _head(root, timeout)
        await git.call(root, "pull", "--quiet", "--ff-only", "--no-recurse-submodules", timeout=timeout)
        after = await _head(root, timeout)
        if after != before:
            changed.append(Pulled(str(root), before, after))
    return changed


async def _head(root: Path, timeout: float) -> str:  # noqa: ASYNC109 - as above
    return await git.call(root, "rev-parse", "--short", "HEAD", timeout=timeout)
