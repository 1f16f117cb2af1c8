"""The manifests as they were: from a folder, or from a commit of the repository that the paths lie in."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler import git
from reconciler.cli.console import Console
from reconciler.errors import ManifestError, UsageError
from reconciler.manifests import load
from reconciler.manifests.files import SUFFIXES
from reconciler.model.desired import Desired


def load_base_folder(folder: str, console: Console) -> Desired:
    """The manifests of the base in a folder; raises UsageError where there is no such folder."""
    # An empty name is a variable that was never set, and must not mean the working folder.
    if not folder or not Path(folder).is_dir():
        raise UsageError(f"--base-dir {folder}: no such folder. To compare with a commit, use --base.")
    return _loaded([Path(folder)], f"--base-dir {folder}", console)


def load_base(ref: str, paths: Sequence[Path], console: Console) -> Desired:
    """The manifests of the base at `paths` in a commit; raises UsageError where git can't give them."""
    try:
        with _checked_out(ref, paths) as found:
            return _loaded(found, f"--base {ref}", console)
    except git.GitError as error:
        raise UsageError(f"--base {ref}: {error}") from error


def _loaded(paths: Sequence[Path], option: str, console: Console) -> Desired:
    """The manifests there; a base that is no longer valid counts as empty, since what mends it must be plannable."""
    try:
        return load(paths) if paths else Desired()
    except ManifestError as error:
        count = len(error.faults)
        console.warning(f"{option}: its manifests have {count} faults, so every action counts as this change's")
        return Desired()


@contextmanager
def _checked_out(ref: str, paths: Sequence[Path]) -> Iterator[list[Path]]:
    """The paths as they were at a commit, in a temporary folder.

    Where one was not there, the change may have moved it: then every manifest of the commit is given.
    """
    with tempfile.TemporaryDirectory(prefix="extcal-base-") as folder:
        found: list[Path] = []
        roots = {path: git.root_of(path if path.is_dir() else path.parent) for path in paths}
        # One folder a repository, so that a file that two paths lead to is one file.
        targets = {root: Path(folder) / str(number) for number, root in enumerate(roots.values())}
        for path, root in roots.items():
            commit = git.commit_of(root, ref)
            inside = path.resolve().relative_to(root).as_posix()
            target = targets[root]
            if _written(root, commit, inside, target):
                found.append(target / inside)
            else:
                # By their names, so that none is passed over for its folder's.
                found += _written(root, commit, ".", target)
        yield found


def _written(root: Path, commit: str, inside: str, target: Path) -> list[Path]:
    """Write the manifests below `inside` as they were at a commit."""
    blobs = [b for b in git.tree(root, commit, inside).blobs if b.name == inside or b.name.endswith(SUFFIXES)]
    files = [target / blob.name for blob in blobs]
    for file, content in zip(files, git.contents(root, blobs), strict=True):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise git.GitError(f"{file.relative_to(target)} can't be written ({error.strerror}).") from error
    return files
