"""`extcal events`: what the site imports, to look at."""

from datetime import UTC, datetime, timedelta

import click

from reconciler.api.client import Reader
from reconciler.api.events import EventQuery
from reconciler.cli.options import global_options, said_globals
from reconciler.cli.sites import read_sites, sites_options
from reconciler.errors import UsageError
from reconciler.model.desired import Site
from reconciler.model.live import Event
from reconciler.planning.providers import word
from reconciler.render import table

_A_WEEK = timedelta(days=7)


@click.command
@sites_options
@click.option("--from", "start", metavar="TIME", help="From when on, RFC 3339. [default: now]")
@click.option("--to", "end", metavar="TIME", help="Until when, RFC 3339. [default: a week later]")
@click.option("--schedule", "schedule_ids", metavar="ID", multiple=True, help="Only this schedule's events.")
@click.option("--personal", is_flag=True, help="Show titles and calendar names too, where the key permits it.")
@global_options
def events(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    site_ids: tuple[str, ...],
    start: str | None,
    end: str | None,
    schedule_ids: tuple[str, ...],
    personal: bool,  # noqa: FBT001 - click hands flags over as arguments
    output: str,
) -> int:
    """List the external events that keep schedules busy."""
    since = _time("--from", start) if start else datetime.now(UTC).replace(microsecond=0)
    until = _time("--to", end) if end else since + _A_WEEK
    if until <= since:
        raise UsageError(f"--to {until.isoformat()} is not after --from {since.isoformat()}")
    query = EventQuery(since.isoformat(), until.isoformat(), schedule_ids, private=personal)

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Event]]:
        answer = await reader.list_events(query)
        if answer.failed_provider_ids:
            failed = ", ".join(answer.failed_provider_ids)
            said.console.warning(f"{site.name}: the service could not read the providers {failed}")
        return [(site, event) for event in answer.events]

    said = said_globals()
    rows, whole = read_sites(said, paths, names, site_ids, read)
    if output == "json":
        said.console.result(table.as_json([table.event_json(site.name, event) for site, event in rows]))
    else:
        headings = ("SITE", "START", "END", "PROVIDER", *(("CALENDAR", "TITLE") if personal else ()), "SCHEDULE ID")
        said.console.result(table.table(headings, [_row(site, event, personal=personal) for site, event in rows]))
    return 0 if whole else 1


def _time(option: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: not a time; write it as 2027-01-31T09:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _row(site: Site, event: Event, *, personal: bool) -> table.Row:
    start, end = (event.start[:10], event.end[:10]) if event.all_day else (event.start, event.end)
    whose = (event.calendar_name or "", event.title or "") if personal else ()
    return (site.name, start, end, word(event.calendar_type) or event.calendar_type, *whose, event.schedule_id)
