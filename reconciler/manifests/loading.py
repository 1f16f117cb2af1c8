"""The story of loading: find files, read documents, check each, resolve them together, tell every fault at once."""

from collections.abc import Sequence
from pathlib import Path

from reconciler.errors import ManifestError
from reconciler.manifests.files import Stray, search
from reconciler.manifests.limits import DEFAULT, Budget, Limit, Limits
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
    # Commands that read no manifests need neither yaml nor jsonschema, which take a tenth of a second to import.
    from reconciler.manifests.collecting import collect  # noqa: PLC0415
    from reconciler.manifests.resolving import resolve  # noqa: PLC0415
    from reconciler.manifests.strays import spare  # noqa: PLC0415

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
    from reconciler.manifests.strays import spare  # noqa: PLC0415 - as above

    budget = Budget(limits)
    return tuple(one.warning for one in spare(Desired(), search([folder], budget).strays, budget).overlooked)
