"""Which schedule a manifest means."""

from collections.abc import Sequence

from reconciler.model.desired import DeclaredConnection, ScheduleKey
from reconciler.model.live import Schedule
from reconciler.model.source import Fault
from reconciler.planning.suggestion import did_you_mean


def resolve(declared: DeclaredConnection, schedules: Sequence[Schedule]) -> Schedule | Fault:
    """The one schedule that a declared connection is for, or why there is not exactly one.

    A schedule named by id is taken at its word: asking for it would cost a request for nothing.
    """
    ref = declared.schedule
    if ref.by is ScheduleKey.ID:
        known = (schedule for schedule in schedules if schedule.id.lower() == ref.value.lower())
        return next(known, Schedule(id=ref.value.lower(), name="", external_id=None, status=""))
    if ref.by is ScheduleKey.NAME:
        found = [schedule for schedule in schedules if schedule.name == ref.value]
    else:
        found = [schedule for schedule in schedules if schedule.external_id == ref.value]
    if len(found) == 1:
        return found[0]
    source = declared.sources.at("schedule")
    if found:
        ids = ", ".join(sorted(schedule.id for schedule in found))
        return Fault(
            source, declared.address, f"{len(found)} schedules have the {ref.by} {ref.value}", f"name one by id: {ids}"
        )
    names = [schedule.name for schedule in schedules] if ref.by is ScheduleKey.NAME else []
    hint = did_you_mean(ref.value, names) or "extcal schedules lists them"
    return Fault(source, declared.address, f"the site has no active schedule with the {ref.by} {ref.value}", hint)
