"""Selects the files of a commit that the loader would read, or take for strays, were they a folder."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from reconciler import git
from reconciler.manifests.contents import (
    MAX_BYTES,
    SUFFIXES,
    declares_manifest,
    has_manifest_name,
    is_json,
    is_tool_folder,
    resembles_manifest_name,
)
from reconciler.manifests.limits import LOOKED_AT, LOOKED_AT_TOGETHER, MEBI

_LONGEST_PATH = 4096
_AT_ONCE = 64 * MEBI


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
