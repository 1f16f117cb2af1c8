"""Pulling into manifests that are there: what is live is edited in, and everything else stays as it is written."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.model.live import Calendar
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.pull.handwriting import HEAD, SITE, connection_text, written
from tests.pull.live import (
    BUSY_TIMES,
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
    actions,
    chosen,
    live,
    observed,
    pull,
)


def edited(folder: Path, before: str, after: str, *, sync: SyncConfig) -> None:
    """Assert that pulling a live sync config of Dr. Lee turns one text of a spec's end into another, for good."""
    path = written(folder, SITE, HEAD + before)
    seen = observed(live(sync=sync))
    done = pull(folder, seen)
    assert not done.pull.failures
    assert path.read_bytes().decode() == f"{SITE}---\n{HEAD}{after}"
    assert actions(folder, seen) == {"harbor/lee": "noop"}
    assert pull(folder, seen).changed == []


def test_pulling_twice_changes_no_byte(folder: Path) -> None:
    """The second pull of one live state writes nothing."""
    seen = observed(
        live(sync=SyncConfig(chosen(WORK), DEDICATED)), live(LEE, GOOGLE), live(PATEL), live(KIM, status="ERROR")
    )
    pull(folder, seen)
    again = pull(folder, seen)
    assert again.changed == []
    assert len(again.pull.unchanged) == 3


def test_what_agrees_is_not_rewritten(folder: Path) -> None:
    """Manifests that people wrote in their own ways stay as they are while they mean what is live."""
    before = "  syncConfig: {'listEventFromCalendars': {calendars: [Work, {id: b12}], enabled: True}}\n"
    edited(folder, before, before, sync=SyncConfig(chosen(HOME, WORK), DEDICATED))


def test_a_value_is_changed_in_its_place(folder: Path) -> None:
    """Only the characters of the value change: comments, order and blanks around it stay."""
    edited(
        folder,
        "  syncConfig:\n    # why not\n    listEventFromCalendars:\n\n      enabled:   false   # for now\n",
        "  syncConfig:\n    # why not\n    listEventFromCalendars:\n\n      enabled:   true   # for now\n"
        "      primaryCalendar: {}\n",
        sync=BUSY_TIMES,
    )


def test_a_direction_that_was_switched_off_keeps_its_calendars(folder: Path) -> None:
    """Off is all that matters; which calendars it would use is left to whoever switches it on again."""
    edited(
        folder,
        "  syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}\n",
        "  syncConfig: {listEventFromCalendars: {enabled: false, calendars: [Work]}}\n",
        sync=SyncConfig(OFF, OFF),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[Work, Home]   # two", "[Work, {id: c34, name: School}]   # two"),
        ("[Home, Work]", "[Work, {id: c34, name: School}]"),
        ("[{id: b12}]", "[{id: a68yu6, name: Work}, {id: c34, name: School}]"),
        ("[Work]", "[Work, {id: c34, name: School}]"),
        ("[School, Home, {id: a68yu6}]", "[School, {id: a68yu6}]"),
        ("['Work', Gone]", "['Work', {id: c34, name: School}]"),
        (
            "[\n        Work,   # the week\n        Home,\n      ]",
            "[\n        Work, {id: c34, name: School},\n      ]",
        ),
        (
            "\n      - Work   # the week\n      - Home   # the rest\n",
            "\n      - Work   # the week\n      - {id: c34, name: School}\n",
        ),
        (
            "\n        # each\n        - Home\n        # at work\n        - name: Work\n          id: a68yu6\n",
            (
                "\n        # each\n        # at work\n        - name: Work\n          id: a68yu6\n"
                "        - {id: c34, name: School}\n"
            ),
        ),
        (
            "\n      - Home",
            "\n      - {id: a68yu6, name: Work}\n      - {id: c34, name: School}",
        ),
        ("\n      - School\n      - Home\n      - Work\n", "\n      - School\n      - Work\n"),
    ],
)
def test_calendars_come_and_go_in_a_list_that_otherwise_stays(folder: Path, before: str, after: str) -> None:
    """Items that still hold keep their text, their order and the comments above and beside them."""
    lead = "  syncConfig:\n    listEventFromCalendars:\n      calendars: "
    path = written(folder, SITE, f"{HEAD}{lead}{before}")
    seen = observed(live(sync=SyncConfig(chosen(WORK, SCHOOL), OFF)))
    seen = replace(seen, live=replace(seen.live, calendars={"live-lee-Apple": ()}))
    # Home is known of the account though the live sync config no longer names it.
    known = [("a68yu6", "Work"), ("b12", "Home"), ("c34", "School")]
    seen = replace(seen, live=replace(seen.live, calendars={"live-lee-Apple": calendars(known)}))
    assert not pull(folder, seen).pull.failures
    assert path.read_text() == f"{SITE}---\n{HEAD}{lead}{after}"
    assert actions(folder, seen) == {"harbor/lee": "noop"}
    assert pull(folder, seen).changed == []


def calendars(known: list[tuple[str, str]]) -> tuple[Calendar, ...]:
    """An account's calendars, by id and name."""
    return tuple(Calendar(id_, name) for id_, name in known)


@pytest.mark.parametrize(
    ("before", "sync", "after"),
    [
        ("{primaryCalendar: {}}", SyncConfig(chosen(WORK), OFF), "{calendars: [{id: a68yu6, name: Work}]}"),
        ("{enabled: true, calendars: [Work]}", BUSY_TIMES, "{enabled: true, primaryCalendar: {}}"),
        (
            "\n      calendars:\n      - Work\n      - Home\n      # all of it\n      enabled: true",
            BUSY_TIMES,
            "\n      primaryCalendar: {}\n      # all of it\n      enabled: true",
        ),
        ("{primaryCalendar: {}, enabled: true}", SyncConfig(Direction(enabled=True), OFF), "{enabled: true}"),
        ("{enabled: true, primaryCalendar: {}}", SyncConfig(Direction(enabled=True), OFF), "{enabled: true}"),
        (
            "\n      primaryCalendar: {}   # first\n      enabled: true   # on",
            SyncConfig(Direction(enabled=True), OFF),
            "\n      enabled: true   # on",
        ),
        ("{primaryCalendar: {}}", SyncConfig(Direction(enabled=True), OFF), "{}"),
        ("\n      primaryCalendar: {}", SyncConfig(Direction(enabled=True), OFF), "\n      {}"),
    ],
)
def test_one_alternative_takes_the_place_of_another(folder: Path, before: str, sync: SyncConfig, after: str) -> None:
    """The chosen calendars are written where the former choice stood; where the service has none, it goes."""
    lead = "  syncConfig:\n    listEventFromCalendars: "
    edited(folder, f"{lead}{before}\n", f"{lead}{after}\n", sync=sync)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "  syncPolicy: busy-times-only   # as all\n  state: present\n",
            (
                "  syncPolicy: busy-times-only   # as all\n  syncConfig:\n"
                "    listEventFromCalendars: {calendars: [{id: a68yu6, name: Work}]}\n  state: present\n"
            ),
        ),
        (
            "  syncPolicy: busy-times-only\n  syncConfig: {syncToCalendar: {enabled: false}}\n",
            (
                "  syncPolicy: busy-times-only\n  syncConfig: {syncToCalendar: {enabled: false}, "
                "listEventFromCalendars: {calendars: [{id: a68yu6, name: Work}]}}\n"
            ),
        ),
        (
            "  syncConfig:\n    syncToCalendar: {}  # nothing\n  syncPolicy: busy-times-only",
            (
                "  syncConfig:\n    syncToCalendar: {}  # nothing\n"
                "    listEventFromCalendars: {calendars: [{id: a68yu6, name: Work}]}\n  syncPolicy: busy-times-only"
            ),
        ),
        (
            "  syncPolicy: busy-times-only\n  syncConfig:\n    listEventFromCalendars:\n      enabled: true",
            (
                "  syncPolicy: busy-times-only\n  syncConfig:\n    listEventFromCalendars:\n      enabled: true\n"
                "      calendars: [{id: a68yu6, name: Work}]"
            ),
        ),
        (
            "  syncPolicy: busy-times-only\n  syncConfig: {listEventFromCalendars: {}}\n",
            (
                "  syncPolicy: busy-times-only\n  syncConfig: {listEventFromCalendars: "
                "{calendars: [{id: a68yu6, name: Work}]}}\n"
            ),
        ),
    ],
)
def test_what_a_policy_says_otherwise_is_overridden_in_the_connection(folder: Path, before: str, after: str) -> None:
    """The policy is shared and stays; the one connection that differs says so itself."""
    edited(folder, before, after, sync=SyncConfig(chosen(WORK), OFF))


def test_a_connection_on_one_line_is_edited_too(folder: Path) -> None:
    """Flow style stays flow style."""
    text = (
        f"{{apiVersion: extcal/v1, kind: Connection, metadata: {{name: lee}}, spec: {{schedule: {{id: {LEE}}}, "
        "provider: apple, account: lee@harbor-dental.example, syncPolicy: busy-times-only, state: present}}"
    )
    path = written(folder, SITE, text)
    seen = observed(live(sync=SyncConfig(PRIMARY, DEDICATED)))
    pull(folder, seen)
    wanted = "busy-times-only, syncConfig: {syncToCalendar: {enabled: true, dedicatedCalendar: {}}}, state"
    assert path.read_text() == f"{SITE}---\n{text.replace('busy-times-only, state', wanted)}"
    assert actions(folder, seen) == {"harbor/lee": "noop"}


def test_line_breaks_and_byte_order_mark_stay(folder: Path) -> None:
    """A file from another system keeps its ways, also in what is added."""
    text = f"\ufeff{SITE}---\n{HEAD}  syncPolicy: busy-times-only\n".replace("\n", "\r\n")
    path = written(folder, text)
    seen = observed(live(sync=SyncConfig(chosen(WORK), OFF)), live(PATEL, GOOGLE))
    pull(folder, seen)
    after = path.read_bytes().decode()
    assert after.startswith("\ufeff# Our only site.\r\n")
    assert "\n" not in after.replace("\r\n", "")
    assert actions(folder, seen) == {"harbor/lee": "noop", "harbor/dr-patel-google": "noop"}
    assert pull(folder, seen).changed == []


def test_what_is_not_managed_is_left_alone(folder: Path) -> None:
    """Fields that a manifest leaves out or ignores are not written into it."""
    before = "  syncConfig: {syncToCalendar: {enabled: false}}\n"
    edited(folder, before, before, sync=SyncConfig(chosen(WORK), DEDICATED))


def test_ignored_calendars_stay_as_they_are(folder: Path) -> None:
    """Switching on is pulled, and the calendars that lifecycle.ignoreChanges names are not."""
    ignoring = HEAD.replace("syncConfig.syncToCalendar", "syncConfig.listEventFromCalendars.calendars")
    before = "  syncConfig: {listEventFromCalendars: {enabled: false, calendars: [Home]}}\n"
    path = written(folder, SITE, ignoring + before)
    seen = observed(live(sync=SyncConfig(chosen(WORK), OFF)))
    pull(folder, seen)
    assert path.read_text() == f"{SITE}---\n{ignoring}{before.replace('false', 'true')}"
    assert actions(folder, seen) == {"harbor/lee": "noop"}


def test_an_alias_of_a_value_gives_way_to_the_value(folder: Path) -> None:
    """What is written elsewhere is not edited there, where it means others too."""
    lead = "  syncConfig:\n    syncToCalendar: {enabled: &on true}\n    listEventFromCalendars: "
    edited(folder, f"{lead}{{enabled: *on}}\n", f"{lead}{{enabled: false}}\n", sync=SyncConfig(OFF, DEDICATED))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("  syncConfig: {syncToCalendar: &a {enabled: true}, listEventFromCalendars: *a}\n", "is an alias"),
        ("  syncPolicy: busy-times-only\n", "its policy, or its set's template, chooses a calendar"),
    ],
)
def test_what_can_not_be_edited_is_left_and_named(folder: Path, document: str, why: str) -> None:
    """A text that can't be changed in place stays as it is, and the failure says where and why."""
    path = written(folder, SITE, HEAD + document)
    before = path.read_text()
    sync = SyncConfig(Direction(enabled=True), OFF) if "Policy" in document else SyncConfig(OFF, DEDICATED)
    done = pull(folder, observed(live(sync=sync)))
    assert done.changed == []
    assert path.read_text() == before
    (failure,) = done.pull.failures
    assert failure.startswith(
        "manifests/all.yaml:19:1: harbor/lee differs from the live connection and can't be edited in place: "
    )
    assert why in failure


def test_an_edit_that_would_break_the_file_is_refused(folder: Path) -> None:
    """Where the value to change is an anchor that others need, the file stays, and others are pulled all the same."""
    first = HEAD + "  syncConfig: {listEventFromCalendars: {enabled: &on true}, syncToCalendar: {enabled: *on}}\n"
    path = written(folder, SITE, first)
    before = path.read_text()
    written(folder, connection_text("patel", PATEL, "  syncConfig: {syncToCalendar: {enabled: false}}\n"), to="b.yaml")
    seen = observed(live(sync=SyncConfig(OFF, DEDICATED)), live(PATEL, sync=SyncConfig(PRIMARY, DEDICATED)))
    done = pull(folder, seen)
    assert path.read_text() == before
    assert done.changed == ["b.yaml"]
    (failure,) = done.pull.failures
    assert failure.startswith(
        "manifests/all.yaml:19:1: harbor/lee differs from the live connection and can't be edited"
    )
    assert "in place: what would change is also used as *on; edit it by hand" in failure


def test_an_edit_that_would_break_the_file_keeps_no_other_out_of_it(folder: Path) -> None:
    """In a file of many documents the one that can't be edited stays as it is, and the others are edited or added."""
    anchored = "  syncConfig: {listEventFromCalendars: {enabled: &on true}, syncToCalendar: {enabled: *on}}\n"
    off = "  syncConfig: {syncToCalendar: {enabled: false}}\n"
    for number, documents in enumerate(itertools.permutations((HEAD + anchored, connection_text("patel", PATEL, off)))):
        at = folder / str(number)
        path = written(at, SITE, *documents)
        seen = observed(
            live(sync=SyncConfig(OFF, DEDICATED)),
            live(PATEL, sync=SyncConfig(PRIMARY, DEDICATED)),
            live(KIM, GOOGLE, sync=SyncConfig(PRIMARY, DEDICATED)),
        )
        done = pull(at, seen)
        (failure,) = done.pull.failures
        assert "harbor/lee differs from the live connection and can't be edited in place: " in failure
        assert HEAD + anchored in path.read_text()
        assert actions(at, seen) == {
            "harbor/lee": "update",
            "harbor/patel": "noop",
            "harbor/hygienist-kim-google": "noop",
        }


def test_an_unknown_calendar_gives_way_to_the_live_ones(folder: Path) -> None:
    """A calendar that the account does not have (any more) is a difference like any other."""
    edited(
        folder,
        "  syncConfig: {listEventFromCalendars: {calendars: [Elsewhere]}}\n",
        "  syncConfig: {listEventFromCalendars: {calendars: [{id: a68yu6, name: Work}]}}\n",
        sync=SyncConfig(chosen(WORK), OFF),
    )


def test_two_names_of_one_calendar_both_stay(folder: Path) -> None:
    """A calendar that is named twice in different ways is one calendar."""
    before = "  syncConfig: {listEventFromCalendars: {calendars: [Work, {id: a68yu6}]}}\n"
    edited(folder, before, before, sync=SyncConfig(chosen(CalendarRef("a68yu6", "Work")), OFF))


def test_both_directions_are_edited_at_once(folder: Path) -> None:
    """Every field that differs is changed in one pull."""
    head = HEAD.replace(", ignoreChanges: [syncConfig.syncToCalendar]", "")
    path = written(
        folder,
        SITE,
        head
        + "  syncConfig:\n    listEventFromCalendars: {enabled: false}\n    syncToCalendar: {primaryCalendar: {}}\n",
    )
    seen = observed(live(sync=SyncConfig(chosen(WORK), Direction(enabled=True, arm=Arm.DEDICATED))))
    pull(folder, seen)
    assert path.read_text().endswith(
        "  syncConfig:\n    listEventFromCalendars: {enabled: true, calendars: [{id: a68yu6, name: Work}]}\n"
        "    syncToCalendar: {dedicatedCalendar: {}}\n"
    )
    assert actions(folder, seen) == {"harbor/lee": "noop"}


def test_a_direction_that_says_nothing_of_being_on_gets_to_say_it(folder: Path) -> None:
    """What the policy says of a direction is overridden beside what the connection says of it."""
    text = "  syncPolicy: busy-times-only\n  syncConfig: {listEventFromCalendars: {primaryCalendar: {}}}\n"
    edited(folder, text, text.replace("{}}", "{}, enabled: false}"), sync=SyncConfig(OFF, OFF))


def test_a_list_with_odd_dashes_is_left_and_named(folder: Path) -> None:
    """A list that is written so that its items have no lines of their own is left to its owner."""
    written(
        folder, SITE, HEAD + "  syncConfig:\n    listEventFromCalendars:\n      calendars:\n      -\n        Work\n"
    )
    done = pull(folder, observed(live(sync=SyncConfig(chosen(HOME), OFF))))
    assert done.changed == []
    assert "can't be edited in place: a list has a dash on a line of its own; edit it by hand" in done.pull.failures[0]


def test_line_breaks_that_only_yaml_sees_do_not_mislead(folder: Path) -> None:
    """A separator that YAML takes for a line break ends a comment, and what is added goes before it."""
    lead = "  syncConfig:\n    listEventFromCalendars:\n"
    text = f"{lead}      enabled: false # a\u2028    syncToCalendar: {{enabled: false}}\n"
    path = written(folder, SITE, HEAD + text)
    seen = observed(live())
    assert not pull(folder, seen).pull.failures
    wanted = text.replace("false # a", "true # a\n      primaryCalendar: {}")
    assert path.read_bytes().decode() == f"{SITE}---\n{HEAD}{wanted}"
    assert actions(folder, seen) == {"harbor/lee": "noop"}


def test_an_edit_that_would_change_what_else_the_manifest_means_is_refused(folder: Path) -> None:
    """Where taking an anchor away makes an alias mean another one, the file stays as it is."""
    text = (
        "  syncConfig: {syncToCalendar: {enabled: &on false}, listEventFromCalendars: {enabled: &on true}}\n"
        "  state: present\n"
    )
    head = HEAD.replace("  lifecycle: {preventDisconnect: true, ignoreChanges: [syncConfig.syncToCalendar]}\n", "")
    path = written(folder, SITE, f"{head}{text}  lifecycle: {{preventDisconnect: *on}}\n")
    before = path.read_text()
    done = pull(folder, observed(live(sync=SyncConfig(OFF, OFF))))
    assert path.read_text() == before
    (failure,) = done.pull.failures
    assert failure.endswith("in place: what would change is also used as *on; edit it by hand")
