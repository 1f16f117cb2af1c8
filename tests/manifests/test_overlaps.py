"""Connections that would meet each other are caught before anything is asked of the service."""

from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifests import load
from reconciler.manifests.references import find_overlaps
from reconciler.model.account import Account
from reconciler.model.desired import (
    DeclaredConnection,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    State,
)
from reconciler.model.source import Source, SourceMap
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.support.builders.manifests import SCHEDULE_ID, SITE, SITE_ID, connection, documents

Faults = Callable[[str], list[str]]
OFF = {"enabled": False}


def sync(imports: object = OFF, exports: object = OFF) -> dict[str, object]:
    """A sync config; a direction of None is left out."""
    both = {"listEventFromCalendars": imports, "syncToCalendar": exports}
    return {name: direction for name, direction in both.items() if direction is not None}


def calendars(*items: object) -> dict[str, object]:
    """An import of calendars that are listed."""
    return {"calendars": list(items)}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({}, {}),
        ({}, {"account": "LEE@Harbor-Dental.example"}),
        ({}, {"state": "absent"}),
        ({"state": "absent"}, {"syncConfig": sync()}),
        ({"schedule": {"id": SCHEDULE_ID}}, {"schedule": {"id": SCHEDULE_ID.upper()}}),
        ({"provider": {"id": SITE_ID}}, {"provider": {"id": SITE_ID.upper()}}),
    ],
)
def test_two_that_match_one_live_connection(faults: Faults, one: dict[str, object], two: dict[str, object]) -> None:
    """Same site, schedule, provider and account, but for case, is one connection; a tombstone counts too."""
    both = [connection(name, **{"schedule": {"name": "Dr. Lee"}} | spec) for name, spec in (("a", one), ("b", two))]
    (fault,) = faults(documents(SITE, *both))
    assert fault.startswith("m.yaml:10:")
    assert fault.endswith(
        ": would match the same live connection as harbor-dental/a, at spec.account"
        " (that one is at m.yaml:8:1; keep one for this schedule, provider and account)"
    )


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (sync(None, None), sync(None, None), "export"),
        (sync(OFF, None), sync(OFF, {"enabled": True}), "export"),
        (sync(OFF, {"primaryCalendar": {}}), sync(OFF, {}), "export"),
        (sync(None), sync({"enabled": True}), "import"),
        (sync(calendars("A")), sync({"primaryCalendar": {}}), "import"),
        (sync({"primaryCalendar": {}}), sync(calendars("A")), "import"),
        (sync(calendars("A")), sync(calendars("B", "A")), "import"),
        (sync(calendars("A")), sync(calendars({"id": "a"})), "import"),
        (sync(calendars({"id": "a"})), sync(calendars("A")), "import"),
        (sync(calendars({"id": "a"})), sync(calendars({"id": "a", "name": "A"})), "import"),
        (sync(calendars({"id": "a", "name": "A"})), sync(calendars("A")), "import"),
        (sync(calendars("A")), sync(calendars({"id": "a", "name": "A"})), "import"),
        (sync(calendars("A")), sync(calendars("B")), None),
        (sync(calendars({"id": "a"})), sync(calendars({"id": "b"})), None),
        (sync(calendars({"id": "a", "name": "A"})), sync(calendars({"id": "b", "name": "A"})), None),
        (sync(calendars({"id": "a", "name": "A"})), sync(calendars("B")), None),
        (sync(calendars({"id": "a", "name": "A"})), sync(calendars({"id": "b"})), None),
        (sync(OFF, {}), sync({"primaryCalendar": {}}, OFF), None),
        (sync({"enabled": False, "calendars": ["A"]}), sync(calendars("A")), None),
    ],
)
def test_one_account_on_two_schedules(
    folder: Path, one: dict[str, object], two: dict[str, object], why: str | None
) -> None:
    """One account may serve two schedules only if they import calendars known to differ, and at most one exports."""
    text = documents(SITE, connection("a", syncConfig=one), connection("b", syncConfig=two))
    (folder / "m.yaml").write_text(text)
    if why is None:
        load([Path("m.yaml")])
        return
    with pytest.raises(ManifestError) as caught:
        load([Path("m.yaml")])
    (fault,) = caught.value.faults
    assert fault.source is not None
    assert (fault.source.line, fault.where) == (10, "spec.account")
    assert "is declared for another schedule by harbor-dental/a" in fault.message
    assert f"both may {why}" in fault.message


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "google"},
        {"account": "kim@harbor-dental.example"},
        {"state": "absent"},
    ],
)
def test_what_does_not_meet(loaded: Callable[[str], object], other: dict[str, object]) -> None:
    """Another provider, another account or a tombstone on another schedule is no conflict."""
    loaded(documents(SITE, connection("a"), connection("b", **other)))


def test_an_inherited_config_counts(faults: Faults) -> None:
    """What is judged is the config with its policy merged in."""
    policy = connection("p").replace("Connection", "SyncPolicy")
    policy = policy[: policy.index('"spec"')] + '"spec": {"syncConfig": {"syncToCalendar": {"enabled": false}}}}\n'
    both = [connection(name, syncPolicy="p", syncConfig=sync(calendars(name), None)) for name in ("a", "b")]
    assert len(faults(documents(SITE, *both, connection("c", syncConfig=sync(calendars("b"))), policy))) == 1


CALENDARS = st.builds(
    CalendarRef, id=st.sampled_from(["a", "b", "c", None]), name=st.sampled_from(["A", "B", "C", None])
).filter(lambda calendar: calendar != CalendarRef())
ENABLED = st.sampled_from([True, False, None])
IMPORTS = (
    st.none()
    | st.builds(Direction, enabled=ENABLED, arm=st.sampled_from([Arm.PRIMARY, None]))
    | st.builds(
        Direction,
        enabled=ENABLED,
        arm=st.just(Arm.CALENDARS),
        calendars=st.lists(CALENDARS, min_size=1, max_size=3).map(tuple),
    )
)
EXPORTS = st.none() | st.builds(Direction, enabled=ENABLED)
SYNCS = st.builds(SyncConfig, IMPORTS, EXPORTS)


def declared(number: int, config: SyncConfig) -> DeclaredConnection:
    """A connection of one account on a schedule of its own."""
    return DeclaredConnection(
        site="s",
        name=f"c{number}",
        schedule=ScheduleRef(ScheduleKey.NAME, str(number)),
        provider=ProviderRef(ProviderKey.TYPE, "apple"),
        account=Account("lee@harbor-dental.example"),
        password=None,
        state=State.PRESENT,
        sync=config,
        lifecycle=Lifecycle(),
        sources=SourceMap(Source("m.yaml", number + 1, 1)),
    )


def differ(one: CalendarRef, two: CalendarRef) -> bool:
    """Whether two calendars are known to differ."""
    if one.id is not None and two.id is not None:
        return one.id != two.id
    return one.name is not None and two.name is not None and one.name != two.name


def meet(one: SyncConfig, two: SyncConfig) -> bool:
    """The rule, pair by pair, as the contract has it."""
    if all(config.exports is None or config.exports.enabled is not False for config in (one, two)):
        return True
    imports = [config.imports or Direction() for config in (one, two)]
    if any(direction.enabled is False for direction in imports):
        return False
    if any(direction.arm is not Arm.CALENDARS for direction in imports):
        return True
    return not all(differ(*pair) for pair in product(imports[0].calendars, imports[1].calendars))


@given(st.lists(SYNCS, max_size=5))
def test_every_meeting_is_found(configs: list[SyncConfig]) -> None:
    """The quick search finds a fault exactly where comparing every pair does."""
    connections = [declared(number, config) for number, config in enumerate(configs)]
    expected = any(meet(*pair) for pair in combinations(configs, 2))
    assert bool(list(find_overlaps(connections))) == expected
    for fault in find_overlaps(connections):
        assert fault.source is not None
        number = fault.source.line - 1
        assert any(meet(other, configs[number]) for other in configs[:number])


def test_a_name_and_an_id_may_be_of_one_schedule(faults: Faults) -> None:
    """Whether two schedules are meant is not known here, and not claimed; either way it can't be planned."""
    one = connection("a", schedule={"name": "Dr. Lee"})
    two = connection("b", schedule={"id": SCHEDULE_ID})
    (fault,) = faults(documents(SITE, one, two))
    assert "is declared for the same schedule or another by harbor-dental/a, and both may export to it" in fault
