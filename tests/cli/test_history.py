"""`extcal history` shows what was done to connections, by whom, and nothing that must not be kept."""

import json
import stat
from pathlib import Path

import pytest

from reconciler.machine.history import KEPT, ROTATE_SIZE
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, connection, harbor, site, world

APPLY = ("apply", "manifests", "--auto-approve")
CI = {"GITHUB_ACTOR": "octo-example", "GITHUB_SHA": "3f" * 20}
DONE = "harbor/staff-0"


@pytest.fixture
def applied(extcal: Extcal) -> Extcal:
    """One connection that was connected by an apply in CI."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | CI | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, more=BUSY))
    assert extcal(*APPLY).code == 0
    return extcal


def entries(extcal: Extcal, *options: str) -> list[dict[str, object]]:
    """The history as JSON."""
    found = json.loads(extcal("history", *options, "--format", "json").out)
    assert isinstance(found, list)
    return found


def file_of(extcal: Extcal) -> Path:
    """The one file that the history is in."""
    (found,) = (extcal.folder).rglob("history")
    return found


def test_it_says_who_did_what(applied: Extcal) -> None:
    """The actor, the commit, the plan, the connection, its fields before and after, and how it ended."""
    (entry,) = entries(applied)
    assert entry["by"] == "octo-example"
    assert entry["commit"] == "3f" * 20
    assert str(entry["plan"]).startswith("sha256:")
    assert (entry["action"], entry["address"], entry["status"]) == ("connect", DONE, "done")
    changes = entry["changes"]
    assert isinstance(changes, list)
    assert {"path": "syncConfig.listEventFromCalendars.enabled", "before": None, "after": True} in changes
    shown = applied("history").out
    assert "octo-example" in shown
    assert f" {str(entry['plan'])[7:14]} " in shown
    assert DONE in shown
    assert stat.S_IMODE(file_of(applied).stat().st_mode) == 0o600


def test_nothing_is_added_where_nothing_is_done(applied: Extcal) -> None:
    """Plans, and an apply that finds all as declared, leave it as it is; nothing is asked for showing it."""
    applied("plan", "manifests")
    applied(*APPLY)
    assert len(entries(applied)) == 1


def test_a_disconnect_follows(applied: Extcal) -> None:
    """The oldest is first, in CSV as well."""
    applied.write(site(), connection(0, more="state: absent"))
    assert applied(*APPLY).code == 0
    assert [entry["action"] for entry in entries(applied)] == ["connect", "disconnect"]
    assert len(applied("history", "--format", "csv").out.splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("manifests",), 1),
        (("--site", "harbor"), 1),
        (("--site", "elsewhere"), 0),
        (("--connection", "staff-0"), 1),
        (("--connection", DONE), 1),
        (("--connection", "staff-1"), 0),
        (("--since", "1h"), 1),
        (("--since", "2100-01-01"), 0),
    ],
)
def test_it_can_be_narrowed(applied: Extcal, options: tuple[str, ...], count: int) -> None:
    """To sites, connections and times."""
    assert len(entries(applied, *options)) == count


@pytest.mark.parametrize("since", ["yesterday", "", "0001-01-01T00:00+14:00"])
def test_a_time_that_is_none_is_an_error(applied: Extcal, since: str) -> None:
    """With what to write."""
    ran = applied("history", "--since", since)
    assert ran.code == 64
    assert "Write 30m, 24h, 7d, or 2027-01-31." in ran.err


def test_a_line_that_was_cut_off_is_passed_over(applied: Extcal) -> None:
    """What a crash has left spoils neither what stands before nor what comes after."""
    with file_of(applied).open("a") as file:
        file.write('\n{"at": "2027-')
    applied.write(site(), connection(0, more="state: absent"))
    assert applied(*APPLY).code == 0
    assert [entry["action"] for entry in entries(applied)] == ["connect", "disconnect"]


def test_it_does_not_grow_for_ever(applied: Extcal) -> None:
    """A file that has grown is set aside and still shown; the oldest that was set aside goes."""
    file = file_of(applied)
    for number in range(1, KEPT + 1):
        file.with_name(f"history.{number}").write_bytes(b"")
        file.with_name(f"history.{number}").chmod(0o600)
    with file.open("ab") as grown:
        grown.write(b"\n" * ROTATE_SIZE)
    applied.write(site(), connection(0, more="state: absent"))
    assert applied(*APPLY).code == 0
    assert [entry["action"] for entry in entries(applied)] == ["connect", "disconnect"]
    assert file.stat().st_size < ROTATE_SIZE
    assert len(list(file.parent.glob("history*"))) == KEPT + 1


def test_what_was_done_and_can_not_be_recorded_is_told(applied: Extcal) -> None:
    """It is done all the same, and the run fails for it, with the file."""
    file = file_of(applied)
    file.unlink()
    file.mkdir()
    applied.write(site(), connection(0, more="state: absent"))
    ran = applied(*APPLY)
    assert ran.code == 1
    assert "so the history lacks it" in ran.out
    assert applied.writes[-1].path.endswith("/disconnect")
    assert applied("history").code == 1


def test_links_are_not_in_it(extcal: Extcal) -> None:
    """That an owner was asked is, and not how."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, provider="google"))
    ran = extcal(*APPLY, "--consent", "link", "--format", "json")
    assert ran.code == 3
    (url,) = [action["consent_url"] for action in json.loads(ran.out)["actions"] if action["consent_url"]]
    assert "awaiting-consent" in file_of(extcal).read_text()
    assert str(url) not in file_of(extcal).read_text()
