"""Rosters: CSV files with a row for each connection of a set (the columns: `schemas/connection-set.schema.json`).

A row becomes an entry, a mapping as YAML would give it, so that both are checked and converted by the same rules; its
fields are marked where their cells stand. An empty cell is a field that is left out. Columns that no connection has are
passed over, unless their name is nearly one that it has.
"""

import os
import stat
from collections.abc import Iterator

from reconciler.manifests.contents import ManifestFile, printable
from reconciler.manifests.csv_records import Cells, Header, RecordFormat, read_columns, records
from reconciler.manifests.csv_table import Cell, Row, place
from reconciler.manifests.faults import FileReport, shown
from reconciler.manifests.values import GUID, YamlMapping
from reconciler.text import did_you_mean

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
PROVIDER_WORDS = frozenset({"google", "microsoft", "apple"})
"""What means a provider in a cell; anything else is its id or its name."""

_FORMAT = RecordFormat(
    kind="roster",
    columns=COLUMNS,
    required=("name", "account"),
    usual="name,account,schedule_name",
    instead="name the variable that holds it in a column password_env, or the file in password_file",
    one_of=SCHEDULE_COLUMNS,
    one_of_what="schedules",
)


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
            hint = _beside(real) or "create it, or correct its path"
            return f"the roster {shown(written)} does not exist", hint
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not a path"
            return f"the roster can't be read: {why}", "check its path and who may read it"
        if is_link:
            return "the roster is reached by a link", "put the file itself beside the manifest"
    return ManifestFile(printable(os.path.join(at, *given)), real)  # noqa: PTH118 - as above


def _beside(real: str) -> str:
    """`did you mean X?` for what lies where `real` was looked for."""
    folder, name = os.path.split(real)
    ending = os.path.splitext(name)[1]  # noqa: PTH122 - as above
    try:
        names = os.listdir(folder)  # noqa: PTH208 - as above
    except (OSError, ValueError):
        return ""
    return did_you_mean(name, (printable(found) for found in names if found.endswith(ending)))


def read_header(row: Row, report: FileReport) -> Header:
    """The columns of a roster; raises SpoiledError where it lacks one, or one is in doubt."""
    return read_columns(row, _FORMAT, report)


def entries(lines: Iterator[Row], header: Header, report: FileReport) -> Iterator[YamlMapping]:
    """The rows after the header as entries; one that has a fault is left out.

    Raises SpoiledError where the file can't be read on, and LimitError.
    """
    for first, cells in records(lines, header, _FORMAT, report):
        if _is_clear(cells, report):
            yield _entry(cells, first)


def _is_clear(cells: Cells, report: FileReport) -> bool:
    """Whether a row says no one thing in two ways."""
    before = len(report.faults)
    for first, second in _EXCLUSIVE:
        if first in cells and second in cells and "schedule_id" not in (cells if first in SCHEDULE_COLUMNS else ()):
            report.add(place(cells[second]), f"{first} and {second} exclude each other", second, "empty one of them")
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
        if column == "provider" and cell.text not in PROVIDER_WORDS:
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
