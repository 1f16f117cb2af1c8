"""Labels schedules for people: by name where that is known, else by id."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.plan import SitePlan
from reconciler.model.status import SiteStatus
from reconciler.render.view import ReportView
from reconciler.text import clipped, one_line


@dataclass(frozen=True, slots=True)
class ScheduleLabel:
    """A schedule as it is shown; `name` is empty where none is known, `id` where the name is enough. Both are inert."""

    name: str
    id: str

    def __str__(self) -> str:
        return f"{self.name} [{self.id}]" if self.name and self.id else self.name or self.id


class ScheduleLabels:
    """The labels of a site's schedules, given by (name, id).

    An id stands beside the name with `wide`, and where several schedules have one name: a member of staff has two.
    """

    def __init__(self, schedules: Iterable[tuple[str | None, str | None]], *, wide: bool) -> None:
        self._wide = wide
        self._ids: dict[str, set[str]] = defaultdict(set)
        for name, id_ in schedules:
            if name and id_:
                self._ids[one_line(name)].add(id_)

    def of(self, name: str | None, id_: str | None) -> ScheduleLabel:
        """The label of one."""
        shown = one_line(name or "")
        if not shown:
            return ScheduleLabel("", clipped(id_) if id_ else "")
        beside = id_ and (self._wide or len(self._ids[shown]) > 1)
        return ScheduleLabel(clipped(shown), clipped(id_) if id_ and beside else "")


def labels_in_plan(site: SitePlan, view: ReportView) -> ScheduleLabels:
    """How the schedules in the plan of a site are shown."""
    return ScheduleLabels(((each.schedule_name, each.schedule_id) for each in site.actions), wide=view.wide)


def labels_in_status(site: SiteStatus, view: ReportView) -> ScheduleLabels:
    """How the schedules in the status of a site are shown."""
    return ScheduleLabels(
        ((each.schedule, each.schedule_id) for each in (*site.connections, *site.out_of_scope)), wide=view.wide
    )
