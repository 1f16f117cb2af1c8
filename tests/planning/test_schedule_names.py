"""Which names of schedules are worth a request, and where they are put."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.desired import ScheduleKey, ScheduleRef
from reconciler.model.live import Schedule
from reconciler.model.plan import Plan
from reconciler.model.status import FleetStatus
from reconciler.planning.schedule_names import (
    LackingNames,
    known_names,
    lacking_in_plan,
    lacking_in_status,
    with_names_in_plan,
    with_names_in_status,
)
from reconciler.planning.status import status_of, unread_status
from tests.support.builders.plans import (
    OTHER_SCHEDULE,
    SCHEDULE,
    SITE,
    declared,
    live,
    planned,
    site_with,
)

PINNED = ScheduleRef(ScheduleKey.ID, SCHEDULE, label=ScheduleRef(ScheduleKey.NAME, "Dr. Lee"))
OTHER = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
THERE = Schedule(SCHEDULE, "Dr. Lee-Patel", None, "ACTIVE")
_IDS = st.lists(st.sampled_from([f"s{n}" for n in range(30)]), unique=True).map(tuple)


def test_what_manifests_and_the_reading_know() -> None:
    """The service's name for a schedule is newer than a manifest's."""
    assert known_names([declared(schedule=PINNED), declared("x", schedule=OTHER)], site_with()) == {SCHEDULE: "Dr. Lee"}
    read = replace(site_with(), schedules=(THERE,))
    assert known_names([declared(schedule=PINNED)], read) == {SCHEDULE: "Dr. Lee-Patel"}


def test_what_one_manifest_knows_names_all_on_its_schedule() -> None:
    """An undeclared connection and a declared one without a name have it, too."""
    plan = planned(
        declared(schedule=PINNED),
        declared("second", account="second@harbor.example"),
        on=site_with(live(), live("stray", account="stray@harbor.example")),
    )
    assert [action.schedule_name for action in plan.actions] == ["Dr. Lee"] * 3


def test_a_site_that_agrees_lacks_nothing_that_tells() -> None:
    """Nor does one where all that tells has a name."""
    agreeing = planned(declared(), on=site_with(live()))
    assert lacking_in_plan(Plan((agreeing,))) == {SITE.name: LackingNames((), (SCHEDULE,))}
    assert LackingNames((), (SCHEDULE,)).asked(50) == ()
    missing = planned(declared(schedule=PINNED), declared("x", account="x@harbor.example", schedule=OTHER))
    assert lacking_in_plan(Plan((missing,))) == {SITE.name: LackingNames((OTHER_SCHEDULE,), ())}


def test_a_site_that_could_not_be_read_is_not_asked() -> None:
    """A status lacks the names of what is not as declared, where there is an answer to be had."""
    lee = declared()
    plan = planned(lee, on=site_with())
    read = status_of(plan, [lee], site_with())
    assert lacking_in_status(FleetStatus((read,))) == {SITE.name: LackingNames((SCHEDULE,), ())}
    failed = replace(plan, actions=(), faults=planned(declared(provider="none")).faults)
    assert lacking_in_status(FleetStatus((unread_status(failed, [lee]),))) == {}


def test_a_fault_is_shown_with_the_name_that_another_manifest_has() -> None:
    """A connection that can't be planned is on a schedule all the same."""
    broken = declared("broken", provider="nobody", account="x@harbor.example")
    plan = planned(declared(schedule=PINNED), broken)
    found = {
        each.address: each.schedule
        for each in status_of(plan, [declared(schedule=PINNED), broken], site_with()).connections
    }
    assert found == {"harbor/lee": "Dr. Lee", "harbor/broken": "Dr. Lee"}


@given(_IDS, _IDS, st.integers(1, 7))
def test_as_few_requests_as_what_tells_takes(telling: tuple[str, ...], others: tuple[str, ...], at_once: int) -> None:
    """All that tells is asked for, in as few requests as that takes, and what else fits into them."""
    lacking = LackingNames(telling, tuple(each for each in others if each not in telling))
    asked = lacking.asked(at_once)
    assert asked[: len(telling)] == telling
    assert -(-len(asked) // at_once) == -(-len(telling) // at_once)
    assert len(asked) == len(set(asked))


def test_names_fill_gaps_and_change_nothing_else() -> None:
    """A plan and a status are the same but for the names that they lacked."""
    connections = [declared(schedule=PINNED), declared("x", account="x@harbor.example", schedule=OTHER)]
    plan = Plan((planned(*connections),))
    names = {SITE.name: {SCHEDULE: "not this", OTHER_SCHEDULE: "Room 2"}, "elsewhere": {SCHEDULE: "nor this"}}
    named = with_names_in_plan(plan, names)
    assert (named, named.digest) == (plan, plan.digest)
    assert [action.schedule_name for action in named.actions] == ["Dr. Lee", "Room 2"]
    fleet = FleetStatus((status_of(plan.sites[0], connections, site_with()),))
    shown = with_names_in_status(fleet, names)
    assert [each.schedule for each in shown.connections] == ["Dr. Lee", "Room 2"]
    assert [each.health for each in shown.connections] == [each.health for each in fleet.connections]
