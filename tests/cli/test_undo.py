"""The way back, carried out: what stood before stands again, but for what a warning says."""

import json
import random
from dataclasses import replace

import pytest

from reconciler.sandbox.contract import ErrorReason, ExportTarget, Status
from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from reconciler.sandbox.sync_config import Export, Import, SyncConfig
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    HARBOR,
    PASSWORD_ENV,
    ROTA,
    connected,
    connection,
    email,
    harbor,
    schedule_id,
    site,
    world,
)

TOMBSTONE = "state: absent"
OFF = "syncConfig: {listEventFromCalendars: {enabled: false}, syncToCalendar: {enabled: false}}"
HOME = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Home]}}"
FREE = "guards: {maxDisconnects: 100%}"


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command with the accounts' password."""
    extcal.env |= PASSWORD_ENV
    return extcal


def on(extcal: Extcal, *connections: ExistingConnection) -> None:
    """Let Harbor Dental have these connections."""
    extcal.on(world(replace(harbor(), connections=connections)))


def standing(extcal: Extcal) -> dict[str, object]:
    """The sync config of each account that is connected."""
    rows = extcal("connections", "--site-id", HARBOR, "--format", "json").rows
    return {str(row["externalAccountEmail"]): row["syncConfig"] for row in rows if row["status"] != "DISCONNECTED"}


def applied(extcal: Extcal, *more: str, code: int = 0) -> Ran:
    """Apply the manifests, with the way back in undo.json."""
    (extcal.folder / "undo.json").unlink(missing_ok=True)
    ran = extcal("apply", "manifests", "--auto-approve", "--undo-out", "undo.json", *more)
    assert ran.code == code, ran.out + ran.err
    return ran


def taken_back(extcal: Extcal, *more: str, code: int = 0) -> Ran:
    """Apply the way back."""
    extcal.sandbox.requests.clear()
    ran = extcal("apply", "--plan", "undo.json", "--auto-approve", *more)
    assert ran.code == code, ran.out + ran.err
    return ran


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("scope", ["site", "schedules"])
def test_it_takes_a_word_to_disconnect_all_that_is_there(armed: Extcal, scope: str, *, saved: bool) -> None:
    """Rows that are DISCONNECTED, and with `scope: schedules` those of other schedules, are no excuse for 5 of 5."""
    gone = [replace(connected(0), id=f"gone-{n}", status="DISCONNECTED") for n in range(20)]
    beyond = [replace(connected(7), id=f"beyond-{n}") for n in range(20)] if scope == "schedules" else []
    on(armed, *gone, *beyond)
    armed.write(site(more=f"scope: {scope}"), *(connection(n) for n in range(5)))
    if saved:
        assert armed("plan", "manifests", "--out", "plan.json").code == 0
        ran = armed("apply", "--plan", "plan.json", "--auto-approve", "--undo-out", "undo.json")
        assert ran.code == 0, ran.err
    else:
        applied(armed)
    stopped = taken_back(armed, code=1)
    assert "5 of 5 connections would be disconnected" in stopped.err
    assert armed.writes == []
    taken_back(armed, "--allow", "max-disconnects:harbor")
    assert not {email(n) for n in range(5)} & standing(armed).keys()


def test_a_provider_whose_config_is_fixed(armed: Extcal) -> None:
    """It is connected again without sending a config, and the warning says what that may cost."""
    rota = ExistingConnection(ROTA, schedule_id(0), email(0), id="rota-0")
    on(armed, rota)
    before = standing(armed)
    armed.write(site(), connection(0, provider="{name: Tidewater Rota}", more=TOMBSTONE))
    remark = "its sync config can't be set, so it may differ from what it was (import on, export off)"
    assert applied(armed).err == f"warning: undo: harbor/staff-0: {remark}\n"
    assert standing(armed) == {}
    assert taken_back(armed).err == ""
    assert standing(armed) == before
    assert [request.path.rpartition(":")[2] for request in armed.writes] == ["connectByCredentials"]


def test_a_connect_whose_config_was_refused_is_taken_back(armed: Extcal) -> None:
    """Half done is done as far as it came: the connection goes, the rest stands as it did."""
    on(armed, connected(1))
    before = standing(armed)
    armed.write(site(), connection(0, more=BUSY), connection(1))
    armed.sandbox.inject(Faults((Fault(Answer(400), on={Operation.UPDATE_SYNC_CONFIG}),)))
    applied(armed, code=1)
    armed.sandbox.inject(None)
    assert standing(armed).keys() == {email(0), email(1)}
    taken_back(armed)
    assert standing(armed) == before


def test_a_replace_that_came_half_way_is_taken_back(armed: Extcal) -> None:
    """The new account's config was refused, so the former one was not given up, and stays."""
    on(armed, replace(connected(1), schedule_id=schedule_id(0)))
    before = standing(armed)
    armed.write(site(more=f"prune: true\n{FREE}"), connection(0, more=BUSY))
    armed.sandbox.inject(Faults((Fault(Answer(400), on={Operation.UPDATE_SYNC_CONFIG}),)))
    applied(armed, code=1)
    armed.sandbox.inject(None)
    assert standing(armed).keys() == {email(0), email(1)}
    taken_back(armed)
    assert standing(armed) == before


def test_a_reconnect_gets_its_former_config_back(armed: Extcal) -> None:
    """It stays connected, which a warning says, and imports again what it did."""
    former = SyncConfig(Import(enabled=True, calendars=("home",)), Export(target=ExportTarget.DEDICATED))
    broken = replace(connected(1), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED, sync_config=former)
    on(armed, broken)
    before = standing(armed)
    armed.write(site(), connection(1, more=BUSY))
    said = "warning: undo: harbor/staff-1: it stays connected: a reconnect has nothing to go back to\n"
    assert applied(armed).err == said
    assert standing(armed) != before
    taken_back(armed)
    assert standing(armed) == before


def test_of_duplicates_that_a_tombstone_took_one_comes_back(armed: Extcal) -> None:
    """The broken twin of a connection is not connected again beside it, and a warning says so."""
    healthy = replace(connected(1), sync_config=SyncConfig(exports=Export(target=ExportTarget.DEDICATED)))
    twin = replace(healthy, id="a-twin", status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    on(armed, healthy, twin)
    armed.write(site(more=FREE), connection(1, more=TOMBSTONE))
    ran = applied(armed)
    assert "harbor/id:a-twin: it is not connected again beside harbor/staff-1 of the same account" in ran.err
    assert standing(armed) == {}
    taken_back(armed)
    rows = armed("connections", "--site-id", HARBOR, "--format", "json").rows
    assert [row["status"] == "DISCONNECTED" for row in rows].count(False) == 1


def test_the_plan_says_what_it_sends(armed: Extcal) -> None:
    """Which calendar an export goes to can't be taken back: not among the changes, but in a warning."""
    on(armed, connected(1))
    armed.write(site(), connection(1, more=EXPORTING))
    warning = "syncConfig.syncToCalendar.dedicatedCalendar stays chosen: the API can't take a choice back"
    assert applied(armed).err == f"warning: undo: harbor/staff-1: {warning}\n"
    shown = json.loads(taken_back(armed, "--format", "json").out)
    assert shown["actions"][0]["changes"] == [
        {"path": "syncConfig.syncToCalendar.enabled", "before": True, "after": False}
    ]


def test_there_and_back_and_there_again(armed: Extcal) -> None:
    """An undo is a plan like any other: what it did can be undone, with the config that was there in between."""
    on(armed, connected(1), connected(2))
    armed.write(site(more=FREE), connection(0, more=HOME), connection(1, more=OFF), connection(2, more=TOMBSTONE))
    applied(armed)
    after = standing(armed)
    taken_back(armed, "--undo-out", "redo.json")
    assert standing(armed) != after
    ran = armed("apply", "--plan", "redo.json", "--auto-approve")
    assert ran.code == 0, ran.out + ran.err
    assert standing(armed) == after


def some_config(chance: random.Random) -> SyncConfig:
    """Any config of an Apple account, its directions on or off, with or without calendars."""
    calendars = chance.choice([None, ("work",), ("home",), ("home", "work")])
    primary = calendars is None and chance.random() < 0.7
    imports = Import(
        enabled=(primary or calendars is not None) and chance.random() < 0.6, primary=primary, calendars=calendars
    )
    target = chance.choice([None, ExportTarget.DEDICATED])
    return SyncConfig(imports, Export(enabled=target is not None and chance.random() < 0.6, target=target))


@pytest.mark.parametrize(
    "seed", [seed if seed < 4 else pytest.param(seed, marks=pytest.mark.soak) for seed in range(60)]
)
def test_what_stood_stands_again(armed: Extcal, seed: int) -> None:
    """Whatever is applied and undone: every field is as it was, but for those that a warning names."""
    chance = random.Random(seed)  # noqa: S311 - a seeded world, no secret
    live = [n for n in range(8) if chance.random() < 0.7]
    on(armed, *(replace(connected(n), sync_config=some_config(chance)) for n in live))
    before = standing(armed)
    wishes = [BUSY, EXPORTING, OFF, HOME, HOME.replace("Home", "Work, Home"), TOMBSTONE, ""]
    armed.write(site(more=FREE), *(connection(n, more=chance.choice(wishes)) for n in range(8)))
    warned = applied(armed).err
    if (armed.folder / "undo.json").exists():
        taken_back(armed)
    after = standing(armed)
    assert after.keys() == before.keys()
    for account in before:
        address = f"harbor/{account.partition('@')[0].replace('staff', 'staff-')}"
        was, stands = fields(before[account]), fields(after[account])
        for path in (path for path in was if was[path] != stands[path]):
            direction, _, field = path.partition(".")
            assert field != "enabled", (address, path)
            assert f"{address}: syncConfig.{direction}" in warned, (address, path, warned)


def fields(sync: object) -> dict[str, object]:
    """Each direction's switch and what it is for, by its path."""
    assert isinstance(sync, dict)
    found: dict[str, object] = {}
    for path, direction in sync.items():
        found[f"{path}.enabled"] = direction["enabled"]
        found |= {f"{path}.{arm}": direction.get(arm) for arm in ("primaryCalendar", "calendars", "dedicatedCalendar")}
    return found
