"""The folder that is pulled into, as it is before: its manifests with their bytes, and what they mean."""

import codecs
import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reconciler.errors import ExtcalError, ManifestError
from reconciler.manifests.files import find, read
from reconciler.manifests.limits import DEFAULT, Budget, Limits
from reconciler.manifests.loader import collect, load
from reconciler.manifests.references import Drafts, resolve
from reconciler.model.desired import Desired
from reconciler.model.source import Fault
from reconciler.safe_paths import MisplacedError, check_folder
from reconciler.text import escaped


@dataclass(frozen=True, slots=True)
class ManifestText:
    """A manifest file: `path` is relative to the folder and without links, `shown` is how messages name it."""

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
    drafts: Drafts
    files: Mapping[str, ManifestText]
    """By how messages name them."""
    limits: Limits = DEFAULT
    """What it may hold, also with what is pulled into it."""

    @cached_property
    def by_path(self) -> dict[str, ManifestText]:
        """The files by their paths relative to the folder."""
        return {file.path: file for file in self.files.values()}

    def show(self, path: str) -> str:
        """How messages name a file of the folder, by its relative path."""
        known = self.by_path.get(path)
        return known.shown if known else escaped(str(self.shown / path))


def open_folder(path: Path, limits: Limits = DEFAULT) -> Folder:
    """The manifests of a folder that may hold none, or not exist yet.

    Raises ExtcalError where it can't be a folder of manifests, ManifestError where what it holds doesn't load.
    """
    nothing: tuple[Desired, Drafts, dict[str, ManifestText]] = Desired(), Drafts(), {}
    root = _root(path)
    if root is None:
        return Folder(path, Path(os.path.realpath(path)), *nothing, limits)
    found, faults = find([path], Budget(limits))
    if not found and all(fault.source is None for fault in faults):
        return Folder(path, root, *nothing, limits)
    budget = Budget(limits)
    drafts, faults = collect([path], budget)
    desired, together = resolve(drafts, budget)
    if faults or together:
        # It tells each fault once.
        load([path], limits)
    files: dict[str, ManifestText] = {}
    for file in found:
        content = read(file)
        if isinstance(content, Fault):
            raise ManifestError([content])
        files[file.shown] = ManifestText(os.path.relpath(file.real, root), file.shown, content)
    return Folder(path, root, desired, drafts, files, limits)


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
