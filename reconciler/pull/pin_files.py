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
from reconciler.manifests.values import PathStep
from reconciler.model.desired import DeclaredConnection, Desired
from reconciler.model.source import Source, SourceMap
from reconciler.pull.csv_edit import CsvEdit
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
    by_path: dict[str, list[PinnedConnection]] = {}
    for one in pinned:
        by_path.setdefault(folder.files[one.declared.sources.root.file].path, []).append(one)
    for path, connections in sorted(by_path.items()):
        file = folder.by_path[path]
        work = _RosterWork(folder, file, made) if path in folder.rosters else _DocumentsWork(folder, file, made)
        content = file.edited(work.pinned(connections))
        if len(content) > MAX_BYTES:
            made.unwritten.append(f"{file.shown}: nothing is pinned in this file: it would be too large; split it")
        elif work.after:
            yield _Edited(file, content, work.count, work.after)


class _Work:
    """What is pinned in one file: how much, and what its connections declare then, by address."""

    def __init__(self, folder: Folder, file: ManifestText, made: PinnedFiles) -> None:
        self._folder = folder
        self._file = file
        self._made = made
        self.count = PinCount()
        self.after: dict[str, DeclaredConnection] = {}

    def _refuse(self, one: PinnedConnection, error: UneditableError) -> None:
        address = one.declared.address
        self._made.unwritten.append(f"{one.declared.sources.root}: {address} can't be pinned in place: {error}")

    def _keep(self, one: PinnedConnection, written: Sequence[Pin]) -> None:
        if written:
            self.after[one.declared.address] = one.with_pins(written)


class _DocumentsWork(_Work):
    """Pins in a manifest: in Connections, and in the entries of sets."""

    def pinned(self, connections: Sequence[PinnedConnection]) -> str:
        """The text of the file with these pins, as far as each can be written."""
        text = self._file.text
        parsed = documents(text)
        writers: dict[Source, DocumentPins] = {}
        splices: list[Splice] = []
        for one in connections:
            document = self._folder.connections[one.declared.address]
            member, root = document.member, document.root
            within: tuple[PathStep, ...] = ()
            if member is not None and member.index is not None:
                root, within = member.set_root, ("connections", member.index)
            if root not in writers:
                # A set may hold thousands of connections.
                writers[root] = DocumentPins(self._file.path, text, parsed[root.line, root.column])
            written: list[Pin] = []
            for pin in one.pins:
                try:
                    splices += _splices(writers[root], pin, within)
                except UneditableError as error:
                    self._refuse(one, error)
                else:
                    written.append(pin)
                    self.count += _count(pin)
            self._keep(one, written)
        check_apart(splices)
        return spliced(text, splices)


def _splices(writer: DocumentPins, pin: Pin, within: Sequence[PathStep]) -> Sequence[Splice]:
    place = (*within, *pin.place)
    if pin.field:
        return (writer.rename(place, pin.field, pin.text),)
    return writer.add_id(place, pin.text)


_ID = "schedule_id"
_LABELS = {"name": "schedule_name", "externalId": "schedule_external_id"}
"""The columns of what a schedule is called, by the field that a pin names."""
_SHARED = "another set shares its row, and would have another schedule then; give each a roster"


class _RosterWork(_Work):
    """Pins in a roster: only schedules, since a row has no calendars of its own."""

    def pinned(self, connections: Sequence[PinnedConnection]) -> str:
        """The text of the file with these pins, as far as each can be written."""
        roster = CsvEdit(self._file.text)
        rows: dict[int, list[PinnedConnection]] = {}
        for one in connections:
            rows.setdefault(one.declared.sources.root.line, []).append(one)
        for line, sharing in rows.items():
            pins = sharing[0].pins
            same = self._folder.sharing(self._file.path, line) == len(sharing)
            if not same or any(one.pins != pins for one in sharing):
                for one in sharing:
                    self._refuse(one, UneditableError(_SHARED))
                continue
            written: list[Pin] = []
            for pin in pins:
                try:
                    self._set(roster, line, pin)
                except UneditableError as error:
                    self._refuse(sharing[0], error)
                else:
                    written.append(pin)
                    self.count += _count(pin)
            for one in sharing:
                self._keep(one, written)
        return roster.edited()

    def _set(self, roster: CsvEdit, line: int, pin: Pin) -> None:
        column = _LABELS.get(pin.field, _ID)
        if not roster.has_column(column):
            roster.add_column(column, after=next(label for label in _LABELS.values() if roster.has_column(label)))
        try:
            roster.set_cell(line, column, pin.text)
        except UneditableError as error:
            raise UneditableError(f"{error}; empty the cell, since the id counts") from error


def _wrong(folder: Folder, paths: Sequence[Path], edited: Mapping[str, _Edited]) -> dict[str, str]:
    """The files that must not be written, and why; none where all of them declare what they shall."""
    contents = {str(folder.root / file.path): file.content for file in folder.files.values()}
    contents |= {str(folder.root / path): one.content for path, one in edited.items()}
    try:
        after = load(paths, folder.limits, contents)
    except LimitError:
        raise
    except ManifestError as error:
        sources = ((fault, fault.source.file) for fault in error.faults if fault.source is not None)
        at = ((folder.files[shown].path, fault) for fault, shown in sources if shown in folder.files)
        found = {path: f"it would not load: {fault}" for path, fault in at if path in edited}
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
