"""Rosters: CSV files with a row for each connection of a set (the columns: `schemas/connection-set.schema.json`).

A row becomes an entry, a mapping as YAML would give it, so that both are checked and converted by the same rules; its
fields are marked where their cells stand. An empty cell is a field that is left out. Columns that no connection has are
passed over, unless their name is nearly one that it has.
"""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from reconciler.manifests.contents import ManifestFile, printable
from reconciler.manifests.csv_table import Cell, Row, place
from reconciler.manifests.explain import SECRET, is_secret_name
from reconciler.manifests.faults import FileReport, SpoiledError, shown
from reconciler.manifests.limits import Limit
from reconciler.manifests.values import GUID, START, YamlMapping

COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "account": ("account",),
    "schedule_id": ("schedule", "id"),
    "schedule_name": ("schedule", "name"),
    "schedule_external_id": ("schedule", "externalId"),
    "site": ("site",),
    "provider": ("provider",),
    "sync_policy": ("syncPolicy",),
    "password_env": ("credentials", "password", "env"),
    "password_file": ("credentials", "password", "file"),
    "state": ("state",),
}
"""The columns of a roster, and which field of a connection each is."""

SCHEDULE_COLUMNS = frozenset({"schedule_id", "schedule_name", "schedule_external_id"})
_EXCLUSIVE = (("schedule_name", "schedule_external_id"), ("password_env", "password_file"))
_PROVIDER_WORDS = frozenset({"google", "microsoft", "apple"})
_USUAL = "name,account,schedule_name"
_NEAR = 0.75
_LONGEST = 80
_REFERENCES = "name the variable that holds it in a column password_env, or the file in password_file"

Cells: TypeAlias = dict[str, Cell]
"""The cells of a row that are not empty, by column."""


def find_roster(written: str, manifest: ManifestFile) -> ManifestFile | tuple[str, str]:
    """The file that a manifest means by `roster`, or what is wrong with it and what to do.

    It lies in the manifest's folder or below, on a way without links.
    """
    real, at = os.path.dirname(manifest.real), os.path.dirname(manifest.shown)  # noqa: PTH120 - paths stay text here
    # A file has one path, however it is written.
    given = [step for step in written.split("/") if step not in {"", "."}]
    for step in given:
        real = os.path.join(real, step)  # noqa: PTH118 - as above
        try:
            is_link = stat.S_ISLNK(os.lstat(real).st_mode)
        except FileNotFoundError:
            return "the roster does not exist", "create it, or correct its path"
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not a path"
            return f"the roster can't be read: {why}", "check its path and who may read it"
        if is_link:
            return "the roster is reached by a link", "put the file itself beside the manifest"
    return ManifestFile(printable(os.path.join(at, *given)), real)  # noqa: PTH118 - as above


@dataclass(frozen=True, slots=True)
class Header:
    """Which cell of a row is of which column, how many there are, and those of other columns."""

    columns: dict[str, int]
    cells: int
    ignored: tuple[Cell, ...]


def read_header(row: Row, report: FileReport) -> Header:
    """The columns of a roster; raises SpoiledError where it lacks one, or one is in doubt."""
    before = len(report.faults)
    found: dict[str, int] = {}
    others = [(index, cell) for index, cell in enumerate(row) if cell.text not in COLUMNS]
    for index, cell in enumerate(row):
        if cell.text in found:
            report.add(place(cell), f"the column {cell.text} is there twice", hint="keep one of them")
        elif cell.text in COLUMNS:
            found[cell.text] = index
    for _, cell in others:
        if is_secret_name(cell.text):
            report.add(place(cell), f"{SECRET}, as the column {shown(cell.text)} seems to be", hint=_REFERENCES)
        elif nearly := _nearly(cell.text, found):
            report.add(place(cell), f"unknown column {shown(cell.text)}", hint=f"did you mean {nearly}?")
    if len(report.faults) == before:
        for lacking in _lacking(row, found):
            report.add(START, lacking, hint=f"a roster begins with a line such as {_USUAL}")
    if len(report.faults) > before:
        report.spoiled = True
        raise SpoiledError
    return Header(found, len(row), tuple(cell for _, cell in others))


def _lacking(row: Row, found: Collection[str]) -> Iterator[str]:
    """What a header lacks."""
    if not any(cell.text for cell in row):
        yield "the roster is empty"
        return
    yield from (f"missing column '{column}'" for column in ("name", "account") if column not in found)
    if not SCHEDULE_COLUMNS & set(found):
        yield f"missing column for schedules: one of {', '.join(sorted(SCHEDULE_COLUMNS))}"


def _nearly(text: str, found: Collection[str]) -> str | None:
    """The column that a name most probably means, which is not there itself."""
    plain = {_plain(known): known for known in COLUMNS if known not in found}
    close = get_close_matches(_plain(text), plain, n=1, cutoff=_NEAR)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return "".join(character for character in name[:_LONGEST].casefold() if character.isalnum())


def entries(lines: Iterator[Row], header: Header, report: FileReport) -> Iterator[YamlMapping]:
    """The rows after the header as entries; one that has a fault is left out.

    Raises SpoiledError where the file can't be read on, and LimitError.
    """
    for row in lines:
        if not any(cell.text for cell in row):
            continue
        report.count(Limit.DOCUMENTS, row[0])
        if len(row) != header.cells:
            message = f"the row has {len(row)} cells, and the header has {header.cells}"
            report.add(place(row[0]), message, hint="write a cell for each column, empty where there is nothing")
            continue
        cells = {column: row[index] for column, index in header.columns.items() if row[index].text}
        if _is_clear(cells, row, header, report):
            yield _entry(cells, row[0])


def _is_clear(cells: Cells, row: Row, header: Header, report: FileReport) -> bool:
    """Whether a row has a name, says no one thing in two ways, and no text that begins or ends with a space."""
    before = len(report.faults)
    for column in ("name", "account"):
        if column not in cells:
            report.add(place(row[header.columns[column]]), f"missing {column}: the cell is empty", column)
    for first, second in _EXCLUSIVE:
        if first in cells and second in cells and "schedule_id" not in (cells if first in SCHEDULE_COLUMNS else ()):
            report.add(place(cells[second]), f"{first} and {second} exclude each other", second, "empty one of them")
    for column, cell in cells.items():
        if cell.text != cell.text.strip():
            report.add(place(cell), "a space begins or ends the cell", column, "remove it")
    return len(report.faults) == before


def _entry(cells: Cells, first: Cell) -> YamlMapping:
    """A row as YAML would give it as an entry."""
    entry = YamlMapping(first)
    labels = [column for column in ("schedule_name", "schedule_external_id") if column in cells]
    for column, cell in cells.items():
        path = COLUMNS[column]
        if column in labels[1:]:
            # The id counts, and one label beside it is enough.
            continue
        if column == "provider" and cell.text not in _PROVIDER_WORDS:
            path = ("provider", "id" if GUID.fullmatch(cell.text) else "name")
        around = entry
        for step in path[:-1]:
            inner = around.get(step)
            if not isinstance(inner, YamlMapping):
                inner = YamlMapping(cell)
                around.put(step, inner, cell, cell)
            around = inner
        around.put(path[-1], cell.text, cell, cell)
    return entry


def column_of(path: str) -> str:
    """The column of a field, by the path that a fault gives; any other path stays as it is."""
    return _BY_PATH.get(path, path)


_BY_PATH = {".".join(path): column for column, path in COLUMNS.items()} | {
    "provider.name": "provider",
    "provider.id": "provider",
    "schedule": "schedule_name",
    "credentials.password": "password_env",
}
