"""Writes JSON and CSV for scripts and spreadsheets (RFC 8259, RFC 4180)."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence

from reconciler.model.encoding import Json
from reconciler.text import FORMULA, inert


def json_text(document: Mapping[str, Json] | Sequence[Mapping[str, Json]]) -> str:
    """A document of many lines: every text in it is inert, names too; a number that JSON has no word for is null."""
    return json.dumps(_inert(document), indent=2, ensure_ascii=False, allow_nan=False)


def _inert(value: object) -> object:
    match value:
        case str():
            return inert(value)
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {inert(str(key)): _inert(item) for key, item in value.items()}
        case list() | tuple():
            return [_inert(item) for item in value]
        case _:
            return value


def csv_text(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A header row, then the rows, each ended by CRLF; headings are in lower case with `_` for blanks."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([heading.lower().replace(" ", "_") for heading in headings])
    writer.writerows([_cell(text) for text in row] for row in rows)
    return written.getvalue()


def _cell(text: str) -> str:
    return FORMULA.sub("'", inert(text))
