"""Files onto the disk: each whole or not at all, none outside the folder, none that somebody else changed meanwhile."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from reconciler.pull.folder import Folder

_FIRST = ("site.yaml", "policies.yaml")


@dataclass(slots=True)
class Saved:
    """The paths of files that were written, relative to the folder, and what went wrong with others."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _RefusedError(Exception):
    """A file is not written; the message says why."""


def save(folder: Folder, files: Mapping[str, bytes]) -> Saved:
    """Write files, by path relative to the folder: all of them beside their places first, then each into its place.

    Where one can't be written at all, none is.
    """
    saved = Saved()
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
                _settle(folder, path, waiting, target, saved)
    finally:
        for _, waiting, _ in staged:
            waiting.unlink(missing_ok=True)
    return saved


def _rank(path: str) -> int:
    name = path.rpartition("/")[2]
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _stage(folder: Folder, path: str, content: bytes) -> tuple[Path, Path]:
    """Write a file beside its place: (the waiting file, the place)."""
    target = folder.root / path
    parent = Path(os.path.realpath(target.parent))
    if not parent.is_relative_to(folder.root):
        raise _RefusedError("a link on the way leads out of the folder; remove it, or name another folder")
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


def _settle(folder: Folder, path: str, waiting: Path, target: Path, saved: Saved) -> None:
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
        raise _RefusedError("it has come into being meanwhile; pull again")
    if before is not None and (target.is_symlink() or target.read_bytes() != before):
        raise _RefusedError("it was changed meanwhile; pull again")


def _failure(folder: Folder, path: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"can't write {folder.show(path)}: {error.strerror}; check who may write there and whether there is room"
    return f"can't write {folder.show(path)}: {error}"
