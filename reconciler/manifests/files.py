"""Finds manifest files below the paths of the command line, and strays: files that look like manifests.

Steps: each path is walked (links must stay inside, a bare git repository is refused); an entry is sorted into
manifest, stray, folder or neither by its name, JSON by its content; the same file under two names counts once; sizes
are counted against the limits before anything is read.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from reconciler.manifests.contents import (
    MAX_BYTES,
    SUFFIXES,
    ManifestFile,
    begins_as_manifest,
    file_fault,
    has_manifest_name,
    is_json,
    is_tool_folder,
    printable,
    read,
    resembles_manifest_name,
    unreadable_fault,
)
from reconciler.manifests.limits import LOOKED_AT_TOGETHER, MEBI, Limit, ManifestBudget
from reconciler.manifests.values import START
from reconciler.model.source import Fault, Source

__all__ = ["FileListing", "ManifestFile", "Stray", "find", "is_manifest", "read", "search"]

# What git goes by to take a folder for a repository (source: git's manual page gitrepository-layout).
_BARE_LAYOUT = ({"head", "objects", "refs"}, {"head", "commondir"})
_OUTSIDE = "is a link that points outside the folder"
_OUTSIDE_HINT = "put the file itself into the folder, or name the other place on the command line"
_TABLES = (".csv", ".tsv")
_SET = "name the manifest of that set, or the folder that holds both"
_ENDINGS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
_OTHER_ENDING = f"its name does not end in {_ENDINGS}"
_TOO_MUCH = f"there is more than {LOOKED_AT_TOGETHER // MEBI} MiB to check"


@dataclass(frozen=True, slots=True)
class Stray:
    """A file, or a dot-folder, that is not read for the reason `why`; `unseen` is why its content is unknown."""

    file: ManifestFile
    why: str
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class FileListing:
    """The manifest files in the order of their names, each once, what is wrong with the paths, and the strays."""

    files: list[ManifestFile]
    faults: list[Fault]
    strays: list[Stray]


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to search: the name to show, the path that has no link in it, and the dot-folder that it lies in."""

    shown: str
    real: str
    dot: str = ""


_Found: TypeAlias = ManifestFile | Stray | _Folder | Fault


def find(paths: Sequence[Path], budget: ManifestBudget) -> tuple[list[ManifestFile], list[Fault]]:
    """The manifest files of `search`, and what is wrong with the paths."""
    listing = search(paths, budget)
    return listing.files, listing.faults


def search(paths: Sequence[Path], budget: ManifestBudget) -> FileListing:
    """Look for manifests at `paths`.

    Folders are searched for names that end in one of SUFFIXES and don't begin with a dot; of JSON files only those
    count that say that they are manifests. A file that is named itself may be called anything. Links must stay below
    the folder given (for a file: its own folder).

    Raises LimitError where there is too much to check, or the files are too large together: none is read then.
    """
    if not paths:
        return FileListing([], [Fault(None, "", "no path is given", "name manifest files, or folders of them")], [])
    files: dict[str, ManifestFile] = {}
    strays: dict[str, Stray] = {}
    faults: list[Fault] = []
    for path in sorted(set(paths)):
        for found in _search(path, budget):
            if isinstance(found, Fault):
                faults.append(found)
            elif isinstance(found, Stray):
                strays.setdefault(found.file.real, found)
            else:
                files.setdefault(found.real, found)
    seen: set[tuple[int, int]] = set()
    wanted = list(_counted(sorted(files.values(), key=lambda file: file.shown), budget, seen))
    # What is read by another name, as the files of a mounted ConfigMap are, is no stray.
    aside = [one for one in strays.values() if one.file.real not in files and _identity(one.file) not in seen]
    return FileListing(wanted, faults, sorted(aside, key=lambda one: one.file.shown))


def _counted(
    files: Sequence[ManifestFile], budget: ManifestBudget, seen: set[tuple[int, int]]
) -> Iterator[ManifestFile]:
    """The files, each once whatever its names, and their sizes counted; one that is too large by itself is not read.

    What tells them apart is added to `seen`.
    """
    for file in files:
        try:
            status = os.lstat(file.real)
        except OSError:
            # Reading it will say why.
            yield file
            continue
        identity = status.st_dev, status.st_ino
        if identity not in seen:
            seen.add(identity)
            counts = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES
            if counts and not budget.allows(Limit.BYTES, status.st_size):
                raise budget.exceeded(Limit.BYTES, Source(file.shown, *START), sum(map(_size, files)))
            yield file


def _size(file: ManifestFile) -> int:
    """How much a file would add to what is read; nothing where it can't be read, or is too large by itself."""
    try:
        status = os.lstat(file.real)
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES else 0


def _identity(file: ManifestFile) -> tuple[int, int] | None:
    try:
        status = os.lstat(file.real)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_manifest(file: ManifestFile, budget: ManifestBudget) -> bool | str:
    """Whether a file declares a manifest, or why that is unknown."""
    try:
        if not budget.may_look(os.lstat(file.real).st_size):
            return _TOO_MUCH
        return begins_as_manifest(file)
    except OSError as error:
        return error.strerror or str(error)


def _search(path: Path, budget: ManifestBudget) -> Iterator[ManifestFile | Stray | Fault]:
    name = printable(os.fspath(path))
    try:
        real = os.path.realpath(path, strict=True)
        mode = os.stat(real).st_mode  # noqa: PTH116 - paths stay text here: ten thousand Path objects cost seconds
    except OSError as error:
        reason = {errno.ENOENT: "does not exist", errno.ELOOP: "is a link that points to itself"}
        what = reason.get(error.errno or 0, f"can't be read: {error.strerror}")
        yield Fault(None, "", f"the path '{name}' {what}", "name a manifest file, or a folder of them")
        return
    except ValueError:
        yield Fault(None, "", f"the path '{name}' is not a path", "name a manifest file, or a folder of them")
        return
    if stat.S_ISDIR(mode):
        empty = True
        for found in _walk(str(path), real, budget):
            empty &= isinstance(found, Stray)
            yield found
        if empty:
            yield Fault(None, "", f"the folder '{name}' contains no manifests", f"their names end in {_ENDINGS}")
    elif path.is_symlink() and not _inside(real, os.path.realpath(path.parent)):
        yield file_fault(name, _OUTSIDE, _OUTSIDE_HINT)
    elif _is_bare_repository(_names_beside(real)):
        yield _bare_repository(os.fspath(path.parent))
    elif name.lower().endswith(_TABLES):
        yield file_fault(name, "is a CSV file, which is read where a set names it as its roster", _SET)
    else:
        yield ManifestFile(name, real)


def _walk(shown: str, real: str, budget: ManifestBudget) -> Iterator[ManifestFile | Stray | Fault]:
    """Every manifest below a folder; a stack and not recursion, since folders may be nested without bound."""
    root, seen = real, {real}
    stack = [_Folder(shown, real)]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(folder.real) as listing:
                listed = list(islice(listing, budget.left(Limit.FILES) + 1))
            if not budget.allows(Limit.FILES, len(listed)):
                raise budget.exceeded(Limit.FILES, Source(printable(folder.shown), *START))
            # Links last: what is reached directly is shown by its own name.
            entries = sorted(listed, key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            yield _closed(folder, error)
            continue
        if not folder.dot and _is_bare_repository(entry.name for entry in entries):
            yield _bare_repository(folder.shown)
            continue
        for entry in entries:
            found = _entry(entry, folder, root)
            if isinstance(found, _Folder):
                # A link may lead into a dot-folder, to be read by another name than it lies there.
                if found.dot or found.real not in seen:
                    seen |= set() if found.dot else {found.real}
                    stack.append(found)
            elif isinstance(found, ManifestFile) and is_json(entry.name):
                yield from _if_it_says_so(found, budget)
            elif found is not None:
                yield found


def _closed(folder: _Folder, error: OSError) -> Fault | Stray:
    if not folder.dot:
        return unreadable_fault(folder.shown, error)
    return _aside(folder.shown, folder.real, folder.dot, error.strerror or str(error))


def _if_it_says_so(file: ManifestFile, budget: ManifestBudget) -> Iterator[ManifestFile | Stray]:
    """A JSON file, which may be anybody's."""
    says = is_manifest(file, budget)
    if says is True:
        yield file
    elif says:
        yield Stray(file, "", says)


def _entry(entry: os.DirEntry[str], folder: _Folder, root: str) -> _Found | None:
    """What an entry of a folder is: a manifest, a stray, a folder to search, something refused, or not ours."""
    name, shown = entry.name, _join(folder.shown, entry.name)
    if entry.is_symlink():
        return _link(entry, shown, folder, root)
    if entry.is_dir():
        dot = folder.dot or (name if name.startswith(".") else "")
        return None if dot and is_tool_folder(name) else _Folder(shown, entry.path, dot)
    if has_manifest_name(name) and not folder.dot:
        return ManifestFile(printable(shown), entry.path)
    return _aside(shown, entry.path, folder.dot) if folder.dot or resembles_manifest_name(name) else None


def _aside(shown: str, real: str, dot: str, unseen: str = "") -> Stray:
    """A file that is not read."""
    hidden = os.path.basename(shown).startswith(".")  # noqa: PTH119 - as above
    why = f"it is in the hidden folder {printable(dot)}" if dot else "its name begins with a dot"
    return Stray(ManifestFile(printable(shown), real), why if dot or hidden else _OTHER_ENDING, unseen)


def _link(entry: os.DirEntry[str], shown: str, folder: _Folder, root: str) -> _Found | None:
    name, dotted = entry.name, bool(folder.dot) or entry.name.startswith(".")
    wanted = has_manifest_name(name) and not dotted
    try:
        real = os.path.realpath(entry.path, strict=True)
        is_folder = stat.S_ISDIR(os.stat(real).st_mode)  # noqa: PTH116 - as above
    except OSError as error:
        what = "is a link that points to itself" if error.errno == errno.ELOOP else "is a broken link"
        refused = wanted and not is_json(name)
        return file_fault(printable(shown), what, "fix or remove it") if refused else None
    inside = _inside(real, root)
    if is_folder:
        return None if dotted else _linked_folder(shown, real, folder.real, inside=inside)
    if wanted and not is_json(name):
        return ManifestFile(printable(shown), real) if inside else file_fault(printable(shown), _OUTSIDE, _OUTSIDE_HINT)
    if not inside:
        # What a tool's dot-folder links to is its own affair.
        alike = wanted or resembles_manifest_name(name)
        return _aside(shown, real, folder.dot, "it is a link that points outside the folder") if alike else None
    if wanted:
        return ManifestFile(printable(shown), real)
    return _aside(shown, real, folder.dot) if folder.dot or resembles_manifest_name(name) else None


def _linked_folder(shown: str, real: str, parent: str, *, inside: bool) -> _Folder | Fault:
    if not inside:
        return file_fault(printable(shown), _OUTSIDE, _OUTSIDE_HINT)
    if _inside(parent, real):
        return file_fault(printable(shown), "is a link to a folder that contains it", "remove it")
    return _Folder(shown, real)


def _is_bare_repository(names: Iterable[str]) -> bool:
    # Where a file system knows no case, HEAD is found as head, too.
    found = {name.lower() for name in names}
    return any(layout <= found for layout in _BARE_LAYOUT)


def _names_beside(real: str) -> list[str]:
    try:
        return os.listdir(os.path.dirname(real))  # noqa: PTH208, PTH120 - as above
    except OSError:
        return []


def _bare_repository(shown: str) -> Fault:
    message = "is laid out as a bare git repository, and the config of one can make git run commands"
    return file_fault(printable(shown), message, "remove it from the folder")


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _join(folder: str, name: str) -> str:
    return name if folder == "." else os.path.join(folder, name)  # noqa: PTH118 - as above
