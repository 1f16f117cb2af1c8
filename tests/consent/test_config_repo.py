"""The example's config repository, rehearsed whole on the two sites that a fresh sandbox holds."""

from datetime import UTC, datetime

from reconciler.sandbox.seed import seeded_world
from tests.consent.owners import allow_only, links
from tests.support.cli.command import Extcal
from tests.support.tools import ROOT

_MANIFESTS = str(ROOT / "examples" / "config-repo" / "manifests")
_PATEL, _NOOR = "patel@harbor-dental.example", "noor@lakeside-physio.example"


def test_both_sites_are_planned_applied_and_agreed_to(extcal: Extcal) -> None:
    """One key opens both; Dr. Lee connects, Sam's connection goes, two owners agree, and nothing is left to plan."""
    extcal.on(seeded_world(datetime.now(UTC)))
    extcal.env["EXTCAL_LEE_APP_PASSWORD"] = "seagull-lantern-41"
    planned = extcal("plan", _MANIFESTS, "--format", "json")
    assert {str(each["address"]): each["action"] for each in planned.actions} == {
        "harbor-dental/dr-lee-apple": "connect",
        "harbor-dental/dr-patel-google": "connect",
        "lakeside-physio/noor-microsoft": "connect",
        "lakeside-physio/sam-google": "disconnect",
    }
    applied = extcal("apply", _MANIFESTS, "--auto-approve", "--consent", "link")
    assert applied.code == 3, applied.err
    found = links(applied.out)
    assert set(found) == {_PATEL, _NOOR}
    for account, link in found.items():
        assert "connectionId=" in allow_only(link, account)
    finished = extcal("apply", _MANIFESTS, "--auto-approve", "--consent", "skip")
    assert finished.code == 0, finished.out + finished.err
    assert extcal("plan", _MANIFESTS, "--detailed-exitcode").code == 0
