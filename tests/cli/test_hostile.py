"""Text from the service, however hostile, is inert wherever it is shown."""

import json
import unicodedata
from dataclasses import replace

import pytest

from reconciler.sandbox.world import Account, Calendar, World
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import (
    HARBOR,
    PASSWORD,
    PASSWORD_ENV,
    connected,
    connection,
    harbor,
    schedule_id,
    site,
    world,
)

# Clears the screen, sets the title, reverses what follows, feigns a line of its own, hides, and uses 8-bit controls.
_EVIL = "\x1b[2J\x1b]0;owned\x07 evil\u202e\u2066\r\nerror: all is well\x9b31m\u200b\u2028end\x00\x7f"
_TAME = "[2J]0;owned evilerror: all is well31mend"
# An account that is too long to be shown in both ways.
_IN_ESCAPES = "[2J]0;owned evil\\u202e\\u2066error: all is well31m\\u200b\\u2028end@harbor-dental.example"


def hostile() -> World:
    """A world in which whatever the service may name is named hostilely."""
    shown = harbor()
    account = f"{_EVIL}@harbor-dental.example"
    providers = tuple(replace(p, name=f"{p.name} {_EVIL}") for p in shown.providers)
    schedules = tuple(
        replace(s, name=f"{s.name} {_EVIL}", external_id=f"staff-{number}") for number, s in enumerate(shown.schedules)
    )
    evil = replace(connected(1), account=account, id="live-evil")
    calendars = (Calendar("evil", _EVIL), Calendar("also", f"{_EVIL} too"))
    return World(
        sites=(replace(shown, providers=providers, schedules=schedules, connections=(connected(0), evil)),),
        accounts=(
            *(replace(a, calendars=calendars) for a in world().accounts),
            Account("apple", account, PASSWORD, calendars),
        ),
    )


def assert_inert(text: str) -> None:
    """Assert that nothing in `text` moves a cursor, hides or reorders; only ends of lines are left."""
    harmful = {char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert harmful <= {"\n"}
    assert not any(line.startswith("error: all is well") for line in text.splitlines())


@pytest.fixture
def besieged(extcal: Extcal) -> Extcal:
    """The command, facing the hostile world."""
    extcal.on(hostile())
    extcal.env |= PASSWORD_ENV
    return extcal


@pytest.mark.parametrize("command", ["providers", "schedules", "connections", "calendars", "events"])
def test_tables_and_their_json_are_inert(besieged: Extcal, command: str) -> None:
    """A row stays one row, and no value holds anything harmful, escaped or not."""
    table, document = besieged(command, "--site-id", HARBOR), besieged(command, "--site-id", HARBOR, "--format", "json")
    assert table.code == document.code == 0
    assert_inert(table.out + table.err + document.out + document.err)
    assert len(table.out.splitlines()) == len(document.rows) + 1
    assert "\\u00" not in document.out
    if command != "events":
        assert (_IN_ESCAPES if command == "connections" else _TAME) in table.out
        assert _TAME in json.dumps(document.rows)


def test_plan_and_apply_are_inert(besieged: Extcal) -> None:
    """Names of schedules, accounts and calendars are shown without their poison."""
    besieged.write(
        site(more="scope: site\nprune: true"),
        connection(0).replace(f"{{id: {schedule_id(0)}}}", "{externalId: staff-0}"),
        connection(2),
    )
    for args in (
        ("plan", "manifests"),
        ("plan", "manifests", "--format", "json"),
        ("apply", "manifests", "--auto-approve"),
    ):
        ran = besieged(*args)
        assert ran.code == 0
        assert_inert(ran.out + ran.err)
        assert (_TAME if "json" in args else _IN_ESCAPES) in ran.out


def test_faults_that_quote_the_service_stay_on_their_line(besieged: Extcal) -> None:
    """Candidates that a fault names can't forge a line of their own."""
    besieged.write(
        site(),
        connection(3, provider="{name: Nobody}"),
        connection(0, more="syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Absent]}}"),
        connection(2).replace(f"{{id: {schedule_id(2)}}}", "{name: Nobody}"),
    )
    for output in ("text", "json"):
        ran = besieged("plan", "manifests", "--format", output)
        assert ran.code == 1
        assert_inert(ran.out + ran.err)
        assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["manifests/all.yaml"] * 3
        assert ran.err.count(_TAME) >= 3
