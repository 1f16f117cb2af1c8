"""Finds the schedule and the calendars that a manifest means."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef
from reconciler.model.live import LiveSite, Schedule
from reconciler.model.source import Fault
from reconciler.model.sync import Arm, CalendarRef, Direction
from reconciler.text import cut, did_you_mean, listed

_LONGEST_ID = 80


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
        raise UnresolvedCalendarError(f"the account has no calendar {ref}", _what_it_has(ref, known))
    return tuple(found[key] for key in sorted(found))


def _what_it_has(ref: CalendarRef, known: Sequence[CalendarRef]) -> str:
    """What could be meant by a calendar that is not there."""
    names = [candidate.name for candidate in known if candidate.name]
    if ref.id is not None and ref.name in names:
        ids = [candidate.id for candidate in known if candidate.id is not None and candidate.name == ref.name]
        return f"what is called {ref.name} now has the id {listed(ids)}"
    return did_you_mean(ref.name or ref.id or "", names) or f"it has: {listed(names)}"


def _candidates(ref: CalendarRef, known: Sequence[CalendarRef]) -> list[CalendarRef]:
    if ref.id is not None:
        same = [candidate for candidate in known if candidate.id == ref.id]
    else:
        same = [candidate for candidate in known if candidate.name == ref.name]
    return list({candidate.id: candidate for candidate in same}.values())


@dataclass(frozen=True, slots=True)
class ScheduleQuery:
    """What is asked of a site's schedules: those with one of these external ids (all if none) of one of these apps."""

    external_ids: tuple[str, ...]
    app_ids: tuple[str, ...]


def schedule_query(declared: Iterable[DeclaredConnection]) -> ScheduleQuery | None:
    """What must be asked of the schedules, None where each is named by its id."""
    refs = {connection.schedule for connection in declared if connection.schedule.by is not ScheduleKey.ID}
    return _query(refs) if refs else None


def query_beyond(declared: Iterable[DeclaredConnection], schedules: "Schedules") -> ScheduleQuery | None:
    """What must be asked of the schedules of every app, None where each reference means some of its own app's."""
    refs = {connection.schedule for connection in declared}
    missing = {ref for ref in refs if ref.by is not ScheduleKey.ID and not schedules.of_app(ref)}
    return replace(_query(missing), app_ids=()) if missing else None


def schedules_unresolved(declared: Iterable[DeclaredConnection], schedules: "Schedules") -> bool:
    """Whether a reference that is not an id does not mean exactly one of these schedules."""
    refs = {connection.schedule for connection in declared}
    return any(ref.by is not ScheduleKey.ID and len(schedules.meant(ref)) != 1 for ref in refs)


def _query(refs: Collection[ScheduleRef]) -> ScheduleQuery:
    by_name = any(ref.by is ScheduleKey.NAME for ref in refs)
    external_ids = () if by_name else tuple(sorted({ref.value for ref in refs}))
    return ScheduleQuery(external_ids, tuple(sorted({ref.app_id for ref in refs})))


class Schedules:
    """The schedules of a site, to be found by whatever a manifest names one by.

    `listed` is what the service answers when it is asked for those of the references' apps, `others` what it answers
    beyond that when it is asked for those of every app. Whether it heeds the question is not known, nor whether it says
    of which app a schedule is. So of what is listed, the schedules that show the app are meant; where none of the same
    name does, those that show no app. None of the others is meant by a name. An external id that only one schedule of
    the site has means that one, whatever its app.
    """

    def __init__(self, listed: Iterable[Schedule], others: Iterable[Schedule] = ()) -> None:
        self._listed, self._others = _indexed(listed), _indexed(others)

    def meant(self, ref: ScheduleRef) -> list[Schedule]:
        """Those that the reference means; it is good where that is one."""
        every = self.named(ref)
        if ref.by is ScheduleKey.ID:
            return every
        unambiguous = ref.by is ScheduleKey.EXTERNAL_ID and len(every) == 1
        return self.of_app(ref) or (every if unambiguous else [])

    def of_app(self, ref: ScheduleRef) -> list[Schedule]:
        """Those with the reference's name or external id that are of its app, as far as the service says."""
        listed = self._listed.get((ref.by, ref.value), [])
        own = [schedule for schedule in listed if schedule.app_id == ref.app_id]
        return own or [schedule for schedule in listed if schedule.app_id is None]

    def named(self, ref: ScheduleRef) -> list[Schedule]:
        """All that have the reference's name or id, whatever their app."""
        key = (ref.by, ref.value)
        return [*self._listed.get(key, ()), *self._others.get(key, ())]

    def names(self, app_id: str) -> list[str]:
        """Every name that means something among the schedules of an app."""
        return [
            value
            for (by, value), found in self._listed.items()
            if by is ScheduleKey.NAME and any(schedule.app_id in {app_id, None} for schedule in found)
        ]


def _indexed(schedules: Iterable[Schedule]) -> dict[tuple[ScheduleKey, str], list[Schedule]]:
    found: dict[tuple[ScheduleKey, str], list[Schedule]] = defaultdict(list)
    for schedule in schedules:
        found[ScheduleKey.ID, schedule.id].append(schedule)
        found[ScheduleKey.NAME, schedule.name].append(schedule)
        found[ScheduleKey.EXTERNAL_ID, schedule.external_id or ""].append(schedule)
    return dict(found)


def schedules_of(live: LiveSite) -> Schedules:
    """The schedules of an observed site."""
    return Schedules(live.schedules, live.other_schedules)


def resolve_schedule(declared: DeclaredConnection, schedules: Schedules) -> Schedule | Fault:
    """The one schedule that a declared connection is for, or why there is not exactly one.

    A schedule named by id is taken at its word: asking for it would cost a request for nothing.
    """
    ref = declared.schedule
    found = schedules.meant(ref)
    if ref.by is ScheduleKey.ID:
        return found[0] if found else Schedule(id=ref.value, name=ref.name or "", external_id=None, status="")
    if len(found) == 1:
        return found[0]
    source = declared.sources.at("schedule")
    if found:
        message = f"{len(found)} schedules have the {ref.by} {ref.value}"
        return Fault(source, declared.address, message, _by_id(found))
    if others := schedules.named(ref):
        only = "one of another app" if len(others) == 1 else f"{len(others)} of other apps"
        message = f"no schedule of the app {ref.app_id} has the {ref.by} {ref.value}, only {only}"
        return Fault(source, declared.address, message, f"{_by_id(others)}; or {_set_app(others)}")
    names = schedules.names(ref.app_id) if ref.by is ScheduleKey.NAME else []
    hint = did_you_mean(ref.value, names) or "extcal schedules lists them"
    return Fault(source, declared.address, f"the site has no active schedule with the {ref.by} {ref.value}", hint)


def _by_id(candidates: Iterable[Schedule]) -> str:
    return f"name one by id: {listed([_candidate(schedule) for schedule in candidates])}"


def _candidate(schedule: Schedule) -> str:
    app = f"app {cut(schedule.app_id, _LONGEST_ID)}" if schedule.app_id else "app not shown"
    external = f"externalId {cut(schedule.external_id, _LONGEST_ID)}" if schedule.external_id else "no externalId"
    return f"{schedule.id} ({app}, {external})"


def _set_app(others: Iterable[Schedule]) -> str:
    """What to write in the Site, with the app's id where it is not in question."""
    apps = {schedule.app_id for schedule in others}
    app_id = (next(iter(apps)) if len(apps) == 1 else None) or "…"
    return f"set schedules: {{appId: {cut(app_id, _LONGEST_ID)}}} in the Site"
