"""CSV files whose first row names their columns: the columns, and the rows by them.

Columns that a file is not read for are passed over, unless their name is nearly one that it is read for.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from reconciler.manifests.csv_table import Cell, Row, place
from reconciler.manifests.explain import SECRET, is_secret_name
from reconciler.manifests.faults import FileReport, SpoiledError, shown
from reconciler.manifests.limits import Limit
from reconciler.manifests.values import START

_NEAR = 0.75
_LONGEST = 80
_FEWER = "write a cell for each column, empty where there is nothing"
_MORE = 'a text that holds a comma, or whatever separates the cells, is written in quotes: "Lee, Dr."'
# A line that Excel reads, and no other program.
_EXCEL_ALONE = re.compile(r"sep=.?", re.IGNORECASE)

Cells: TypeAlias = dict[str, Cell]
"""The cells of a row that are not empty, by column."""


@dataclass(frozen=True, slots=True)
class RecordFormat:
    """The columns of one kind of CSV file."""

    kind: str
    """What messages call such a file."""
    columns: Collection[str]
    required: tuple[str, ...]
    """Columns that it must have, and whose cells must not be empty."""
    usual: str
    """The first line of a plain one."""
    instead: str
    """What to do instead where a column seems to hold secrets."""
    one_of: frozenset[str] = frozenset()
    """Columns of which it must have one; none where it is empty."""
    one_of_what: str = ""
    """What those are for."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which cell of a row is of which column, how many there are, and those of other columns."""

    columns: dict[str, int]
    cells: int
    ignored: tuple[Cell, ...]


def read_columns(row: Row, expected: RecordFormat, report: FileReport) -> Header:
    """The columns that the first row names; raises SpoiledError where it lacks one, or one is in doubt."""
    before = len(report.faults)
    found: dict[str, int] = {}
    others = [(index, cell) for index, cell in enumerate(row) if cell.text not in expected.columns]
    for index, cell in enumerate(row):
        if cell.text in found:
            report.add(place(cell), f"the column {cell.text} is there twice", hint="keep one of them")
        elif cell.text in expected.columns:
            found[cell.text] = index
    for _, cell in others:
        if is_secret_name(cell.text):
            message = f"{SECRET}, as the column {shown(cell.text)} seems to be"
            report.add(place(cell), message, hint=expected.instead)
        elif nearly := _nearly(cell.text, expected.columns, found):
            report.add(place(cell), f"unknown column {shown(cell.text)}", hint=f"did you mean {' or '.join(nearly)}?")
    if len(report.faults) == before:
        for lacking in _lacking(row, expected, found):
            report.add(START, lacking, hint=f"a {expected.kind} begins with a line such as {expected.usual}")
    if len(report.faults) > before:
        report.spoiled = True
        raise SpoiledError
    return Header(found, len(row), tuple(cell for _, cell in others))


def _lacking(row: Row, expected: RecordFormat, found: Collection[str]) -> Iterator[str]:
    """What a header lacks."""
    if not any(cell.text for cell in row):
        yield f"the {expected.kind} is empty"
        return
    if _EXCEL_ALONE.fullmatch(row[0].text):
        yield "the line sep= names no columns: remove it"
        return
    yield from (f"missing column '{column}'" for column in expected.required if column not in found)
    if expected.one_of and not expected.one_of & set(found):
        yield f"missing column for {expected.one_of_what}: one of {', '.join(sorted(expected.one_of))}"


def _nearly(text: str, columns: Iterable[str], found: Collection[str]) -> list[str]:
    """The columns that a name most probably means, which are not there themselves.

    `schedule` is no typo of one of them: it means any that begins so.
    """
    wanted = _plain(text)
    plain = {_plain(known): known for known in columns if known not in found}
    close = get_close_matches(wanted, plain, n=1, cutoff=_NEAR)
    longer = [known for name, known in plain.items() if name.startswith(wanted)]
    return longer if close and wanted not in plain and len(longer) > 1 else [plain[name] for name in close]


def _plain(name: str) -> str:
    return "".join(character for character in name[:_LONGEST].casefold() if character.isalnum())


def records(
    lines: Iterable[Row], header: Header, expected: RecordFormat, report: FileReport
) -> Iterator[tuple[Cell, Cells]]:
    """The rows after the header, each as its first cell and its cells by column; one that has a fault is left out.

    Raises SpoiledError where the file can't be read on, and LimitError.
    """
    for row in lines:
        # Empty ones count, too: a file of nothing else is read for a long time.
        report.count(Limit.DOCUMENTS, row[0])
        if not any(cell.text for cell in row):
            continue
        if len(row) != header.cells:
            message = f"the row has {len(row)} cells, and the header has {header.cells}"
            report.add(place(row[0]), message, hint=_FEWER if len(row) < header.cells else _MORE)
            continue
        before = len(report.faults)
        cells = {column: row[index] for column, index in header.columns.items() if row[index].text}
        for column in expected.required:
            if column not in cells:
                report.add(place(row[header.columns[column]]), f"missing {column}: the cell is empty", column)
        for column, cell in cells.items():
            if cell.text != cell.text.strip():
                report.add(place(cell), "a space begins or ends the cell", column, "remove it")
        if len(report.faults) == before:
            yield row[0], cells
