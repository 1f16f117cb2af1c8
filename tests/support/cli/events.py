"""A world in which an account is busy, and how the listings are asked about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.sandbox.world import CalendarEvent, World
from tests.support.cli.worlds import HARBOR, harbor, world

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
SITE = ("--site-id", HARBOR)
MARCH = ("--from", "2027-03-01", "--to", "2027-03-08")


def with_events() -> World:
    """A world in which the account of Staff 0 is connected and busy at noon on 1 March 2027, and all the day after."""
    shown = world(harbor(0))
    day = NOON.replace(hour=0) + timedelta(days=1)
    events = (
        CalendarEvent("Supplier call", NOON, NOON + timedelta(hours=1)),
        CalendarEvent("Off", day, day + timedelta(days=1), all_day=True),
    )
    accounts = [replace(a, calendars=(replace(a.calendars[0], events=events),)) for a in shown.accounts]
    return replace(shown, accounts=tuple(accounts))
