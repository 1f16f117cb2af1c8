"""Makes what each site has: the providers that are built in, and schedules beside those of its staff's events.

A member of staff has two schedules of one name and one external id, the resource id: one for events, which is what
calendars are connected to, and one for working hours. Every service has a schedule of its own, and so has the business.
The vendor's pages give the bookings app's id to what the bookings app makes; they do not name the app of the working
hours, so that its id here is made up. By the vendor's recipe Google imports from the primary calendar only.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.sandbox.contract import (
    BUSINESS_SCHEDULE_EXTERNAL_ID,
    CalendarType,
    ConnectMethod,
    ExportSupport,
    ImportSupport,
)
from reconciler.sandbox.world import Provider, Schedule

WORKING_HOURS_APP_ID = "f1ad23aa-e01d-43a4-8489-c7f30a683b60"


def built_in_providers(google_id: str, microsoft_id: str, apple_id: str) -> tuple[Provider, Provider, Provider]:
    """Google, Microsoft and Apple, by the ids that they have on a site."""
    google = Provider(
        id=google_id,
        slug="google",
        name="Google",
        calendar_type=CalendarType.GOOGLE,
        connect_methods=(ConnectMethod.OAUTH,),
        import_support=ImportSupport.PRIMARY_CALENDAR_ONLY,
        export_support=ExportSupport.DEDICATED_CALENDAR,
    )
    microsoft = Provider(
        id=microsoft_id,
        slug="microsoft",
        name="Outlook or Office 365",
        calendar_type=CalendarType.MICROSOFT,
        connect_methods=(ConnectMethod.OAUTH,),
        export_support=ExportSupport.DEDICATED_CALENDAR,
    )
    apple = Provider(
        id=apple_id,
        slug="apple",
        name="Apple",
        calendar_type=CalendarType.I_CAL,
        connect_methods=(ConnectMethod.CREDENTIALS,),
        export_support=ExportSupport.DEDICATED_CALENDAR,
        has_primary=False,
    )
    return google, microsoft, apple


def business(name: str, schedule_id: str, owner_id: str, time_zone: str) -> Schedule:
    """The schedule of the business itself."""
    return Schedule(
        id=schedule_id,
        name=name,
        external_id=BUSINESS_SCHEDULE_EXTERNAL_ID,
        owner_id=owner_id,
        owner_name=name,
        time_zone=time_zone,
    )


def working_hours(events: Schedule, schedule_id: str) -> Schedule:
    """The schedule of a staff member's working hours, from that of their events."""
    return replace(events, id=schedule_id, app_id=WORKING_HOURS_APP_ID)


def service(name: str, schedule_id: str, service_id: str, time_zone: str) -> Schedule:
    """The schedule of a service, which nobody owns."""
    return Schedule(id=schedule_id, name=name, external_id=service_id, time_zone=time_zone)
