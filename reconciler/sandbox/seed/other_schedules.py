"""Makes the schedules that stand beside a staff member's own and are called alike.

A member of staff has two schedules of one name and one external id, the resource id: one for events, which is what
calendars are connected to, and one for working hours. Every service has a schedule of its own. The vendor's pages give
the bookings app's id to what the bookings app makes; they do not name the app of the working hours, so that its id
here is made up.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.sandbox.world import Schedule

WORKING_HOURS_APP_ID = "f1ad23aa-e01d-43a4-8489-c7f30a683b60"


def working_hours(events: Schedule, schedule_id: str) -> Schedule:
    """The schedule of a staff member's working hours, from that of their events."""
    return replace(events, id=schedule_id, app_id=WORKING_HOURS_APP_ID)


def service(name: str, schedule_id: str, service_id: str, time_zone: str) -> Schedule:
    """The schedule of a service, which nobody owns."""
    return Schedule(id=schedule_id, name=name, external_id=service_id, time_zone=time_zone)
