"""The example's config repository, rehearsed whole on the two sites that a fresh sandbox holds."""

import json
from datetime import UTC, datetime

from reconciler.sandbox.seed import LAKESIDE_ID, SITE_ID, seeded_world
from tests.consent.owners import allow_only, links
from tests.support.cli.command import Extcal
from tests.support.tools import ROOT

_MANIFESTS = str(ROOT / "examples" / "config-repo" / "manifests")
_PATEL, _NOOR = "patel@harbor-dental.example", "noor@lakeside-physio.example"


def test_both_sites_are_planned_applied_and_agreed_to(extcal: Extcal) -> None:
    """One key opens both; who has a password connects, Sam's goes, two owners agree, and nothing is left to plan."""
    extcal.on(seeded_world(datetime.now(UTC)))
    extcal.env |= {
        "EXTCAL_LEE_APP_PASSWORD": "seagull-lantern-41",
        "EXTCAL_KIM_APP_PASSWORD": "harbor-thimble-87",
        "EXTCAL_ROTA_PASSWORD": "pelican-anchor-12",
    }
    planned = extcal("plan", _MANIFESTS, "--format", "json")
    assert {str(each["address"]): each["action"] for each in planned.actions} == {
        "harbor-dental/dr-lee-apple": "connect",
        "harbor-dental/dr-patel-google": "connect",
        "harbor-dental/front-desk-rota": "connect",
        "harbor-dental/kim-apple": "connect",
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


def test_working_hours_make_no_name_ambiguous_and_a_service_does(extcal: Extcal) -> None:
    """Another app keeps the working hours of Dr. Patel; a service of the bookings app is called Noor."""
    extcal.on(seeded_world(datetime.now(UTC)))
    extcal.write(
        _site("harbor-dental", SITE_ID),
        _connection("harbor-dental", schedule="Dr. Patel", provider="google", account=_PATEL),
        _site("lakeside-physio", LAKESIDE_ID),
        _connection("lakeside-physio", schedule="Noor", provider="microsoft", account=_NOOR),
    )
    planned = extcal("plan", "manifests", "--format", "json")
    assert [each["address"] for each in planned.actions] == ["harbor-dental/on-dr-patel"]
    errors = json.dumps(planned.document["errors"])
    assert "2 schedules have the name Noor" in errors
    for schedule_id in ("c4d0e2a9-6f15-4b7c-8e3d-1a2f9b5c7d60", "e747892b-a51c-4dd4-8a0b-b121ebfdb6ab"):
        assert schedule_id in errors


def _site(name: str, site_id: str) -> str:
    auth = "auth: {apiKey: {env: EXTCAL_API_KEY}}"
    return f"---\napiVersion: extcal/v1\nkind: Site\nmetadata: {{name: {name}}}\nspec: {{siteId: {site_id}, {auth}}}\n"


def _connection(site: str, *, schedule: str, provider: str, account: str) -> str:
    name = f"on-{schedule.lower().replace('. ', '-')}"
    spec = f"{{site: {site}, schedule: {{name: {schedule}}}, provider: {provider}, account: {account}}}"
    return f"---\napiVersion: extcal/v1\nkind: Connection\nmetadata: {{name: {name}}}\nspec: {spec}\n"
