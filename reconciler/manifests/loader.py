"""Loads manifests into the desired model, and reports every fault at once.

Steps: find the files (`files`), decode and parse each (`contents`, `parse_cache`), check every document against its
kind's schema (`schema`), convert it to values (`convert`), resolve all of them together (`references`), and keep the
sites from being pruned that unread files may be about (`strays`). The fields are described in `schemas/*.json`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from reconciler.errors import ManifestError
from reconciler.manifests.contents import decode
from reconciler.manifests.convert import (
    ConnectionDocument,
    PolicyDocument,
    connection_document,
    policy_document,
    site_document,
    text_at,
)
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.files import Stray, read, search
from reconciler.manifests.limits import DEFAULT, Limit, Limits, ManifestBudget
from reconciler.manifests.references import Declaration, Documents, Name, resolve
from reconciler.manifests.schema import validate
from reconciler.manifests.values import Value, YamlMapping
from reconciler.model.desired import Desired
from reconciler.model.source import Fault

_AS_STORED: Mapping[str, bytes] = {}


def load(paths: Sequence[Path], limits: Limits = DEFAULT, contents: Mapping[str, bytes] = _AS_STORED) -> Desired:
    """What the manifests at `paths` declare; nothing of it depends on the order of files.

    `contents` are what files are read as, by their real paths, instead of what they hold. A site that a file may be
    about that looks like a manifest and is not read is not pruned. Raises ManifestError with every fault of every file,
    as far as `limits` goes, and LimitError where there is more to read than they allow.
    """
    desired, faults = load_readable(paths, limits, contents=contents)
    if faults:
        raise ManifestError(faults, (one.warning for one in desired.overlooked))
    return desired


def load_readable(
    paths: Sequence[Path],
    limits: Limits = DEFAULT,
    strays: Sequence[Stray] = (),
    contents: Mapping[str, bytes] = _AS_STORED,
) -> tuple[Desired, list[Fault]]:
    """As `load`, what can be read of the manifests, and every fault of the rest; raises LimitError alone.

    `strays` are files to treat as strays besides those found.
    """
    from reconciler.manifests.strays import spare  # noqa: PLC0415 - as below

    budget = ManifestBudget(limits)
    documents, faults = collect(paths, budget, contents)
    desired, together = resolve(documents, budget)
    # An invalid name is one fault; that nothing has this name would be a second one for the same mistake.
    known = {(fault.source, fault.where) for fault in faults}
    faults += (fault for fault in together if not fault.where or (fault.source, fault.where) not in known)
    if len(faults) > limits.faults:
        faults[limits.faults :] = [budget.fault(Limit.FAULTS, faults[limits.faults].source)]
    return spare(desired, (*documents.strays, *strays), budget), faults


def overlooked(folder: Path, limits: Limits = DEFAULT) -> tuple[Fault, ...]:
    """A warning for each file of a folder that looks like a manifest and is not read; raises LimitError."""
    from reconciler.manifests.strays import spare  # noqa: PLC0415 - as below

    budget = ManifestBudget(limits)
    return tuple(one.warning for one in spare(Desired(), search([folder], budget).strays, budget).overlooked)


_Document = TypeVar("_Document", ConnectionDocument, PolicyDocument)


def collect(
    paths: Sequence[Path], budget: ManifestBudget, contents: Mapping[str, bytes] = _AS_STORED
) -> tuple[Documents, list[Fault]]:
    """What the files at `paths` hold, and every fault that a file has by itself; `contents` as in `load`.

    Files after the last fault that is reported are not read. Raises LimitError.
    """
    # Commands that read no manifests don't need yaml, which takes a tenth of a second to import.
    from reconciler.manifests.parse_cache import ParseCache, read_cached  # noqa: PLC0415

    listing = search(paths, budget)
    faults = listing.faults
    documents = Documents(incomplete=next(iter(faults), None), strays=listing.strays)
    cache = ParseCache()
    for file in listing.files:
        content = contents[file.real] if file.real in contents else read(file)
        if isinstance(content, Fault):
            faults.append(content)
            documents.incomplete = documents.incomplete or content
        else:
            report = FileReport(file.shown, budget=budget)
            try:
                for document in read_cached(decode(content, report), report, cache):
                    _add(document, report, documents)
            except SpoiledError:
                pass
            faults += report.faults
            if report.spoiled:
                # What spoils a file is reported last.
                documents.incomplete = documents.incomplete or report.faults[-1]
        if len(faults) > budget.limits.faults:
            documents.incomplete = documents.incomplete or Fault(None, "", "not all files were read")
            break
    return documents, faults


def _add(document: YamlMapping, report: FileReport, documents: Documents) -> None:
    kind = text_at(document, "kind")
    if kind is not None:
        documents.declarations.append(_declaration(kind, document, report))
    valid = validate(document, report)
    if valid == "Site":
        documents.sites.append(site_document(document, report))
    elif valid == "SyncPolicy":
        documents.policies.append(_counted(policy_document(document, report), document, report))
    elif valid == "Connection":
        documents.connections.append(_counted(connection_document(document, report), document, report))


def _counted(valid: _Document, document: YamlMapping, report: FileReport) -> _Document:
    """The same; counts the calendars that it names."""
    if valid.sync.imports is not None and valid.sync.imports.calendars:
        report.count(Limit.CALENDARS, document.mark, len(valid.sync.imports.calendars))
    return valid


def _declaration(kind: str, document: YamlMapping, report: FileReport) -> Declaration:
    root, name = report.source_of(document.mark), _name(document, document.get("metadata"), "name")
    spec = document.get("spec")
    if kind != "Connection" or not isinstance(spec, YamlMapping):
        return Declaration(kind, root, name)
    return Declaration(
        kind,
        root,
        name,
        site=_name(document, spec, "site"),
        policy=_name(document, spec, "syncPolicy"),
        needs_site="site" not in spec,
    )


def _name(document: YamlMapping, around: Value, field: str) -> Name | None:
    text = around.get(field) if isinstance(around, YamlMapping) else None
    if not isinstance(text, str) or not isinstance(around, YamlMapping):
        return None
    mark = around.mark_of(field, key=False)
    return Name(text, mark.line - document.mark.line, mark.column + 1)
