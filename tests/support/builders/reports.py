"""A few telling plans and fleets, made of values with fixed ids."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.model.account import Account
from reconciler.model.action import Attribution, Impact
from reconciler.model.consent_request import ConsentRequest, KnownRequests
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, Site, State
from reconciler.model.live import LiveSite, Schedule
from reconciler.model.plan import Plan, SitePlan, Violation
from reconciler.model.source import Fault, Source
from reconciler.model.status import FleetStatus
from reconciler.model.sync import SyncConfig
from reconciler.planning.order import ordered
from reconciler.planning.planner import plan_site
from reconciler.planning.status import status_of, unread_status
from reconciler.render.view import ReportView
from tests.support.actions import altered
from tests.support.builders.plans import (
    APPLE,
    DEDICATED,
    GOOGLE,
    MICROSOFT,
    OFF,
    PRIMARY,
    PRUNING,
    SITE,
    TIDE,
    chosen,
    declared,
    live,
    site_with,
)

MADE = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
QUAY = replace(SITE, name="quay", site_id="2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
Rename = Callable[[str], str]


def schedule(number: int) -> str:
    """The id of the schedule with this number."""
    return f"3e47ec65-2975-447c-a7ed-{number:012d}"


def _on(number: int) -> ScheduleRef:
    return ScheduleRef(ScheduleKey.ID, schedule(number))


def _email(name: str) -> str:
    return f"{name}@harbor-dental.example"


def _schedules(*names: str) -> tuple[Schedule, ...]:
    return tuple(Schedule(schedule(number), name, None, "ACTIVE") for number, name in enumerate(names))


_NAMES = ("Dr. Lee", "Dr. Patel", "Hygienist Kim", "Dr. Okafor", "Reception", "Dr. Ruiz", "Dr. Sato", "Room 2")


def _harbor_declared() -> tuple[DeclaredConnection, ...]:
    asked = SyncConfig(imports=PRIMARY, exports=DEDICATED)
    return (
        declared("lee", schedule=_on(0), account=_email("lee"), sync=asked),
        declared("patel", "google", schedule=_on(1), account=_email("patel"), sync=SyncConfig(imports=PRIMARY)),
        declared("kim", schedule=_on(2), account=_email("kim"), sync=SyncConfig(imports=PRIMARY, exports=OFF)),
        declared("okafor", schedule=_on(3), account=_email("okafor"), state=State.ABSENT),
        declared("reception", "microsoft", schedule=_on(4), account=_email("desk"), sync=SyncConfig(imports=PRIMARY)),
        declared("ruiz", schedule=_on(5), account=_email("ruiz"), sync=SyncConfig(imports=chosen("Work"))),
        declared("sato", "google", schedule=_on(6), account=_email("sato")),
        declared("room", schedule=_on(7), account=_email("room"), state=State.ABSENT),
        declared("vance", schedule=_on(10), account=_email("vance")),
        declared("west", "google", schedule=_on(11), account=_email("west")),
    )


def _harbor_live() -> LiveSite:
    config = SyncConfig(imports=PRIMARY, exports=DEDICATED)
    found = [
        live("c-kim", schedule_id=schedule(2), account=_email("kim"), sync=config),
        live("c-okafor", schedule_id=schedule(3), account=_email("okafor"), sync=config),
        live("c-former", GOOGLE, schedule_id=schedule(4), account=_email("former"), sync=config),
        live("c-ruiz", schedule_id=schedule(5), account=_email("ruiz"), sync=config, status="ERROR"),
        live("c-sato", GOOGLE, schedule_id=schedule(6), account=_email("sato"), status="SYNC_IN_PROGRESS"),
        live("c-spare", TIDE, schedule_id=schedule(7), account=_email("spare")),
        live("c-vance", schedule_id=schedule(10), account=_email("vance"), status="ERROR"),
        live("c-west", GOOGLE, schedule_id=schedule(11), account=_email("west"), status="DISCONNECTED"),
    ]
    reasons = {"c-ruiz": "TOKEN_REVOKED", "c-vance": "ACCOUNT_SUSPENDED"}
    found = [replace(c, error_reason=reasons.get(c.id)) for c in found]
    return site_with(*found, schedules=_schedules(*_NAMES))


def telling() -> Plan:
    """One action of every kind, a broken guard, a fault, a warning, origins and an impact."""
    made = plan_site(PRUNING, _harbor_declared(), _harbor_live())
    actions = tuple(
        replace(
            action,
            attribution=Attribution.DRIFT if action.address.endswith("/kim") else Attribution.THIS_CHANGE,
            impact=Impact(42, 30) if action.kind.disconnects else None,
        )
        if action.kind.writes
        else action
        for action in made.actions
    )
    return ordered(Plan((replace(made, actions=actions), _quay_plan())))


def asked() -> ReportView:
    """What is known when reports are made: `west` was asked twice, `desk` not by mail, nothing is known of the rest."""
    twice = (MADE - timedelta(days=5), MADE - timedelta(days=2, hours=3))
    found = (
        ConsentRequest("harbor/west", Account(_email("west")), MADE - timedelta(days=12), twice, "<first@x.example>"),
        ConsentRequest("harbor/reception", Account(_email("desk")), MADE - timedelta(hours=5)),
    )
    by_key = {(SITE.site_id, each.address, each.account): each for each in found}
    return ReportView(requests=KnownRequests(by_key, MADE))


def _quay_plan() -> SitePlan:
    source = Source("quay/connections.yaml", 12, 13)
    return SitePlan(
        QUAY,
        faults=(Fault(source, "quay/lab", "the site has no provider tidewater", "did you mean Tide?"),),
        warnings=("quay: no connection is declared, so nothing is pruned: 1 live connection stays",),
    )


def nothing_to_do() -> Plan:
    """Everything is as declared."""
    return Plan((plan_site(SITE, [declared()], site_with(live())),))


def fleet() -> FleetStatus:
    """A connection of every health, and a site that could not be read."""
    manifests = (
        *(replace(c, site=SITE.name) for c in _harbor_declared()),
        declared("rota", "microsoft", schedule=_on(8), account=_email("rota")),
        declared("chan", "microsoft", schedule=_on(9), account=_email("chan")),
    )
    seen = _harbor_live()
    seen = replace(
        seen,
        connections=(*seen.connections, live("c-chan", MICROSOFT, schedule_id=schedule(9), account=_email("chan"))),
    )
    harbor = plan_site(SITE, manifests, seen)
    faults = (Fault(Source("lee.yaml", 1, 1), "harbor/rota", "provider Tide can't export events", "leave it out"),)
    harbor = replace(harbor, faults=faults)
    gone = SitePlan(QUAY, faults=(Fault(QUAY.source, "quay", "ListConnections: HTTP 401: the key is not valid"),))
    lab = replace(declared("lab"), site="quay")
    return FleetStatus((status_of(harbor, manifests, seen), unread_status(gone, [lab])))


def renamed(plan: Plan, names: Sequence[str]) -> Plan:
    """A plan whose every text from outside is one of `names`, in turn."""
    turn = iter(range(10_000_000))

    def name() -> str:
        return names[next(turn) % len(names)]

    def site(made: SitePlan) -> SitePlan:
        there = replace(made.site, name=name(), site_id=name())
        actions = tuple(
            altered(a, address=f"{there.name}/{name()}", site=there.name, schedule_id=name(), schedule_name=name())
            for a in made.actions
        )
        actions = tuple(altered(a, provider=name(), account=name(), connection_id=name()) for a in actions)
        actions = tuple(replace(a, error_reason=name()) if a.error_reason else a for a in actions)
        return replace(
            made,
            site=there,
            actions=tuple(replace(a, changes=tuple(replace(c, after=name()) for c in a.changes)) for a in actions),
            faults=tuple(replace(fault, message=name(), hint=name(), where=name()) for fault in made.faults),
            violations=(Violation("max-disconnects", name(), name()),),
            warnings=tuple(name() for _ in made.warnings),
        )

    return Plan(tuple(map(site, plan.sites)))


def fleet_renamed(found: FleetStatus, names: Sequence[str]) -> FleetStatus:
    """A fleet whose every text from outside is one of `names`, in turn."""
    turn = iter(range(10_000_000))

    def name() -> str:
        return names[next(turn) % len(names)]

    sites = []
    for status in found.sites:
        there = replace(status.site, name=name(), site_id=name())
        connections = tuple(
            replace(
                c,
                address=f"{there.name}/{name()}",
                site=there.name,
                schedule=name(),
                provider=name(),
                account=Account(name()),
                fault=None if c.fault is None else replace(c.fault, message=name(), hint=name()),
                action=replace(c.action, error_reason=name()) if c.action and c.action.error_reason else c.action,
            )
            for c in status.connections
        )
        unread = None if status.unread is None else replace(status.unread, message=name())
        sites.append(replace(status, site=there, connections=connections, unread=unread))
    return FleetStatus(tuple(sites))


def large(sites: int, each: int) -> tuple[Plan, FleetStatus]:
    """A plan and a status of `sites` sites with `each` connections, of which one in three is to be disconnected."""
    plans: list[SitePlan] = []
    statuses = []
    for number in range(sites):
        site: Site = replace(SITE, name=f"site-{number:04d}", site_id=schedule(number))
        manifests = [
            replace(
                declared(
                    f"c{n}", ("apple", "google")[n % 2], schedule=_on(n), account=f"staff{n}@harbor-dental.example"
                ),
                site=site.name,
                state=State.ABSENT if n % 3 == 0 else State.PRESENT,
            )
            for n in range(each)
        ]
        seen = site_with(
            *(
                live(
                    f"l{n}", (APPLE, GOOGLE)[n % 2], schedule_id=schedule(n), account=f"staff{n}@harbor-dental.example"
                )
                for n in range(each)
                if n % 5
            )
        )
        made = plan_site(site, manifests, seen)
        plans.append(made)
        statuses.append(status_of(made, manifests, seen))
    return Plan(tuple(plans)), FleetStatus(tuple(statuses))
