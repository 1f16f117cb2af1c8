"""Finds the schedule and the calendars that a manifest means."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciler.model.desired import DeclaredConnection, ScheduleKey
from reconciler.model.live import Schedule
from reconciler.model.source import Fault
from reconciler.model.sync import Arm, CalendarRef, Direction
from reconciler.text import did_you_mean, listed


def named_calendars(direction: Direction | None, have: Direction | None = None) -> tuple[CalendarRef, ...]:
    """The calendars that a direction names and that matter; one that is or stays switched off names none.

    `have` is the live direction, which decides where the manifest does not say whether it is on; without one it
    counts as on.
    """
    if direction is None or direction.arm is not Arm.CALENDARS:
        return ()
    works = (have is None or bool(have.enabled)) if direction.enabled is None else direction.enabled
    return direction.calendars if works else ()


def calendars_unresolved(wanted: Iterable[CalendarRef], known: Sequence[CalendarRef]) -> bool:
    """Whether `known` leaves open which calendars are wanted, so that the account's list must be asked for."""
    return any(len(_candidates(ref, known)) != 1 for ref in wanted)


class UnresolvedCalendarError(Exception):
    """A calendar that the account does not have, or not for certain: `message` says so, `hint` what would be right."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}; {hint}")
        self.message = message
        self.hint = hint


def resolve_calendars(wanted: Iterable[CalendarRef], known: Sequence[CalendarRef]) -> tuple[CalendarRef, ...]:
    """The wanted calendars with their ids, ordered by id, each once.

    Raises UnresolvedCalendarError for the first one that `known` does not settle.
    """
    found: dict[str, CalendarRef] = {}
    for ref in wanted:
        candidates = _candidates(ref, known)
        if len(candidates) == 1:
            found[candidates[0].id or ""] = candidates[0]
            continue
        if candidates:
            choices = ", ".join(f"{{id: {candidate.id}}}" for candidate in candidates)
            message = f"the account has {len(candidates)} calendars named {ref.name}"
            raise UnresolvedCalendarError(message, f"name one by id: {choices}")
        names = [candidate.name for candidate in known if candidate.name]
        hint = did_you_mean(ref.name or ref.id or "", names) or f"it has: {listed(names)}"
        raise UnresolvedCalendarError(f"the account has no calendar {ref}", hint)
    return tuple(found[key] for key in sorted(found))


def _candidates(ref: CalendarRef, known: Sequence[CalendarRef]) -> list[CalendarRef]:
    if ref.id is not None:
        same = [candidate for candidate in known if candidate.id == ref.id]
    else:
        same = [candidate for candidate in known if candidate.name == ref.name]
    return list({candidate.id: candidate for candidate in same}.values())


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


def resolve_schedule(declared: DeclaredConnection, schedules: Schedules) -> Schedule | Fault:
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
