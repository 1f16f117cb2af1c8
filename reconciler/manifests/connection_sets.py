"""ConnectionSets: the entries of their `connections` and the rows of their rosters, as the Connections they stand for.

An entry says its name and what the template leaves out; what it says wins over the template, field by field. Each is
checked and converted by itself, so that a fault is at the entry, or at the cell of the CSV, that it is about.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from reconciler.manifests.connection_sets_fast import Converted, LineConverter
from reconciler.manifests.contents import ManifestFile, decode
from reconciler.manifests.convert import (
    ConnectionDocument,
    SetMember,
    Template,
    document_name,
    member_document,
    template_of,
)
from reconciler.manifests.csv_table import Cell, rows
from reconciler.manifests.declarations import Declaration, member_declaration
from reconciler.manifests.entry_lines import EntryLines
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.limits import Limit
from reconciler.manifests.roster import column_of, entries, find_roster, read_header
from reconciler.manifests.schema import ENTRY, is_valid
from reconciler.manifests.values import START, Value, YamlMapping, YamlSequence, locate, place
from reconciler.model.source import Fault, Source

ReadFile: TypeAlias = Callable[[ManifestFile], bytes | Fault]

_NEEDED = ("schedule", "provider", "account")


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster as it was read; `ignored` are the headings of columns that no connection has."""

    file: ManifestFile
    content: bytes
    ignored: tuple[Cell, ...] = ()


@dataclass(slots=True)
class SetDocument:
    """A ConnectionSet, with its members as Connections."""

    name: str
    root: Source
    template: Template
    members: list[ConnectionDocument] = field(default_factory=list)
    roster: Roster | None = None

    @property
    def needs_site(self) -> bool:
        """Whether it leaves the site out that a member has."""
        return any(member.site is None for member in self.members)


class SetReader:
    """Reads the sets of one manifest file, and the rosters that they name."""

    def __init__(self, file: ManifestFile, report: FileReport, read: ReadFile) -> None:
        """`read` gives what a roster holds, or why it is refused."""
        self._file = file
        self._report = report
        self._content = read
        self.declarations: list[Declaration] = []
        """What all members are called, valid or not."""
        self.faults: list[Fault] = []
        """Those of rosters."""
        self.unread: list[Fault] = []
        """Those of rosters that are not known, or not all of them."""

    def read(self, document: YamlMapping) -> SetDocument:
        """The set that a valid document declares; every fault of a member is reported.

        Raises SpoiledError where the manifest has too many, and LimitError.
        """
        spec = cast("YamlMapping", document["spec"])
        root = self._report.source_of(document.mark)
        template = spec.get("template")
        made = SetDocument(
            document_name(document),
            root,
            template_of(template, document.mark, self._report) if isinstance(template, YamlMapping) else Template(),
        )
        given = spec.get("connections")
        if isinstance(given, YamlSequence):
            self._add_entries(given, made)
        written = spec.get("roster")
        if isinstance(written, str):
            self._add_roster(written, spec, made)
        if not (given or written or spec.get("allowEmpty")):
            hint = "list its connections, name a roster, or write allowEmpty: true"
            self._report.add(locate(document, ("spec",), key=True), "the set has no connections", "spec", hint)
        return made

    def check_entries(self, document: YamlMapping) -> None:
        """Report what is wrong with the entries of a set that is not valid itself; raises SpoiledError."""
        spec = document.get("spec")
        given = spec.get("connections") if isinstance(spec, YamlMapping) else None
        for index, entry in enumerate(given if isinstance(given, YamlSequence) else ()):
            if isinstance(entry, YamlMapping):
                is_valid(ENTRY, entry, self._report, f"spec.connections[{index}]")

    def _add_entries(self, given: YamlSequence, made: SetDocument) -> None:
        def converted(entry: Value, index: int) -> Converted:
            member = SetMember(made.name, made.root, index)
            return _converted(cast("YamlMapping", entry), f"spec.connections[{index}]", member, self._report, made)

        if isinstance(given, EntryLines):
            self._report.count(Limit.DOCUMENTS, given.first, len(given.lines))
            convert = LineConverter(given, converted).convert
            for index in range(len(given.lines)):
                self._keep(convert(index), made)
            return
        for index, mark in enumerate(given.marks):
            self._report.count(Limit.DOCUMENTS, mark)
            if isinstance(given[index], YamlMapping):
                self._keep(converted(given[index], index), made)
            else:
                where = f"spec.connections[{index}]"
                self._report.add(place(mark), "must be a mapping with a name", where, "write {name: …, …}")

    def _keep(self, converted: Converted, made: SetDocument) -> None:
        declared, member = converted
        self.declarations.append(declared)
        if member is not None:
            made.members.append(member)

    def _add_roster(self, written: str, spec: YamlMapping, made: SetDocument) -> None:
        found = find_roster(written, self._file)
        if not isinstance(found, ManifestFile):
            message, hint = found
            self._report.add(locate(spec, ("roster",)), message, "spec.roster", hint)
            self.unread.append(self._report.faults[-1])
            return
        content = self._content(found)
        if isinstance(content, Fault):
            self.faults.append(content)
            self.unread.append(content)
            return
        report = FileReport(found.shown, budget=self._report.budget)
        before = len(made.members)
        try:
            self._add_rows(found, content, report, made)
        except SpoiledError:
            self.unread.append(report.faults[-1])
        if not (len(made.members) > before or report.faults or spec.get("allowEmpty")):
            report.add(START, "the roster has no rows", hint="add a row, or write allowEmpty: true in its set")
        self.faults += report.faults

    def _add_rows(self, file: ManifestFile, content: bytes, report: FileReport, made: SetDocument) -> None:
        lines = rows(decode(content, report, yaml=False), report)
        header = read_header(next(lines, []), report)
        made.roster = Roster(file, content, header.ignored)
        member = SetMember(made.name, made.root)
        for entry in entries(lines, header, report):
            before = len(report.faults)
            self._keep(_converted(entry, "", member, report, made), made)
            # A row's fields go by the names of their columns.
            report.faults[before:] = (replace(one, where=column_of(one.where)) for one in report.faults[before:])


def _converted(entry: YamlMapping, within: str, member: SetMember, report: FileReport, made: SetDocument) -> Converted:
    """What an entry or a row declares, and the member that it is; what is wrong with it is reported."""
    declared = member_declaration(entry, within, made.template.site, report)
    if not is_valid(ENTRY, entry, report, within):
        return declared, None
    lacking = [name for name in _NEEDED if name not in entry and getattr(made.template, name) is None]
    if lacking:
        message = f"missing {' and '.join(lacking)}: neither it nor the set's template says it"
        report.add(place(entry.mark), message, within, "write it here, or in the template")
        return declared, None
    return declared, member_document(entry, made.template, report, within, member)
