"""Joining what the shards of a fleet found, each on its own machine: saved plans into one plan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.model.plan import Plan
from reconciler.model.shards import Shards, spans
from reconciler.planning.order import ordered


class MergeError(ExtcalError):
    """Files that can't be joined; the text names them and says what to do."""


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A saved plan and the file that it came from."""

    file: Path
    plan: Plan


class Owners:
    """Which file each site came in; a site is known by its id and by its name, since addresses begin with that."""

    def __init__(self) -> None:
        self._by_id: dict[str, Path] = {}
        self._by_name: dict[str, Path] = {}

    def claim(self, file: Path, name: str, site_id: str | None = None) -> None:
        """Note that a site is in `file`; raises MergeError where it is in another one too."""
        by_id = file if site_id is None else self._by_id.setdefault(site_id.lower(), file)
        for other in (by_id, self._by_name.setdefault(name, file)):
            if other is not file:
                raise MergeError(f"site {name} is in {other} and in {file}: a site is planned once; leave one file out")


def merged_plan(parts: Sequence[PlanPart]) -> Plan:
    """One plan of all, as if the fleet had been planned at once: what waits for another site is found anew.

    Its shards are None where nothing is missing. Raises MergeError.
    """
    shards = merged_shards((part.file, part.plan.shards) for part in parts)
    owners = Owners()
    for part in parts:
        for site in part.plan.sites:
            owners.claim(part.file, site.site.name, site.site.site_id)
    sites = sorted((site for part in parts for site in part.plan.sites), key=lambda site: site.site.name)
    return ordered(Plan(tuple(sites), shards))


def merged_shards(parts: Iterable[tuple[Path, Shards | None]]) -> Shards | None:
    """Which shards the files hold together; None where that is all of them, or where no file is of a shard.

    Raises MergeError where a shard is there twice, or where the fleet was cut in different ways.
    """
    first: tuple[Path, int] | None = None
    holders: dict[int, Path] = {}
    for file, shards in parts:
        if shards is None:
            continue
        first = first or (file, shards.of)
        if shards.of != first[1]:
            raise MergeError(f"{first[0]} is of {first[1]} shards and {file} of {shards.of}: join those of one run")
        for number in shards.numbers:
            if holders.setdefault(number, file) is not file:
                raise MergeError(f"shard {number} of {shards.of} is in {holders[number]} and in {file}: leave one out")
    if first is None or len(holders) == first[1]:
        return None
    return Shards(first[1], tuple(sorted(holders)))


def missing(shards: Shards) -> str:
    """Which shards were not among the files, as a message."""
    lacking = shards.missing
    subject = f"shard {spans(lacking)} of {shards.of} is" if len(lacking) == 1 else f"shards {spans(lacking)} are"
    return f"{subject} missing among the files, so this is only a part of the fleet; see what became of it"
