"""Which schedule a name or an external id means, where the schedules of several apps have the same ones."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.action import ActionKind
from reconciler.model.desired import BOOKINGS_APP_ID, DeclaredConnection, Lifecycle, ScheduleKey, ScheduleRef
from reconciler.model.live import Schedule
from reconciler.model.source import Fault
from reconciler.planning.lookup import Schedules, resolve_schedule
from reconciler.planning.protection import still_protected
from tests.support.builders.plans import (
    OTHER_SCHEDULE,
    PRUNING,
    SCHEDULE,
    declared,
    live,
    planned,
    site_with,
)

HOURS = "0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5"
THIRD = "9c1f6d0b-3a57-4e82-8f14-6b2d7c90e3a5"
BY_NAME = declared(schedule=ScheduleRef(ScheduleKey.NAME, "Dr. Lee"))
BY_EXTERNAL_ID = declared(schedule=ScheduleRef(ScheduleKey.EXTERNAL_ID, "lee"))


def schedule(id_: str, app_id: str | None, external_id: str | None = "lee") -> Schedule:
    """A schedule of Dr. Lee's."""
    return Schedule(id_, "Dr. Lee", external_id, "ACTIVE", app_id=app_id)


EVENTS = schedule(SCHEDULE, BOOKINGS_APP_ID)
UNSAID = schedule("unsaid", None)
OF_HOURS = schedule(OTHER_SCHEDULE, HOURS)


def found(connection: DeclaredConnection, listed: Sequence[Schedule], others: Sequence[Schedule] = ()) -> str:
    """The id of the schedule that is meant, or what is wrong."""
    meant = resolve_schedule(connection, Schedules(listed, others))
    return f"{meant.message}: {meant.hint}" if isinstance(meant, Fault) else meant.id


@pytest.mark.parametrize("connection", [BY_NAME, BY_EXTERNAL_ID])
@pytest.mark.parametrize(
    ("listed", "others", "meant"),
    [
        ([EVENTS], [], SCHEDULE),
        ([OF_HOURS, EVENTS, UNSAID], [], SCHEDULE),
        ([UNSAID], [], "unsaid"),
        ([UNSAID, OF_HOURS], [], "unsaid"),
        ([UNSAID], [OF_HOURS, schedule("x", None)], "unsaid"),
    ],
)
def test_the_app_decides(
    connection: DeclaredConnection, listed: list[Schedule], others: list[Schedule], meant: str
) -> None:
    """A schedule that shows the app is meant; where none does, the one that does not say of which app it is."""
    assert found(connection, listed, others) == meant


def test_the_app_is_the_one_that_the_site_names() -> None:
    """With another app its schedule is meant, and the bookings app's is not."""
    for connection in (BY_NAME, BY_EXTERNAL_ID):
        other = replace(connection, schedule=replace(connection.schedule, app_id=HOURS))
        assert found(other, [EVENTS, OF_HOURS]) == OTHER_SCHEDULE


def test_an_ambiguous_name_lists_the_candidates() -> None:
    """With the app and the external id of each, as far as the service says; those of other apps are none."""
    listed = [schedule("b", BOOKINGS_APP_ID, None), EVENTS, OF_HOURS]
    assert found(BY_NAME, listed) == (
        f"2 schedules have the name Dr. Lee: name one by id: {SCHEDULE} (app {BOOKINGS_APP_ID}, externalId lee), "
        f"b (app {BOOKINGS_APP_ID}, no externalId)"
    )
    twins = [UNSAID, schedule("b", None, None)]
    assert found(BY_NAME, twins).endswith(": b (app not shown, no externalId), unsaid (app not shown, externalId lee)")
    assert found(BY_EXTERNAL_ID, [UNSAID, schedule("b", None)]).startswith("2 schedules have the externalId lee: ")


@pytest.mark.parametrize("listed", [True, False], ids=["filter ignored", "filter heeded"])
def test_a_name_of_another_app_is_none_of_this_one(listed: bool) -> None:  # noqa: FBT001 - a parameter
    """It says so, and what to write in the Site where only one app is in question."""

    def fault(*there: Schedule) -> str:
        return found(BY_NAME, there if listed else (), () if listed else there)

    assert fault(OF_HOURS) == (
        f"no schedule of the app {BOOKINGS_APP_ID} has the name Dr. Lee, only one of another app: name one by id: "
        f"{OTHER_SCHEDULE} (app {HOURS}, externalId lee); or set schedules: {{appId: {HOURS}}} in the Site"
    )
    several = fault(OF_HOURS, schedule("x", THIRD))
    assert "only 2 of other apps: name one by id: " in several
    assert several.endswith("or set schedules: {appId: …} in the Site")


def test_what_the_service_keeps_back_is_of_another_app() -> None:
    """A schedule that it lists only when asked for every app is no other's stand-in, though it does not say whose."""
    assert "only one of another app" in found(BY_NAME, [], [UNSAID])
    assert found(BY_NAME, [], [UNSAID]).endswith("or set schedules: {appId: …} in the Site")


def test_an_external_id_that_one_schedule_has_means_that_one() -> None:
    """The business schedule's is the same on every site, whichever app it belongs to."""
    assert found(BY_EXTERNAL_ID, [], [OF_HOURS]) == OTHER_SCHEDULE
    assert found(BY_EXTERNAL_ID, [OF_HOURS]) == OTHER_SCHEDULE
    assert found(BY_EXTERNAL_ID, [], [UNSAID]) == "unsaid"
    assert "only 2 of other apps" in found(BY_EXTERNAL_ID, [], [OF_HOURS, schedule("x", THIRD)])


def test_names_that_mean_nothing_are_not_suggested() -> None:
    """Only a name that would be found is."""
    typo = declared(schedule=ScheduleRef(ScheduleKey.NAME, "Dr Lee"))
    assert found(typo, [OF_HOURS]).endswith("extcal schedules lists them")
    assert found(typo, [UNSAID, OF_HOURS]).endswith("did you mean Dr. Lee?")


def test_very_many_and_very_long_candidates_are_cut() -> None:
    """A hostile answer makes no endless message."""
    many = [schedule(f"{number:05}", BOOKINGS_APP_ID, "x" * 5000) for number in range(2000)]
    assert len(found(BY_NAME, many)) < 5000
    long = [schedule(f"{number:05}", "y" * 5000, "x" * 5000) for number in range(2000)]
    assert len(found(BY_NAME, [], long)) < 6000


_APPS = st.sampled_from([BOOKINGS_APP_ID, HOURS, None])
_SCHEDULES = st.lists(
    st.builds(
        lambda number, name, external_id, app_id: Schedule(str(number), name, external_id, "ACTIVE", app_id=app_id),
        st.integers(0, 9),
        st.sampled_from(["Dr. Lee", "Dr. Kim"]),
        st.sampled_from(["lee", "kim", None]),
        _APPS,
    ),
    unique_by=lambda one: one.id,
)


@given(_SCHEDULES, st.sampled_from([BY_NAME, BY_EXTERNAL_ID]), st.booleans(), st.sets(st.sampled_from("0123456789")))
def test_whatever_the_service_does_with_the_question_none_of_another_app_is_taken(
    there: list[Schedule],
    connection: DeclaredConnection,
    heeded: bool,  # noqa: FBT001 - hypothesis hands it over
    hidden: set[str],
) -> None:
    """It may heed the app or not, and hide it or not: the schedule that is taken is the app's if the app has one."""
    shown = [replace(one, app_id=None) if one.id in hidden else one for one in there]
    own = {one.id for one in there if one.app_id == BOOKINGS_APP_ID}
    listed = [one for one in shown if one.id in own or not heeded]
    others = [one for one in shown if one not in listed]
    by_name = connection is BY_NAME
    fitting = {one.id for one in there if (one.name == "Dr. Lee" if by_name else one.external_id == "lee")}
    meant = resolve_schedule(connection, Schedules(listed, others))
    again = resolve_schedule(connection, Schedules(listed[::-1], others[::-1]))
    assert meant == again
    if isinstance(meant, Fault):
        assert fitting == set() or len(fitting & own) != 1 or (not heeded and len(fitting & hidden) > 1)
    else:
        assert meant.id in fitting
        assert meant.id in own or not fitting & own


def test_a_schedule_of_another_app_holds_its_connection_back() -> None:
    """Nothing is connected to it, and nothing that stands there is pruned."""
    on = site_with(live(schedule_id=OTHER_SCHEDULE), other_schedules=(OF_HOURS,))
    plan = planned(BY_NAME, on=on, site=PRUNING)
    assert [fault.where for fault in plan.faults] == ["harbor/lee"]
    assert [action.kind for action in plan.actions if action.kind.writes] == []


def test_protection_survives_a_change_of_the_app() -> None:
    """The base means a schedule of its own app, wherever the same name leads by now."""
    on = site_with(live(schedule_id=OTHER_SCHEDULE), schedules=(EVENTS, OF_HOURS))
    before = replace(
        BY_NAME,
        schedule=replace(BY_NAME.schedule, app_id=HOURS),
        lifecycle=Lifecycle(prevent_disconnect=True),
    )
    there = declared("kim", schedule=ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE), account="kim@harbor.example")
    head = planned(BY_NAME, there, on=on, site=replace(PRUNING, max_disconnects=100))
    assert [action.kind for action in head.actions if action.kind.disconnects] == [ActionKind.REPLACE]
    (violation,) = still_protected(head, planned(before, on=on), [before], on, frozenset(), base_is_whole=True)
    assert violation.guard == "prevent-disconnect"
