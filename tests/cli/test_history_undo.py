"""`extcal history --undo` turns an entry into a plan, and what does not fit any more into words."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    GOOGLE,
    HARBOR,
    PASSWORD_ENV,
    connected,
    connection,
    email,
    harbor,
    schedule_id,
    site,
    world,
)

APPLY = ("apply", "manifests", "--auto-approve")
UNDO = ("history", "--undo", "1", "--out", "undo.plan")
PLAN = ("apply", "--plan", "undo.plan", "--auto-approve")
IDLE = BUSY.replace("true", "false")


def importing(calendar: str) -> str:
    """A sync config that imports a calendar of this name."""
    return f"syncConfig: {{listEventFromCalendars: {{enabled: true, calendars: [{calendar}]}}}}"


@pytest.fixture
def applied(extcal: Extcal) -> Extcal:
    """One connection that was connected."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    declare(extcal, BUSY)
    return extcal


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command with the accounts' password."""
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    return extcal


def on(extcal: Extcal, *connections: ExistingConnection) -> None:
    """Let Harbor Dental have these connections."""
    extcal.on(world(replace(harbor(), connections=connections)))


def standing(extcal: Extcal) -> dict[str, object]:
    """The sync config of each account that is connected."""
    rows = extcal("connections", "--site-id", HARBOR, "--format", "json").rows
    return {str(row["externalAccountEmail"]): row["syncConfig"] for row in rows if row["status"] != "DISCONNECTED"}


def declare(extcal: Extcal, more: str) -> None:
    """Declare the connection so, and apply."""
    extcal.write(site(), connection(0, more=more))
    assert extcal(*APPLY).code == 0


def history(extcal: Extcal) -> list[dict[str, Any]]:
    """The entries as JSON."""
    found: list[dict[str, Any]] = json.loads(extcal("history", "--format", "json").out)
    return found


def rewrite(extcal: Extcal, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the last line of the history as somebody with an editor would."""
    (file,) = extcal.folder.rglob("history")
    *before, last = [line for line in file.read_text().splitlines() if line]
    fields = json.loads(last)
    change(fields)
    file.write_text("\n".join([*before, json.dumps(fields), ""]))


def test_an_update_is_undone(applied: Extcal) -> None:
    """The plan gives the connection what it had; nothing is written by making it, and it is in the history in turn."""
    declare(applied, IDLE)
    writes = len(applied.writes)
    ran = applied(*UNDO)
    assert ran.code == 0, ran.err
    assert len(applied.writes) == writes
    newest = history(applied)[-1]
    assert f"undoes {newest['id']}, {newest['at']}: update harbor/staff-0" in ran.err
    assert applied(*PLAN).code == 0
    applied.write(site(), connection(0, more=BUSY))
    assert applied("plan", "manifests").code == 0
    assert [entry["action"] for entry in history(applied)] == ["connect", "update", "update"]


def test_a_connect_is_undone_by_its_id(applied: Extcal) -> None:
    """An id means the same entry, whatever comes later; PATH says how the site is reached now."""
    entry = history(applied)[0]["id"]
    ran = applied("history", "manifests", "--undo", entry, "--out", "undo.plan")
    assert ran.code == 0, ran.err
    assert applied(*PLAN).code == 0
    assert applied.writes[-1].path.endswith("/disconnect")


def test_a_disconnect_is_undone(applied: Extcal) -> None:
    """By the reference to its password, which the history has, and never by the password."""
    declare(applied, "state: absent")
    assert applied(*UNDO).code == 0
    assert applied(*PLAN).code == 0
    assert standing(applied).keys() == {email(0)}
    for kept in (applied.folder / "undo.plan", *applied.folder.rglob("history")):
        assert not any(secret in kept.read_text() for secret in PASSWORD_ENV.values())


def test_a_reconnect_is_undone_as_far_as_it_can_be(armed: Extcal) -> None:
    """It stays connected, which a warning says, and imports again what it did."""
    former = SyncConfig(Import(enabled=True, calendars=("home",)))
    broken = replace(connected(1), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED, sync_config=former)
    on(armed, broken)
    before = standing(armed)
    armed.write(site(), connection(1, more=BUSY))
    assert armed(*APPLY).code == 0
    assert history(armed)[-1]["action"] == "reconnect"
    ran = armed(*UNDO)
    assert ran.code == 0, ran.err
    assert "it stays connected: a reconnect has nothing to go back to" in ran.err
    assert standing(armed) != before
    assert armed(*PLAN).code == 0
    assert standing(armed) == before


def test_a_disconnect_of_what_its_owner_connected_is_undone_by_its_owner(armed: Extcal) -> None:
    """The plan asks for the owner's consent, which the command says before."""
    on(armed, ExistingConnection(GOOGLE, schedule_id(0), email(0), id="google-0"))
    armed.write(site(), connection(0, provider="google", more="state: absent"))
    assert armed(*APPLY).code == 0
    assert standing(armed) == {}
    ran = armed(*UNDO)
    assert ran.code == 0, ran.err
    assert f"{email(0)} must consent again" in ran.err
    assert "/consent/" not in ran.err + (armed.folder / "undo.plan").read_text()
    ran = armed(*PLAN, "--consent", "skip")
    assert ran.code == 3, ran.out + ran.err
    assert "its owner was not asked for consent" in ran.out
    assert standing(armed) == {}


def test_a_disconnect_without_a_password_on_record_is_not_undone(armed: Extcal) -> None:
    """What no manifest has declared was disconnected without one: it says what it would take."""
    on(armed, connected(0), connected(1))
    armed.write(site(more="scope: site\nprune: true\nguards: {maxDisconnects: 100%}"), connection(0))
    assert armed(*APPLY).code == 0
    ran = armed(*UNDO)
    assert ran.code == 1
    assert f"connecting {email(1)} again takes its password, which no manifest refers to" in ran.err
    assert not (armed.folder / "undo.plan").exists()


def test_a_replace_is_undone_by_manifests_alone(armed: Extcal) -> None:
    """It says what to do; no plan is saved, and nothing written."""
    on(armed, replace(connected(1), schedule_id=schedule_id(0)))
    armed.write(site(more="prune: true\nguards: {maxDisconnects: 100%}"), connection(0, more=EXPORTING))
    assert armed(*APPLY).code == 0
    assert history(armed)[-1]["action"] == "replace"
    writes = len(armed.writes)
    ran = armed(*UNDO)
    assert ran.code == 1
    assert "a replace can't be undone by a plan: declare the former account again and apply" in ran.err
    assert not (armed.folder / "undo.plan").exists()
    assert len(armed.writes) == writes
    assert standing(armed).keys() == {email(0)}


def test_what_has_changed_since_is_not_undone(applied: Extcal) -> None:
    """An update that another one came after is left alone, with what moved; so is a connection that is gone."""
    declare(applied, importing("Work"))
    declare(applied, importing("Home"))
    ran = applied("history", "--undo", "2", "--out", "undo.plan")
    assert ran.code == 1
    assert "listEventFromCalendars.calendars changed since, so it is not undone: undo what came later first" in ran.err
    ran = applied("history", "--undo", "1", "--out", "undo.plan")
    assert ran.code == 0, ran.err
    (applied.folder / "undo.plan").unlink()
    declare(applied, "state: absent")
    ran = applied("history", "--undo", "4", "--out", "undo.plan")
    assert ran.code == 1
    assert "it is as it was before already" in ran.err
    assert not (applied.folder / "undo.plan").exists()


def test_what_was_changed_later_goes_with_the_connection(applied: Extcal) -> None:
    """Undoing a connect says so."""
    declare(applied, IDLE)
    ran = applied("history", "--undo", "2", "--out", "undo.plan")
    assert ran.code == 0
    assert "changed since: that goes with the connection" in ran.err


def test_guards_hold_for_it(applied: Extcal) -> None:
    """A plan that has come to rest on another live state is refused where it is applied."""
    declare(applied, IDLE)
    assert applied(*UNDO).code == 0
    declare(applied, "state: absent")
    writes = len(applied.writes)
    assert applied(*PLAN).code == 1
    assert len(applied.writes) == writes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda fields: fields.pop("recorded"), "does not hold what was done"),
        (lambda fields: fields.update(recorded=7), "is not an object"),
        (lambda fields: fields.update(recorded={"site": {}, "action": {}}), "is missing"),
        (lambda fields: fields["recorded"]["action"].update(more=1), "more is not known"),
        (lambda fields: fields["recorded"]["action"].update(kind="noop"), "what it shows is not what it holds"),
        (lambda fields: fields["recorded"]["action"].update(site_id="other"), "of another site"),
        (lambda fields: fields["recorded"]["site"].update(site_id="other"), "what it shows is not what it holds"),
        (lambda fields: fields.update(address="harbor/staff-1"), "what it shows is not what it holds"),
        (lambda fields: fields.update(status="wonderful"), "wonderful"),
        (lambda fields: fields.update(status="failed", connection_id=None), "it failed"),
        (lambda fields: fields.update(status="awaiting-consent"), "waiting for its owner"),
        (lambda fields: fields.update(connection_id="0" * 36), "is not listed now"),
    ],
)
def test_a_line_that_was_tampered_with_is_refused(
    applied: Extcal, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    """With what is wrong; nothing is saved, and nothing written."""
    rewrite(applied, change)
    writes = len(applied.writes)
    ran = applied(*UNDO)
    assert ran.code == 1
    assert says in ran.err
    assert "internal error" not in ran.err
    assert not (applied.folder / "undo.plan").exists()
    assert len(applied.writes) == writes


@pytest.mark.parametrize(
    "words",
    [
        ("--undo", "1"),
        ("--out", "undo.plan"),
        ("--undo", "0", "--out", "undo.plan"),
        ("--undo", "2", "--out", "undo.plan"),
        ("--undo", "none", "--out", "undo.plan"),
        ("--undo", "", "--out", "undo.plan"),
        ("--undo", "1", "--out", "-"),
        ("--undo", "1", "--out", "manifests"),
        ("--undo", "1", "--out", "/dev/null"),
    ],
)
def test_wrong_usage_saves_nothing(applied: Extcal, words: tuple[str, ...]) -> None:
    """An entry that is not there, a file that is there, or one without the other."""
    assert applied("history", *words).code == 64
    assert not Path(applied.folder / "undo.plan").exists()


def test_calendars_that_the_service_lists_without_names_have_not_changed(asking: Extcal) -> None:
    """Declared by name and listed by id: undoing what came of that warns of nothing."""
    asking.on(world(harbor()))
    for calendar in ("Work", "Home"):
        declare(asking, importing(calendar))
        ran = asking("history", "--undo", "1", "--out", f"{calendar}.plan")
        assert (ran.code, "changed since" in ran.err) == (0, False), ran.err


def test_what_was_connected_with_calendars_by_name_stands_as_it_was(armed: Extcal) -> None:
    """Undoing it at once warns of nothing; another calendar since then is told."""
    armed.on(world(harbor()))
    declare(armed, importing("Work"))
    ran = armed(*UNDO)
    assert (ran.code, "changed since" in ran.err) == (0, False), ran.err
    (armed.folder / "undo.plan").unlink()
    declare(armed, importing("Home"))
    ran = armed("history", "--undo", "2", "--out", "undo.plan")
    assert "listEventFromCalendars.calendars changed since: that goes with the connection" in ran.err
