"""Gives schedules their names, which are for people alone: nothing is planned by them.

Manifests have the names of some, and others were read to find what manifests mean. Which ones are worth a request
beyond that is said here: a site where all is as declared needs none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import DeclaredConnection, ScheduleKey
from reconciler.model.live import LiveSite
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.status import MOST_OUT_OF_SCOPE, ConnectionStatus, FleetStatus, Health, SiteStatus

Names = Mapping[str, str]
"""The names of a site's schedules, by their ids."""

_AGREEING = {Health.OK, Health.SYNCING, Health.ABSENT}


@dataclass(frozen=True, slots=True)
class LackingNames:
    """The ids of the schedules of a site whose names are not known.

    `telling` are those of what is to be looked at, `others` those of what is as declared.
    """

    telling: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def asked(self, at_once: int) -> tuple[str, ...]:
        """Those to ask for, so many in a request: all that are telling, and of the others what fits beside them."""
        requests = -(-len(self.telling) // at_once)
        return (*self.telling, *self.others)[: requests * at_once]


def known_names(declared: Iterable[DeclaredConnection], live: LiveSite) -> Names:
    """What is known without asking: the names beside ids in manifests, and those of schedules that were read."""
    refs = (connection.schedule for connection in declared)
    written = {ref.value: ref.name for ref in refs if ref.by is ScheduleKey.ID and ref.name}
    return written | {each.id: each.name for each in (*live.other_schedules, *live.schedules) if each.name}


def named_actions(actions: Iterable[Action], names: Names) -> tuple[Action, ...]:
    """The actions, those without a schedule's name with the one that is known."""
    return tuple(
        replace(action, schedule_name=names[action.schedule_id])
        if not action.schedule_name and action.schedule_id in names
        else action
        for action in actions
    )


def lacking_in_plan(plan: Plan) -> dict[str, LackingNames]:
    """The names that a plan lacks, by the names of its sites."""
    return {site.site.name: _lacking((a.schedule_id, _tells(a)) for a in _unnamed(site)) for site in plan.sites}


def _unnamed(site: SitePlan) -> Iterable[Action]:
    return (action for action in site.actions if not action.schedule_name)


def _tells(action: Action) -> bool:
    return action.kind is not ActionKind.NOOP


def lacking_in_status(fleet: FleetStatus) -> dict[str, LackingNames]:
    """The names that a status lacks, by the names of its sites; one that could not be read lacks none."""
    return {
        site.site.name: _lacking(
            (each.schedule_id, tells)
            for each, tells in _shown(site)
            if each.schedule_id is not None and not each.schedule
        )
        for site in fleet.sites
        if site.unread is None
    }


def _shown(site: SiteStatus) -> Iterator[tuple[ConnectionStatus, bool]]:
    """What is shown of a site, and whether it is to be looked at; of what is out of scope only the first are."""
    yield from ((each, each.health not in _AGREEING) for each in site.connections)
    yield from ((each, place < MOST_OUT_OF_SCOPE) for place, each in enumerate(site.out_of_scope))


def _lacking(schedules: Iterable[tuple[str, bool]]) -> LackingNames:
    telling: dict[str, None] = {}
    others: dict[str, None] = {}
    for schedule_id, tells in schedules:
        (telling if tells else others)[schedule_id] = None
    return LackingNames(tuple(telling), tuple(each for each in others if each not in telling))


def with_names_in_plan(plan: Plan, names: Mapping[str, Names]) -> Plan:
    """The plan with names, by the names of its sites and the ids of their schedules; those it has stay."""
    return replace(plan, sites=tuple(_named_site(site, names.get(site.site.name, {})) for site in plan.sites))


def _named_site(site: SitePlan, names: Names) -> SitePlan:
    if not names:
        return site
    outside = named_actions(site.out_of_scope, names)
    return replace(site, actions=named_actions(site.actions, names), out_of_scope=outside)


def with_names_in_status(fleet: FleetStatus, names: Mapping[str, Names]) -> FleetStatus:
    """The status with names, in the same way."""
    return replace(fleet, sites=tuple(_named_status(site, names.get(site.site.name, {})) for site in fleet.sites))


def _named_status(site: SiteStatus, names: Names) -> SiteStatus:
    def named(status: ConnectionStatus) -> ConnectionStatus:
        found = names.get(status.schedule_id or "")
        return status if status.schedule or found is None else replace(status, schedule=found)

    connections, outside = (tuple(map(named, some)) for some in (site.connections, site.out_of_scope))
    return replace(site, connections=connections, out_of_scope=outside)
