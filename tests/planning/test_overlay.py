"""What of a sync config is sent, and in what an answer differs from it."""

import json
from dataclasses import replace

from reconciler.model.action import Change
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.overlay import Deviation, deviation, managed_part, overlaid
from tests.support.builders.plans import DEDICATED, OFF, PRIMARY, chosen

BUFFERED = Direction(enabled=True, arm=Arm.DEDICATED, unknown='{"includeBufferTime": true}')
FULL = SyncConfig(chosen(CalendarRef("w1", "Work")), BUFFERED, '{"since": 5}')

FULL_IDS = (CalendarRef("w1", "Work"),)


def test_a_direction_that_is_off_takes_no_calendars_along() -> None:
    """They are not compared; what was chosen before stays chosen."""
    off = Direction(enabled=False, arm=Arm.CALENDARS, calendars=(CalendarRef(name="Nowhere"),))
    assert managed_part(SyncConfig(off), FULL) == SyncConfig(OFF)
    assert overlaid(SyncConfig(OFF), FULL).imports == Direction(enabled=False, arm=Arm.CALENDARS, calendars=FULL_IDS)


def test_an_arm_whose_direction_stays_off_is_not_managed() -> None:
    """Neither is what says nothing at all."""
    assert managed_part(SyncConfig(Direction(arm=Arm.PRIMARY), Direction()), SyncConfig(OFF)) == SyncConfig()


def test_what_did_not_take() -> None:
    """A managed field that was answered otherwise, from what was sent to what was answered."""
    sent = overlaid(SyncConfig(None, OFF), FULL)
    found = deviation(SyncConfig(None, OFF), sent, FULL)
    assert found == Deviation(managed=(Change(f"{EXPORTS}.enabled", before=False, after=True),))


def test_what_was_not_managed_and_stopped() -> None:
    """An export that was switched off by changing the import, and an import that works elsewhere now."""
    managed = SyncConfig(PRIMARY)
    answered = SyncConfig(PRIMARY, OFF, FULL.unknown)
    stopped = deviation(managed, overlaid(managed, FULL), answered).stopped
    assert [change.path for change in stopped] == [f"{EXPORTS}.dedicatedCalendar", f"{EXPORTS}.enabled"]
    moved = deviation(SyncConfig(None, OFF), overlaid(SyncConfig(None, OFF), FULL), SyncConfig(chosen("other"), OFF))
    assert f"{IMPORTS}.calendars" in [change.path for change in moved.stopped]


def test_what_differs_without_harm() -> None:
    """Fields that nobody here knows, and what works that did not before."""
    standing = SyncConfig(OFF, BUFFERED, '{"since": 5}')
    managed = SyncConfig(None, DEDICATED)
    answered = SyncConfig(PRIMARY, Direction(enabled=True, arm=Arm.DEDICATED, unknown='{"includeBufferTime": false}'))
    found = deviation(managed, overlaid(managed, standing), answered)
    assert (found.managed, found.stopped) == ((), ())
    assert found.harmless == (f"{IMPORTS}.enabled", "syncConfig.since", f"{EXPORTS}.includeBufferTime")


def test_the_fields_of_a_calendar_go_with_it() -> None:
    """What nobody here knows of a calendar that is chosen no longer is not missed; of one that stays, it is."""

    def importing(*roles: tuple[str, str]) -> SyncConfig:
        items = [{"id": id_, "accessRole": role} for id_, role in roles]
        direction = chosen(*(CalendarRef(id_) for id_, _ in roles))
        return SyncConfig(replace(direction, unknown=json.dumps({"calendars": {"calendars": items}})))

    standing = importing(("a", "owner"), ("b", "owner"))
    managed = SyncConfig(chosen(CalendarRef("b"), CalendarRef("c")))
    sent = overlaid(managed, standing)
    assert deviation(managed, sent, importing(("b", "owner"), ("c", "owner"))) == Deviation()
    assert deviation(managed, sent, importing(("b", "reader"), ("c", "owner"))).harmless == (f"{IMPORTS}.calendars[b]",)
    assert deviation(SyncConfig(PRIMARY), overlaid(SyncConfig(PRIMARY), standing), SyncConfig(PRIMARY)) == Deviation()
