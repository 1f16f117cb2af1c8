"""Promise: what `ignoreChanges` names is set once, when a connection is made, however often the run was interrupted."""

from pathlib import Path

import httpx
import pytest

from reconciler.machine.unfinished import UnfinishedError, UnfinishedFile
from reconciler.model.account import Account
from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from tests.support.cli.command import Extcal
from tests.support.cli.journals import folder_of
from tests.support.cli.worlds import PASSWORD_ENV, connection, email, harbor, site, world

_APPLY = ("apply", "manifests", "--auto-approve")
_IGNORING = (
    "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}\n"
    "lifecycle: {ignoreChanges: [syncConfig.listEventFromCalendars]}"
)


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command, with a site on which nothing is connected."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor()))
    folder_of(extcal)
    return extcal


def imports(extcal: Extcal) -> object:
    """What the only connection imports."""
    (row,) = extcal("connections", "--site-id", harbor().id, "--format", "json").rows
    config = row["syncConfig"]
    assert isinstance(config, dict)
    return config.get("listEventFromCalendars")


def refuse_configs(extcal: Extcal) -> None:
    """Let the next UpdateSyncConfig be refused."""
    extcal.sandbox.inject(Faults((Fault(Answer(403), on=frozenset({Operation.UPDATE_SYNC_CONFIG})),)))


def test_a_config_that_was_refused_is_set_by_the_next_run_and_then_ignored(armed: Extcal) -> None:
    """The first apply has connected, the second one sets all that the manifest says; after that it is left alone."""
    armed.write(site(), connection(0, more=_IGNORING))
    refuse_configs(armed)
    first = armed(*_APPLY)
    assert first.code == 1
    assert "connected, but its sync config was not set; apply again to finish it" in first.out
    assert armed("plan", "manifests", "--detailed-exitcode").code == 2
    armed.sandbox.inject(None)
    assert armed(*_APPLY).code == 0
    assert "Work" in str(imports(armed))
    (connection_id,) = [
        str(row["id"]) for row in armed("connections", "--site-id", harbor().id, "--format", "json").rows
    ]
    path = f"/bookings/v2/external-calendars/connections/{connection_id}/sync-config"
    off = {"syncConfig": {"listEventFromCalendars": {"enabled": False}}}
    headers = {"Authorization": armed.sandbox.api_key, "wix-site-id": harbor().id}
    assert httpx.patch(f"{armed.sandbox.endpoint}{path}", json=off, headers=headers).status_code == 200
    assert armed("plan", "manifests", "--detailed-exitcode").code == 0


def test_a_consent_that_was_given_after_the_run_is_finished_by_the_next(armed: Extcal) -> None:
    """The link went out, its owner agreed later: the connection is new to its manifest."""
    ignoring = "syncConfig: {syncToCalendar: {enabled: false}}\nlifecycle: {ignoreChanges: [syncConfig.syncToCalendar]}"
    armed.write(site(), connection(0, provider="google", more=ignoring))
    asked = armed(*_APPLY, "--consent", "link", "--format", "json")
    assert asked.code == 3
    form = {"decision": "allow", "account": email(0), "outcome": "connected"}
    assert httpx.post(str(asked.actions[0]["consent_url"]), data=form).status_code == 303
    assert folder_of(armed).leaves_unfinished("harbor/staff-0", Account(email(0)))
    assert armed(*_APPLY).code == 0
    assert not folder_of(armed).leaves_unfinished("harbor/staff-0", Account(email(0)))


def test_what_is_as_declared_is_finished(armed: Extcal) -> None:
    """Somebody else may have set it meanwhile: then it is left alone from there on."""
    armed.write(site(), connection(0))
    assert armed(*_APPLY).code == 0
    folder_of(armed).unfinished.add("harbor/staff-0", Account(email(0)))
    assert armed(*_APPLY).code == 0
    assert not folder_of(armed).leaves_unfinished("harbor/staff-0", Account(email(0)))


def test_lines_that_were_cut_off_are_passed_over(tmp_path: Path) -> None:
    """What stands before and after them counts; an account is one however it is spelt."""
    path = tmp_path / "unfinished"
    known = UnfinishedFile(path, lambda: None)
    known.add("harbor/lee", Account("Lee@Harbor.example"))
    known.add("harbor/kim", Account("kim@harbor.example"))
    with path.open("ab") as file:
        file.write(b'{"begun": "harb')
    known.add("harbor/pat", Account("pat@harbor.example"))
    known.remove("harbor/kim", Account("kim@harbor.example"))
    again = UnfinishedFile(path, lambda: None)
    assert again.holds("harbor/lee", Account("lee@harbor.example"))
    assert again.holds("harbor/pat", Account("pat@harbor.example"))
    assert not again.holds("harbor/kim", Account("kim@harbor.example"))
    assert not again.holds("harbor/lee", None)
    again.remove("harbor/lee", Account("lee@harbor.example"))
    again.remove("harbor/pat", Account("pat@harbor.example"))
    assert not path.exists()


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    """Neither read nor written through."""
    path = tmp_path / "unfinished"
    path.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("", encoding="utf-8")
    with pytest.raises(UnfinishedError, match="so the connections without their sync config can't be found"):
        UnfinishedFile(path, lambda: None).holds("harbor/lee", None)


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    """One whose owner never agrees stays, and what comes and goes beside it leaves no trace."""
    path = tmp_path / "unfinished"
    known = UnfinishedFile(path, lambda: None)
    known.add("harbor/lee", Account("lee@harbor.example"))
    for number in range(2_000):
        known.add(f"harbor/{number}", Account("kim@harbor.example"))
        known.remove(f"harbor/{number}", Account("kim@harbor.example"))
    assert path.stat().st_size < 80 * 1024
    again = UnfinishedFile(path, lambda: None)
    assert again.holds("harbor/lee", Account("lee@harbor.example"))
    assert not again.holds("harbor/1999", Account("kim@harbor.example"))


def test_what_can_not_be_noted_as_finished_is_not_said_to_be_unsent(tmp_path: Path) -> None:
    """The message says what may come of it."""
    path = tmp_path / "unfinished"
    known = UnfinishedFile(path, lambda: None)
    known.add("harbor/lee", Account("lee@harbor.example"))
    known.add("harbor/kim", Account("kim@harbor.example"))
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        UnfinishedError, match="so the fields of ignoreChanges may be set once more; repair or delete the file"
    ):
        known.remove("harbor/lee", Account("lee@harbor.example"))
