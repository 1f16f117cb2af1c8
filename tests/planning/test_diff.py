"""Sync configs compared as the service means them."""

import pytest

from reconciler.model.action import Change, Chosen
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.diff import described, diff, managed, removed
from tests.support.builders.plans import DEDICATED, OFF, PRIMARY, chosen

WORK, HOME = CalendarRef("w1", "Work"), CalendarRef("h1", "Home")


def imports(direction: Direction) -> SyncConfig:
    """A config that says how to import alone."""
    return SyncConfig(imports=direction)


@pytest.mark.parametrize(
    ("have", "differs"),
    [
        ((HOME, WORK), False),
        ((WORK, HOME), False),
        ((CalendarRef("h1"), CalendarRef("w1", "renamed"), CalendarRef("h1")), False),
        ((WORK,), True),
        ((WORK, HOME, CalendarRef("x")), True),
        ((CalendarRef("W1"), HOME), True),
    ],
)
def test_calendars_are_a_set_by_id(have: tuple[CalendarRef, ...], *, differs: bool) -> None:
    """Order, repetition and names say nothing; a change tells both sides as they are."""
    wanted, there = chosen(HOME, WORK), chosen(*have)
    expected = (Change(f"{IMPORTS}.calendars", have, (HOME, WORK)),)
    assert diff(imports(wanted), imports(there)) == (expected if differs else ())


@pytest.mark.parametrize("id_", ["__proto__", "__", "a.b['c']", "0"])
def test_no_calendar_is_overlooked(id_: str) -> None:
    """An id may be any text; one that a library would take for something else is a calendar all the same."""
    odd, plain = imports(chosen(CalendarRef(id_))), imports(chosen(CalendarRef("plain")))
    both = imports(chosen(CalendarRef(id_), CalendarRef("plain")))
    assert [change.path for change in diff(odd, plain)] == [f"{IMPORTS}.calendars"]
    assert [change.path for change in diff(both, plain)] == [f"{IMPORTS}.calendars"]
    assert [change.path for change in diff(plain, both)] == [f"{IMPORTS}.calendars"]


def test_one_alternative_for_another_is_two_changes() -> None:
    """Where only the alternative is managed, nothing is common to both sides, and each is told by its path."""
    assert diff(imports(Direction(arm=Arm.CALENDARS, calendars=(WORK,))), SyncConfig(PRIMARY, OFF)) == (
        Change(f"{IMPORTS}.calendars", None, (WORK,)),
        Change(f"{IMPORTS}.primaryCalendar", Chosen.CHOSEN, None),
    )
    assert diff(SyncConfig(None, Direction(arm=Arm.DEDICATED)), SyncConfig(None, PRIMARY)) == (
        Change(f"{EXPORTS}.dedicatedCalendar", None, Chosen.CHOSEN),
        Change(f"{EXPORTS}.primaryCalendar", Chosen.CHOSEN, None),
    )


def test_a_live_direction_without_an_alternative_gets_one() -> None:
    """What works without saying where differs from what says it."""
    assert diff(imports(PRIMARY), imports(Direction(enabled=True))) == (
        Change(f"{IMPORTS}.primaryCalendar", None, Chosen.CHOSEN),
    )


@pytest.mark.parametrize(
    ("wanted", "have", "paths"),
    [
        (Direction(arm=Arm.PRIMARY), Direction(enabled=False, arm=Arm.CALENDARS, calendars=(WORK,)), []),
        (Direction(arm=Arm.PRIMARY), None, []),
        (Direction(arm=Arm.PRIMARY), Direction(enabled=True), ["primaryCalendar"]),
        (Direction(enabled=False, arm=Arm.PRIMARY), chosen(WORK), ["enabled"]),
        (OFF, None, []),
        (OFF, Direction(), []),
        (PRIMARY, None, ["enabled", "primaryCalendar"]),
        (None, PRIMARY, []),
        (Direction(), PRIMARY, []),
    ],
)
def test_what_does_not_work_has_no_alternatives(
    wanted: Direction | None, have: Direction | None, paths: list[str]
) -> None:
    """Where a direction is and stays off, which calendars it would use is no difference; one left out is off."""
    changes = diff(SyncConfig(wanted), SyncConfig(have))
    assert [change.path for change in changes] == [f"{IMPORTS}.{path}" for path in paths]


def test_changes_are_in_order_of_their_paths() -> None:
    """Both directions, every field, always in one order."""
    found = diff(SyncConfig(OFF, DEDICATED), SyncConfig(PRIMARY, OFF))
    assert found == (
        Change(f"{IMPORTS}.enabled", before=True, after=False),
        Change(f"{EXPORTS}.dedicatedCalendar", None, Chosen.CHOSEN),
        Change(f"{EXPORTS}.enabled", before=False, after=True),
    )


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (SyncConfig(), {}),
        (SyncConfig(None, DEDICATED), {f"{EXPORTS}.dedicatedCalendar": Chosen.CHOSEN, f"{EXPORTS}.enabled": True}),
        (SyncConfig(chosen(WORK)), {f"{IMPORTS}.calendars": (WORK,), f"{IMPORTS}.enabled": True}),
        (SyncConfig(Direction(arm=Arm.PRIMARY)), {f"{IMPORTS}.primaryCalendar": Chosen.CHOSEN}),
        (
            SyncConfig(Direction(enabled=False, arm=Arm.PRIMARY), Direction(enabled=True)),
            {f"{IMPORTS}.enabled": False, f"{EXPORTS}.enabled": True},
        ),
    ],
)
def test_what_comes_and_what_goes(config: SyncConfig, fields: dict[str, object]) -> None:
    """A connect brings each stated field, a disconnect takes it; a direction that is off has no other."""
    assert [(change.path, change.before, change.after) for change in described(config)] == [
        (path, None, value) for path, value in fields.items()
    ]
    assert [(change.path, change.before, change.after) for change in removed(config)] == [
        (path, value, None) for path, value in fields.items()
    ]


FULL = SyncConfig(chosen(WORK), DEDICATED)
BARE = Direction(arm=Arm.CALENDARS, calendars=(WORK,))


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ((), FULL),
        (("syncConfig",), SyncConfig()),
        ((IMPORTS,), SyncConfig(None, DEDICATED)),
        ((EXPORTS,), SyncConfig(chosen(WORK), None)),
        ((f"{IMPORTS}.enabled",), SyncConfig(BARE, DEDICATED)),
        ((f"{EXPORTS}.enabled",), SyncConfig(chosen(WORK), Direction(arm=Arm.DEDICATED))),
        ((f"{IMPORTS}.calendars",), SyncConfig(Direction(enabled=True), DEDICATED)),
        ((f"{IMPORTS}.primaryCalendar",), SyncConfig(Direction(enabled=True), DEDICATED)),
        ((f"{EXPORTS}.primaryCalendar",), SyncConfig(chosen(WORK), Direction(enabled=True))),
        ((f"{EXPORTS}.dedicatedCalendar", IMPORTS), SyncConfig(None, Direction(enabled=True))),
    ],
)
def test_what_is_ignored_is_left_out(ignored: tuple[str, ...], left: SyncConfig) -> None:
    """Ignoring one alternative ignores the choice between them; all else stays managed."""
    assert managed(FULL, ignored) == left
    assert managed(SyncConfig(), ignored) == SyncConfig()
