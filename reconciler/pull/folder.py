"""The folder that is pulled into: its manifests as they are before, and files saved in it."""

import codecs
import difflib
import errno
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from secrets import token_hex

from reconciler.errors import ExtcalError
from reconciler.manifests.contents import ROSTER_SUFFIXES
from reconciler.manifests.convert import ConnectionDocument
from reconciler.manifests.files import ManifestFile, find, read
from reconciler.manifests.limits import DEFAULT, Limits, ManifestBudget
from reconciler.manifests.loader import collect, load
from reconciler.manifests.references import Documents, resolve
from reconciler.model.desired import Desired
from reconciler.model.source import Fault
from reconciler.safe_paths import MisplacedError, check_file, check_folder
from reconciler.text import escaped


@dataclass(frozen=True, slots=True)
class ManifestText:
    """A manifest or a roster: `path` is relative to the folder and without links, `shown` is how messages name it."""

    path: str
    shown: str
    content: bytes

    @property
    def text(self) -> str:
        """The text without a byte order mark."""
        return self.content.removeprefix(codecs.BOM_UTF8).decode()

    def edited(self, text: str) -> bytes:
        """The bytes of another text for this file, which keeps its byte order mark."""
        mark = codecs.BOM_UTF8 if self.content.startswith(codecs.BOM_UTF8) else b""
        return mark + text.encode()


@dataclass(frozen=True)
class Folder:
    """What a folder holds; `shown` is its path as given, `root` the real one."""

    shown: Path
    root: Path
    desired: Desired
    documents: Documents
    files: Mapping[str, ManifestText]
    """Manifests and rosters, by how messages name them."""
    limits: Limits = DEFAULT
    """What it may hold, also with what is pulled into it."""

    @cached_property
    def by_path(self) -> dict[str, ManifestText]:
        """The files by their paths relative to the folder."""
        return {file.path: file for file in self.files.values()}

    @cached_property
    def connections(self) -> dict[str, ConnectionDocument]:
        """The connections as their own documents have them, by address."""
        names = {site.name for site in self.desired.sites}
        only = next(iter(names)) if len(names) == 1 else ""
        return {f"{one.site or only}/{one.name}": one for one in self.documents.connections}

    @cached_property
    def rosters(self) -> frozenset[str]:
        """The paths of the files that are rosters."""
        return frozenset(self.files[one.roster.file.shown].path for one in self.documents.sets if one.roster)

    @cached_property
    def _rows(self) -> Counter[tuple[str, int]]:
        places = ((self.files[one.root.file].path, one.root.line) for one in self.documents.connections)
        return Counter(place for place in places if place[0] in self.rosters)

    def sharing(self, path: str, line: int) -> int:
        """How many connections a row of a roster declares: as many as sets name the roster."""
        return self._rows[path, line]

    def holds(self, path: str) -> bool:
        """Whether anything is at a path relative to the folder, a manifest or not."""
        return os.path.lexists(self.root / path)

    def show(self, path: str) -> str:
        """How messages name a file of the folder, by its relative path."""
        known = self.by_path.get(path)
        return known.shown if known else escaped(str(self.shown / path))

    def changes(self, files: Mapping[str, bytes]) -> Iterator[str]:
        """How files would change, by relative path, as the lines of a unified diff, which are not inert yet."""
        for path in sorted(files):
            known, shown = self.by_path.get(path), self.show(path)
            before, after = known.text.splitlines() if known else [], files[path].decode("utf-8-sig").splitlines()
            yield from difflib.unified_diff(before, after, shown if known else "/dev/null", shown, lineterm="")


def open_folder(path: Path, limits: Limits = DEFAULT) -> Folder:
    """The manifests of a folder that may hold none, or not exist yet.

    Raises ExtcalError where it can't be a folder of manifests, ManifestError where what it holds doesn't load.
    """
    nothing: tuple[Desired, Documents, dict[str, ManifestText]] = Desired(), Documents(), {}
    root = _root(path)
    if root is None:
        return Folder(path, Path(os.path.realpath(path)), *nothing, limits)
    found, faults = find([path], ManifestBudget(limits))
    if not found and all(fault.source is None for fault in faults):
        return Folder(path, root, *nothing, limits)
    return _opened(path, root, [path], found, limits)


def open_files(paths: Sequence[Path], limits: Limits = DEFAULT) -> Folder:
    """The manifests at several paths, as a folder that holds them all and gets no new ones.

    Raises ExtcalError where they may not be written to, ManifestError where they don't load.
    """
    found, _ = find(paths, ManifestBudget(limits))
    for path in paths:
        try:
            check_folder(path) if path.is_dir() else check_file(path)
        except MisplacedError as error:
            raise ExtcalError(f"can't write to '{escaped(str(path))}': {error}") from None
    homes = [Path(file.real).parent for file in found]
    root = Path(os.path.commonpath(homes) if homes else os.path.realpath(Path.cwd()))
    return _opened(root, root, paths, found, limits)


def _opened(shown: Path, root: Path, paths: Sequence[Path], found: Sequence[ManifestFile], limits: Limits) -> Folder:
    budget = ManifestBudget(limits)
    # Read once: what is changed from now on is not what was loaded, and is not written over.
    contents = {file.real: content for file in found if not isinstance(content := read(file), Fault)}
    files = {
        file.shown: ManifestText(os.path.relpath(file.real, root), file.shown, contents[file.real])
        for file in found
        if file.real in contents
    }
    documents, faults = collect(paths, budget, contents)
    for roster in (one.roster for one in documents.sets if one.roster is not None):
        contents[roster.file.real] = roster.content
        shown_as = roster.file.shown
        files[shown_as] = ManifestText(os.path.relpath(roster.file.real, root), shown_as, roster.content)
    desired, together = resolve(documents, budget)
    if faults or together:
        # It reports each fault once.
        load(paths, limits, contents)
    return Folder(shown, root, desired, documents, files, limits)


def _root(path: Path) -> Path | None:
    """The real path of a folder, or None where there is nothing yet."""
    name = escaped(str(path))
    try:
        check_folder(path)
    except MisplacedError as error:
        raise ExtcalError(f"can't write into '{name}': {error}") from None
    try:
        root = path.resolve(strict=True)
        if root.is_dir():
            return root
    except (FileNotFoundError, NotADirectoryError) as error:
        if error.errno == errno.ENOENT and not path.is_symlink():
            return None
        raise ExtcalError(f"can't write into '{name}': {error.strerror}; name another folder") from None
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a path"
        raise ExtcalError(f"can't write into '{name}': {why}; name another folder") from None
    raise ExtcalError(f"can't write into '{name}': it is a file; name a folder")


_FIRST = ("site.yaml", "policies.yaml")


@dataclass(slots=True)
class SavedFiles:
    """The paths of files that were written, relative to the folder, and what went wrong with others."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _RefusedError(Exception):
    """A file is not written; the message says why."""


def save(folder: Folder, files: Mapping[str, bytes]) -> SavedFiles:
    """Write files, by path relative to the folder: all of them beside their places first, then each into its place.

    Where one can't be written at all, none is.
    """
    saved = SavedFiles()
    staged: list[tuple[str, Path, Path]] = []
    try:
        # What others refer to first, so that an interrupted pull leaves a folder that loads.
        for path in sorted(files, key=lambda path: (_rank(path), path)):
            try:
                staged.append((path, *_stage(folder, path, files[path])))
            except (OSError, _RefusedError) as error:
                saved.failures.append(_failure(folder, path, error))
        if not saved.failures:
            for path, waiting, target in staged:
                _put_in_place(folder, path, waiting, target, saved)
    finally:
        for _, waiting, _ in staged:
            waiting.unlink(missing_ok=True)
    return saved


def _rank(path: str) -> int:
    name = path.rpartition("/")[2]
    return _FIRST.index(name) if name in _FIRST else len(_FIRST) + (not name.lower().endswith(ROSTER_SUFFIXES))


def _stage(folder: Folder, path: str, content: bytes) -> tuple[Path, Path]:
    """Write a file beside its place: (the waiting file, the place)."""
    target = folder.root / path
    parent = Path(os.path.realpath(target.parent))
    if not parent.is_relative_to(folder.root):
        raise _RefusedError("a link in its path points outside the folder; remove it, or name another folder")
    parent.mkdir(parents=True, exist_ok=True)
    # The loader skips names that begin with a dot.
    waiting = parent / f".extcal-{token_hex(8)}.tmp"
    try:
        with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as stream:
            stream.write(content)
        if path in folder.by_path:
            waiting.chmod(target.stat().st_mode & 0o777)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
    return waiting, parent / target.name


def _put_in_place(folder: Folder, path: str, waiting: Path, target: Path, saved: SavedFiles) -> None:
    known = folder.by_path.get(path)
    try:
        _check_unchanged(target, None if known is None else known.content)
        waiting.replace(target)
    except (OSError, _RefusedError) as error:
        saved.failures.append(_failure(folder, path, error))
    else:
        (saved.created if known is None else saved.updated).append(path)


def _check_unchanged(target: Path, before: bytes | None) -> None:
    if before is None and (target.is_symlink() or target.exists()):
        raise _RefusedError("it was created meanwhile; run this again")
    if before is not None and (target.is_symlink() or target.read_bytes() != before):
        raise _RefusedError("it was changed meanwhile; run this again")


def _failure(folder: Folder, path: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"can't write {folder.show(path)}: {error.strerror}; check who may write there and whether there is room"
    return f"can't write {folder.show(path)}: {error}"
