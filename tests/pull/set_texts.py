"""Sets and rosters as people and spreadsheets may have written them, for properties of editing them in place."""

import codecs
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.manifests.csv_table import rows
from reconciler.manifests.faults import FileReport
from reconciler.model.live import Provider
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.pull.yaml_tree import MappingNode, Node, SequenceNode, documents
from tests.pull.handwriting import SITE, written
from tests.pull.live import APPLE, GOOGLE, KIM, LEE, PATEL

ROSTER = "lists/staff.csv"
SLOTS = [(schedule, provider) for schedule in (LEE, PATEL, KIM) for provider in (APPLE, GOOGLE)]
PEOPLE = {LEE: ("lee", "Dr. Lee", "r1"), PATEL: ("patel", "Dr. Patel, jr.", "r2"), KIM: ("kim", "Kim", "r3")}
"""Of each schedule: its person, what it is called, and its external id."""

_HEAD = "apiVersion: extcal/v1\nkind: ConnectionSet   # the staff\nmetadata: {name: staff}\nspec:\n"


@dataclass(frozen=True)
class Member:
    """A connection, and what it says itself; a row can name a policy alone."""

    schedule: str
    provider: Provider
    sync: SyncConfig | None = None
    policy: str | None = None
    by: str = "id"

    @property
    def name(self) -> str:
        """Its name, unique among all slots."""
        return f"{PEOPLE[self.schedule][0]}-{self.provider.name.lower()}"

    @property
    def account(self) -> str:
        """Its account."""
        return f"{PEOPLE[self.schedule][0]}@harbor-dental.example"

    @property
    def reference(self) -> str:
        """How it names its schedule."""
        _, name, external = PEOPLE[self.schedule]
        return {"id": self.schedule, "name": name, "externalId": external}[self.by]


@dataclass
class Written:
    """A folder with a set and its roster, and who is where."""

    folder: Path
    entries: list[Member] = field(default_factory=list)
    rows: list[Member] = field(default_factory=list)
    template: SyncConfig | None = None

    @property
    def manifest(self) -> Path:
        """The file of the site, its policies and the set."""
        return self.folder / "all.yaml"

    @property
    def roster(self) -> Path:
        """The roster, where there are rows."""
        return self.folder / ROSTER

    @property
    def texts(self) -> dict[str, bytes]:
        """All files."""
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*.*")}


def write(folder: Path, members: Sequence[Member], template: SyncConfig | None, chance: random.Random) -> Written:
    """Write some members as entries and some as rows, each in a way of its own."""
    made = Written(folder, template=template)
    for member in members:
        (made.rows if member.sync is None and chance.random() < 0.6 else made.entries).append(member)
    text = _HEAD + "  template:\n    syncPolicy: busy-times-only   # as all\n"
    if template is not None:
        text += f"    syncConfig: {_flow(template)}\n"
    if made.entries:
        text += _entries(made.entries, chance)
    if made.rows:
        (folder / ROSTER).parent.mkdir(parents=True)
        made.roster.write_bytes(_roster(made.rows, chance))
        text += f"\n  roster: {ROSTER}   # from the office\n"
    line_end = chance.choice(("\n", "\r\n"))
    written(folder, f"{SITE}---\n{text}".replace("\n", line_end))
    if chance.random() < 0.3:
        made.manifest.write_bytes(codecs.BOM_UTF8 + made.manifest.read_bytes())
    return made


def _fields(member: Member, chance: random.Random) -> list[tuple[str, str]]:
    reference = f'"{member.reference}"' if "," in member.reference else member.reference
    fields = [
        ("name", member.name),
        ("schedule", f"{{{member.by}: {reference}}}"),
        ("provider", member.provider.name.lower()),
        ("account", member.account),
    ]
    if member.policy is not None:
        fields.append(("syncPolicy", member.policy))
    chance.shuffle(fields)
    return fields


def _entries(members: Sequence[Member], chance: random.Random) -> str:
    numbers = iter(range(10_000))

    def note() -> str:
        return chance.choice(("", "", f"   # {next(numbers)}"))

    if chance.random() < 0.3:
        return f"  connections: [{', '.join(_one_line(member, chance) for member in members)}]{note()}\n"
    text = f"  connections:{note()}\n"
    for member in members:
        text += chance.choice(("", "\n", f"    # above {next(numbers)}\n"))
        if chance.random() < 0.5:
            text += f"    - {_one_line(member, chance)}{note()}\n"
        else:
            text += _block(member, note, chance)
    return text


def _one_line(member: Member, chance: random.Random) -> str:
    fields = [*_fields(member, chance)]
    if member.sync is not None:
        fields.insert(chance.randrange(len(fields) + 1), ("syncConfig", _flow(member.sync)))
    between, end = chance.choice(((", ", ""), (",  ", ", "), (" , ", " "), (",\n        ", "")))
    return f"{{{between.join(f'{name}: {value}' for name, value in fields)}{end}}}"


def _block(member: Member, note: Callable[[], str], chance: random.Random) -> str:
    lines = [f"{name}: {value}{note()}" for name, value in _fields(member, chance)]
    if member.sync is not None:
        lines.insert(chance.randrange(len(lines) + 1), f"syncConfig:{note()}\n{_block_sync(member.sync, note, chance)}")
    if chance.random() < 0.2:
        return f"    -{note()}\n" + "".join(f"        {line}\n" for line in lines)
    return f"    -   {lines[0]}\n" + "".join(f"        {line}\n" for line in lines[1:])


def _directions(sync: SyncConfig) -> Iterable[tuple[str, Direction]]:
    both = (("listEventFromCalendars", sync.imports), ("syncToCalendar", sync.exports))
    return [(name, one) for name, one in both if one is not None]


def _flow(sync: SyncConfig) -> str:
    return f"{{{', '.join(f'{name}: {_flow_direction(one)}' for name, one in _directions(sync))}}}"


def _flow_direction(one: Direction) -> str:
    parts = [] if one.enabled is None else [f"enabled: {str(one.enabled).lower()}"]
    if one.arm is Arm.CALENDARS:
        parts.append(f"calendars: [{', '.join(map(_calendar, one.calendars))}]")
    elif one.arm is not None:
        parts.append(f"{one.arm.value}: {{}}")
    return f"{{{', '.join(parts)}}}"


def _calendar(ref: CalendarRef) -> str:
    if ref.id is None:
        return ref.name or ""
    return f"{{id: {ref.id}}}" if ref.name is None else f"{{id: {ref.id}, name: {ref.name}}}"


def _block_sync(sync: SyncConfig, note: Callable[[], str], chance: random.Random) -> str:
    lines: list[str] = []
    for name, one in _directions(sync):
        if one.arm is not Arm.CALENDARS or chance.random() < 0.3:
            lines.append(f"          {name}: {_flow_direction(one)}{note()}")
            continue
        lines.append(f"          {name}:{note()}")
        if one.enabled is not None:
            lines.append(f"            enabled: {str(one.enabled).lower()}{note()}")
        lines.append(f"            calendars:{note()}")
        lines += [f"              - {_calendar(ref)}{note()}" for ref in one.calendars]
    return "\n".join(lines)


_COLUMNS = {"id": "schedule_id", "name": "schedule_name", "externalId": "schedule_external_id"}


def _roster(members: Sequence[Member], chance: random.Random) -> bytes:
    by = chance.choice((",", ";", "\t"))
    columns = ["name", "account", "provider", *{_COLUMNS[member.by] for member in members}, "phone"]
    if any(member.policy for member in members) or chance.random() < 0.3:
        columns.append("sync_policy")
    chance.shuffle(columns)

    def cell(text: str) -> str:
        quoted = any(one in text for one in '\n\r",;\t') or chance.random() < 0.3
        return '"{}"'.format(text.replace('"', '""')) if quoted else text

    lines = [by.join(map(cell, columns))]
    for member in members:
        values = {
            "name": member.name,
            "account": member.account,
            "provider": member.provider.name.lower(),
            _COLUMNS[member.by]: member.reference,
            "phone": chance.choice(("", "+49 30", 'the "lab"', "1\n2", " 7 ", "a;b,c")),
            "sync_policy": member.policy or "",
        }
        lines += chance.choice(([], [], [""], [by * (len(columns) - 1)]))
        lines.append(by.join(cell(values.get(column, "")) for column in columns))
    text = "\n".join(lines) + chance.choice(("", "\n", "\n\n"))
    mark = chance.choice((b"", codecs.BOM_UTF8))
    return mark + text.replace("\n", chance.choice(("\n", "\r\n", "\r"))).encode()


def without_cells(content: bytes, column: str, names: Iterable[str]) -> str:
    """A roster without the cells of a column, as they are written, in the rows of these names."""
    text = content.decode("utf-8-sig")
    header, *others = rows(text, FileReport(""))
    columns = [cell.text for cell in header]
    cells = [
        row[columns.index(column)]
        for row in others
        if column in columns and len(row) == len(header) and row[columns.index("name")].text in names
    ]
    return _without(text, [(cell.start, cell.end) for cell in cells])


def without_last_column(content: bytes) -> bytes:
    """A roster without its last column, where a row says anything."""
    mark, text = content[: len(content) - len(content.removeprefix(codecs.BOM_UTF8))], content.decode("utf-8-sig")
    table = rows(text, FileReport(""))
    stretches = [(row[-2].end, row[-1].end) for row in table if any(cell.text for cell in row)]
    return mark + _without(text, stretches).encode()


def _without(text: str, stretches: Iterable[tuple[int, int]]) -> str:
    for start, end in sorted(stretches, reverse=True):
        text = text[:start] + text[end:]
    return text


def without_entries(content: bytes, numbers: Iterable[int]) -> str:
    """A set's text without these of its entries."""
    text = content.decode("utf-8-sig")
    spec = list(documents(text).values())[-1].find("spec")
    assert spec is not None
    assert isinstance(spec[1], MappingNode)
    found = spec[1].find("connections")
    nodes = found[1].items if found is not None and isinstance(found[1], SequenceNode) else ()
    return _without(text, [_stretch(text, nodes[number]) for number in numbers])


def _stretch(text: str, node: Node) -> tuple[int, int]:
    """An entry; one in block style ends with its last line."""
    assert isinstance(node, MappingNode)
    return node.start, node.end if node.flow else len(text[: node.end]) + len(text[node.end :].partition("\n")[0])


def line_breaks(texts: Mapping[str, bytes]) -> dict[str, set[str]]:
    """The line breaks of each text, those within the quotes of cells as well."""
    return {name: {*re.findall("\r\n|\r|\n", content.decode())} for name, content in texts.items()}
