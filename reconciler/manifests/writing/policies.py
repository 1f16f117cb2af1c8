"""Sync configs that several new connections share, factored out into policies that are named for what they do."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.manifests.writing.naming import Taken
from reconciler.manifests.writing.pulled import Entry
from reconciler.model.sync import Arm, Direction, SyncConfig

_SHARED_BY = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """A sync config to share."""

    name: str
    sync: SyncConfig


def factor_out(
    entries: Sequence[Entry], existing: Mapping[SyncConfig, str], site: str, taken: Taken
) -> tuple[list[Entry], list[Policy]]:
    """The entries with their policies, and those policies that are new.

    `existing` are policies that connections of the site use already, by what they say.
    """
    counts = Counter(entry.declared.sync for entry in entries if _sharable(entry.declared.sync))
    names = {sync: existing[sync] for sync in counts if sync in existing}
    new: list[Policy] = []
    for sync in sorted((sync for sync in counts if sync not in names), key=policy_name):
        if counts[sync] >= _SHARED_BY:
            name = policy_name(sync)
            names[sync] = taken.take(name, f"{site}-{name}")
            new.append(Policy(names[sync], sync))
    return [replace(entry, policy=names.get(entry.declared.sync)) for entry in entries], new


def _sharable(sync: SyncConfig) -> bool:
    """Whether it may hold for other accounts: one that names calendars is its account's own."""
    return sync != SyncConfig() and not (sync.imports is not None and sync.imports.arm is Arm.CALENDARS)


def policy_name(sync: SyncConfig) -> str:
    """What a sync config does, as a name: `import-primary-export-dedicated`."""
    parts = [*_parts("import", sync.imports), *_parts("export", sync.exports)]
    return "-".join(parts) or "no-sync"


def _parts(verb: str, direction: Direction | None) -> Iterable[str]:
    if direction is None or not direction.enabled:
        return ()
    return (verb,) if direction.arm is None else (verb, direction.arm.removesuffix("Calendar"))
