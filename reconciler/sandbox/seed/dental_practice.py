"""Describes Harbor Dental: the site, its staff, and their accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import CalendarType, ConnectMethod, ExportSupport, ImportSupport
from reconciler.sandbox.seed.calendar_events import birthdays, holidays, personal_week, rota, work_week
from reconciler.sandbox.seed.site_parts import built_in_providers, business, service, working_hours
from reconciler.sandbox.world import Account, Calendar, Provider, Schedule, Site, World

if TYPE_CHECKING:
    from datetime import datetime


SITE_ID = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
APP_ID = "0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5"
_INSTANCE_ID = "cd8e0a0a-0d7a-4486-9dd9-b923db9967d9"
_OWNER_ID = "d6f6b66d-3f6f-42d5-b855-6e81a3b2744a"
_TIME_ZONE = "America/New_York"

_STAFF = (
    Schedule(
        id="3e47ec65-2975-447c-a7ed-75041e850d5e",
        name="Dr. Lee",
        external_id="0061f64f-6e9b-4543-a75f-377b537c9360",
        owner_id="1ed6243b-f5e3-49e0-b7d5-5d051c8f20f4",
        owner_name="Dana Lee",
        time_zone=_TIME_ZONE,
    ),
    Schedule(
        id="de999fec-0911-48b6-abd3-951426fc9b88",
        name="Dr. Patel",
        external_id="a82072ae-14bb-4ad9-a23e-844b36d5dd06",
        owner_id="a659c0b3-97e3-445d-b98a-e846bb3a7b37",
        owner_name="Asha Patel",
        time_zone=_TIME_ZONE,
    ),
    Schedule(
        id="09562353-67fd-474c-9aa7-0881abec1d3a",
        name="Hygienist Kim",
        external_id="ce85e29b-c012-4617-bfca-ba53c2eea313",
        owner_id="745b0241-31b9-4b6c-82d7-5d1b56b70fdd",
        owner_name="Jun Kim",
        time_zone=_TIME_ZONE,
    ),
    Schedule(
        id="72b2b21f-774c-4372-8069-d3bda74f02f8",
        name="Front Desk",
        external_id="ddbd1c3a-91bd-41de-b376-35d88db507d1",
        owner_id="a51ca53a-0b35-4c70-ad28-5c6f6f198edb",
        owner_name="Robin Alvarez",
        time_zone=_TIME_ZONE,
    ),
)
_SCHEDULES = (
    *_STAFF,
    business("Harbor Dental", "db20fa22-2447-4515-a055-88ca2abb6bbb", _OWNER_ID, _TIME_ZONE),
    working_hours(_STAFF[0], "f7a3a476-2b8a-4704-9b25-1776a8909ff0"),
    working_hours(_STAFF[1], "3984240e-b21d-4c61-ad91-4abb50a6d45f"),
    working_hours(_STAFF[2], "7b696927-8db5-413b-b91d-887107fe9b3b"),
    working_hours(_STAFF[3], "8fe45675-6ec2-42aa-9c2c-6f82c577a62c"),
    service("Check-up", "252352ba-ee6b-4eeb-91b2-08a03b941733", "4265af35-0544-48dc-9afa-c071064f5bc8", _TIME_ZONE),
    service("Cleaning", "1cadcd26-9480-4b89-9210-d59fa4d843fe", "cf996b22-f77f-405d-b48c-a5e736ff4125", _TIME_ZONE),
)

_PROVIDERS = (
    *built_in_providers(
        google_id="e58e2ae6-8651-41ab-907d-063e056d30f9",
        microsoft_id="9f70730b-fcdf-4512-b506-8feee00e3b03",
        apple_id="f8b9a061-f8b3-4eed-af9d-63801dcec25d",
    ),
    Provider(
        id="ba3b456a-fe48-4f02-a055-dd1b6002b6f1",
        slug="tidewater",
        name="Tidewater Rota",
        calendar_type=CalendarType.OTHER,
        connect_methods=(ConnectMethod.CREDENTIALS,),
        update_sync_config=False,
        import_support=ImportSupport.PRIMARY_CALENDAR_ONLY,
        export_support=ExportSupport.NOT_SUPPORTED,
    ),
)


def harbor_dental(now: datetime) -> World:
    """The world, with events around `now` (aware)."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return World(
        sites=(
            Site(
                id=SITE_ID,
                name="Harbor Dental",
                schedules=_SCHEDULES,
                providers=_PROVIDERS,
                instance_id=_INSTANCE_ID,
            ),
        ),
        accounts=(*_apple(today), *_google(today), *_microsoft(today), *_tidewater(today)),
    )


def _apple(today: datetime) -> tuple[Account, ...]:
    lee = (
        Calendar("k93wqe", "Work", work_week(today, "Lee")),
        Calendar("a68yu6", "Personal", personal_week(today)),
        Calendar("c02bth", "Birthdays", birthdays(today)),
    )
    kim = (
        Calendar("p51xdn", "Work", work_week(today + timedelta(days=1), "Kim")),
        Calendar("r77fam", "Family", personal_week(today)),
        Calendar("t14fam", "Family", birthdays(today)),
    )
    return (
        Account("apple", "lee@harbor-dental.example", "seagull-lantern-41", lee),
        Account("apple", "kim@harbor-dental.example", "harbor-thimble-87", kim),
    )


def _google(today: datetime) -> tuple[Account, ...]:
    def calendars(name: str, email: str) -> tuple[Calendar, ...]:
        return (
            Calendar(email, name, work_week(today, name)),
            Calendar(f"{name.lower()}-personal@calendar.google.example", "Personal", personal_week(today)),
            Calendar("birthdays@calendar.google.example", "Birthdays", birthdays(today)),
            Calendar("us-holidays@calendar.google.example", "Holidays", holidays(today)),
        )

    return (
        Account("google", "patel@harbor-dental.example", None, calendars("Patel", "patel@harbor-dental.example")),
        Account("google", "lee@harbor-dental.example", None, calendars("Lee", "lee@harbor-dental.example")),
        Account("google", "office@harbor-dental.example", None, calendars("Office", "office@harbor-dental.example")),
    )


def _microsoft(today: datetime) -> tuple[Account, ...]:
    def calendars(prefix: str, name: str) -> tuple[Calendar, ...]:
        return (
            Calendar(f"{prefix}-calendar", "Calendar", work_week(today, name)),
            Calendar(f"{prefix}-personal", "Personal", personal_week(today)),
            Calendar(f"{prefix}-personal-old", "Personal"),
            Calendar(f"{prefix}-birthdays", "Birthdays", birthdays(today)),
        )

    return (
        Account("microsoft", "kim@harbor-dental.example", None, calendars("AAMkADk1", "Kim")),
        Account("microsoft", "frontdesk@harbor-dental.example", None, calendars("AAMkADf2", "Front desk")),
    )


def _tidewater(today: datetime) -> tuple[Account, ...]:
    calendars = (
        Calendar("rota", "Rota", rota(today)),
        Calendar("on-call", "On call", work_week(today, "On call")),
        Calendar("swaps", "Swaps"),
    )
    return (Account("tidewater", "frontdesk@harbor-dental.example", "pelican-anchor-12", calendars),)
