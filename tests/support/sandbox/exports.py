"""Connections of the sandbox that export, and the site's events for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.contract import ExportSupport, ImportSupport
from reconciler.sandbox.local import LocalSandbox
from reconciler.sandbox.seed import harbor_dental
from tests.support import web
from tests.support.sandbox.api import Api
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.ics import event, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.world import World

TO_DEDICATED = {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}}
TO_PRIMARY = {"syncToCalendar": {"enabled": True, "primaryCalendar": {}}}
PATEL_EMAIL = "patel@harbor-dental.example"
OFF = {"syncToCalendar": {"enabled": False}}
OTHER_OWNER = "a51ca53a-0b35-4c70-ad28-5c6f6f198edb"


def anywhere() -> World:
    """Harbor Dental with a Google that imports from any calendar, and exports to the primary one, too."""
    world = harbor_dental(NOON)
    google, *others = world.sites[0].providers
    able = replace(
        google, import_support=ImportSupport.SPECIFIC_CALENDARS, export_support=ExportSupport.SPECIFIC_CALENDAR
    )
    providers = (able, *others)
    return replace(world, sites=(replace(world.sites[0], providers=providers),))


def connected_google(api: Api) -> str:
    """The id of Dr. Patel's Google connection, to which the owner has agreed."""
    link = api.consent_url(redirect="https://harbor-dental.example/")
    answer = web.post(link, data={"decision": "allow", "account": PATEL_EMAIL})
    return str(answer.headers["location"].partition("connectionId=")[2])


def exporting(api: Api, lee: Path, **changed: object) -> dict[str, Any]:
    """Dr. Lee's connection, exporting to a calendar of its own; the account has the calendar Work beside it."""
    write(lee, event("dentist", "DTSTART:20260302T150000Z", "DTEND:20260302T160000Z"))
    connection = api.connect(**changed)
    answer = api.update(connection["id"], TO_DEDICATED)
    assert answer.status_code == 200, answer.text
    updated: dict[str, Any] = answer.json()["connection"]
    return updated


def add(site: LocalSandbox, title: str = "Check-up", *, schedule: str = "Dr. Lee", hours: int = 1) -> str:
    """An event some hours after noon, half an hour long; its id."""
    start = NOON + timedelta(hours=hours)
    return site.add_event(schedule, title, start, start + timedelta(minutes=30))
