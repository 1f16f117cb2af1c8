"""Lists of sites: CSV files with a row for each site that is to be taken over.

A row becomes a Site document, a mapping as YAML would give it, so that both are checked and converted by the same
rules. A name may be any text, since a manifest's is made of it.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import ManifestError
from reconciler.manifests.contents import ManifestFile, decode, printable, read
from reconciler.manifests.convert import site_document
from reconciler.manifests.csv_records import Cells, RecordFormat, read_columns, records
from reconciler.manifests.csv_table import Cell, place, rows
from reconciler.manifests.faults import FileReport, SpoiledError, shown
from reconciler.manifests.limits import Limits, ManifestBudget
from reconciler.manifests.schema import API_VERSION, is_valid
from reconciler.manifests.values import START, YamlMapping
from reconciler.model.desired import Site
from reconciler.model.source import Fault, Source

DEFAULT_KEY = "EXTCAL_API_KEY"
"""The variable that holds the key of a site whose row names none."""

_COLUMNS = {
    "site_id": ("spec", "siteId"),
    "name": ("metadata", "name"),
    "key_env": ("spec", "auth", "apiKey", "env"),
    "redirect_url": ("spec", "oauth", "redirectUrl"),
}
_FORMAT = RecordFormat(
    kind="list of sites",
    columns=_COLUMNS,
    required=("site_id",),
    usual="site_id,name,key_env,redirect_url",
    instead="name the variable that holds it in a column key_env",
)
_BY_PATH = {".".join(path): column for column, path in _COLUMNS.items()}


@dataclass(frozen=True, slots=True)
class ListedSite:
    """A row: the site, and where its name stands, None where it has none.

    The site is called as the row says, which may be any text, or by its id.
    """

    site: Site
    name_at: Source | None


@dataclass(frozen=True, slots=True)
class SiteList:
    """A list of sites as it was read; `ignored` are the headings of columns that no site has, with their places."""

    sites: tuple[ListedSite, ...]
    ignored: tuple[Fault, ...]


def read_site_list(path: Path, limits: Limits) -> SiteList:
    """The sites that a CSV file lists; raises ManifestError with every fault of it, and LimitError."""
    file = ManifestFile(printable(str(path)), os.path.realpath(path))
    report = FileReport(file.shown, budget=ManifestBudget(limits))
    content = read(file)
    if isinstance(content, Fault):
        raise ManifestError([content])
    found: dict[str, ListedSite] = {}
    ignored: tuple[Cell, ...] = ()
    try:
        lines = rows(decode(content, report, yaml=False), report)
        header = read_columns(next(lines, []), _FORMAT, report)
        ignored = header.ignored
        for first, cells in records(lines, header, _FORMAT, report):
            _add(first, cells, found, report)
        if not (found or report.faults):
            report.add(START, "the list has no sites", hint="add a row for each site")
    except SpoiledError:
        pass
    if report.faults:
        raise ManifestError(report.faults)
    return SiteList(tuple(found.values()), tuple(_note(cell, report) for cell in ignored))


def _note(cell: Cell, report: FileReport) -> Fault:
    hint = f"read are {', '.join(_COLUMNS)}"
    return Fault(report.source(place(cell)), "", f"the column {shown(cell.text)} is ignored", hint)


def _add(first: Cell, cells: Cells, found: dict[str, ListedSite], report: FileReport) -> None:
    document, before = _document(first, cells), len(report.faults)
    valid = is_valid("Site", document, report)
    report.faults[before:] = (replace(one, where=_BY_PATH[one.where]) for one in report.faults[before:])
    if not valid:
        return
    site, named = site_document(document, report).site, cells.get("name")
    known = found.get(site.site_id)
    if known is not None:
        message = f"the site {shown(site.site_id)} is listed twice"
        report.add(place(cells["site_id"]), message, "site_id", f"first at {known.site.source}")
        return
    site = replace(site, name=named.text if named else site.site_id)
    found[site.site_id] = ListedSite(site, report.source(place(named)) if named else None)


def _document(first: Cell, cells: Cells) -> YamlMapping:
    """A row as YAML would give it as a Site; its name is made one of a manifest later."""
    texts = {"key_env": DEFAULT_KEY, **{column: cell.text for column, cell in cells.items()}, "name": "site"}
    document = YamlMapping(first)
    document.put("apiVersion", API_VERSION, first, first)
    document.put("kind", "Site", first, first)
    for column, text in texts.items():
        cell, around = cells.get(column, first), document
        *steps, last = _COLUMNS[column]
        for step in steps:
            inner = around.get(step)
            if not isinstance(inner, YamlMapping):
                inner = YamlMapping(cell)
                around.put(step, inner, cell, cell)
            around = inner
        around.put(last, text, cell, cell)
    return document
