"""Loads manifests: finds files, checks each document, resolves them together, reports every fault at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from reconciler.errors import ManifestError
from reconciler.manifests.contents import decode
from reconciler.manifests.convert import (
    ConnectionDraft,
    PolicyDraft,
    connection_draft,
    policy_draft,
    site_draft,
    text_at,
)
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.files import Stray, read, search
from reconciler.manifests.limits import DEFAULT, Budget, Limit, Limits
from reconciler.manifests.references import Declaration, Drafts, Name, resolve
from reconciler.manifests.schema import validate
from reconciler.manifests.values import Fields, Value
from reconciler.model.desired import Desired
from reconciler.model.source import Fault


def load(paths: Sequence[Path], limits: Limits = DEFAULT) -> Desired:
    """What the manifests at `paths` state (contract: Manifests); nothing of it depends on the order of files.

    A site that a file may be about that looks like a manifest and is not read is not pruned. Raises ManifestError with
    every fault of every file, as far as `limits` goes, and LimitError where there is more to read than they allow.
    """
    desired, faults = load_readable(paths, limits)
    if faults:
        raise ManifestError(faults, (one.warning for one in desired.overlooked))
    return desired


def load_readable(
    paths: Sequence[Path], limits: Limits = DEFAULT, strays: Sequence[Stray] = ()
) -> tuple[Desired, list[Fault]]:
    """As `load`, what can be read of the manifests, and every fault of the rest; raises LimitError alone.

    `strays` are files that may be strays besides those that are found.
    """
    from reconciler.manifests.strays import spare  # noqa: PLC0415 - as below

    budget = Budget(limits)
    drafts, faults = collect(paths, budget)
    desired, together = resolve(drafts, budget)
    # A name that is not a name is told once; that nothing is called so goes without saying.
    told = {(fault.source, fault.where) for fault in faults}
    faults += (fault for fault in together if not fault.where or (fault.source, fault.where) not in told)
    if len(faults) > limits.faults:
        faults[limits.faults :] = [budget.fault(Limit.FAULTS, faults[limits.faults].source)]
    return spare(desired, (*drafts.strays, *strays), budget), faults


def overlooked(folder: Path, limits: Limits = DEFAULT) -> tuple[Fault, ...]:
    """A warning for each file of a folder that looks like a manifest and is not read; raises LimitError."""
    from reconciler.manifests.strays import spare  # noqa: PLC0415 - as below

    budget = Budget(limits)
    return tuple(one.warning for one in spare(Desired(), search([folder], budget).strays, budget).overlooked)


_Draft = TypeVar("_Draft", ConnectionDraft, PolicyDraft)


def collect(paths: Sequence[Path], budget: Budget) -> tuple[Drafts, list[Fault]]:
    """What the files at `paths` hold, and every fault that a file has by itself.

    Where there are more faults than are told, the files after that are not read. Raises LimitError.
    """
    # Commands that read no manifests don't need yaml, which takes a tenth of a second to import.
    from reconciler.manifests.parse_cache import Stencils, read_pieces  # noqa: PLC0415

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
            try:
                for document in read_pieces(decode(content, report), report, stencils):
                    _add(document, report, drafts)
            except SpoiledError:
                pass
            faults += report.faults
            if report.spoiled:
                # What spoils a file is told last.
                drafts.incomplete = drafts.incomplete or report.faults[-1]
        if len(faults) > budget.limits.faults:
            drafts.incomplete = drafts.incomplete or Fault(None, "", "not all files were read")
            break
    return drafts, faults


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
