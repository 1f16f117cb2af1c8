"""The manifests as they were: from a folder, or from a commit of the repository that the paths lie in."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.errors import ManifestError, UsageError
from reconciler.manifests import load
from reconciler.model.desired import Desired

_REGULAR_FILES = {"100644", "100755"}


def load_base(base: str, paths: Sequence[Path], console: Console) -> Desired:
    """The manifests of the base: `base` is a folder that holds them, or anything that git knows as a commit.

    A base that is no longer valid counts as empty, with a warning: what mends it must be plannable. Raises UsageError
    where there is no such folder or commit.
    """
    try:
        if Path(base).is_dir():
            return _loaded([Path(base)])
        with _checked_out(base, paths) as found:
            return _loaded(found)
    except ManifestError as error:
        count = len(error.faults)
        console.warning(f"--base {base}: its manifests have {count} faults, so every action counts as this change's")
        return Desired()


def _loaded(paths: Sequence[Path]) -> Desired:
    return load(paths) if paths else Desired()


@contextmanager
def _checked_out(ref: str, paths: Sequence[Path]) -> Iterator[list[Path]]:
    """The paths as they were at a commit, in a temporary folder; those that were not there are left out."""
    with tempfile.TemporaryDirectory(prefix="extcal-base-") as folder:
        found: list[Path] = []
        for number, path in enumerate(paths):
            place = path if path.is_dir() else path.parent
            root = Path(_git(place, "rev-parse", "--show-toplevel").strip())
            commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
            inside = path.resolve().relative_to(root.resolve()).as_posix()
            target = Path(folder) / str(number)
            if _write_tree(root, commit, inside, target):
                found.append(target / inside)
        yield found


def _write_tree(root: Path, commit: str, inside: str, target: Path) -> bool:
    """Write the regular files below `inside` as they were; False where there were none. Links are left out."""
    listing = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", inside)
    names: dict[str, str] = {}
    for entry in filter(None, listing.split("\0")):
        described, _, name = entry.partition("\t")
        mode, _, blob = described.split()
        if mode in _REGULAR_FILES and Path(name).suffix in {".yaml", ".yml"}:
            names[name] = blob
    for name, content in zip(names, _blobs(root, list(names.values())), strict=True):
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return bool(names)


def _blobs(root: Path, ids: list[str]) -> Iterator[bytes]:
    """The contents of blobs, in order, asked for all at once."""
    answer = _git_bytes(root, "cat-file", "--batch", given="\n".join(ids).encode())
    at = 0
    for _ in ids:
        head_end = answer.index(b"\n", at)
        size = int(answer[at:head_end].split()[2])
        yield answer[head_end + 1 : head_end + 1 + size]
        at = head_end + 1 + size + 1


def _git(place: Path, *words: str) -> str:
    return _git_bytes(place, *words).decode(errors="surrogateescape")


def _git_bytes(place: Path, *words: str, given: bytes = b"") -> bytes:
    try:
        # The words are ours; a ref that looks like an option is stopped by --end-of-options.
        command = ["git", "-C", str(place), *words]
        done = subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise UsageError("--base REF needs git; name a folder instead") from error
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip() or "git knows no such commit here"
        raise UsageError(f"--base: {why}; name a folder, or a commit that this clone has (fetch-depth: 0 in CI)")
    return done.stdout
