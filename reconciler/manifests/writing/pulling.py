"""Pulling into a folder: propose, try, and take back what does not hold, until all of it means the live state."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ExtcalError
from reconciler.manifests.writing.folder import Folder
from reconciler.manifests.writing.proposing import order, propose
from reconciler.manifests.writing.pulled import Key, PulledSite
from reconciler.manifests.writing.verifying import UnsettledError, shortfalls

_MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Pull:
    """What a pull would write: the bytes of files by path relative to the folder.

    `unchanged` are the files of the pulled sites that are as they shall be; `warnings` tell of what is declared and
    only a person can settle, `failures` of what is left out, or could not be brought in line.
    """

    files: dict[str, bytes]
    unchanged: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: tuple[str, ...]


def pull_into(folder: Folder, pulled: Sequence[PulledSite]) -> Pull:
    """What brings the folder in line with the observed sites; it loads, and what it touches plans as no change.

    A site that can't be added does not keep the others from it. Raises ExtcalError where none can.
    """
    sites = order(pulled)
    try:
        return _settled(folder, sites)
    except UnsettledError as error:
        if len(sites) == 1:
            raise ExtcalError(f"nothing was written, since {error}") from error
    kept: list[PulledSite] = []
    failures: list[str] = []
    made = None
    for site in sites:
        try:
            made = _settled(folder, [*kept, site])
            kept.append(site)
        except UnsettledError as error:
            failures.append(f"{site.site.name} is not pulled: {error}")
    if made is None:
        raise ExtcalError("\n".join(["nothing was written", *failures]))
    return replace(made, failures=(*made.failures, *failures))


def _settled(folder: Folder, sites: Sequence[PulledSite]) -> Pull:
    refused: dict[Key, str] = {}
    for _ in range(_MOST_TRIES):
        proposal = propose(folder, sites, refused)
        wrong = shortfalls(folder, proposal, sites)
        if not wrong:
            unchanged = sorted(_held(folder, {site.site.name for site in sites}) - proposal.files.keys())
            warnings, failures = tuple(proposal.warnings), tuple(proposal.failures)
            return Pull(proposal.files, tuple(unchanged), warnings, failures)
        refused |= wrong
    raise UnsettledError("no set of manifests was found that loads and means the live state")


def _held(folder: Folder, sites: Collection[str]) -> set[str]:
    """The files that hold something of these sites."""
    drafts = [one for one in folder.drafts.connections if one.site is None or one.site in sites]
    policies = {one.policy for one in drafts}
    held = {one.source.file for one in folder.desired.sites if one.name in sites}
    held |= {one.sources.root.file for one in folder.desired.connections if one.site in sites}
    for one in folder.drafts.declarations:
        if one.kind == "SyncPolicy" and one.name is not None and one.name.text in policies:
            held.add(one.root.file)
    return {folder.files[shown].path for shown in held}
