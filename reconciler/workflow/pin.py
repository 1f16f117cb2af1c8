"""Pins manifests: reads what the service calls the things they name, and writes ids beside the names.

All names are compared, those that are pinned as well: that costs the connections, the schedules where any is named, and
the calendars of each account of which some are named and its sync config does not tell all.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from reconciler.api.client import Reader
from reconciler.api.redaction import MASK
from reconciler.errors import ApiError, ExtcalError
from reconciler.model.desired import DeclaredConnection, ScheduleKey, Site
from reconciler.model.live import Calendar, LiveSite, each_once
from reconciler.planning import lookup
from reconciler.pull.folder import Folder, SavedFiles, open_files, save
from reconciler.pull.pin_files import PinCount, PinnedFiles, pin_files
from reconciler.pull.pins import Documents, PinnedConnection, SitePins, calendars_to_list, find_pins, has_labels
from reconciler.workflow.observation import FoundSchedules, find_schedules
from reconciler.workflow.service import Service, run_bounded, sessions

__all__ = ["Folder", "PinCount", "PinResult", "PinnedFiles", "SavedFiles", "SitePins", "open_files", "pin", "save"]


@dataclass(frozen=True, slots=True)
class PinResult:
    """What can be pinned: by site, and as files that are not written yet; `unread` says which sites are not known."""

    sites: tuple[SitePins, ...]
    files: PinnedFiles
    unread: tuple[str, ...] = field(default=())


async def pin(paths: Sequence[Path], folder: Folder, sites: Sequence[Site], service: Service) -> PinResult:
    """Find what can be pinned of the manifests at `paths`, opened as `folder`, on these of their sites.

    Only reads are sent, and nothing is written. A site that can't be read does not keep the others from being pinned.
    Raises ExtcalError where the files can't be verified.
    """
    documents = folder.connections
    declared: dict[str, list[DeclaredConnection]] = {site.name: [] for site in sites}
    for one in folder.desired.connections:
        if one.site in declared:
            declared[one.site].append(one)
    async with sessions(sites, service) as opened:

        async def one_site(site: Site) -> SitePins | str:
            try:
                foresee = partial(opened.foresee, site.name)
                live = await _look(site, declared[site.name], documents, opened[site.name].reader(), foresee)
                # Before anything is made of its texts, or cut, so that no part of a secret is left.
                shown = service.secrets.redacted(live)
                return _without_secrets(find_pins(site, declared[site.name], documents, shown))
            except ExtcalError as error:
                return f"{site.name}: {error}"
            finally:
                opened.read(site.name)

        answers = await run_bounded(one_site, sites, opened.at_once)
    found = tuple(answer for answer in answers if not isinstance(answer, str))
    files = pin_files(folder, paths, [one for site in found for one in site.connections])
    return PinResult(found, files, tuple(answer for answer in answers if isinstance(answer, str)))


async def _look(
    site: Site,
    declared: Sequence[DeclaredConnection],
    documents: Documents,
    reader: Reader,
    foresee: Callable[[int], None],
) -> LiveSite:
    """What the service says of a site, as far as its manifests name anything."""
    offering, connecting = asyncio.create_task(reader.list_providers()), asyncio.create_task(reader.list_connections())
    asked = asyncio.create_task(_schedules(site, declared, reader))
    # All are waited for, so that of several errors the same one is raised each time.
    await asyncio.gather(offering, connecting, asked, return_exceptions=True)
    providers, connections, schedules = offering.result(), connecting.result(), asked.result()
    live = LiveSite(
        each_once(providers),
        connections.connections,
        connections.failed_provider_ids,
        schedules=schedules.listed,
        other_schedules=schedules.others,
    )
    calendars: dict[str, tuple[Calendar, ...]] = {}
    unlisted: dict[str, str] = {}

    async def ask(connection_id: str) -> None:
        try:
            calendars[connection_id] = each_once(await reader.list_calendars(connection_id))
        except ApiError as error:
            unlisted[connection_id] = str(error)

    wanted = calendars_to_list(declared, documents, live)
    foresee(len(wanted))
    await asyncio.gather(*map(ask, wanted))
    return replace(live, calendars=calendars, unlisted=unlisted)


async def _schedules(site: Site, declared: Sequence[DeclaredConnection], reader: Reader) -> FoundSchedules:
    """The schedules that names are looked up among, those of every app where the site's own don't have them all."""
    if not has_labels(declared):
        return await find_schedules(declared, reader)
    listed = each_once(await reader.query_schedules((), (site.schedules_app_id,)))
    own = lookup.Schedules(listed)
    # Not as a set: an id with a label equals the same one without.
    refs = [connection.schedule for connection in declared]
    if all(own.meant(ref) for ref in refs if ref.by is not ScheduleKey.ID or ref.label is not None):
        return FoundSchedules(listed)
    known = {schedule.id for schedule in listed}
    beyond = each_once(await reader.query_schedules())
    return FoundSchedules(listed, tuple(schedule for schedule in beyond if schedule.id not in known))


def _without_secrets(found: SitePins) -> SitePins:
    """The same without the texts in which a secret was: they mean nothing any more."""
    kept: list[PinnedConnection] = []
    for one in found.connections:
        pins = tuple(pin for pin in one.pins if MASK not in pin.text)
        if len(pins) < len(one.pins):
            found.remarks.append(
                f"{one.declared.address}: the service's answers contain a secret, which is not written"
            )
        if pins:
            kept.append(replace(one, pins=pins))
    found.connections = kept
    return found
