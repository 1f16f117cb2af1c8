"""Whose change is it: the head's plan held against the base's."""

from reconciler.model.action import Attribution
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef
from reconciler.model.live import LiveSite
from reconciler.model.sync import SyncConfig
from reconciler.planning.attribution import attributed, new_faults, out_of_scope
from tests.support.builders.plans import (
    DEDICATED,
    OFF,
    OTHER_SCHEDULE,
    PRIMARY,
    SCHEDULE,
    SITE,
    declared,
    live,
    planned,
    site_with,
)


def origins(
    head: list[DeclaredConnection], base: list[DeclaredConnection], on: LiveSite
) -> dict[str, Attribution | None]:
    """The origin of each action by address."""
    plan = attributed(planned(*head, on=on), planned(*base, on=on))
    return {action.address: action.attribution for action in plan.actions}


def test_what_only_the_head_would_do_is_this_change() -> None:
    """An edit of a manifest that agreed with the live state is this change's."""
    edited = declared(sync=SyncConfig(PRIMARY, DEDICATED))
    assert origins([edited], [declared()], site_with(live())) == {"harbor/lee": Attribution.THIS_CHANGE}


def test_what_both_would_do_was_drifting_already() -> None:
    """A difference that the base has too is drift."""
    same = declared(sync=SyncConfig(OFF))
    assert origins([same], [same], site_with(live())) == {"harbor/lee": Attribution.DRIFT}


def test_what_both_would_do_differently_is_both() -> None:
    """An edit of a manifest that was drifting is both."""
    head, base = declared(sync=SyncConfig(OFF, DEDICATED)), declared(sync=SyncConfig(OFF))
    assert origins([head], [base], site_with(live())) == {"harbor/lee": Attribution.BOTH}


def test_what_needs_nothing_has_no_origin() -> None:
    """A noop is nobody's change."""
    assert origins([declared()], [declared()], site_with(live())) == {"harbor/lee": None}


def test_a_rename_is_found_by_its_connection() -> None:
    """A manifest with a new name is held against the old one."""
    head, base = declared("renamed", sync=SyncConfig(OFF)), declared("former", sync=SyncConfig(OFF))
    assert origins([head], [base], site_with(live())) == {"harbor/renamed": Attribution.DRIFT}
    assert origins([head], [base], site_with()) == {"harbor/renamed": Attribution.DRIFT}


def test_what_falls_out_of_scope_is_told() -> None:
    """A deleted manifest whose schedule nobody names any more leaves its connection, and a warning says so."""
    (warning,) = out_of_scope(planned(on=site_with(live())), planned(declared(), on=site_with(live())))
    assert warning.startswith("harbor/lee is no longer declared and its schedule is out of scope: lee@harbor.example")
    assert out_of_scope(planned(declared(), on=site_with(live())), planned(declared(), on=site_with(live()))) == ()


def test_what_moved_to_another_schedule_is_told() -> None:
    """Its manifest is there still, so a tombstone in its place would mean the new schedule: the way out says so."""
    moved = declared(schedule=ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE))
    (warning,) = out_of_scope(planned(moved, on=site_with(live())), planned(declared(), on=site_with(live())))
    assert warning.startswith(f"harbor/lee has moved from schedule {SCHEDULE}, which is out of scope now: lee@")
    assert warning.endswith("declare it there, too, under another name, with state: absent")


def test_faults_that_the_base_has_too_are_not_new() -> None:
    """A check may fail only on faults that the change brought in, wherever they moved to in the files."""
    before = planned(declared("old", password=None)).faults
    moved = planned(declared("old", password=None), declared("new", account="x@y.example", password=None), site=SITE)
    assert [fault.where for fault in new_faults(moved.faults, before)] == ["harbor/new"]
