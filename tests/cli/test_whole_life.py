"""The whole life of a change, in a real repository: pulled, reviewed, merged, applied, drifting, and brought back."""

import subprocess
from pathlib import Path

import httpx

from tests.support.cli.command import Extcal, Json
from tests.support.cli.worlds import HARBOR, KEY, harbor, world
from tests.support.tools import needs_git

pytestmark = needs_git


def git(folder: Path, *words: str) -> None:
    """Run git as somebody."""
    somebody = ("-c", "user.name=Ops", "-c", "user.email=ops@harbor-dental.example")
    subprocess.run(["git", "-C", str(folder), *somebody, *words], check=True, capture_output=True)  # noqa: S607 - git is on PATH


def live(extcal: Extcal) -> dict[str, Json]:
    """Each connected account's sync config."""
    rows = extcal("connections", "--site-id", HARBOR, "--format", "json").rows
    return {str(row["externalAccountEmail"]): row for row in rows if row["status"] != "DISCONNECTED"}


def test_the_whole_life_of_a_change(extcal: Extcal) -> None:
    """What is live is pulled, changed on a branch, reviewed, applied as reviewed, watched for drift, and undone."""
    extcal.on(world(harbor(1, 2)))
    repo = extcal.folder
    git(repo, "init", "--quiet", "--initial-branch=main")

    pulled = extcal("pull", "--site-id", HARBOR, "--output", "manifests")
    assert pulled.code == 0, pulled.err
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    git(repo, "add", "manifests")
    git(repo, "commit", "--quiet", "-m", "What is live")

    git(repo, "switch", "--quiet", "-c", "export-for-staff-1")
    edited = next(path for path in sorted((repo / "manifests").rglob("*.yaml")) if "staff1@" in path.read_text())
    manifest = edited.read_text()
    account = "account: staff1@harbor-dental.example"
    override = "syncConfig: {syncToCalendar: {enabled: true, dedicatedCalendar: {}}}"
    edited.write_text(manifest.replace(account, f"{account}\n  {override}"))
    git(repo, "commit", "--quiet", "-am", "Export to staff 1's calendar")

    assert extcal("validate", "manifests", "--format", "github").code == 0
    checked = extcal("plan", "manifests", "--base", "main", "--out", "plan.json", "--format", "markdown")
    assert checked.code == 0, checked.err
    assert "staff1@harbor-dental.example" in checked.out
    assert extcal("plan", "manifests", "--base", "main", "--detailed-exitcode").code == 2
    assert extcal.writes == []

    git(repo, "switch", "--quiet", "main")
    git(repo, "merge", "--quiet", "--no-edit", "export-for-staff-1")
    before = live(extcal)
    applied = extcal("apply", "--plan", "plan.json", "--auto-approve", "--undo-out", "undo.json")
    assert applied.code == 0, applied.out + applied.err
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0

    url = f"{extcal.sandbox.endpoint}/bookings/v2/external-calendars/connections/live-2/sync-config"
    by_hand = {"syncConfig": {"listEventFromCalendars": {"enabled": False}}}
    headers = {"Authorization": KEY, "wix-site-id": HARBOR}
    assert httpx.patch(url, json=by_hand, headers=headers).status_code == 200
    drift = extcal("plan", "manifests", "--detailed-exitcode")
    assert drift.code == 2
    assert "~ update" in drift.out
    assert "staff2@harbor-dental.example" in drift.out
    health = {str(row["account"]): row["health"] for row in status(extcal)}
    assert health == {"staff1@harbor-dental.example": "ok", "staff2@harbor-dental.example": "drifted"}

    undone = extcal("apply", "--plan", "undo.json", "--auto-approve")
    assert undone.code == 0, undone.out + undone.err
    now, account = live(extcal), "staff1@harbor-dental.example"
    assert exports(now[account]) == exports(before[account])
    assert exports(now[account]) is False


def status(extcal: Extcal) -> list[Json]:
    """Every declared connection and its health."""
    rows = extcal("status", "manifests", "--format", "json").document["connections"]
    assert isinstance(rows, list)
    return rows


def exports(row: Json) -> object:
    """Whether the connection exports."""
    sync = row["syncConfig"]
    assert isinstance(sync, dict)
    return sync["syncToCalendar"]["enabled"]
