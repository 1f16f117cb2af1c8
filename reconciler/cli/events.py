"""`extcal events` lists what the site imports."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import click

from reconciler.api.client import EventList, EventQuery, Reader
from reconciler.cli.arguments import Command, NamesOptions, names_options
from reconciler.cli.formats import Listing, show_listing
from reconciler.cli.listed_names import ScheduleNames
from reconciler.cli.options import current_options, global_options
from reconciler.cli.selectors import DeclaredIndex, Sought, one_schedule, schedules_meant, shown_schedule
from reconciler.cli.sites import SiteChoice, read_sites, sites_options
from reconciler.errors import ResponseError, UsageError
from reconciler.manifests.values import GUID
from reconciler.model.desired import ScheduleKey, Site
from reconciler.model.key import comparable_id
from reconciler.model.live import Event
from reconciler.planning.lookup import Schedules
from reconciler.planning.providers import shown_type
from reconciler.render import table
from reconciler.text import did_you_mean

_A_WEEK = timedelta(days=7)


@click.command(cls=Command, examples=["extcal events manifests --from 2027-01-31T09:00:00Z --zone Europe/Berlin"])
@sites_options
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="The first time to show: 2027-01-31T09:00, or 2027-01-31 for its first minute, in --zone; or with an offset, "
    "RFC 3339. [default: now]",
)
@click.option(
    "--to",
    "end",
    metavar="TIME",
    help="The end, written so, too. Where clocks are put back, the second of two such times. [default: a week later]",
)
@click.option(
    "--schedule",
    "schedules",
    metavar="NAME|ID",
    multiple=True,
    help="Only this schedule's events, by its name, id or external id; may be repeated.",
)
@click.option(
    "--zone",
    metavar="NAME",
    help="The time zone to show times in, such as Europe/Berlin, and to read --from and --to in where they have no "
    "offset. [default: as the service shows them; UTC]",
)
@names_options
@click.option("--personal", is_flag=True, help="Show titles and calendar names too, if the key permits it.")
@global_options
def events(
    chosen: SiteChoice,
    start: str | None,
    end: str | None,
    schedules: tuple[str, ...],
    zone: str | None,
    names: NamesOptions,
    personal: bool,  # noqa: FBT001 - click hands flags over as arguments
    output: str,
) -> int:
    """List the external events that keep schedules busy.

    Use it to check what a connection imports. Titles and calendar names are left out unless --personal asks for them.

    PATH is a manifest file or a folder of them; it, --site-id or --sandbox says which sites.
    """
    shown_in = None if zone is None else _zone(zone)
    since = _time("--from", start, shown_in) if start else datetime.now(UTC).replace(microsecond=0)
    until = _time("--to", end, shown_in, last=True) if end else _week_after(since)
    if until <= since:
        raise UsageError(f"--to {until.isoformat()} is not after --from {since.isoformat()}. Give a later --to.")
    query = EventQuery(since.isoformat(), until.isoformat(), private=personal)
    wanted = _Wanted(schedules, chosen)
    schedule_names = ScheduleNames(chosen, names, wanted=output == "text")

    async def read(site: Site, reader: Reader) -> list[tuple[Site, Event, str]]:
        answer = await (wanted.events(site, reader, query) if schedules else reader.list_events(query))
        if answer.failed_provider_ids:
            failed = ", ".join(answer.failed_provider_ids)
            options.console.warning(f"{site.name}: the service could not read the providers {failed}")
        shown_names = await schedule_names.shown({event.schedule_id for event in answer.events}, site, reader)
        return [(site, event, shown_names[event.schedule_id]) for event in answer.events]

    options = current_options()
    rows, whole = read_sites(options, replace(chosen, only=wanted.sites), read)
    wanted.refuse(whole=whole)
    heads = ("SITE", "START", "END", "PROVIDER", *(("CALENDAR", "TITLE") if personal else ()))
    cells = [_row(site, event, shown_in, personal=personal) for site, event, _ in rows]
    ids = [(event.schedule_id,) for _, event, _ in rows]
    listing = Listing(
        (*heads, "SCHEDULE ID"),
        [(*row, *id_) for row, id_ in zip(cells, ids, strict=True)],
        [table.event_json(site.name, event) for site, event, _ in rows],
        for_people=(
            (*heads, "SCHEDULE", *(("SCHEDULE ID",) if names.wide else ())),
            [
                (*row, name, *(id_ if names.wide else ()))
                for row, id_, (_, _, name) in zip(cells, ids, rows, strict=True)
            ],
        ),
    )
    show_listing(options.console, output, listing, whole=whole)
    return 0 if whole else 1


def _time(option: str, text: str, zone: ZoneInfo | None, *, last: bool = False) -> datetime:
    """A time of the command line; one without an offset is meant in the zone that times are shown in, else in UTC.

    Of two times that clocks show alike, it is the first one, or the `last`. One that they leave out is counted from
    before they were put forward (source: RFC 5545, section 3.3.5).
    """
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone or UTC)
            second = found.replace(fold=1)
            # Where it is left out, the offset of before is the smaller one.
            if last and _offset(found) > _offset(second):
                found = second
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: not a time. Write it as 2027-01-31T09:00:00Z.") from error


def _offset(time: datetime) -> timedelta:
    return time.utcoffset() or timedelta()


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
    return (site.name, start, end, shown_type(event.calendar_type), *whose)


class _Wanted:
    """The schedules that the command line names.

    A word that the manifests write beside an id, or as one, means that schedule, and its site alone is read. An id is
    taken at its word where it has events; of any other word, a site is asked for its schedules. `sites` are those to
    read, None where it may be any.
    """

    def __init__(self, words: Sequence[str], chosen: SiteChoice) -> None:
        self._told: dict[str, set[str]] = defaultdict(set)
        unpinned = []
        index = DeclaredIndex(each for declared in chosen.declared.values() for each in declared) if words else None
        for word in words:
            found = index.on_schedule(word) if index is not None else []
            one_schedule(word, found)
            pinned = [each for each in found if each.schedule.by is ScheduleKey.ID]
            for each in pinned:
                self._told[each.site].add(each.schedule.value)
            if not pinned:
                unpinned.append(word)
        self.sites = frozenset(self._told) if words and not unpinned else None
        self._sought = Sought("--schedule", unpinned, "schedules")
        self._names: set[str] = set()

    async def events(self, site: Site, reader: Reader, query: EventQuery) -> EventList:
        """The events of a site's schedules; raises ApiError or SecretError."""
        ids = {word: comparable_id(word) for word in self._sought.words if GUID.fullmatch(word)}
        found = await self._events_of({*self._told[site.name], *ids.values()}, reader, query)
        on = {event.schedule_id for event in found.events}
        asked = sorted(word for word in self._sought.words if ids.get(word) not in on)
        for word in self._sought.words.difference(asked):
            self._sought.found(word, f"{site.name} [{ids[word]}]")
        meant = await self._look_up(asked, site, reader) if asked else set()
        more = await self._events_of(meant.difference(on, ids.values()), reader, query)
        if not more.events:
            return found
        failed = dict.fromkeys((*found.failed_provider_ids, *more.failed_provider_ids))
        return EventList(tuple(sorted((*found.events, *more.events), key=lambda each: each.start)), tuple(failed))

    @staticmethod
    async def _events_of(ids: Collection[str], reader: Reader, query: EventQuery) -> EventList:
        # Without an id all events would be meant.
        return await reader.list_events(replace(query, schedule_ids=tuple(sorted(ids)))) if ids else EventList(())

    async def _look_up(self, words: Sequence[str], site: Site, reader: Reader) -> set[str]:
        """The ids of the site's schedules that words mean; one that is an id may mean one that is not active."""
        try:
            there = await reader.query_schedules()
        except ResponseError as error:
            if not all(map(GUID.fullmatch, words)):
                raise
            # They were asked for as ids already, and may well be some without an event.
            for word in words:
                self._sought.found(word, word)
            current_options().console.warning(f"{site.name}: whether there is such a schedule is not known: {error}")
            return set()
        self._names |= {schedule.name for schedule in there}
        known, found = Schedules(there), set()
        for word in words:
            for schedule in schedules_meant(word, known, site.schedules_app_id):
                self._sought.found(word, shown_schedule(site.name, schedule))
                found.add(schedule.id)
        return found

    def refuse(self, *, whole: bool) -> None:
        """Raise UsageError for a word that means several schedules or, once all sites were read, none."""
        self._sought.refuse_ambiguous("Give the id of one, or add --site.")
        if whole:
            missing = "no active schedule has this name, id or external id"
            self._sought.refuse_unknown(missing, self._names, "there are")
