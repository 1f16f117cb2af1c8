"""Compares the names that stand beside ids in manifests with what the service calls these things now."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.desired import ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.model.sync import Direction
from reconciler.planning import actions, diff, lookup
from reconciler.planning.match import Resolved
from reconciler.planning.resolve import ResolvedSite


@dataclass(frozen=True, slots=True)
class RenamedReference:
    """A schedule, or a calendar by its `index` in the manifest's list, that is called otherwise than written there."""

    address: str
    id: str
    before: str
    after: str
    index: int | None = None
    by_external_id: bool = False

    @property
    def kind(self) -> str:
        """What was renamed, in the manifest's word."""
        return "schedule" if self.index is None else "calendar"

    def __str__(self) -> str:
        return (
            f"{self.address}: the manifest calls its {self.kind} {self.before}, and the service {self.after} "
            f"[{self.id}]; its id counts, and extcal pin compares names and writes new ones"
        )


def renamed(resolved: ResolvedSite, live: LiveSite) -> Iterator[RenamedReference]:
    """Every pinned name of matched connections that is another one at the service, as far as the names were read."""
    schedules = lookup.schedules_of(live) if live.schedules or live.other_schedules else None
    for item, connection in resolved.matching.pairs:
        label = item.declared.schedule.label
        if schedules is not None and label is not None:
            yield from _schedule(item, label, schedules)
        imports = item.declared.sync.imports
        if connection is not None and imports is not None and imports.calendars:
            yield from _calendars(item, connection, live)


def _schedule(item: Resolved, label: ScheduleRef, schedules: lookup.Schedules) -> Iterator[RenamedReference]:
    ref = item.declared.schedule
    for found in schedules.meant(ref):
        external = label.by is ScheduleKey.EXTERNAL_ID
        now = found.external_id if external else found.name
        if now and now != label.value:
            yield RenamedReference(item.declared.address, ref.value, label.value, now, by_external_id=external)


def _calendars(item: Resolved, connection: LiveConnection, live: LiveSite) -> Iterator[RenamedReference]:
    declared = item.declared
    if declared.state is State.ABSENT:
        return
    imports = diff.managed(declared.sync, declared.lifecycle.ignore_changes).imports
    known = actions.known_calendars(connection, live.calendars.get(connection.id))
    names = {calendar.id: calendar.name for calendar in known if calendar.name}
    for index, ref in enumerate(lookup.named_calendars(imports, connection.sync.imports or Direction())):
        now = names.get(ref.id)
        if ref.id is not None and ref.name is not None and now is not None and now != ref.name:
            yield RenamedReference(declared.address, ref.id, ref.name, now, index)
