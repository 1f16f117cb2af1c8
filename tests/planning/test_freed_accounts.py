"""Who waits for whom: for what frees an account, and for nothing else."""

from dataclasses import replace

import pytest

from reconciler.model.action import Action
from reconciler.model.desired import DeclaredConnection, ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.shards import Shards
from reconciler.planning.order import ordered
from tests.support.actions import altered
from tests.support.builders.plans import (
    GOOGLE,
    OTHER_SCHEDULE,
    PASSWORD,
    PRUNING,
    SCHEDULE,
    SITE,
    TIDE,
    declared,
    live,
    planned,
    site_with,
)

FIRST, SECOND, THIRD = (f"{name}@harbor.example" for name in ("first", "second", "third"))
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)
LOOSE = replace(PRUNING, max_disconnects=100)


def waits(*connections: DeclaredConnection, have: tuple[LiveConnection, ...]) -> dict[str, tuple[str, ...]]:
    """What each action of a pruning site waits for, where it waits."""
    plan = ordered(Plan((planned(*connections, on=site_with(*have), site=LOOSE),)))
    return {action.address: action.depends_on for action in plan.actions if action.depends_on}


def here(name: str, account: str, provider: str = "apple") -> DeclaredConnection:
    """A connection on the first schedule."""
    return declared(name, provider, account=account)


def there(name: str, account: str, provider: str = "apple") -> DeclaredConnection:
    """A connection on the other schedule."""
    return declared(name, provider, account=account, schedule=ELSEWHERE)


def test_a_replace_frees_the_account_that_it_gives_up() -> None:
    """Whoever takes that account waits for it, and not for the account that takes its place."""
    have = (live("c1", account=FIRST),)
    assert waits(here("a", SECOND), there("b", FIRST), have=have) == {"harbor/b": ("harbor/a",)}
    assert waits(here("a", SECOND), there("b", SECOND), have=have) == {}


def test_a_replace_by_another_provider_frees_the_account_there() -> None:
    """The same address at another provider is another account."""
    have = (live("c1", GOOGLE, account=FIRST),)
    assert waits(here("a", FIRST), there("b", FIRST, "google"), have=have) == {"harbor/b": ("harbor/a",)}
    assert waits(here("a", FIRST), there("b", FIRST), have=have) == {}


def test_a_replace_of_both_frees_what_was() -> None:
    """Provider and account changed: the former pair is freed, neither half of it alone."""
    have = (live("c1", GOOGLE, account=FIRST),)
    assert waits(here("a", SECOND), there("b", FIRST, "google"), have=have) == {"harbor/b": ("harbor/a",)}
    assert waits(here("a", SECOND), there("b", SECOND, "google"), have=have) == {}


def test_a_replace_of_an_account_that_is_not_shown_frees_nothing() -> None:
    """Nobody can wait for what nobody knows."""
    have = (live("c1", TIDE, account=None),)
    nameless = declared("b", ProviderRef(ProviderKey.NAME, "Tide"), account="None", schedule=ELSEWHERE)
    assert waits(here("a", FIRST), replace(nameless, password=PASSWORD), have=have) == {}


def test_a_pruned_connection_without_an_account_frees_nothing() -> None:
    """Likewise for a disconnect."""
    have = (live("c0", account=SECOND), live("c1", TIDE, account=None), live("c2", TIDE, account=""))
    assert waits(here("a", SECOND), there("b", FIRST), have=have) == {}


def test_the_case_of_an_account_does_not_matter() -> None:
    """An address is compared as a mailbox."""
    have = (live("c1", account=FIRST.upper()),)
    buried = replace(here("old", FIRST), state=State.ABSENT)
    assert waits(buried, there("new", FIRST), have=have) == {"harbor/new": ("harbor/old",)}


def test_one_may_wait_for_several() -> None:
    """An account that two connections hold is free when both are gone; an update and a noop wait for nobody."""
    buried = [replace(here("old", FIRST), state=State.ABSENT), replace(there("older", FIRST), state=State.ABSENT)]
    third = ScheduleRef(ScheduleKey.ID, SCHEDULE[:-1] + "0")
    have = (live("c1", account=FIRST), live("c2", account=FIRST, schedule_id=OTHER_SCHEDULE), live("c3", account=THIRD))
    wanted = [*buried, declared("new", account=FIRST, schedule=third), here("same", THIRD)]
    assert waits(*wanted, have=have) == {"harbor/new": ("harbor/old", "harbor/older")}


def test_a_ring_is_open_in_one_place() -> None:
    """Of three replaces that pass accounts on in a ring two wait, and none for itself, so that all can be done."""
    places = [ScheduleRef(ScheduleKey.ID, f"{SCHEDULE[:-1]}{n}") for n in range(3)]
    accounts = [FIRST, SECOND, THIRD]
    have = tuple(live(f"c{n}", account=accounts[n], schedule_id=places[n].value) for n in range(3))
    wanted = [declared(f"r{n}", account=accounts[n - 1], schedule=places[n]) for n in range(3)]
    found = waits(*wanted, have=have)
    assert found == {"harbor/r0": ("harbor/r2",), "harbor/r1": ("harbor/r0",)}


def test_a_longer_way_back_to_itself_is_found_once() -> None:
    """Actions that wait for the same one on two ways are looked through without end or repetition."""
    places = [ScheduleRef(ScheduleKey.ID, f"{SCHEDULE[:-1]}{n}") for n in range(4)]
    have = (
        live("c0", account=FIRST, schedule_id=places[0].value),
        live("c1", account=SECOND, schedule_id=places[1].value),
        live("c2", account=SECOND, schedule_id=places[2].value),
    )
    wanted = [
        declared("a", account=SECOND, schedule=places[0]),
        declared("b", account=FIRST, schedule=places[1]),
        declared("c", account=FIRST, schedule=places[2]),
        declared("d", account=SECOND, schedule=places[3]),
    ]
    assert waits(*wanted, have=have) == {
        "harbor/a": ("harbor/b", "harbor/c"),
        "harbor/d": ("harbor/b", "harbor/c"),
    }


def saved(*actions: Action) -> Plan:
    """A plan of these actions, a part of a fleet."""
    return Plan((SitePlan(SITE, actions),), Shards(4, (2,)))


@pytest.mark.parametrize("stale", [(), ("harbor/gone",)])
def test_order_replaces_what_was_there_before(stale: tuple[str, ...]) -> None:
    """What a plan said of its order is made anew; what it is a part of stays, and nothing else is touched."""
    made = planned(
        replace(here("old", FIRST), state=State.ABSENT), there("new", FIRST), on=site_with(live(account=FIRST))
    )
    new, old = made.actions
    plan = saved(replace(new, depends_on=stale), replace(old, depends_on=stale))
    assert ordered(plan) == saved(replace(new, depends_on=("harbor/old",)), old)
    assert ordered(ordered(plan)) == ordered(plan)


def test_an_account_that_nobody_names_waits_for_nothing() -> None:
    """A way back from a disconnect may not know its account."""
    made = planned(
        replace(here("old", FIRST), state=State.ABSENT), there("new", FIRST), on=site_with(live(account=FIRST))
    )
    new, old = made.actions
    plan = saved(altered(new, account=None), altered(old, account=None))
    assert [action.depends_on for action in ordered(plan).actions] == [(), ()]
