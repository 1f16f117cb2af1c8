"""Edits CSV text in place: cells, rows and columns; all else stays byte for byte, unknown columns and quotes included.

A cell that was in quotes stays so, another is quoted only where it must be (RFC 4180). A new row goes below the last
one that holds anything, in the text's own separator and line ends, so that a last line without an end stays without.
Rows that hold nothing are left alone.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.manifests.csv_table import SEPARATORS, Cell, Row, rows, separator
from reconciler.manifests.faults import FileReport, shown
from reconciler.pull.splices import UneditableError
from reconciler.pull.yaml_emit import is_declarable
from reconciler.text import FORMULA

_LINE_END = "\n"


def is_writable(text: str) -> bool:
    """Whether a cell can hold the text, so that the loader and spreadsheets read it as it is.

    They would run a formula, and save what comes of it.
    """
    plain = text == text.strip() and is_declarable(text, len(text))
    return not text or (plain and FORMULA.search(text) is None)


def row_text(cells: Sequence[str], by: str = SEPARATORS[0]) -> str:
    """A row, without its line end; raises UneditableError where a cell can't hold its text."""
    return by.join(_cell(text, by) for text in cells)


def _cell(text: str, by: str, *, quoted: bool = False) -> str:
    if not is_writable(text):
        raise UneditableError(f"a CSV cell can't hold {shown(text)}: it would be read as something else")
    escaped = text.replace('"', '""')
    return f'"{escaped}"' if quoted or by in text or escaped != text else text


class CsvEdit:
    """A table that loads, as it is and with what is to change in it; its first row names the columns.

    Rows are meant by the line, counted from 1, on which they begin.
    """

    def __init__(self, text: str) -> None:
        """`text` comes without a byte order mark."""
        self._text = text
        self._by = separator(text)
        self._rows: list[Row] = list(rows(text, FileReport("")))
        self._lines = {row[0].line + 1: row for row in self._rows}
        self._indexes: dict[str, int] = {}
        for index, cell in enumerate(self._rows[0]):
            self._indexes.setdefault(cell.text, index)
        self._changed: dict[tuple[int, str], str] = {}
        self._new_columns: dict[int, list[str]] = {}
        self._new_rows: list[Mapping[str, str]] = []

    def has_column(self, column: str) -> bool:
        """Whether there is such a column, or will be."""
        return column in self._indexes or any(column in names for names in self._new_columns.values())

    def cell(self, line: int, column: str) -> str:
        """What a cell says, or will say; nothing where there is no such column."""
        index = self._indexes.get(column)
        before = "" if index is None else self._lines[line][index].text
        return self._changed.get((line, column), before)

    def set_cell(self, line: int, column: str, text: str) -> None:
        """Let a cell say something else; raises UneditableError where it can't."""
        _cell(text, self._by)
        self._changed[line, column] = text

    def add_column(self, column: str, after: str | None = None) -> None:
        """Add a column at the right end, or right of another one; its cells say nothing until they are set."""
        _cell(column, self._by)
        index = len(self._rows[0]) - 1 if after is None else self._indexes[after]
        self._new_columns.setdefault(index, []).append(column)

    def append_row(self, values: Mapping[str, str]) -> None:
        """Add a row at the end, by column; raises UneditableError where a cell can't hold its text."""
        for text in values.values():
            _cell(text, self._by)
        self._new_rows.append(values)

    def edited(self) -> str:
        """The text with all that is to change."""
        parts: list[str] = []
        done = 0
        for number, row in enumerate(self._rows):
            if number and not _holds(row):
                continue
            for index, cell in enumerate(row):
                parts += [
                    self._text[done : cell.start],
                    *self._written(cell, index, row[0].line + 1, header=not number),
                ]
                done = cell.end
        return "".join([*parts, *self._appended(), self._text[done:]])

    def _written(self, cell: Cell, index: int, line: int, *, header: bool) -> Iterator[str]:
        """A cell, and those that come right of it."""
        column = self._rows[0][index].text
        if not header and self._indexes[column] == index and (line, column) in self._changed:
            yield _cell(self._changed[line, column], self._by, quoted=self._text.startswith('"', cell.start))
        else:
            yield self._text[cell.start : cell.end]
        for name in self._new_columns.get(index, ()):
            yield f"{self._by}{_cell(name if header else self._changed.get((line, name), ''), self._by)}"

    def _appended(self) -> Iterator[str]:
        columns: list[str | None] = []
        for index, cell in enumerate(self._rows[0]):
            # Of columns with one name the first is meant.
            columns += [cell.text if self._indexes[cell.text] == index else None, *self._new_columns.get(index, ())]
        for values in self._new_rows:
            cells = ["" if column is None else values.get(column, "") for column in columns]
            yield f"{self._line_end()}{row_text(cells, self._by)}"

    def _line_end(self) -> str:
        """The line end that follows the header."""
        after = self._text[self._rows[0][-1].end :][:2]
        return after if after == "\r\n" else after[:1] or _LINE_END


def _holds(row: Row) -> bool:
    """Whether a row says anything."""
    return any(cell.text for cell in row)
