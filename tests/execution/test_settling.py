"""Finding out what became of a connect: how often and how long it is looked for, and what is closed then."""

from dataclasses import replace

import pytest

from reconciler.execution.settle import Window, look, look_for, look_for_all, settle
from reconciler.model.intent import Adopted, Fate, Finding, Intent, Nothing, Pending, Several, Unlisted
from reconciler.planning.preconditions import intent_of
from tests.execution.scripted import DOWN, MemoryJournal, ScriptedPort, scripted
from tests.support.builders.plans import OTHER_SCHEDULE, declared, live, planned, the_action
from tests.support.passing_time import now, passing

WINDOW = Window(length=15.0, first=1.0)
LEE = live("new")


def nobody() -> bool:
    """No other connect is open."""
    return False


def intent(name: str = "lee", **fields: str) -> Intent:
    """The intent of a connect of lee@harbor.example on SCHEDULE."""
    made = intent_of(the_action(planned(declared())), f"id-{name}", ())
    own = {field: text for field, text in fields.items() if field != "schedule_id"}
    key = replace(made.key, schedule_id=fields.get("schedule_id", made.key.schedule_id))
    return replace(made, address=f"harbor/{name}", key=key, **own)  # type: ignore[arg-type] # other fields are texts


@pytest.mark.parametrize(
    ("window", "pauses"),
    [
        (Window(), [0.0, 1.0, 2.0, 4.0, 8.0]),
        (Window(length=6.0, first=2.0), [0.0, 2.0, 4.0]),
        (Window(length=5.0, first=2.0), [0.0, 2.0, 3.0]),
        (Window(length=0.0), [0.0]),
        (Window().after(10.0), [0.0, 1.0, 2.0, 2.0]),
        (Window().after(3600.0), [0.0]),
        (Window(length=2.0, first=0.5).after(1.0), [0.0, 0.5, 0.5]),
    ],
)
def test_the_window_is_looked_through_to_its_end_and_no_longer(window: Window, pauses: list[float]) -> None:
    """At once, then with pauses that double, the last one cut so that the last look is at the window's end."""
    assert list(window.pauses) == pauses


def test_one_look_tells_what_is_new() -> None:
    """Nothing, one, several, or that it can't be told: only new connections of its key on its schedule count."""
    older = replace(intent(), known=("older", "other"))
    others = [live("other", account="kim@harbor.example"), live("elsewhere", schedule_id=OTHER_SCHEDULE)]

    async def found(port: ScriptedPort) -> Finding:
        return await look(older, port)

    assert passing(found(ScriptedPort([live("older"), *others]))) == Nothing()
    assert passing(found(ScriptedPort([live("older"), *others, LEE]))) == Adopted(LEE)
    twin = live("newer")
    assert passing(found(ScriptedPort([LEE, twin]))) == Several((LEE, twin))
    port = ScriptedPort([LEE], script=scripted(list_connections=DOWN))
    assert passing(found(port)) == Unlisted(str(DOWN))
    assert port.calls == [("list_connections", older.key.schedule_id)]


def test_a_provider_that_is_out_of_reach_hides_what_is_new() -> None:
    """Nothing listed is no proof where its provider failed; not so another one's; what is there counts."""

    async def found(*failed: str, connections: bool = False) -> Finding:
        return await look(intent(), ScriptedPort([LEE] if connections else [], failed=failed))

    assert passing(found("p-apple")) == Unlisted("the service can't reach the provider")
    assert passing(found("p-google")) == Nothing()
    assert passing(found("p-apple", connections=True)) == Adopted(LEE)


def test_it_is_looked_for_until_it_appears() -> None:
    """The search ends with the first look that finds something."""
    port = ScriptedPort(script=scripted(list_connections=[None, None, lambda: port.connections.append(LEE)]))

    async def story() -> tuple[Finding, float]:
        return await look_for(intent(), port, WINDOW, rivals=nobody), now()

    assert passing(story()) == (Adopted(LEE), 3.0)


def test_what_never_appears_is_looked_for_to_the_end() -> None:
    """Nothing is believed before the window has passed."""
    port = ScriptedPort()

    async def story() -> tuple[Finding, float]:
        return await look_for(intent(), port, WINDOW, rivals=nobody), now()

    assert passing(story()) == (Nothing(), 15.0)
    assert len(port.calls) == 5


def test_after_two_sendings_one_connection_does_not_end_the_search() -> None:
    """The other sending may still take effect: only the end of the window, or a second connection, tells."""
    twin = live("twin")

    async def story(port: ScriptedPort) -> tuple[Finding, float]:
        return await look_for(intent(), port, WINDOW, rivals=nobody, sent_twice=True), now()

    assert passing(story(ScriptedPort([LEE]))) == (Adopted(LEE), 15.0)
    late = ScriptedPort([LEE], script=scripted(list_connections=[None, lambda: late.connections.append(twin)]))
    assert passing(story(late)) == (Several((LEE, twin)), 1.0)
    down = ScriptedPort([LEE], script=scripted(list_connections=[None, DOWN]))
    assert passing(story(down)) == (Unlisted(str(DOWN)), 1.0)


def left_open() -> list[Pending]:
    """Four intents of earlier runs on schedules of their own, all but the first long ago."""
    ages = {"one": 5.0, "many": 3600.0, "none": 3600.0, "hidden": 3600.0}
    return [
        Pending(
            intent(name, schedule_id=f"schedule-{name}", provider_id="p-google" if name == "hidden" else "p-apple"), age
        )
        for name, age in ages.items()
    ]


def test_what_is_clear_is_closed_and_the_rest_is_left() -> None:
    """One found is adopted, none is nothing; several, and what can't be told, stay open for whoever comes next."""
    made = live("made", schedule_id="schedule-one")
    both = tuple(live(name, schedule_id="schedule-many") for name in ("a", "b"))
    port = ScriptedPort([made, *both], failed=("p-google",))
    journal = MemoryJournal(left=left_open())
    found = passing(settle(port, journal, WINDOW))
    assert [settled.pending.intent.address for settled in found] == [
        "harbor/one",
        "harbor/many",
        "harbor/none",
        "harbor/hidden",
    ]
    assert [settled.finding for settled in found] == [
        Adopted(made),
        Several(both),
        Nothing(),
        Unlisted("the service can't reach the provider"),
    ]
    assert journal.lines == [
        ("end", "harbor/one", Fate.ADOPTED, "made"),
        ("end", "harbor/none", Fate.NOTHING, ""),
    ]
    assert [pending.intent.address for pending in journal.pending()] == ["harbor/many", "harbor/hidden"]


def test_what_was_left_open_is_looked_for_at_once_and_only_for_the_rest_of_its_window() -> None:
    """All of them side by side; one from long ago is looked for once, a recent one until its window has passed."""
    port = ScriptedPort()

    async def story() -> float:
        await look_for_all(left_open(), port, WINDOW)
        return now()

    assert passing(story()) == 10.0
    looks = [schedule for (schedule,) in port.called("list_connections")]
    assert [looks.count(f"schedule-{name}") for name in ("one", "many", "none", "hidden")] == [5, 1, 1, 1]


def test_a_site_with_nothing_left_open_is_not_asked() -> None:
    """Without anything pending there is no request."""
    port = ScriptedPort()
    assert passing(settle(port, MemoryJournal(), WINDOW)) == ()
    assert port.calls == []
