"""Saved plans: what was reviewed is what is carried out, once, as far as its ground still holds; and the way back."""

from pathlib import Path

import httpx
import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    HARBOR,
    KEY,
    PASSWORD,
    PASSWORD_ENV,
    connection,
    harbor,
    site,
    world,
)

TOMBSTONE = "state: absent"


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command with the accounts' password, on a site where staff 1 and 2 are connected."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1, 2)))
    return extcal


def saved(extcal: Extcal, *options: str) -> Path:
    """Plan the manifests into a file, which writes nothing to the service."""
    ran = extcal("plan", "manifests", "--out", "plan.json", *options)
    assert (ran.code, extcal.writes) == (0, []), ran.err
    return extcal.folder / "plan.json"


def behind(extcal: Extcal, method: str, path: str, body: dict[str, object]) -> None:
    """Somebody changes the live state by hand."""
    url = f"{extcal.sandbox.endpoint}/bookings/v2/external-calendars/connections/{path}"
    answer = httpx.request(method, url, json=body, headers={"Authorization": KEY, "wix-site-id": HARBOR})
    assert answer.status_code == 200, answer.text
    extcal.sandbox.requests.clear()


def test_a_saved_plan_is_carried_out_without_its_manifests(armed: Extcal) -> None:
    """The file is all that apply needs; the passwords are resolved only then."""
    armed.write(site(), connection(0, more=BUSY), connection(1, more=EXPORTING))
    plan = saved(armed)
    assert PASSWORD not in plan.read_text()
    (armed.folder / "manifests/all.yaml").unlink()
    ran = armed("apply", "--plan", "plan.json", "--auto-approve")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "Applied: 2 done."
    assert len(armed.writes) == 3


def test_a_second_time_is_a_clear_no_op(armed: Extcal) -> None:
    """A plan that was applied sends nothing again and says so."""
    armed.write(site(), connection(0), connection(1, more=EXPORTING), connection(2, more=TOMBSTONE))
    saved(armed)
    assert armed("apply", "--plan", "plan.json", "--auto-approve").code == 0
    armed.sandbox.requests.clear()
    again = armed("apply", "--plan", "plan.json", "--auto-approve")
    assert (again.code, armed.writes) == (0, [])
    assert again.out.count("done before") == 3
    assert again.out.splitlines()[-1] == "Nothing was done: this plan was applied before."
    told = armed("apply", "--plan", "plan.json", "--auto-approve", "--format", "json")
    valid(told.document)
    assert [(action["status"], action["already"]) for action in told.actions] == [("done", True)] * 3


def test_an_action_whose_ground_has_moved_is_skipped_and_the_rest_is_done(armed: Extcal) -> None:
    """Drift under one action voids that action alone; drift elsewhere voids nothing."""
    armed.write(site(), connection(0, more=BUSY), connection(1, more=EXPORTING), connection(2, more=EXPORTING))
    saved(armed)
    behind(armed, "PATCH", "live-1/sync-config", {"syncConfig": {"syncToCalendar": {"enabled": True}}})
    behind(armed, "PATCH", "live-2/sync-config", {"syncConfig": {"listEventFromCalendars": {"enabled": False}}})
    ran = armed("apply", "--plan", "plan.json", "--auto-approve", "--format", "json")
    ended = {str(a["address"]): (a["status"], a["error"]) for a in ran.actions}
    assert ran.code == 1
    assert ended == {
        "harbor/staff-0": ("done", None),
        "harbor/staff-1": ("skipped", "the live state that it rests on has changed since it was planned; plan again"),
        "harbor/staff-2": ("done", None),
    }
    assert [r.path.split("/")[-2] for r in armed.writes if r.method == "PATCH"].count("live-1") == 0


def test_a_disconnect_does_not_touch_a_connection_that_somebody_reconnected(armed: Extcal) -> None:
    """The connection that a tombstone meant is gone; the new one of the same account is not taken in its place."""
    armed.write(site(), connection(1, more=TOMBSTONE))
    saved(armed)
    behind(armed, "POST", "live-1/disconnect", {})
    assert armed("apply", "--plan", "plan.json", "--auto-approve").code == 0
    assert armed.writes == []


def test_guards_hold_for_a_saved_plan_until_they_are_overruled(armed: Extcal) -> None:
    """A plan saved with a violation is refused, and `--allow` opens it when it is applied."""
    armed.on(world(harbor(1, 2, 3)))
    armed.write(site(), *(connection(n, more=TOMBSTONE) for n in (1, 2, 3)))
    assert armed("plan", "manifests", "--out", "plan.json").code == 1
    stopped = armed("apply", "--plan", "plan.json", "--auto-approve")
    assert (stopped.code, armed.writes) == (1, [])
    assert "--allow max-disconnects:harbor" in stopped.err
    opened = armed("apply", "--plan", "plan.json", "--auto-approve", "--allow", "max-disconnects:harbor")
    assert (opened.code, len(armed.writes)) == (0, 3)


def test_a_plan_that_was_edited_is_refused(armed: Extcal) -> None:
    """An altered file is told as such, and nothing is asked of the service."""
    armed.write(site(), connection(0))
    plan = saved(armed)
    armed.sandbox.requests.clear()
    plan.write_text(plan.read_text().replace("staff0@", "staff9@"))
    ran = armed("apply", "--plan", "plan.json", "--auto-approve")
    assert (ran.code, len(armed.sandbox.requests)) == (1, 0)
    assert "plan.json: the digest does not fit the plan" in ran.err


@pytest.mark.parametrize("printed", [("plan", "manifests"), ("status", "manifests")])
def test_what_is_printed_is_no_saved_plan(armed: Extcal, printed: tuple[str, ...]) -> None:
    """A report in JSON is named as what it is, with the option that saves a plan."""
    armed.write(site(), connection(0), connection(1))
    (armed.folder / "p.json").write_text(armed(*printed, "--format", "json").out)
    ran = armed("apply", "--plan", "p.json", "--auto-approve")
    told = "this is what --format json prints, not a saved plan. Write one with extcal plan --out FILE."
    assert (ran.code, ran.err) == (1, f"error: p.json: {told}\n")


def test_a_manifest_is_no_saved_plan(armed: Extcal) -> None:
    """A file that is no JSON is not called damaged."""
    armed.write(site(), to="site.yaml")
    ran = armed("apply", "--plan", "site.yaml", "--auto-approve")
    told = "not a saved plan (not JSON). extcal plan --out writes one."
    assert (ran.code, ran.err) == (1, f"error: site.yaml: {told}\n")


def test_the_digest_is_the_same_in_the_report_and_in_the_file(armed: Extcal) -> None:
    """What a reviewer sees names the very file that is applied."""
    armed.write(site(), connection(0))
    shown = armed("plan", "manifests", "--out", "plan.json", "--format", "json").document["digest"]
    assert f'"digest":"{shown}"' in (armed.folder / "plan.json").read_text()


def in_force(extcal: Extcal) -> dict[str, dict[str, object]]:
    """What each account of the site imports and exports; what is switched off says only that."""
    rows = extcal("connections", "--site-id", HARBOR, "--format", "json").rows
    found: dict[str, dict[str, object]] = {}
    for row in rows:
        sync = row["syncConfig"]
        assert isinstance(sync, dict)
        if row["status"] != "DISCONNECTED":
            found[str(row["externalAccountEmail"])] = {name: d if d["enabled"] else "off" for name, d in sync.items()}
    return found


def test_undo_brings_back_what_can_be_brought_back(armed: Extcal) -> None:
    """The inverse plan restores configs, disconnects what was connected, and connects what was disconnected."""
    before = in_force(armed)
    armed.write(site(), connection(0), connection(1, more=EXPORTING), connection(2, more=TOMBSTONE))
    done = armed("apply", "manifests", "--auto-approve", "--undo-out", "undo.json")
    assert done.code == 0
    remarks = [line.removeprefix("warning: undo: harbor/") for line in done.err.splitlines()]
    assert remarks == [
        "staff-1: syncConfig.syncToCalendar.dedicatedCalendar stays chosen: the API can't take a choice back",
        "staff-2: syncConfig.syncToCalendar had no calendar chosen: a new connection may start with one",
    ]
    assert in_force(armed) != before
    back = armed("apply", "--plan", "undo.json", "--auto-approve")
    assert back.code == 0, back.out + back.err
    assert in_force(armed) == before


def test_undo_says_what_it_can_not_do(armed: Extcal) -> None:
    """Without a reference to the password a disconnect can't be undone, and the warning says so."""
    text = connection(1, more=TOMBSTONE).replace("  credentials: {password: {env: EXTCAL_APP_PASSWORD}}\n", "")
    armed.write(site(), text)
    ran = armed("apply", "manifests", "--auto-approve", "--undo-out", "undo.json")
    assert ran.code == 0
    assert "warning: undo: harbor/staff-1: connecting staff1@harbor-dental.example again takes its password" in ran.err
    assert "undo.json was not written: nothing that was done can be undone\n" in ran.err


def test_undo_never_costs_the_way_back(armed: Extcal) -> None:
    """A file that is there already, or can't be made, is refused first; an empty undo is not written."""
    armed.write(site(), connection(0))
    for name in ("nowhere/undo.json", "manifests/all.yaml"):
        ran = armed("apply", "manifests", "--auto-approve", "--undo-out", name)
        assert (ran.code, ran.out, armed.writes) == (64, "", [])
        assert f"--undo-out {name}: " in ran.err
    assert armed("apply", "manifests", "--auto-approve", "--undo-out", "undo.json").code == 0
    again = armed("apply", "manifests", "--auto-approve", "--undo-out", "second.json")
    assert (again.code, (armed.folder / "second.json").exists()) == (0, False)
    assert "nothing was done that could be undone" in again.err
