"""Which connections a connect whose answer was lost may have made."""

from dataclasses import replace

import pytest

from reconciler.model.account import Account
from reconciler.model.intent import Intent
from reconciler.model.key import ConnectionKey
from reconciler.model.live import LiveConnection
from reconciler.planning.preconditions import Appeared, appeared, intent_of
from tests.support.actions import altered
from tests.support.builders.plans import OTHER_SCHEDULE, SCHEDULE, SITE, TIDE, declared, live, planned, the_action

KIM, LEE = "kim@harbor.example", "lee@harbor.example"

POSSIBLE = {
    "the same": live("x"),
    "without its account yet": live("x", account=None),
    "with an empty account": live("x", account=""),
    "with its account in other letters": live("x", account=" LEE@Harbor.example "),
    "with its schedule in other letters": live("x", schedule_id=SCHEDULE.upper()),
    "in error at once": live("x", status="ERROR"),
    "not synced yet": live("x", status="UNDEFINED"),
    "of an unknown status": live("x", status="SOMETHING_NEW"),
    "of its provider, of another type": replace(live("x"), calendar_type="OTHER"),
    "of its type, of an older installation": replace(live("x"), provider_id="p-old"),
}
IMPOSSIBLE = {
    "on another schedule": live("x", schedule_id=OTHER_SCHEDULE),
    "of another provider": live("x", TIDE),
    "disconnected": live("x", status="DISCONNECTED"),
}


def intent(*standing: LiveConnection) -> Intent:
    """The intent of a connect of lee@harbor.example at Apple."""
    return intent_of(the_action(planned(declared())), "i-1", standing)


def test_an_intent_says_what_is_meant() -> None:
    """All that it is told by later, and the ids of those that stood there before, in order."""
    assert intent(live("b"), live("kim", account=KIM), live("a"), live("bad", status="ERROR")) == Intent(
        id="i-1",
        address="harbor/lee",
        site="harbor",
        site_id=SITE.site_id,
        key=ConnectionKey(SCHEDULE, "apple", Account(LEE)),
        provider_id="p-apple",
        known=("a", "b", "bad", "kim"),
        broken=("bad",),
    )


def test_an_intent_without_an_account() -> None:
    """What a plan does not say is empty, and no other account is taken for it."""
    nameless = intent_of(altered(the_action(planned(declared())), account=None), "i-1", ())
    assert nameless.key.account is None
    assert appeared(nameless, [live("x", account=KIM)]).own == ()


@pytest.mark.parametrize("found", POSSIBLE.values(), ids=POSSIBLE.keys())
def test_what_may_be_it(found: LiveConnection) -> None:
    """It is new where it did not stand there before, and known where it did."""
    assert appeared(intent(), [found]) == (Appeared((found,)) if found.account else Appeared(unshown=(found,)))
    assert intent(found).known == ("x",)
    assert appeared(intent(found), [found]) == Appeared()


@pytest.mark.parametrize("found", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_can_not_be_it(found: LiveConnection) -> None:
    """It is never taken for it, and that it stood there says nothing."""
    assert appeared(intent(), [found]) == Appeared()
    assert intent(found).known == ()


def test_what_shows_another_account_may_be_another_spelling_of_it() -> None:
    """It is told apart, unless it stood there before or nobody knows what did."""
    kim = live("x", account=KIM)
    assert appeared(intent(), [kim]) == Appeared(foreign=(kim,))
    assert appeared(intent(kim), [kim]) == Appeared()
    blind = intent_of(the_action(planned(declared())), "i-1", None)
    assert appeared(blind, [kim, live("own")]) == Appeared((live("own"),))


@pytest.mark.parametrize("status", ["ERROR", "DISCONNECTED"])
def test_what_was_broken_and_is_well_again_is_new(status: str) -> None:
    """A service may bring a connection back to life instead of making another one."""
    assert appeared(intent(live("x", status=status)), [live("x")]).own == (live("x"),)
    assert appeared(intent(live("x", status=status)), [live("x", status=status)]) == Appeared()


def test_several_are_in_order_of_their_ids() -> None:
    """However they are listed; what stood there before is not among them."""
    assert [c.id for c in appeared(intent(live("m")), [live("z"), live("m"), live("a")]).own] == ["a", "z"]
