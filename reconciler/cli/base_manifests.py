"""Loads the manifests as they were: from a folder, or from a commit of their repository."""

import os
import posixpath
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path

from reconciler import git
from reconciler.cli.arguments import BaseOptions
from reconciler.cli.console import Console
from reconciler.errors import LimitError, UsageError
from reconciler.manifests import Limits, load_readable
from reconciler.manifests.contents import (
    MAX_BYTES,
    ROSTER_SUFFIXES,
    SUFFIXES,
    declares_manifest,
    has_manifest_name,
    is_json,
    is_tool_folder,
    resembles_manifest_name,
)
from reconciler.manifests.files import ManifestFile, Stray
from reconciler.manifests.limits import LOOKED_AT, LOOKED_AT_TOGETHER, MEBI, Limit, ManifestBudget
from reconciler.model.desired import Desired
from reconciler.model.source import Fault
from reconciler.workflow import Base

_ELSEWHERE = "its name is not one of a manifest"
_PROTECTED = "connections that can't be compared with it count as protected"
_LONGEST_PATH = 4096
_AT_ONCE = 64 * MEBI
_TABLE_END = re.compile(rb"\.[ct]sv", re.IGNORECASE)


@dataclass(slots=True)
class _Checkout:
    """The manifests of a commit as files, those that may be strays, and what can't be read there."""

    files: list[Path] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def load_base(base: BaseOptions, paths: Sequence[Path], limits: Limits, console: Console) -> Base:
    """The manifests of the base.

    Raises UsageError where there is no such folder, or git can't give the commit, and LimitError where it holds more
    than is read.
    """
    if base.folder is None:
        return _at_commit(base.ref or "", paths, limits, console)
    if Path(base.folder).is_file():
        raise UsageError(f"--base-dir {base.folder}: not a folder. Give the folder that holds the manifests.")
    if not Path(base.folder).is_dir():
        raise UsageError(f"--base-dir {base.folder}: folder not found. To compare with a commit, use --base.")
    return _loaded([Path(base.folder)], f"--base-dir {base.folder}", limits, console)


def _at_commit(ref: str, paths: Sequence[Path], limits: Limits, console: Console) -> Base:
    try:
        with _checked_out(ref, paths, limits) as copy:
            base = _loaded(copy.files, f"--base {ref}", limits, console, copy.strays)
    except git.GitError as error:
        raise UsageError(f"--base {ref}: {error}") from error
    for why in copy.unread:
        console.warning(f"--base {ref}: {why}; {_PROTECTED}")
    return replace(base, whole=base.whole and not copy.unread)


def _loaded(paths: Sequence[Path], option: str, limits: Limits, console: Console, strays: Sequence[Stray] = ()) -> Base:
    """The manifests there, as far as they can be read: what mends a base must be plannable."""
    if not paths:
        return Base(Desired(), whole=True)
    desired, faults = load_readable(paths, limits, strays)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        console.warning(f"{option}: its manifests have {count}; {_PROTECTED}")
    if spared := sorted({name for one in desired.overlooked for name in one.sites}):
        console.warning(f"{option}: files there that look like manifests are not read: {_not_pruned(spared)}")
    return Base(desired, whole=not faults)


def _not_pruned(sites: Sequence[str]) -> str:
    return f"{sites[0]} counts as not pruned" if len(sites) == 1 else f"{len(sites):,} sites count as not pruned"


@contextmanager
def _checked_out(ref: str, paths: Sequence[Path], limits: Limits) -> Iterator[_Checkout]:
    """The paths as they were at a commit, in a temporary folder, and what of them can't be read there.

    Where one was not there, the change may have moved it: then every manifest of the commit is given.
    """
    with tempfile.TemporaryDirectory(prefix="extcal-base-") as folder:
        copy = _Checkout()
        roots = {path: git.root_of(path if path.is_dir() else path.parent) for path in paths}
        # One folder a repository, so that a file that two paths lead to is one file.
        targets = {root: Path(folder) / str(number) for number, root in enumerate(roots.values())}
        for path, root in roots.items():
            _copied(root, git.commit_of(root, ref), _inside(root, path), targets[root], limits, copy)
        copy.strays = [stray for stray in copy.strays if Path(stray.file.real) not in set(copy.files)]
        try:
            yield copy
        except LimitError as error:
            raise LimitError(_of_commit(fault, ref, folder) for fault in error.faults) from None


def _copied(root: Path, commit: str, inside: str | None, target: Path, limits: Limits, copy: _Checkout) -> None:
    """Add what a path `inside` the repository at `root` was at a commit to the copy, below the folder `target`."""
    tree = git.tree(root, commit, inside or ".")
    found = BaseFiles() if inside is None else manifests_at(root, tree, inside)
    was_there = bool(found.manifests)
    if not was_there:
        # By their names, so that none is passed over for its folder's.
        inside, tree = None, git.tree(root, commit)
        found = manifests_at(root, tree)
    if sum(blob.size for blob in found.manifests) > limits.bytes:
        raise ManifestBudget(limits).exceeded(Limit.BYTES, None)
    files = _written(root, found.manifests, target)
    _written(root, _rosters(root, commit, found.manifests, files, limits), target)
    copy.files += files if was_there else (file for file in files if _may_be_ours(file.read_bytes()))
    strays = map(str, _written(root, found.strays, target))
    copy.strays += (Stray(ManifestFile(stray, stray), _ELSEWHERE) for stray in strays)
    copy.unread += found.unseen
    copy.unread += (f"{name} is a submodule, whose files are not read" for name in tree.submodules)
    copy.unread += (f"{name} is a link, which is not followed" for name in unfollowed_links(root, tree, inside))


def _rosters(
    root: Path, commit: str, manifests: Sequence[git.Blob], files: Sequence[Path], limits: Limits
) -> list[git.Blob]:
    """The CSV files of a commit that its manifests, written as `files`, may mean: beside them or below, and named."""
    texts = [(posixpath.dirname(blob.name), file.read_bytes()) for blob, file in zip(manifests, files, strict=True)]
    texts = [(folder, text) for folder, text in texts if b"roster" in text]
    if not texts:
        return []
    tables = [blob for blob in git.tree(root, commit).blobs if blob.name.lower().endswith(ROSTER_SUFFIXES)]
    called = {blob.name: os.fsencode(posixpath.basename(blob.name)) for blob in tables}
    wanted, naming = frozenset(called.values()), defaultdict[str, set[bytes]](set)
    for folder, text in texts:
        naming[folder] |= _names_in(text, wanted)
    found = [blob for blob in tables if _is_named(blob.name, called[blob.name], naming)]
    if sum(blob.size for blob in (*manifests, *found)) > limits.bytes:
        raise ManifestBudget(limits).exceeded(Limit.BYTES, None)
    return found


def _names_in(text: bytes, wanted: frozenset[bytes]) -> set[bytes]:
    """Which of the names of tables are anywhere in a text; looked for all at once, since a commit may hold many."""
    lengths = {len(name) for name in wanted}
    ends = (found.end() for found in _TABLE_END.finditer(text))
    return {name for end in ends for length in lengths if (name := text[end - length : end]) in wanted}


def _is_named(path: str, name: bytes, naming: Mapping[str, set[bytes]]) -> bool:
    """Whether a manifest of its folder, or of one above, may mean a table."""
    folder = posixpath.dirname(path)
    while name not in naming.get(folder, ()):
        if not folder:
            return False
        folder = posixpath.dirname(folder)
    return True


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


class _Role(Enum):
    """What a file is by its name; JSON is a manifest, and a stray is one, only if it says so."""

    MANIFEST = auto()
    JSON = auto()
    STRAY = auto()


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """Files of a commit: manifests, strays, and why some can't be told from other files."""

    manifests: tuple[git.Blob, ...] = ()
    strays: tuple[git.Blob, ...] = ()
    unseen: tuple[str, ...] = ()


def manifests_at(root: Path, tree: git.Tree, inside: str | None = None) -> BaseFiles:
    """The files of a commit that count, below the path `inside`; without one, all that are called as manifests are."""
    roles = [(blob, _role(blob.name, inside)) for blob in tree.blobs]
    manifests = [blob for blob, role in roles if role is _Role.MANIFEST]
    # What is larger could not be read.
    candidates = [(blob, role) for blob, role in roles if role in {_Role.JSON, _Role.STRAY} and blob.size <= MAX_BYTES]
    if sum(blob.size for blob, _ in candidates) > LOOKED_AT_TOGETHER:
        why = f"{len(candidates):,} files may be manifests, and are too large together to be looked at"
        return BaseFiles(tuple(manifests), unseen=(why,))
    declaring = _declaring(root, [blob for blob, _ in candidates])
    manifests += [blob for blob, role in candidates if role is _Role.JSON and blob.name in declaring]
    strays = (blob for blob, role in candidates if role is _Role.STRAY and blob.name in declaring)
    return BaseFiles(tuple(manifests), tuple(strays))


def _role(name: str, inside: str | None) -> _Role | None:
    if name == inside:
        return _Role.MANIFEST
    below = name if inside in {None, "."} else name.removeprefix(f"{inside}/")
    *folders, file = below.split("/")
    wanted = file.lower().endswith(SUFFIXES) if inside is None else has_manifest_name(file)
    dotted = inside is not None and any(folder.startswith(".") for folder in folders)
    if dotted:
        return None if any(map(is_tool_folder, folders)) else _Role.STRAY
    if wanted:
        return _Role.JSON if is_json(file) else _Role.MANIFEST
    return _Role.STRAY if resembles_manifest_name(file) else None


def _declaring(root: Path, blobs: Sequence[git.Blob]) -> set[str]:
    """The names of those that say that they are manifests."""
    found: set[str] = set()
    for batch in _batches(blobs):
        contents = git.contents(root, batch)
        found |= {blob.name for blob, text in zip(batch, contents, strict=True) if declares_manifest(text[:LOOKED_AT])}
    return found


def _batches(blobs: Sequence[git.Blob]) -> Iterator[list[git.Blob]]:
    """The files, so many at once as memory has room for."""
    batch: list[git.Blob] = []
    size = 0
    for blob in blobs:
        if batch and size + blob.size > _AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(blob)
        size += blob.size
    if batch:
        yield batch


def unfollowed_links(root: Path, tree: git.Tree, inside: str | None = None) -> Iterator[str]:
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


def _is_read(name: str, inside: str | None = None) -> bool:
    """Whether a file may hold manifests by its name, and where it is `inside` a path, whether the loader reads it."""
    return _role(name, inside) in {_Role.MANIFEST, _Role.JSON}
