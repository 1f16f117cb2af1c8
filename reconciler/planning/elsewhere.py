"""One account on two schedules of a site, of which the manifests declare but one: accepted by the API, and a conflict.

Two manifests that say so are refused offline; what only the service knows of is told.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reconciler.model.account import folded, shown
from reconciler.model.desired import State
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Action
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.planning import providers
from reconciler.planning.ground import taken_away
from reconciler.planning.reading import Reading


def connected_elsewhere(planned: Sequence[Action], reading: Reading) -> Iterator[str]:
    """A warning for each live connection of a declared account to another schedule that the plan leaves as it is."""
    leaving = taken_away(planned)
    staying: dict[str, list[LiveConnection]] = defaultdict(list)
    for connection in reading.matching.leftovers:
        if connection.account and connection.id not in leaving:
            staying[folded(connection.account)].append(connection)
    if not staying:
        return
    for item, _ in reading.matching.pairs:
        declared = item.declared
        if declared.state is State.ABSENT:
            continue
        for other in staying.get(folded(declared.account), ()):
            elsewhere = other.schedule_id.lower() != item.schedule.id.lower()
            if (
                elsewhere
                and providers.serves(declared.provider, item.provider, other)
                and _clash(declared.sync, other.sync)
            ):
                yield (
                    f"{declared.address}: {shown(declared.account)} is connected to schedule {other.schedule_id}, too, "
                    "and no manifest declares that: both may use the same calendars; to disconnect it there, declare "
                    "it under another name, with state: absent"
                )


def _clash(declared: SyncConfig, live: SyncConfig) -> bool:
    """Whether both may import from one calendar, or both export; what is not managed may do either."""
    imports = _used(declared.imports), _used(live.imports)
    exports = _used(declared.exports), _used(live.exports)
    return (all(imports) and not _disjoint(declared.imports, live.imports)) or all(exports)


def _used(direction: Direction | None) -> bool:
    return direction is None or direction.enabled is not False


def _disjoint(one: Direction | None, other: Direction | None) -> bool:
    """Whether both name calendars, and none of them twice; calendars are compared by id, so names alone don't tell."""
    if one is None or other is None or {one.arm, other.arm} != {Arm.CALENDARS}:
        return False
    ids = [{ref.id for ref in direction.calendars} for direction in (one, other)]
    return not any(None in found for found in ids) and ids[0].isdisjoint(ids[1])
