"""Bounds over all files of a run: what a stranger's manifests may cost whoever reads them."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.errors import LimitError
from reconciler.model.source import Fault, Source

MEBI = 1024 * 1024
LOOKED_AT = MEBI
"""How much of a file is searched for the apiVersion of a manifest."""
LOOKED_AT_TOGETHER = 256 * MEBI
"""The same for all files of a run."""


class Limit(StrEnum):
    """What is bounded, by the word of `--limit`."""

    BYTES = "bytes"
    FILES = "files"
    DOCUMENTS = "documents"
    CALENDARS = "calendars"
    FAULTS = "faults"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much all files of a run may hold together; 10,000 connections take about 3 MB."""

    bytes: int = 64 * MEBI
    """The sizes of the files, rosters too."""
    files: int = 250_000
    """What lies in the folders that are searched, whether or not it is a manifest."""
    documents: int = 100_000
    """The files' documents and the rows of rosters, empty ones too."""
    calendars: int = 500_000
    """Calendars that policies and connections name, a policy's counted for each connection that takes them over."""
    faults: int = 10_000
    """Faults of all files."""

    def of(self, limit: Limit) -> int:
        """The bound of one."""
        found: int = getattr(self, limit)
        return found


DEFAULT = Limits()
"""The limits without `--limit`."""

_EXCEEDED = {
    Limit.BYTES: "the manifests are larger than {} together",
    Limit.FILES: "the folders hold more than {} files and folders together",
    Limit.DOCUMENTS: "the manifests hold more than {} documents together",
    Limit.CALENDARS: "the connections name more than {} calendars together, a policy's once for each user",
    Limit.FAULTS: "the manifests have more than {} faults; the rest is not shown",
}


class ManifestBudget:
    """What is left of the limits while the files of a run are read."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left = {limit: limits.of(limit) for limit in Limit}
        self._unseen = LOOKED_AT_TOGETHER

    def left(self, limit: Limit) -> int:
        """How much may come yet."""
        return self._left[limit]

    def allows(self, limit: Limit, amount: int = 1) -> bool:
        """Count what is about to be read; whether the limit allows it."""
        self._left[limit] -= amount
        return self._left[limit] >= 0

    def may_look(self, size: int) -> bool:
        """Count a file of so many bytes that is about to be searched; whether the limit allows it."""
        self._unseen -= min(size, LOOKED_AT)
        return self._unseen >= 0

    def exceeded(self, limit: Limit, at: Source | None, needed: int = 0) -> LimitError:
        """The error for a limit that was exceeded at a place, with how to raise it.

        `needed` is how much there is, where that is known.
        """
        return LimitError([self.fault(limit, at, needed)])

    def fault(self, limit: Limit, at: Source | None, needed: int = 0) -> Fault:
        """The same as a fault among others."""
        most = self.limits.of(limit)
        remedy = "fix these first" if limit is Limit.FAULTS else "read fewer at once"
        hint = f"{remedy}, or raise the limit: --limit {limit}={written(limit, max(2 * most, _rounded(limit, needed)))}"
        return Fault(at, "", _EXCEEDED[limit].format(_shown(limit, most)), hint)


def _rounded(limit: Limit, needed: int) -> int:
    return -(-needed // MEBI) * MEBI if limit is Limit.BYTES and needed > MEBI else needed


def written(limit: Limit, amount: int) -> str:
    """An amount as `--limit` takes it."""
    return f"{amount // MEBI}MiB" if limit is Limit.BYTES and amount % MEBI == 0 else str(amount)


def _shown(limit: Limit, amount: int) -> str:
    if limit is not Limit.BYTES:
        return f"{amount:,}"
    return f"{amount // MEBI:,} MiB" if amount % MEBI == 0 else f"{amount:,} bytes"
