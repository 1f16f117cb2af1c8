"""Connects that a run which is no more has left open: written down by the journal itself, an hour ago."""

import time
from collections.abc import Sequence
from pathlib import Path

from reconciler.machine import Machine, SiteFolder
from reconciler.machine.journal import FileJournal
from reconciler.model.account import Account
from reconciler.model.intent import Intent
from reconciler.model.key import ConnectionKey
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import APPLE, HARBOR, email, schedule_id

STATE = "state"
_LONG_AGO = 3600.0


def folder_of(extcal: Extcal, site_id: str = HARBOR, endpoint: str | None = None) -> SiteFolder:
    """The folder of a site on the command's machine."""
    extcal.env["EXTCAL_STATE_DIR"] = str(extcal.folder / STATE)
    return Machine(extcal.folder / STATE, endpoint or extcal.sandbox.endpoint).site(site_id)


def intent(number: int, *, site: str = "harbor", site_id: str = HARBOR, known: Sequence[str] = ()) -> Intent:
    """A connect of the Apple account with this number."""
    return Intent(
        id=f"intent-{site}-{number}",
        address=f"{site}/staff-{number}",
        site=site,
        site_id=site_id,
        key=ConnectionKey(schedule_id(number), "apple", Account(email(number))),
        provider_id=APPLE,
        known=tuple(known),
    )


def journal(place: SiteFolder, *, age: float = _LONG_AGO) -> FileJournal:
    """The journal of a site, whose lines are `age` seconds old."""
    return FileJournal(place.path / "journal", place.make, lambda: time.time() - age, lambda: time.monotonic() - age)


def leave_open(extcal: Extcal, *intents: Intent) -> Path:
    """Leave connects open, long enough ago that nobody waits for them; the path of the last one's journal."""
    path = Path()
    for each in intents:
        place = folder_of(extcal, each.site_id)
        journal(place).begin(each)
        path = place.path / "journal"
    return path
