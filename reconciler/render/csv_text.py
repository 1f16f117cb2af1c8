"""Tables as CSV, for spreadsheets (source: RFC 4180), in which no cell of theirs can become a formula.

A `'` is put before whatever a spreadsheet would take for the beginning of one (source: OWASP, CSV Injection): at the
start of a cell, and after a semicolon or another mark at which a program may divide cells, whatever the file says.
"""

import csv
import io
import re
from collections.abc import Sequence

from reconciler.text import inert

_DIVIDERS = ";,|"
_FORMULA = re.compile(rf"(?:^|(?<=[{_DIVIDERS}]))(?=[\s\"']*[=+\-@＝＋－＠])")  # noqa: RUF001 - the wide forms count too


def csv_text(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A header row, then the rows, each ended by CRLF; headings are in lower case with `_` for blanks."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([heading.lower().replace(" ", "_") for heading in headings])
    writer.writerows([_cell(text) for text in row] for row in rows)
    return written.getvalue()


def _cell(text: str) -> str:
    return _FORMULA.sub("'", inert(text))
