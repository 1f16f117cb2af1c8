"""Files into drafts: each document is read, checked and kept as a value, and its YAML let go."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from reconciler.manifests.drafts import (
    ConnectionDraft,
    PolicyDraft,
    connection_draft,
    policy_draft,
    site_draft,
    text_at,
)
from reconciler.manifests.files import read, search
from reconciler.manifests.limits import Budget, Limit
from reconciler.manifests.pieces import read_pieces
from reconciler.manifests.report import FileReport, SpoiledError
from reconciler.manifests.resolving import Declaration, Drafts, Name
from reconciler.manifests.stencils import Stencils
from reconciler.manifests.text import decode
from reconciler.manifests.validation import validate
from reconciler.manifests.values import Fields, Value
from reconciler.model.source import Fault

_Draft = TypeVar("_Draft", ConnectionDraft, PolicyDraft)


def collect(paths: Sequence[Path], budget: Budget) -> tuple[Drafts, list[Fault]]:
    """What the files at `paths` hold, and every fault that a file has by itself.

    Where there are more faults than are told, the files after that are not read. Raises LimitError.
    """
    finding = search(paths, budget)
    faults = finding.faults
    drafts = Drafts(incomplete=next(iter(faults), None), strays=finding.strays)
    stencils = Stencils()
    for file in finding.files:
        content = read(file)
        if isinstance(content, Fault):
            faults.append(content)
            drafts.incomplete = drafts.incomplete or content
        else:
            report = FileReport(file.shown, budget=budget)
            _read(content, report, drafts, stencils)
            faults += report.faults
            if report.spoiled:
                # What spoils a file is told last.
                drafts.incomplete = drafts.incomplete or report.faults[-1]
        if len(faults) > budget.limits.faults:
            drafts.incomplete = drafts.incomplete or Fault(None, "", "not all files were read")
            break
    return drafts, faults


def _read(content: bytes, report: FileReport, drafts: Drafts, stencils: Stencils) -> None:
    try:
        for document in read_pieces(decode(content, report), report, stencils):
            _add(document, report, drafts)
    except SpoiledError:
        return


def _add(document: Fields, report: FileReport, drafts: Drafts) -> None:
    kind = text_at(document, "kind")
    if kind is not None:
        drafts.declarations.append(_declaration(kind, document, report))
    valid = validate(document, report)
    if valid == "Site":
        drafts.sites.append(site_draft(document, report))
    elif valid == "SyncPolicy":
        drafts.policies.append(_counted(policy_draft(document, report), document, report))
    elif valid == "Connection":
        drafts.connections.append(_counted(connection_draft(document, report), document, report))


def _counted(draft: _Draft, document: Fields, report: FileReport) -> _Draft:
    if draft.sync.imports is not None and draft.sync.imports.calendars:
        report.count(Limit.CALENDARS, document.mark, len(draft.sync.imports.calendars))
    return draft


def _declaration(kind: str, document: Fields, report: FileReport) -> Declaration:
    root, name = report.source_of(document.mark), _name(document.get("metadata"), "name", report)
    spec = document.get("spec")
    if kind != "Connection" or not isinstance(spec, Fields):
        return Declaration(kind, root, name)
    return Declaration(
        kind,
        root,
        name,
        site=_name(spec, "site", report),
        policy=_name(spec, "syncPolicy", report),
        needs_site="site" not in spec,
    )


def _name(around: Value, field: str, report: FileReport) -> Name | None:
    text = around.get(field) if isinstance(around, Fields) else None
    if not isinstance(text, str) or not isinstance(around, Fields):
        return None
    return Name(text, report.source_of(around.mark_of(field, key=False)))
