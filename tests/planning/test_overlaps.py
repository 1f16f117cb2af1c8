"""One account on two schedules, which manifests alone can't tell: planning knows what they mean."""

from itertools import permutations

import pytest

from reconciler.model.desired import DeclaredConnection, ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.model.live import Calendar, Schedule
from reconciler.model.sync import CalendarRef, Direction, SyncConfig
from tests.support.builders import plans
from tests.support.builders.plans import (
    APPLE,
    DEDICATED,
    GOOGLE,
    OFF,
    OTHER_SCHEDULE,
    PASSWORD,
    PRIMARY,
    SCHEDULE,
    chosen,
    live,
    planned,
    site_with,
)

BY_NAME = ProviderRef(ProviderKey.NAME, APPLE.name)
BY_ID = ProviderRef(ProviderKey.ID, APPLE.id)
BY_TYPE = ProviderRef(ProviderKey.TYPE, "apple")
ON_OTHER = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
NAMED = ScheduleRef(ScheduleKey.NAME, "Dr. Lee")
SYNC = SyncConfig(PRIMARY, Direction(enabled=True))
IMPORT = "both may import from the same calendar"
EXPORT = "both may export to it"


def declared(name: str, provider: ProviderRef, **fields: object) -> DeclaredConnection:
    """A declared connection with a password."""
    return plans.declared(name, provider, **{"password": PASSWORD} | fields)


def pair(
    one: SyncConfig, two: SyncConfig, provider: ProviderRef = BY_NAME, account: str = "lee@harbor.example"
) -> tuple[DeclaredConnection, DeclaredConnection]:
    """Two connections of one account, to two schedules."""
    return (
        declared("lee", BY_TYPE, sync=one),
        declared("zoe", provider, sync=two, schedule=ON_OTHER, account=account),
    )


@pytest.mark.parametrize("spellings", list(permutations([BY_TYPE, BY_NAME, BY_ID], 2)))
@pytest.mark.parametrize("account", ["lee@harbor.example", "Lee@Harbor.example"])
def test_both_are_held_back_however_the_provider_is_spelled(
    spellings: tuple[ProviderRef, ProviderRef], account: str
) -> None:
    """Which of the two should go is not ours to say: each is a fault at its own place, and names the other."""
    lee = declared("lee", spellings[0], sync=SYNC)
    zoe = declared("zoe", spellings[1], sync=SYNC, schedule=ON_OTHER, account=account)
    one, two = planned(lee, zoe).faults
    assert planned(zoe, lee).faults == (one, two)
    hint = "at most one may: set syncToCalendar.enabled: false in the others; the other is at zoe.yaml:1:1"
    message = (
        "the account 'lee@harbor.example' is declared for another schedule by harbor/zoe, and both may export to it"
    )
    assert str(one) == f"lee.yaml:1:1: {message}, at harbor/lee ({hint})"
    assert (two.where, str(two.source)) == ("harbor/zoe", "zoe.yaml:1:1")
    assert f"the account '{account}' is declared for another schedule by harbor/lee" in two.message


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (SyncConfig(), SyncConfig(), EXPORT),
        (SyncConfig(PRIMARY, OFF), SyncConfig(PRIMARY, OFF), IMPORT),
        (SyncConfig(chosen("Work"), OFF), SyncConfig(chosen("Work"), OFF), IMPORT),
        (SyncConfig(chosen("Work"), OFF), SyncConfig(chosen(CalendarRef("w")), OFF), IMPORT),
        (SyncConfig(chosen("Work"), OFF), SyncConfig(chosen("Home"), None), None),
        (SyncConfig(OFF, DEDICATED), SyncConfig(PRIMARY, OFF), None),
    ],
)
def test_the_rule_is_that_of_manifests(one: SyncConfig, two: SyncConfig, why: str | None) -> None:
    """Two schedules may share an account where the calendars are known to differ and at most one exports."""
    faults = planned(*pair(one, two)).faults
    assert {fault.where for fault in faults} == ({"harbor/lee", "harbor/zoe"} if why else set())
    assert all(why in fault.message for fault in faults if why)


@pytest.mark.parametrize(
    ("calendar", "fits"),
    [(CalendarRef("h"), True), (CalendarRef("w"), False), (CalendarRef("elsewhere"), True)],
)
@pytest.mark.parametrize("listed", [True, False])
def test_calendars_are_compared_as_far_as_they_are_known(calendar: CalendarRef, listed: bool, fits: bool) -> None:  # noqa: FBT001 - parameters of a test
    """A name and an id differ where the account's list, or a live sync config, says so."""
    lee, zoe = pair(SyncConfig(chosen("Work"), OFF), SyncConfig(chosen(calendar), OFF))
    both = (CalendarRef("w", "Work"), CalendarRef("h", "Home"))
    row = live(sync=SyncConfig(PRIMARY if listed else chosen(*both), OFF))
    known = {"c1": (Calendar("w", "Work"), Calendar("h", "Home"))} if listed else {}
    on = site_with(row, calendars=known)
    found = [fault for fault in planned(lee, zoe, on=on).faults if IMPORT in fault.message]
    assert len(found) == (0 if fits else 2)


def test_what_is_no_meeting() -> None:
    """Another account, another provider, a tombstone, and one schedule that two manifests declare."""
    lee, zoe = pair(SYNC, SYNC)
    for other in (
        declared("zoe", BY_NAME, sync=SYNC, schedule=ON_OTHER, account="zoe@harbor.example"),
        declared("zoe", ProviderRef(ProviderKey.NAME, GOOGLE.name), sync=SYNC, schedule=ON_OTHER, password=None),
        declared("zoe", BY_NAME, sync=SYNC, schedule=ON_OTHER, state=State.ABSENT),
    ):
        assert planned(lee, other).faults == ()
    schedules = (Schedule(SCHEDULE, "Dr. Lee", None, "ACTIVE"), Schedule(OTHER_SCHEDULE, "Zoe", None, "ACTIVE"))
    on = site_with(schedules=schedules)
    (same,) = planned(lee, declared("zoe", BY_NAME, sync=SYNC, schedule=NAMED), on=on).faults
    assert "declares the same connection as harbor/lee" in same.message
    faults = planned(declared("lee", BY_TYPE, sync=SYNC, schedule=NAMED), zoe, on=on).faults
    assert len(faults) == 2


def test_of_three_each_is_held_back_once() -> None:
    """However many share an account, each has one fault."""
    third = ScheduleRef(ScheduleKey.ID, SCHEDULE.replace("7", "8"))
    lee, zoe = pair(SYNC, SYNC)
    faults = planned(lee, zoe, declared("max", BY_ID, sync=SYNC, schedule=third)).faults
    assert sorted(fault.where for fault in faults) == ["harbor/lee", "harbor/max", "harbor/zoe"]


def test_one_that_meets_two_others_in_two_ways_hides_none_of_them() -> None:
    """The second exports as the first does, and imports as the third does: all of them are held back."""
    third = ScheduleRef(ScheduleKey.ID, SCHEDULE.replace("3", "4"))
    first = declared("a", BY_TYPE, sync=SyncConfig(chosen("Home"), DEDICATED))
    second = declared("b", BY_NAME, sync=SyncConfig(chosen("Work"), DEDICATED), schedule=ON_OTHER)
    last = declared("c", BY_ID, sync=SyncConfig(chosen("Work"), OFF), schedule=third)
    assert {fault.where for fault in planned(first, second, last).faults} == {"harbor/a", "harbor/b", "harbor/c"}
