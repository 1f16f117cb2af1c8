"""Describes Lakeside Physio: a second site, with its own installations of the same providers.

Sam has left, and the connection of Sam's schedule still stands. A service is named after Noor, so that the name alone
fits two schedules of the bookings app: a manifest must say the id, or the external id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.seed.calendar_events import birthdays, personal_week, work_week
from reconciler.sandbox.seed.site_parts import built_in_providers, business, service, working_hours
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Schedule, Site, World

if TYPE_CHECKING:
    from datetime import datetime


LAKESIDE_ID = "5b0c9d1e-84a7-4f3e-b2d6-90c1a7e4f823"
_INSTANCE_ID = "0f4c2a6d-7be1-4d93-8a52-c9e6b1d07f38"
_OWNER_ID = "b7e15a90-2c4d-4b86-9f03-58d1c6a2e74b"
_TIME_ZONE = "America/Chicago"
_NOOR, _SAM = "noor@lakeside-physio.example", "sam@lakeside-physio.example"

_STAFF = (
    Schedule(
        id="c4d0e2a9-6f15-4b7c-8e3d-1a2f9b5c7d60",
        name="Noor",
        external_id="37f2b8d4-91ac-4e05-b6c7-0d4e8a15f293",
        owner_id="f0a6d3c8-5e72-4b19-8d4f-6c2b9e71a053",
        owner_name="Noor Haddad",
        time_zone=_TIME_ZONE,
    ),
    Schedule(
        id="e81f6b34-0a9d-4c52-97f8-3d6a0b1c2e95",
        name="Sam",
        external_id="6bd94e17-c083-4f2a-95e1-a7d3f0862c4b",
        owner_id="2d8b7c5e-4f16-4a3d-b09e-e5c1a8f7d642",
        owner_name="Sam Whitfield",
        time_zone=_TIME_ZONE,
    ),
)
_SCHEDULES = (
    *_STAFF,
    business("Lakeside Physio", "9a64f1c2-d5b7-4e38-80a9-7f2c3b6e1d05", _OWNER_ID, _TIME_ZONE),
    working_hours(_STAFF[0], "6058e8e1-4292-4deb-95ce-e327b1a673f7"),
    working_hours(_STAFF[1], "463957e3-3426-4923-a989-0d9b9d429172"),
    service("Massage", "e465678d-2305-4087-b9f3-9790d240f871", "d354d1e6-297f-48f3-8281-224f686c1f37", _TIME_ZONE),
    service("Noor", "e747892b-a51c-4dd4-8a0b-b121ebfdb6ab", "0d8c5e27-6b14-4f9a-93d7-8a1e2c4b7f60", _TIME_ZONE),
)

_PROVIDERS = built_in_providers(
    google_id="41c7e9b3-6d08-4f5a-a2e4-8b3d0f96c175",
    microsoft_id="d2f58a06-3b9e-4c71-b8d5-4e0a7c1f6293",
    apple_id="75e3d1b8-a940-4c6f-8f27-b06c9d2e5a14",
)


def lakeside_physio(now: datetime) -> World:
    """The second site and its accounts, with events around `now` (aware)."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return World(
        sites=(
            Site(
                id=LAKESIDE_ID,
                name="Lakeside Physio",
                schedules=_SCHEDULES,
                providers=_PROVIDERS,
                connections=(ExistingConnection(_PROVIDERS[0].id, _STAFF[1].id, _SAM),),
                instance_id=_INSTANCE_ID,
            ),
        ),
        accounts=(
            Account(
                "microsoft",
                _NOOR,
                None,
                (
                    Calendar("AAMkADn7-calendar", "Calendar", work_week(today, "Noor")),
                    Calendar("AAMkADn7-birthdays", "Birthdays", birthdays(today)),
                ),
            ),
            Account(
                "google",
                _SAM,
                None,
                (
                    Calendar(_SAM, "Sam", work_week(today, "Sam")),
                    Calendar("sam-personal@calendar.google.example", "Personal", personal_week(today)),
                ),
            ),
        ),
    )
