"""Finds at which commit manifests are, for the history.

Whether they are as committed is seen from their files and nothing else: git's own comparison may run the filters that a
config names. So a file that a filter changes on checkout counts as changed.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler import git
from reconciler.errors import ExtcalError
from reconciler.manifests.contents import ROSTER_SUFFIXES, SUFFIXES
from reconciler.safe_paths import IrregularFileError, read_regular

CHANGED = "+changes"
"""Behind a commit whose manifests were not as committed."""
_SHA1_DIGITS = 40
_READ = (*SUFFIXES, *ROSTER_SUFFIXES)


def commit_of_manifests(paths: Sequence[Path]) -> str | None:
    """The commit that the manifests at these paths are at, with CHANGED behind it where they are not as committed.

    None where they are in no repository or in several, where nothing is committed yet, and where git can't tell: a run
    does not fail for that.
    """
    try:
        roots = {git.root_of(path) for path in paths}
        if len(roots) != 1:
            return None
        (root,) = roots
        commit = git.commit_of(root, "HEAD")
        inside = [Path(os.path.realpath(path)).relative_to(root).as_posix() for path in paths]
        return commit + (CHANGED if any(_is_changed(root, commit, each) for each in inside) else "")
    except (ExtcalError, OSError, ValueError):
        return None


def _is_changed(root: Path, commit: str, inside: str) -> bool:
    there = [blob for blob in git.tree(root, commit, inside).blobs if blob.name.lower().endswith(_READ)]
    if any(_differs(root / blob.name, blob) for blob in there):
        return True
    known = {blob.name for blob in there}
    return any(name not in known for name in _present(root, inside))


def _differs(file: Path, blob: git.Blob) -> bool:
    try:
        content = read_regular(file, blob.size + 1)
    except (OSError, IrregularFileError):
        return True
    header = b"blob %d\0" % len(content)
    algorithm = hashlib.sha1 if len(blob.id) == _SHA1_DIGITS else hashlib.sha256
    return algorithm(header + content, usedforsecurity=False).hexdigest() != blob.id


def _present(root: Path, inside: str) -> Iterator[str]:
    """The names of manifests that git holds in its index, or would add."""
    for listed in (("--cached",), ("--others", "--exclude-standard")):
        for name in git.read(root, "ls-files", "-z", *listed, "--", inside).split(b"\0"):
            if (text := os.fsdecode(name)).lower().endswith(_READ):
                yield text
