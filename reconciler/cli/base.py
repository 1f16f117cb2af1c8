"""The manifests as they were: from a folder, or from a commit of the repository that the paths lie in."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reconciler import git
from reconciler.cli.arguments import BaseChoice
from reconciler.cli.console import Console
from reconciler.errors import LimitError, UsageError
from reconciler.manifests import Limits, load_readable
from reconciler.manifests.files import SUFFIXES
from reconciler.model.desired import Desired
from reconciler.model.source import Fault
from reconciler.workflow import Base

_PROTECTED = "what can't be compared with it counts as protected by it"
_OURS = re.compile(rb"""apiVersion["']?\s{0,100}:\s{0,100}["']?extcal/""")


def load_base(base: BaseChoice, paths: Sequence[Path], limits: Limits, console: Console) -> Base:
    """The manifests of the base.

    Raises UsageError where there is no such folder, or git can't give the commit, and LimitError where it holds more
    than is read.
    """
    if base.folder is None:
        return _at_commit(base.ref or "", paths, limits, console)
    # An empty name is a variable that was never set, and must not mean the working folder.
    if not base.folder or not Path(base.folder).is_dir():
        raise UsageError(f"--base-dir {base.folder}: no such folder. To compare with a commit, use --base.")
    return _loaded([Path(base.folder)], f"--base-dir {base.folder}", limits, console)


def _at_commit(ref: str, paths: Sequence[Path], limits: Limits, console: Console) -> Base:
    try:
        with _checked_out(ref, paths) as (found, submodules):
            base = _loaded(found, f"--base {ref}", limits, console)
    except git.GitError as error:
        raise UsageError(f"--base {ref}: {error}") from error
    for name in submodules:
        console.warning(f"--base {ref}: {name} is a submodule, whose files are not read; {_PROTECTED}")
    return replace(base, whole=base.whole and not submodules)


def _loaded(paths: Sequence[Path], option: str, limits: Limits, console: Console) -> Base:
    """The manifests there, as far as they can be read: what mends a base must be plannable."""
    if not paths:
        return Base(Desired(), whole=True)
    desired, faults = load_readable(paths, limits)
    if faults:
        console.warning(f"{option}: its manifests have {len(faults)} faults; {_PROTECTED}")
    return Base(desired, whole=not faults)


@contextmanager
def _checked_out(ref: str, paths: Sequence[Path]) -> Iterator[tuple[list[Path], list[str]]]:
    """The paths as they were at a commit, in a temporary folder, and the submodules among them.

    Where one was not there, the change may have moved it: then every manifest of the commit is given.
    """
    with tempfile.TemporaryDirectory(prefix="extcal-base-") as folder:
        found: list[Path] = []
        roots = {path: git.root_of(path if path.is_dir() else path.parent) for path in paths}
        # One folder a repository, so that a file that two paths lead to is one file.
        targets = {root: Path(folder) / str(number) for number, root in enumerate(roots.values())}
        submodules: list[str] = []
        for path, root in roots.items():
            commit = git.commit_of(root, ref)
            inside = path.resolve().relative_to(root).as_posix()
            tree = git.tree(root, commit, inside)
            if files := _written(root, [b for b in tree.blobs if _may_be_manifest(b.name, inside)], targets[root]):
                found += files
            else:
                tree = git.tree(root, commit)
                # By their names, so that none is passed over for its folder's.
                everywhere = _written(root, [b for b in tree.blobs if b.name.endswith(SUFFIXES)], targets[root])
                found += (file for file in everywhere if _OURS.search(file.read_bytes()))
            submodules += tree.submodules
        try:
            yield found, submodules
        except LimitError as error:
            raise LimitError(_of_commit(fault, ref, folder) for fault in error.faults) from None


def _of_commit(fault: Fault, ref: str, folder: str) -> Fault:
    """A fault of the copy as one of the commit, in git's words for a file there."""
    if fault.source is None:
        return fault
    _, _, path = fault.source.file.removeprefix(f"{folder}/").partition("/")
    return replace(fault, source=replace(fault.source, file=f"{ref}:{path}"))


def _may_be_manifest(name: str, inside: str) -> bool:
    """Whether the loader would read the file for the path `inside`: names that begin with a dot are passed over."""
    below = name if inside == "." else name.removeprefix(f"{inside}/")
    return name == inside or (name.endswith(SUFFIXES) and not any(part.startswith(".") for part in below.split("/")))


def _written(root: Path, blobs: Sequence[git.Blob], target: Path) -> list[Path]:
    """Write files of the repository at `root` below the folder `target`; their paths there."""
    files = [target / blob.name for blob in blobs]
    for file, content in zip(files, git.contents(root, blobs), strict=True):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise git.GitError(f"{file.relative_to(target)} can't be written ({error.strerror}).") from error
    return files
