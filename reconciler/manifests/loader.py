"""Loads manifests into the desired model, and reports every fault at once.

Steps: find the files (`files`), decode and parse each (`contents`, `parse_cache`), check every document against its
kind's schema (`schema`), convert it to values (`convert`), resolve all of them together (`references`), and keep the
sites from being pruned that unread files may be about (`strays`). The fields are described in `schemas/*.json`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import ManifestError
from reconciler.manifests.contents import ManifestFile, decode, read
from reconciler.manifests.convert import (
    ConnectionDocument,
    PolicyDocument,
    connection_document,
    policy_document,
    site_document,
    text_at,
)
from reconciler.manifests.declarations import declaration
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.files import Stray, search
from reconciler.manifests.limits import DEFAULT, Limit, Limits, ManifestBudget
from reconciler.manifests.references import Documents, resolve
from reconciler.manifests.schema import validate
from reconciler.manifests.values import START, YamlMapping
from reconciler.model.desired import Desired
from reconciler.model.source import Fault, Source

if TYPE_CHECKING:
    from reconciler.manifests.connection_sets import SetReader

_AS_STORED: Mapping[str, bytes] = {}


def load(paths: Sequence[Path], limits: Limits = DEFAULT, contents: Mapping[str, bytes] = _AS_STORED) -> Desired:
    """What the manifests at `paths` declare; nothing of it depends on the order of files.

    `contents` are what files are read as, by their real paths, instead of what they hold. A site that a file may be
    about that looks like a manifest and is not read is not pruned. Raises ManifestError with every fault of every file,
    as far as `limits` goes, and LimitError where there is more to read than they allow.
    """
    return load_documents(paths, limits, contents)[0]


def load_documents(
    paths: Sequence[Path], limits: Limits = DEFAULT, contents: Mapping[str, bytes] = _AS_STORED
) -> tuple[Desired, Documents]:
    """As `load`, and the documents that it is made of."""
    desired, documents, faults = _loaded(paths, limits, (), contents)
    if faults:
        raise ManifestError(faults, (one.warning for one in desired.overlooked))
    return desired, documents


def load_readable(
    paths: Sequence[Path], limits: Limits = DEFAULT, strays: Sequence[Stray] = ()
) -> tuple[Desired, list[Fault]]:
    """As `load`, what can be read of the manifests, and every fault of the rest; raises LimitError alone.

    `strays` are files to treat as strays besides those found.
    """
    desired, _, faults = _loaded(paths, limits, strays, _AS_STORED)
    return desired, faults


def _loaded(
    paths: Sequence[Path], limits: Limits, strays: Sequence[Stray], contents: Mapping[str, bytes]
) -> tuple[Desired, Documents, list[Fault]]:
    from reconciler.manifests.strays import spare  # noqa: PLC0415 - as below

    budget = ManifestBudget(limits)
    documents, faults = collect(paths, budget, contents)
    desired, together = resolve(documents, budget)
    # An invalid name is one fault; that nothing has this name would be a second one for the same mistake.
    known = {(fault.source, fault.where) for fault in faults}
    faults += (fault for fault in together if not fault.where or (fault.source, fault.where) not in known)
    if len(faults) > limits.faults:
        faults[limits.faults :] = [budget.fault(Limit.FAULTS, faults[limits.faults].source)]
    return spare(desired, (*documents.strays, *strays), budget), documents, faults


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
    from reconciler.manifests.connection_sets import SetReader  # noqa: PLC0415
    from reconciler.manifests.parse_cache import ParseCache, read_cached  # noqa: PLC0415

    listing = search(paths, budget)
    faults = listing.faults
    documents = Documents(incomplete=next(iter(faults), None), strays=listing.strays)
    cache = ParseCache()

    def content_of(file: ManifestFile) -> bytes | Fault:
        return contents[file.real] if file.real in contents else read(file)

    rosters: dict[str, bytes | Fault] = {}

    def roster_of(file: ManifestFile) -> bytes | Fault:
        # Read once, so that sets which share it do not see it change.
        if file.real not in rosters:
            found = rosters[file.real] = content_of(file)
            if isinstance(found, bytes) and not budget.allows(Limit.BYTES, len(found)):
                raise budget.exceeded(Limit.BYTES, Source(file.shown, *START))
        return rosters[file.real]

    for file in listing.files:
        content = content_of(file)
        if isinstance(content, Fault):
            faults.append(content)
            documents.incomplete = documents.incomplete or content
        else:
            report = FileReport(file.shown, budget=budget)
            sets = SetReader(file, report, roster_of)
            try:
                for document in read_cached(decode(content, report), report, cache):
                    _add(document, report, sets, documents)
            except SpoiledError:
                pass
            faults += (*report.faults, *sets.faults)
            documents.declarations += sets.declarations
            # What spoils a file is reported last.
            unread = [*(report.faults[-1:] if report.spoiled else ()), *sets.unread]
            documents.incomplete = documents.incomplete or next(iter(unread), None)
        if len(faults) > budget.limits.faults:
            documents.incomplete = documents.incomplete or Fault(None, "", "not all files were read")
            break
    return documents, faults


def _add(document: YamlMapping, report: FileReport, sets: "SetReader", documents: Documents) -> None:
    kind = text_at(document, "kind")
    if kind is not None:
        documents.declarations.append(declaration(kind, document, report))
    valid = validate(document, report)
    if valid == "Site":
        documents.sites.append(site_document(document, report))
    elif valid == "SyncPolicy":
        documents.policies.append(_counted(policy_document(document, report), document, report))
    elif valid == "Connection":
        documents.connections.append(_counted(connection_document(document, report), document, report))
    elif valid == "ConnectionSet":
        found = sets.read(document)
        documents.sets.append(found)
        if found.needs_site:
            # One fault, not one for each of its members.
            documents.declarations[-1] = documents.declarations[-1]._replace(needs_site=True)
        documents.connections += (_counted(member, document, report) for member in found.members)
    elif kind == "ConnectionSet":
        sets.check_entries(document)


def _counted(valid: _Document, document: YamlMapping, report: FileReport) -> _Document:
    """The same; counts the calendars that it names."""
    if valid.sync.imports is not None and valid.sync.imports.calendars:
        report.count(Limit.CALENDARS, document.mark, len(valid.sync.imports.calendars))
    return valid
