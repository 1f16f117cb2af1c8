"""`extcal events` lists what the site imports."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import click

from reconciler.api.client import EventQuery, Reader
from reconciler.cli.arguments import Command
from reconciler.cli.formats import Listing, show_listing
from reconciler.cli.options import current_options, global_options
from reconciler.cli.sites import SiteChoice, read_sites, sites_options
from reconciler.errors import UsageError
from reconciler.model.desired import Site
from reconciler.model.live import Event
from reconciler.planning.providers import shown_type
from reconciler.render import table
from reconciler.text import did_you_mean

_A_WEEK = timedelta(days=7)


@click.command(cls=Command, examples=["extcal events manifests --from 2027-01-31T09:00:00Z --zone Europe/Berlin"])
@sites_options
@click.option("--from", "start", metavar="TIME", help="The first time to show, RFC 3339. [default: now]")
@click.option("--to", "end", metavar="TIME", help="The end, RFC 3339. [default: a week later]")
@click.option(
    "--schedule", "schedule_ids", metavar="ID", multiple=True, help="Only this schedule's events; may be repeated."
)
@click.option(
    "--zone",
    metavar="NAME",
    help="The time zone to show times in, such as Europe/Berlin, and to read --from and --to in where they have no "
    "offset. [default: as the service shows them; UTC]",
)
@click.option("--personal", is_flag=True, help="Show titles and calendar names too, if the key permits it.")
@global_options
def events(
    chosen: SiteChoice,
    start: str | None,
    end: str | None,
    schedule_ids: tuple[str, ...],
    zone: str | None,
    personal: bool,  # noqa: FBT001 - click hands flags over as arguments
    output: str,
) -> int:
    """List the external events that keep schedules busy.

    Use it to check what a connection imports. Titles and calendar names are left out unless --personal asks for them.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """
    shown_in = None if zone is None else _zone(zone)
    since = _time("--from", start, shown_in) if start else datetime.now(UTC).replace(microsecond=0)
    until = _time("--to", end, shown_in) if end else _week_after(since)
    if until <= since:
        raise UsageError(f"--to {until.isoformat()} is not after --from {since.isoformat()}. Give a later --to.")
    query = EventQuery(since.isoformat(), until.isoformat(), schedule_ids, private=personal)

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Event]]:
        answer = await reader.list_events(query)
        if answer.failed_provider_ids:
            failed = ", ".join(answer.failed_provider_ids)
            options.console.warning(f"{site.name}: the service could not read the providers {failed}")
        return [(site, event) for event in answer.events]

    options = current_options()
    rows, whole = read_sites(options, chosen, read)
    listing = Listing(
        ("SITE", "START", "END", "PROVIDER", *(("CALENDAR", "TITLE") if personal else ()), "SCHEDULE ID"),
        [_row(site, event, shown_in, personal=personal) for site, event in rows],
        [table.event_json(site.name, event) for site, event in rows],
    )
    show_listing(options.console, output, listing, whole=whole)
    return 0 if whole else 1


def _time(option: str, text: str, zone: ZoneInfo | None) -> datetime:
    """A time of the command line; one without an offset is meant in the zone that times are shown in, else in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone or UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: not a time. Write it as 2027-01-31T09:00:00Z.") from error


def _week_after(since: datetime) -> datetime:
    try:
        return since + _A_WEEK
    except OverflowError as error:
        raise UsageError(f"--from {since.isoformat()}: no week follows it. Add --to.") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = did_you_mean(name, available_timezones()) or "write it as Europe/Berlin or UTC"
        raise UsageError(f"--zone {name}: unknown time zone; {hint}") from error


def _shown(time: str, zone: ZoneInfo | None) -> str:
    """A time of the service as a person reads it; one that is not a time is shown as it came."""
    if zone is None:
        return time
    try:
        return datetime.fromisoformat(time).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
    except ValueError:
        return time


def _row(site: Site, event: Event, zone: ZoneInfo | None, *, personal: bool) -> table.Row:
    times = (event.start, event.end)
    start, end = (time[:10] if event.all_day else _shown(time, zone) for time in times)
    whose = (event.calendar_name or "", event.title or "") if personal else ()
    return (site.name, start, end, shown_type(event.calendar_type), *whose, event.schedule_id)
