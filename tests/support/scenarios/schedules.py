"""A site whose schedules of several apps have the same names, as hosted sites have them."""

from dataclasses import replace

from reconciler.sandbox.world import Schedule, Site
from tests.support.scenarios.worlds import HOURS_APP

SERVICES_APP = "9c1f6d0b-3a57-4e82-8f14-6b2d7c90e3a5"
BUSINESS_EXTERNAL_ID = "4e0579a5-491e-4e70-a872-d097eed6e520"


def with_other_schedules(site: Site, *more: Schedule) -> Site:
    """The site, whose schedules are those of its staff, and beside each one of their working hours, earlier by id.

    Its first schedule is also a service's name; another service, and the business schedule, stand for themselves.
    """
    staff = [replace(one, external_id=f"resource-{number}") for number, one in enumerate(site.schedules)]
    hours = [
        replace(one, id=f"1a000000-0000-4000-8000-{number:012}", app_id=HOURS_APP) for number, one in enumerate(staff)
    ]
    services = [
        Schedule("1b000000-0000-4000-8000-000000000000", staff[0].name, "service-0", app_id=SERVICES_APP),
        Schedule("1b000000-0000-4000-8000-000000000001", "Cleaning", "service-cleaning", app_id=SERVICES_APP),
        Schedule("1b000000-0000-4000-8000-000000000002", "Business", BUSINESS_EXTERNAL_ID, app_id=SERVICES_APP),
    ]
    return replace(site, schedules=(*hours, *staff, *services, *more))
