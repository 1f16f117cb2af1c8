"""The manifests as they were: from a folder, or from a commit of the repository that the paths lie in."""

import os
import posixpath
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
from reconciler.manifests.limits import Budget, Limit
from reconciler.model.desired import Desired
from reconciler.model.source import Fault
from reconciler.workflow import Base

_PROTECTED = "what can't be compared with it counts as protected by it"
_LONGEST_PATH = 4096


def load_base(base: BaseChoice, paths: Sequence[Path], limits: Limits, console: Console) -> Base:
    """The manifests of the base.

    Raises UsageError where there is no such folder, or git can't give the commit, and LimitError where it holds more
    than is read.
    """
    if base.folder is None:
        return _at_commit(base.ref or "", paths, limits, console)
    if Path(base.folder).is_file():
        raise UsageError(f"--base-dir {base.folder}: is no folder. Name the folder that the manifests lie in.")
    if not Path(base.folder).is_dir():
        raise UsageError(f"--base-dir {base.folder}: no such folder. To compare with a commit, use --base.")
    return _loaded([Path(base.folder)], f"--base-dir {base.folder}", limits, console)


def _at_commit(ref: str, paths: Sequence[Path], limits: Limits, console: Console) -> Base:
    try:
        with _checked_out(ref, paths, limits) as (found, unread):
            base = _loaded(found, f"--base {ref}", limits, console)
    except git.GitError as error:
        raise UsageError(f"--base {ref}: {error}") from error
    for why in unread:
        console.warning(f"--base {ref}: {why}; {_PROTECTED}")
    return replace(base, whole=base.whole and not unread)


def _loaded(paths: Sequence[Path], option: str, limits: Limits, console: Console) -> Base:
    """The manifests there, as far as they can be read: what mends a base must be plannable."""
    if not paths:
        return Base(Desired(), whole=True)
    desired, faults = load_readable(paths, limits)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        console.warning(f"{option}: its manifests have {count}; {_PROTECTED}")
    return Base(desired, whole=not faults)


@contextmanager
def _checked_out(ref: str, paths: Sequence[Path], limits: Limits) -> Iterator[tuple[list[Path], list[str]]]:
    """The paths as they were at a commit, in a temporary folder, and what of them can't be read there.

    Where one was not there, the change may have moved it: then every manifest of the commit is given.
    """
    with tempfile.TemporaryDirectory(prefix="extcal-base-") as folder:
        found: list[Path] = []
        roots = {path: git.root_of(path if path.is_dir() else path.parent) for path in paths}
        # One folder a repository, so that a file that two paths lead to is one file.
        targets = {root: Path(folder) / str(number) for number, root in enumerate(roots.values())}
        unread: list[str] = []
        for path, root in roots.items():
            commit = git.commit_of(root, ref)
            inside = _inside(root, path)
            tree = git.tree(root, commit, inside or ".")
            blobs = [blob for blob in tree.blobs if inside is not None and _is_read(blob.name, inside)]
            if blobs:
                found += _written(root, blobs, targets[root], limits)
                links = _leading_away(root, tree, inside)
            else:
                tree = git.tree(root, commit)
                # By their names, so that none is passed over for its folder's.
                blobs = [blob for blob in tree.blobs if _is_read(blob.name)]
                written = _written(root, blobs, targets[root], limits)
                found += (file for file in written if _may_be_ours(file.read_bytes()))
                links = _leading_away(root, tree)
            unread += [f"{name} is a submodule, whose files are not read" for name in tree.submodules]
            unread += [f"{name} is a link, which is not followed" for name in links]
        try:
            yield found, unread
        except LimitError as error:
            raise LimitError(_of_commit(fault, ref, folder) for fault in error.faults) from None


def _of_commit(fault: Fault, ref: str, folder: str) -> Fault:
    """A fault of the copy as one of the commit, in git's words for a file there."""
    if fault.source is None:
        return fault
    _, _, path = fault.source.file.removeprefix(f"{folder}/").partition("/")
    return replace(fault, source=replace(fault.source, file=f"{ref}:{path}"))


def _may_be_ours(content: bytes) -> bool:
    """Whether a file may hold a manifest: only what says so, or may say so in escapes, is more than another's YAML."""
    return b"extcal/v" in content or b"\\" in content


def _inside(root: Path, path: Path) -> str | None:
    """Where a path is below the root, None where links lead to it: the change may have made them, to another place."""
    normal = Path(os.path.normpath(path.absolute()))
    # The outermost: one below it may be a link that leads back.
    above = next((folder for folder in reversed((normal, *normal.parents)) if folder.resolve() == root), None)
    if above is None:
        return None
    inside = normal.relative_to(above)
    linked = any((above / part).is_symlink() for part in (inside, *inside.parents[:-1]))
    return None if linked else inside.as_posix()


def _is_read(name: str, inside: str | None = None) -> bool:
    """Whether a file may hold manifests by its name, and where it is `inside` a path, whether the loader reads it."""
    if inside is None:
        return name.endswith(SUFFIXES)
    below = name if inside == "." else name.removeprefix(f"{inside}/")
    hidden = any(part.startswith(".") for part in below.split("/"))
    return name == inside or (name.endswith(SUFFIXES) and not hidden)


def _leading_away(root: Path, tree: git.Tree, inside: str | None = None) -> Iterator[str]:
    """The links by which the loader would come to a file that is not read by its own name."""
    # Where every name is read, a link to a folder adds none.
    links = [link for link in tree.links if inside is not None or _is_read(link.name)]
    yield from (link.name for link in links if link.size > _LONGEST_PATH)
    links = [link for link in links if link.size <= _LONGEST_PATH]
    if not links:
        return
    names = [entry.name for entry in (*tree.blobs, *tree.links)]
    for link, target in zip(links, git.contents(root, links), strict=True):
        place = posixpath.normpath(posixpath.join(posixpath.dirname(link.name), os.fsdecode(target)))
        by_another = any(place == other.name or place.startswith(f"{other.name}/") for other in tree.links)
        led_to = [name for name in names if name == place or name.startswith(f"{place}/")]
        by_link = {link.name + name[len(place) :]: name for name in led_to}
        missed = any(_is_read(new, inside) and not _is_read(name, inside) for new, name in by_link.items())
        if missed or by_another or (not led_to and _is_read(link.name, inside)):
            yield link.name


def _written(root: Path, blobs: Sequence[git.Blob], target: Path, limits: Limits) -> list[Path]:
    """Write files of the repository at `root` below the folder `target`; their paths there."""
    if sum(blob.size for blob in blobs) > limits.bytes:
        raise Budget(limits).exceeded(Limit.BYTES, None)
    files = [target / blob.name for blob in blobs]
    for file, content in zip(files, git.contents(root, blobs), strict=True):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise git.GitError(f"{file.relative_to(target)} can't be written ({error.strerror}).") from error
    return files
