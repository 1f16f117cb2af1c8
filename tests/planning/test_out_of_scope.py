"""Which live connections no manifest answers for, and when nobody can tell."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.desired import ScheduleKey, ScheduleRef, Scope
from reconciler.model.live import Schedule, Status
from reconciler.model.plan import SitePlan
from reconciler.planning.status import status_of
from tests.support.builders.plans import (
    GOOGLE,
    OTHER_SCHEDULE,
    PRUNING,
    SITE,
    declared,
    live,
    planned,
    site_with,
)

KEPT = live("kept", GOOGLE, schedule_id=OTHER_SCHEDULE, account="kept@harbor.example")
THERE = site_with(live(), KEPT)


def outside(plan: SitePlan) -> list[str | None]:
    """The ids of what is out of scope."""
    return [action.connection_id for action in plan.out_of_scope]


def test_what_stands_on_a_schedule_that_nobody_names() -> None:
    """Whether the site prunes or not: it is neither pruned nor unmanaged."""
    for site in (SITE, PRUNING):
        plan = planned(declared(), on=THERE, site=site)
        assert outside(plan) == ["kept"]
        assert [action.address for action in plan.actions] == ["harbor/lee"]
    assert outside(planned(on=THERE)) == ["c1", "kept"]


def test_what_is_in_scope_is_not() -> None:
    """One that is undeclared on a named schedule is unmanaged; with `scope: site` every one is."""
    beside = live("beside", account="beside@harbor.example")
    assert outside(planned(declared(), on=site_with(live(), beside))) == []
    assert outside(planned(declared(), on=THERE, site=replace(SITE, scope=Scope.SITE))) == []


def test_what_is_disconnected_or_in_error() -> None:
    """The former is not connected; the latter may work again any day."""
    assert outside(planned(declared(), on=site_with(live(), replace(KEPT, status=Status.DISCONNECTED)))) == []
    assert outside(planned(declared(), on=site_with(live(), replace(KEPT, status=Status.ERROR)))) == ["kept"]


def test_when_nobody_can_tell() -> None:
    """Of chosen connections, of a site that was read in part, and where a manifest's schedule is not found."""
    assert outside(planned(declared(), on=THERE, only=frozenset({"harbor/lee"}))) == []
    assert outside(planned(declared(), on=replace(THERE, failed_provider_ids=("p-google",)))) == []
    unknown = declared("x", account="x@harbor.example", schedule=ScheduleRef(ScheduleKey.NAME, "Nobody"))
    assert outside(planned(declared(), unknown, on=THERE)) == []


def test_its_schedule_has_the_name_that_is_known() -> None:
    """Where schedules were read anyway."""
    read = replace(THERE, schedules=(Schedule(OTHER_SCHEDULE, "Hygienist Kim", None, "ACTIVE"),))
    plan = planned(declared(), on=read)
    assert [action.schedule_name for action in plan.out_of_scope] == ["Hygienist Kim"]
    (status,) = status_of(plan, [declared()], read).out_of_scope
    assert (status.schedule, status.live_status, status.address) == ("Hygienist Kim", "SYNCED", "harbor/id:kept")


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Status)), max_size=12), st.sets(st.integers(0, 5)))
def test_every_live_connection_is_told_of_once(on: list[tuple[int, Status]], named: set[int]) -> None:
    """What is connected is declared, unmanaged or out of scope, and exactly one of these."""
    schedule = OTHER_SCHEDULE[:-1]
    connections = [
        live(f"c{n}", schedule_id=f"{schedule}{place}", account=f"a{n}@harbor.example", status=status.value)
        for n, (place, status) in enumerate(on)
    ]
    manifests = [
        declared(
            f"d{place}", account=f"d{place}@harbor.example", schedule=ScheduleRef(ScheduleKey.ID, f"{schedule}{place}")
        )
        for place in sorted(named)
    ]
    plan = planned(*manifests, on=site_with(*connections))
    told = sorted([*outside(plan), *(action.connection_id for action in plan.actions if action.connection_id)], key=str)
    assert told == sorted(each.id for each in connections if each.status != Status.DISCONNECTED)
    assert [each for each in connections if each.id in outside(plan) and int(each.schedule_id[-1]) in named] == []
