"""Which files hold manifests, and their bytes: regular files below what the command line names, nothing else."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from reconciler.manifests.limits import Budget, Limit
from reconciler.manifests.report import START, harmless
from reconciler.model.source import Fault, Source

MAX_BYTES = 16 * 1024 * 1024
"""The largest manifest file; 10,000 connections take about 3 MB."""

SUFFIXES = (".yaml", ".yml")

# What git goes by to take a folder for a repository (source: git's manual page gitrepository-layout).
_BARE_LAYOUT = ({"head", "objects", "refs"}, {"head", "commondir"})
_OUTSIDE = "is a link that leads out of the folder, which is refused"
_OUTSIDE_HINT = "keep the file itself inside, or name the other place on the command line"
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file to read: the name to show, and the path that has no link in it."""

    shown: str
    real: str


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to search: the name to show, and the path that has no link in it."""

    shown: str
    real: str


_Found: TypeAlias = ManifestFile | _Folder | Fault


def find(paths: Sequence[Path], budget: Budget) -> tuple[list[ManifestFile], list[Fault]]:
    """The manifest files at `paths` in the order of their names, each once, and what is wrong with the paths.

    Folders are searched for `*.yaml` and `*.yml`; names that begin with a dot are skipped there. A file that is
    named itself may be called anything. Links must stay below the folder given (for a file: its own folder).

    Raises LimitError where there is too much to look at, or the files are too large together: none is read then.
    """
    if not paths:
        return [], [Fault(None, "", "no path is given", "name manifest files, or folders of them")]
    files: dict[str, ManifestFile] = {}
    faults: list[Fault] = []
    for path in sorted(set(paths)):
        for found in _search(path, budget):
            if isinstance(found, Fault):
                faults.append(found)
            else:
                files.setdefault(found.real, found)
    return list(_counted(sorted(files.values(), key=lambda file: file.shown), budget)), faults


def _counted(files: Sequence[ManifestFile], budget: Budget) -> Iterator[ManifestFile]:
    """The files, each once whatever its names, and their sizes counted; one that is too large by itself is not read."""
    seen: set[tuple[int, int]] = set()
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
                raise budget.exceeded(Limit.BYTES, Source(file.shown, *START))
            yield file


def read(file: ManifestFile) -> bytes | Fault:
    """What a file holds, or why it is refused; never waits for a pipe or a device."""
    try:
        # Looking first keeps devices from being opened at all; looking again keeps them from being slipped in.
        refusal = _irregular(os.lstat(file.real))
        if refusal is None:
            handle = os.open(file.real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as stream:
                refusal = _irregular(os.fstat(handle))
                if refusal is None:
                    content = stream.read(MAX_BYTES + 1)
                    if len(content) <= MAX_BYTES:
                        return content
                    limit = f"{MAX_BYTES // 1024 // 1024} MiB"
                    return _fault(file.shown, f"the file is larger than {limit}", "split it into several files")
    except OSError as error:
        return _unreadable(file.shown, error)
    return _fault(file.shown, f"is {refusal}, not a file", "manifests are read from regular files only")


def _search(path: Path, budget: Budget) -> Iterator[ManifestFile | Fault]:
    name = harmless(os.fsencode(path).decode("utf-8", "backslashreplace"))
    try:
        real = os.path.realpath(path, strict=True)
        mode = os.stat(real).st_mode  # noqa: PTH116 - paths stay text here: ten thousand Path objects cost seconds
    except OSError as error:
        reason = {errno.ENOENT: "does not exist", errno.ELOOP: "is a link that leads to itself"}
        what = reason.get(error.errno or 0, f"can't be read: {error.strerror}")
        yield Fault(None, "", f"the path '{name}' {what}", "name a manifest file, or a folder of them")
        return
    except ValueError:
        yield Fault(None, "", f"the path '{name}' is not a path", "name a manifest file, or a folder of them")
        return
    if stat.S_ISDIR(mode):
        empty = True
        for found in _walk(str(path), real, budget):
            empty = False
            yield found
        if empty:
            yield Fault(None, "", f"the folder '{name}' holds no manifests", "they end in .yaml or .yml")
    elif path.is_symlink() and not _inside(real, os.path.realpath(path.parent)):
        yield _fault(name, _OUTSIDE, _OUTSIDE_HINT)
    elif _is_bare_repository(_names_beside(real)):
        yield _bare_repository(os.fspath(path.parent))
    else:
        yield ManifestFile(name, real)


def _walk(shown: str, real: str, budget: Budget) -> Iterator[ManifestFile | Fault]:
    """Every manifest below a folder; a stack and not recursion, since folders may be nested without bound."""
    root, seen = real, {real}
    stack = [_Folder(shown, real)]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(folder.real) as listing:
                listed = list(islice(listing, budget.left(Limit.FILES) + 1))
            if not budget.allows(Limit.FILES, len(listed)):
                raise budget.exceeded(Limit.FILES, Source(_printable(folder.shown), *START))
            # Links last: what is reached directly is shown by its own name.
            entries = sorted(listed, key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            yield _unreadable(folder.shown, error)
            continue
        if _is_bare_repository(entry.name for entry in entries):
            yield _bare_repository(folder.shown)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            found = _entry(entry, _join(folder.shown, entry.name), folder.real, root)
            if isinstance(found, _Folder):
                if found.real not in seen:
                    seen.add(found.real)
                    stack.append(found)
            elif found is not None:
                yield found


def _entry(entry: os.DirEntry[str], shown: str, parent: str, root: str) -> _Found | None:
    """What an entry of a folder is: a manifest, a folder to search, something refused, or nothing of ours."""
    if entry.is_symlink():
        return _link(entry, shown, parent, root)
    if entry.is_dir():
        return _Folder(shown, entry.path)
    return ManifestFile(_printable(shown), entry.path) if entry.name.endswith(SUFFIXES) else None


def _link(entry: os.DirEntry[str], shown: str, parent: str, root: str) -> _Found | None:
    name = _printable(shown)
    try:
        real = os.path.realpath(entry.path, strict=True)
        folder = stat.S_ISDIR(os.stat(real).st_mode)  # noqa: PTH116 - as above
    except OSError as error:
        what = "leads to itself" if error.errno == errno.ELOOP else "leads nowhere"
        return _fault(name, f"is a link that {what}", "mend or remove it") if entry.name.endswith(SUFFIXES) else None
    if not folder and not entry.name.endswith(SUFFIXES):
        return None
    if not _inside(real, root):
        return _fault(name, _OUTSIDE, _OUTSIDE_HINT)
    if folder and _inside(parent, real):
        return _fault(name, "is a link that leads back to a folder around it", "remove it")
    return _Folder(shown, real) if folder else ManifestFile(name, real)


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
    message = "is laid out as a bare git repository, whose config could make git run commands"
    return _fault(_printable(shown), message, "remove it; manifests have no use for it")


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _join(folder: str, name: str) -> str:
    return name if folder == "." else os.path.join(folder, name)  # noqa: PTH118 - as above


def _printable(name: str) -> str:
    return harmless(os.fsencode(name).decode("utf-8", "backslashreplace"))


def _irregular(status: os.stat_result) -> str | None:
    if stat.S_ISREG(status.st_mode):
        return None
    return next((name for test, name in _KINDS if test(status.st_mode)), "a link")


def _unreadable(shown: str, error: OSError) -> Fault:
    return _fault(_printable(shown), f"can't be read: {error.strerror}", "check that it exists and who may read it")


def _fault(shown: str, message: str, hint: str) -> Fault:
    return Fault(Source(shown, *START), "", message, hint)
