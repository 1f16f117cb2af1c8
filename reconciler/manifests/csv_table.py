"""CSV text as rows of cells that know where they stand (source: RFC 4180).

Beyond the RFC: fields may be separated by `;` or tabs, as spreadsheets write them, and lines may end in LF or CR alone.
The separator is the one of the three that the first line has most of, outside quotes.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from reconciler.manifests.faults import FileReport
from reconciler.manifests.values import START, Place

SEPARATORS = (",", ";", "\t")
MOST_CELLS = 256
"""Cells of a row; a roster needs nine."""

_FIRST_LINE = re.compile(r'(?:"(?:[^"]|"")*+"|[^"\r\n])*+')
_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
_BREAK = re.compile(r"\r\n|\r|\n")


class Cell(NamedTuple):
    """One cell: its text without quotes, and which stretch of the file's text it is, with them.

    Line and column are counted from 0, as marks of YAML are.
    """

    text: str
    line: int
    column: int
    start: int
    end: int


Row = list[Cell]
"""The cells of one row; of an empty line there is one, which is empty."""


def separator(text: str) -> str:
    """What separates the cells of a text; a comma where its first line has none."""
    first = _FIRST_LINE.match(text)
    plain = _QUOTED.sub("", first[0]) if first else ""
    return max(SEPARATORS, key=plain.count)


def rows(text: str, report: FileReport) -> Iterator[Row]:
    """The rows of a text, one at a time, the header first.

    Raises SpoiledError, with the fault reported, where the text can't be read on.
    """
    cell = _cell(separator(text))
    row: Row = []
    at = line = begin = 0
    while at < len(text):
        found = cell.match(text, at)
        if found is None:
            raise report.spoil((line + 1, at - begin + 1), *_unreadable(text, at))
        quoted, plain, end = found.groups()
        content = plain if quoted is None else quoted.replace('""', '"')
        row.append(Cell(content, line, at - begin, at, found.start(3)))
        if len(row) > MOST_CELLS:
            message = f"the row has more than {MOST_CELLS} cells"
            raise report.spoil((line + 1, at - begin + 1), message, "remove columns that nobody reads")
        at = found.end()
        if quoted is not None and not quoted.isprintable():
            line, begin = _after(text, found.start(1), found.end(1), (line, begin))
        if end not in SEPARATORS:
            yield row
            row, line, begin = [], line + 1, at
    if row:
        # The text ends in a separator: an empty cell follows it.
        yield [*row, Cell("", line, at - begin, at, at)]


@cache
def _cell(by: str) -> re.Pattern[str]:
    """A cell and what ends it."""
    return re.compile(rf'(?:"((?:[^"]|"")*+)"|([^"{by}\r\n]*+))({by}|\r\n|\r|\n|\Z)')


def _after(text: str, start: int, end: int, line: Place) -> Place:
    """The line, and where it begins, after the line breaks of a quoted cell."""
    number, begin = line
    for found in _BREAK.finditer(text, start, end):
        number, begin = number + 1, found.end()
    return number, begin


def _unreadable(text: str, at: int) -> tuple[str, str]:
    if text[at] != '"':
        return "a quote stands inside a cell that is not quoted", 'write the cell in quotes, and each quote of it as ""'
    if _QUOTED.match(text, at):
        return "something follows the closing quote of a cell", 'write a quote inside the cell as ""'
    return "the quote that begins here is never closed", "close it"


def place(cell: Cell) -> Place:
    """The place of a cell, counted from 1."""
    return cell.line + START[0], cell.column + START[1]
