"""Manifests in JSON: edited where they differ, they stay JSON, and nothing is added to them."""

import json
from dataclasses import replace

import pytest

from reconciler.sandbox.sync_config import Export, Import, SyncConfig
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD_ENV, connected, email, harbor, schedule_id, site, world

WORK = SyncConfig(imports=Import(enabled=True, calendars=("work", "home")), exports=Export(enabled=False))


def manifest(number: int, sync: dict[str, object] | None, indent: int | str | None) -> str:
    """A Connection as JSON."""
    spec = {"schedule": {"id": schedule_id(number)}, "provider": "apple", "account": email(number)}
    document = {
        "apiVersion": "extcal/v1",
        "kind": "Connection",
        "metadata": {"name": f"staff-{number}"},
        "spec": spec if sync is None else spec | {"syncConfig": sync},
    }
    return json.dumps(document, indent=indent)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize(
    "sync",
    [
        {"listEventFromCalendars": {"enabled": False}},
        {"listEventFromCalendars": {"enabled": True, "calendars": [{"id": "work"}]}},
        {"listEventFromCalendars": {"primaryCalendar": {}}, "syncToCalendar": {"enabled": True}},
    ],
)
def test_what_is_edited_stays_json(extcal: Extcal, indent: int | str | None, sync: dict[str, object]) -> None:
    """A pull writes JSON into JSON, and planning finds nothing to do; what is new goes elsewhere."""
    extcal.env |= PASSWORD_ENV
    live = replace(harbor(1, 2), connections=(replace(connected(1), sync_config=WORK), connected(2)))
    extcal.on(world(live))
    extcal.write(site(more="scope: site"), to="manifests/site.yaml")
    extcal.write(manifest(1, sync, indent), to="manifests/staff-1.json")
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 2
    ran = extcal("pull", "manifests", "--output", "manifests")
    assert (ran.code, ran.err) == (0, "1 site: 1 pulled, 2 connections\n")
    written = json.loads((extcal.folder / "manifests" / "staff-1.json").read_text(encoding="utf-8"))
    assert written["metadata"] == {"name": "staff-1"}
    assert "updated    manifests/staff-1.json" in ran.out
    assert "created    manifests/" in ran.out
    planned = extcal("plan", "manifests", "--format", "json")
    assert [action["action"] for action in planned.actions] == ["noop", "noop"]
