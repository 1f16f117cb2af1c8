"""Which schedule a manifest means."""

from collections import defaultdict
from collections.abc import Iterable

from reconciler.model.desired import DeclaredConnection, ScheduleKey
from reconciler.model.live import Schedule
from reconciler.model.source import Fault
from reconciler.text import did_you_mean


class Schedules:
    """The schedules of a site, to be found by whatever a manifest names one by."""

    def __init__(self, schedules: Iterable[Schedule]) -> None:
        self._by: dict[tuple[ScheduleKey, str], list[Schedule]] = defaultdict(list)
        for schedule in schedules:
            self._by[ScheduleKey.ID, schedule.id].append(schedule)
            self._by[ScheduleKey.NAME, schedule.name].append(schedule)
            self._by[ScheduleKey.EXTERNAL_ID, schedule.external_id or ""].append(schedule)

    def named(self, by: ScheduleKey, value: str) -> list[Schedule]:
        """Those that `value` means."""
        return self._by.get((by, value), [])

    def names(self) -> list[str]:
        """Every name."""
        return [value for by, value in self._by if by is ScheduleKey.NAME]


def resolve(declared: DeclaredConnection, schedules: Schedules) -> Schedule | Fault:
    """The one schedule that a declared connection is for, or why there is not exactly one.

    A schedule named by id is taken at its word: asking for it would cost a request for nothing.
    """
    ref = declared.schedule
    if ref.by is ScheduleKey.ID:
        known = schedules.named(ref.by, ref.value)
        return known[0] if known else Schedule(id=ref.value, name="", external_id=None, status="")
    found = schedules.named(ref.by, ref.value)
    if len(found) == 1:
        return found[0]
    source = declared.sources.at("schedule")
    if found:
        ids = ", ".join(sorted(schedule.id for schedule in found))
        return Fault(
            source, declared.address, f"{len(found)} schedules have the {ref.by} {ref.value}", f"name one by id: {ids}"
        )
    names = schedules.names() if ref.by is ScheduleKey.NAME else []
    hint = did_you_mean(ref.value, names) or "extcal schedules lists them"
    return Fault(source, declared.address, f"the site has no active schedule with the {ref.by} {ref.value}", hint)
