"""Says which schedules are enough to read where only some connections are planned.

All that a plan says of one connection rests on its schedule: matching, what gives way to it, what a later apply looks
at again. One thing counts the whole site: `maxDisconnects` is a share of all connections in scope, and lets a single
disconnect through whatever the share. So a reading may be narrowed where the chosen connections can't come to more
than one disconnect, and is whole otherwise: a tombstone takes all that fit it. Pruning and what is unmanaged are not
planned for chosen connections.
"""

from collections.abc import Iterable

from reconciler.model.desired import DeclaredConnection, ScheduleKey, Site, State
from reconciler.model.source import Fault
from reconciler.planning import lookup

# More take several requests, and one for all of them is the cheaper one.
_MOST = 100


def narrowable(
    site: Site, declared: Iterable[DeclaredConnection], only: frozenset[str] | None
) -> tuple[DeclaredConnection, ...]:
    """The chosen ones of the declared connections of a site, where reading their schedules is enough; else none."""
    if only is None:
        return ()
    chosen = tuple(connection for connection in declared if connection.address in only)
    takes_away = (site.prune and len(chosen) > 1) or any(c.state is State.ABSENT for c in chosen)
    return () if takes_away else chosen


def needs_schedules(chosen: Iterable[DeclaredConnection]) -> bool:
    """Whether `schedule_ids` has to know the site's schedules."""
    return any(connection.schedule.by is not ScheduleKey.ID for connection in chosen)


def schedule_ids(chosen: Iterable[DeclaredConnection], known: lookup.Schedules) -> tuple[str, ...]:
    """The ids of the schedules to read; empty where all are to be read.

    A connection whose schedule can't be told has a fault, and nothing is read for it.
    """
    resolved = (lookup.resolve_schedule(connection, known) for connection in chosen)
    ids = tuple(sorted({schedule.id for schedule in resolved if not isinstance(schedule, Fault)}))
    return ids if len(ids) <= _MOST else ()
