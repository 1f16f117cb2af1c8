"""Puts pins into the files that they belong to, and verifies that the files then declare the same things, by id.

What can't be written without changing anything else is left out and told. A file that would not load with its pins, or
would declare something else, keeps none of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.errors import ExtcalError, LimitError, ManifestError
from reconciler.manifests.contents import MAX_BYTES
from reconciler.manifests.loader import load
from reconciler.model.desired import DeclaredConnection, Desired
from reconciler.model.source import Source, SourceMap
from reconciler.pull.folder import Folder, ManifestText
from reconciler.pull.pins import SCHEDULE, Pin, PinnedConnection
from reconciler.pull.splices import Splice, UneditableError, check_apart, spliced
from reconciler.pull.yaml_pin import DocumentPins
from reconciler.pull.yaml_tree import documents

_NOWHERE = SourceMap(Source("", 1, 1))


@dataclass(frozen=True, slots=True)
class PinCount:
    """How much is written into a file."""

    schedules: int = 0
    calendars: int = 0
    names: int = 0

    def __add__(self, other: "PinCount") -> "PinCount":
        return PinCount(self.schedules + other.schedules, self.calendars + other.calendars, self.names + other.names)


def _count(pin: Pin) -> PinCount:
    if pin.field:
        return PinCount(names=1)
    return PinCount(schedules=1) if pin.place == SCHEDULE else PinCount(calendars=1)


@dataclass(slots=True)
class PinnedFiles:
    """The bytes of every file that changes and what is pinned in it, by path relative to the folder.

    `unwritten` says of each reference why it can't be pinned where it stands.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    counts: dict[str, PinCount] = field(default_factory=dict)
    unwritten: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Edited:
    """One file with its pins: the connections as they will be declared, by address."""

    file: ManifestText
    content: bytes
    count: PinCount
    after: dict[str, DeclaredConnection]


def pin_files(folder: Folder, paths: Sequence[Path], pinned: Sequence[PinnedConnection]) -> PinnedFiles:
    """The files with these pins, as far as each can be written; raises ExtcalError where none of it can be verified."""
    made = PinnedFiles()
    edited = {one.file.path: one for one in _edited(folder, pinned, made)}
    while edited:
        wrong = _wrong(folder, paths, edited)
        if not wrong:
            break
        for path, why in wrong.items():
            made.unwritten.append(f"{folder.show(path)}: nothing is pinned in this file: {why}")
            del edited[path]
    made.files = {path: one.content for path, one in edited.items()}
    made.counts = {path: one.count for path, one in edited.items()}
    return made


def _edited(folder: Folder, pinned: Sequence[PinnedConnection], made: PinnedFiles) -> Iterator[_Edited]:
    by_file: dict[str, list[PinnedConnection]] = {}
    for one in pinned:
        by_file.setdefault(one.declared.sources.root.file, []).append(one)
    for shown, connections in sorted(by_file.items()):
        file = folder.files[shown]
        text = file.text
        parsed = documents(text)
        splices: list[Splice] = []
        count, after = PinCount(), {}
        for one in connections:
            root = one.declared.sources.root
            writer = DocumentPins(file.path, text, parsed[root.line, root.column])
            written: list[Pin] = []
            for pin in one.pins:
                try:
                    splices += _splices(writer, pin)
                except UneditableError as error:
                    made.unwritten.append(f"{root}: {one.declared.address} can't be pinned in place: {error}")
                else:
                    written.append(pin)
                    count += _count(pin)
            if written:
                after[one.declared.address] = one.with_pins(written)
        content = file.edited(spliced(text, splices))
        if len(content) > MAX_BYTES:
            made.unwritten.append(f"{shown}: nothing is pinned in this file: it would be too large; split it")
        elif after:
            check_apart(splices)
            yield _Edited(file, content, count, after)


def _splices(writer: DocumentPins, pin: Pin) -> Sequence[Splice]:
    if pin.field:
        return (writer.rename(pin.place, pin.field, pin.text),)
    return writer.add_id(pin.place, pin.text)


def _wrong(folder: Folder, paths: Sequence[Path], edited: Mapping[str, _Edited]) -> dict[str, str]:
    """The files that must not be written, and why; none where all of them declare what they shall."""
    contents = {str(folder.root / file.path): file.content for file in folder.files.values()}
    contents |= {str(folder.root / path): one.content for path, one in edited.items()}
    try:
        after = load(paths, folder.limits, contents)
    except LimitError:
        raise
    except ManifestError as error:
        paths_by_name = {one.file.shown: path for path, one in edited.items()}
        found = {
            paths_by_name[fault.source.file]: f"it would not load: {fault}"
            for fault in error.faults
            if fault.source is not None and fault.source.file in paths_by_name
        }
        if not found:
            raise ExtcalError(
                f"nothing was written: the manifests would not load with what is pinned:\n{error}"
            ) from error
        return found
    return dict(_altered(folder, edited, after))


def _altered(folder: Folder, edited: Mapping[str, _Edited], after: Desired) -> Iterator[tuple[str, str]]:
    """The edited files in which a connection would declare something else than it shall."""
    expected = {address: one for file in edited.values() for address, one in file.after.items()}
    now = {one.address: one for one in after.connections}
    for one in folder.desired.connections:
        wanted, path = expected.get(one.address, one), folder.files[one.sources.root.file].path
        if one.address not in now or _meaning(now[one.address]) != _meaning(wanted):
            if path not in edited:
                raise ExtcalError(f"nothing was written: {one.address} would declare something else; pin by hand")
            yield path, f"{one.address} would declare something else; pin it by hand"


def _meaning(declared: DeclaredConnection) -> tuple[DeclaredConnection, str]:
    """What a manifest declares, wherever it stands, and what its schedule is called."""
    return replace(declared, sources=_NOWHERE), str(declared.schedule)
