"""What is live and can't be declared side by side: the rest is written, and what conflicts is named by its files."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.model.live import Calendar, LiveConnection
from reconciler.model.sync import CalendarRef, Direction, SyncConfig
from reconciler.pull.values import PulledSite
from tests.pull.handwriting import SITE, connection_text, written
from tests.pull.live import (
    DEDICATED,
    GOOGLE,
    HOME,
    KIM,
    LEE,
    OFF,
    PATEL,
    PRIMARY,
    SCHOOL,
    WORK,
    Done,
    actions,
    chosen,
    live,
    observed,
    pull,
)
from tests.support.profiles import examples

LEES = "lee@harbor-dental.example"
MEETING = re.compile(
    r"harbor/\w+: not updated, since the live state conflicts: manifests/\w+\.yaml:\d+:\d+: the account "
    r"'lee@harbor-dental\.example' is declared for another schedule by harbor/\w+, and both may .*; the other is at "
    r"manifests/\w+\.yaml:\d+:\d+\); change one of the two in the site's dashboard, then pull again"
)


KNOWN = tuple(Calendar(ref.id or "", ref.name or "") for ref in (WORK, HOME, SCHOOL))


def _observed(*connections: LiveConnection) -> PulledSite:
    """A site whose accounts have all calendars, which were asked for."""
    return observed(*connections, calendars={one.id: KNOWN for one in connections})


def _declared(name: str, schedule: str, *calendars: CalendarRef) -> str:
    """A Connection of Dr. Lee's account that imports these calendars and exports nothing."""
    listed = ", ".join(f"{{id: {ref.id}, name: {ref.name}}}" for ref in calendars)
    sync = f"{{listEventFromCalendars: {{enabled: true, calendars: [{listed}]}}, syncToCalendar: {{enabled: false}}}}"
    return connection_text(name, schedule, f"  syncConfig: {sync}\n").replace(f"{name}@harbor-dental.example", LEES)


def _folder(folder: Path) -> None:
    """Dr. Lee's account on two schedules, each with a calendar of its own, and Kim's, each in a file of its own."""
    written(folder, SITE, to="site.yaml")
    written(folder, _declared("first", LEE, WORK), to="a.yaml")
    written(folder, _declared("second", PATEL, HOME), to="b.yaml")
    written(folder, connection_text("kim", KIM, "  syncPolicy: busy-times-only\n"), to="kim.yaml")


def _pulled(
    folder: Path, first: Direction, second: Direction, *, exports: Direction = OFF
) -> tuple[Done, dict[str, str]]:
    seen = _observed(
        live(LEE, sync=SyncConfig(first, exports)),
        live(PATEL, account=LEES, sync=SyncConfig(second, exports)),
        live(KIM, sync=SyncConfig(PRIMARY, DEDICATED)),
    )
    done = pull(folder, seen)
    found = actions(folder, seen)
    assert pull(folder, seen).changed == []
    return done, found


@pytest.mark.parametrize(
    ("first", "second", "changed"),
    [
        (chosen(HOME), chosen(HOME), []),
        (chosen(WORK), chosen(WORK), []),
        (PRIMARY, chosen(HOME), []),
        (chosen(WORK), PRIMARY, []),
        (PRIMARY, PRIMARY, []),
        (chosen(SCHOOL), chosen(SCHOOL), ["a.yaml"]),
        (chosen(HOME), chosen(HOME, WORK), []),
        (chosen(WORK, SCHOOL), chosen(SCHOOL), ["a.yaml"]),
    ],
)
def test_manifests_that_would_conflict_keep_no_other_from_being_written(
    folder: Path, first: Direction, second: Direction, changed: list[str]
) -> None:
    """As many as can be are edited; each that can't is named with both files and what to do."""
    _folder(folder)
    done, found = _pulled(folder, first, second)
    assert done.changed == [*changed, "kim.yaml"]
    assert found["harbor/kim"] == "noop"
    left = [address for address, kind in sorted(found.items()) if kind == "update"]
    assert left
    assert [failure.partition(":")[0] for failure in done.pull.failures] == left
    assert all(MEETING.fullmatch(failure) for failure in done.pull.failures)


@pytest.mark.parametrize(
    ("first", "second"),
    [(chosen(HOME), chosen(WORK)), (chosen(HOME), chosen(SCHOOL)), (chosen(SCHOOL), chosen(WORK, HOME))],
)
def test_manifests_that_make_room_for_each_other_are_all_edited(
    folder: Path, first: Direction, second: Direction
) -> None:
    """What would conflict with a manifest as it is may go well with what that one becomes."""
    _folder(folder)
    done, found = _pulled(folder, first, second)
    assert done.pull.failures == ()
    assert done.changed == ["a.yaml", "b.yaml", "kim.yaml"]
    assert set(found.values()) == {"noop"}


def test_two_that_export_at_once_are_named(folder: Path) -> None:
    """Of two connections of an account one may export; the first is edited, the other left."""
    _folder(folder)
    done, found = _pulled(folder, chosen(WORK), chosen(HOME), exports=DEDICATED)
    assert done.changed == ["a.yaml", "kim.yaml"]
    assert found == {"harbor/first": "noop", "harbor/second": "update", "harbor/kim": "noop"}
    (failure,) = done.pull.failures
    assert MEETING.fullmatch(failure)
    assert "both may export to it" in failure


def test_a_new_connection_gives_way_to_what_is_declared(folder: Path) -> None:
    """A manifest that is there is edited, though what is new then can't be added beside it."""
    _folder(folder)
    seen = _observed(
        live(LEE, sync=SyncConfig(chosen(SCHOOL), OFF)),
        live(KIM, account=LEES, sync=SyncConfig(chosen(SCHOOL), OFF)),
        live(PATEL, GOOGLE),
    )
    done = pull(folder, seen)
    assert done.changed == ["a.yaml", "b.yaml"]
    (failure,) = done.pull.failures
    assert "[live-kim-Apple] is left out: its account is also connected to another schedule" in failure


_IMPORTS = st.sampled_from((OFF, PRIMARY, chosen(WORK), chosen(HOME), chosen(SCHOOL), chosen(WORK, SCHOOL)))
_EXPORTS = st.sampled_from((OFF, OFF, DEDICATED))
_SYNCS = st.builds(SyncConfig, _IMPORTS, _EXPORTS)


@examples(25)
@given(syncs=st.lists(_SYNCS, min_size=3, max_size=3), before=st.lists(_SYNCS, min_size=3, max_size=3))
def test_whatever_changes_the_folder_loads_and_what_is_edited_plans_as_no_change(
    syncs: list[SyncConfig], before: list[SyncConfig]
) -> None:
    """One account on three schedules: each connection is as live, or named; no name of a temporary file is told."""
    with tempfile.TemporaryDirectory(prefix="extcal-conflicts-") as name:
        folder = Path(name) / "manifests"
        lives = [live(schedule, account=LEES) for schedule in (LEE, PATEL, KIM)]
        pull(folder, _observed(*_synced(lives, before)))
        seen = _observed(*_synced(lives, syncs))
        done = pull(folder, seen)
        found = actions(folder, seen)
        declared = len(load([folder]).connections)
    assert not any("extcal-pull-" in text for text in (*done.pull.failures, *done.pull.warnings))
    noops = [kind for kind in found.values() if kind == "noop"]
    assert set(found.values()) <= {"noop", "update"}
    assert len(noops) + len(done.pull.failures) == len(lives)
    assert declared == len(found)


def _synced(lives: list[LiveConnection], syncs: list[SyncConfig]) -> list[LiveConnection]:
    return [replace(one, sync=sync) for one, sync in zip(lives, syncs, strict=True)]
